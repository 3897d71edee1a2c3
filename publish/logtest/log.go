package logtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"mailflume/publish"
)

// Box is the mailbox the suite works on.
func Box() publish.Key { return publish.Key{Tenant: "acme", Mailbox: "Jane.Doe@acme.com"} }

// Sample returns the n-th received event of box and its Ref.
func Sample(box publish.Key, n int) (*publish.Event, publish.Ref) {
	ref := publish.Ref(fmt.Sprintf("INBOX;1;%d", n))
	id := publish.MessageID(box, "INBOX", 1, uint32(n))
	data := &publish.Data{
		Mailbox: publish.MailboxInfo{ID: box.Mailbox, Tenant: box.Tenant}, UID: uint32(n), Subject: fmt.Sprintf("message %d", n),
		Ingest: &publish.Ingest{Worker: "w1", Attempt: 1}, Raw: &publish.Stored{SHA256: fmt.Sprintf("%032x%032x", n, 0), Size: int64(n)},
	}
	return publish.NewEvent(box, publish.Received, id, time.Unix(int64(n), 0), data), ref
}

// RunLog runs the conformance suite. Mk returns an empty log; what it needs for its end it registers
// with t.Cleanup.
func RunLog(t *testing.T, mk func(t *testing.T) publish.Log) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, log publish.Log)
	}{
		{"an empty log has no position", emptyPosition},
		{"a claim finds what was appended, once and in order", positionWithoutSnapshot},
		{"a claim finds the snapshot and what came after it", positionWithSnapshot},
		{"an empty snapshot is a snapshot", emptySnapshot},
		{"the newest of many snapshots counts", manySnapshots},
		{"a snapshot of 3 MB comes back whole", largeSnapshot},
		{"a new claim fences the old one", fencing},
		{"a replay moves no position", replays},
		{"appending the same event twice stores it once", sameEventTwice},
		{"an event of the largest size is taken and a larger one refused", largestEvent},
		{"two mailboxes do not see each other", twoMailboxes},
		{"mailboxes whose names hold wildcards do not see each other", hostileNames},
		{"a released claim writes nothing more", released},
		{"an ended context ends a call", endedContext},
		{"verify holds for the owner only", verify},
		{"a claim's clock is the one that stamps the entries", clocks},
		{"a word is left for the next owner, and for the one after", words},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, mk(t)) })
	}
}

// deadline returns a context that ends before the test binary's patience does.
func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func mustClaim(t *testing.T, log publish.Log, box publish.Key) publish.Claim {
	t.Helper()
	c, err := log.Claim(deadline(t), box)
	if err != nil {
		t.Fatalf("claim %s: %v", box, err)
	}
	return c
}

func mustAppend(t *testing.T, c publish.Claim, box publish.Key, from, to int) {
	t.Helper()
	for n := from; n <= to; n++ {
		ev, ref := Sample(box, n)
		if err := c.Append(deadline(t), ev, ref); err != nil {
			t.Fatalf("append %d: %v", n, err)
		}
	}
}

func mustSave(t *testing.T, c publish.Claim, snapshot string) {
	t.Helper()
	if err := c.Save(deadline(t), []byte(snapshot)); err != nil {
		t.Fatalf("save: %v", err)
	}
}

// wantPosition claims box and compares; from > to means no entries.
func wantPosition(t *testing.T, log publish.Log, box publish.Key, snapshot string, from, to int) publish.Claim {
	t.Helper()
	c := mustClaim(t, log, box)
	got, since := c.Position()
	if string(got) != snapshot {
		t.Errorf("snapshot %.40q (%d bytes), want %.40q (%d)", got, len(got), snapshot, len(snapshot))
	}
	var want []publish.Ref
	var raw []publish.Content
	for n := from; n <= to; n++ {
		ev, ref := Sample(box, n)
		want, raw = append(want, ref), append(raw, publish.ContentOf(ev.Data))
	}
	if len(since) != len(want) {
		t.Fatalf("%d entries after the snapshot, want %d: %+v", len(since), len(want), since)
	}
	for i, e := range since {
		if e.Ref != want[i] || e.Content != raw[i] || e.Type != publish.Received || time.Since(e.Time).Abs() > time.Hour {
			t.Fatalf("entry %d is %+v, want ref %s", i, e, want[i])
		}
	}
	return c
}

func emptyPosition(t *testing.T, log publish.Log) {
	snapshot, since := mustClaim(t, log, Box()).Position()
	if snapshot != nil || len(since) != 0 {
		t.Errorf("position of an empty log: %q, %v", snapshot, since)
	}
}

func positionWithoutSnapshot(t *testing.T, log publish.Log) {
	mustAppend(t, mustClaim(t, log, Box()), Box(), 1, 300)
	mustAppend(t, wantPosition(t, log, Box(), "", 1, 300), Box(), 301, 302)
	wantPosition(t, log, Box(), "", 1, 302)
}

func positionWithSnapshot(t *testing.T, log publish.Log) {
	c := mustClaim(t, log, Box())
	mustSave(t, c, "base")
	wantPosition(t, log, Box(), "base", 1, 0)
	c = mustClaim(t, log, Box())
	mustAppend(t, c, Box(), 1, 10)
	mustSave(t, c, "after 10")
	mustAppend(t, c, Box(), 11, 25)
	wantPosition(t, log, Box(), "after 10", 11, 25)
	c = wantPosition(t, log, Box(), "after 10", 11, 25) // a claim that wrote nothing changes nothing
	mustAppend(t, c, Box(), 26, 26)
	mustSave(t, c, "after 26")
	wantPosition(t, log, Box(), "after 26", 1, 0)
}

func emptySnapshot(t *testing.T, log publish.Log) {
	mustSave(t, mustClaim(t, log, Box()), "")
	if snapshot, _ := mustClaim(t, log, Box()).Position(); snapshot == nil || len(snapshot) != 0 {
		t.Errorf("snapshot %q, want an empty one that is not nil", snapshot)
	}
}

func manySnapshots(t *testing.T, log publish.Log) {
	c := mustClaim(t, log, Box())
	for n := 1; n <= 12; n++ {
		mustAppend(t, c, Box(), n, n)
		mustSave(t, c, strings.Repeat("x", n))
		if n%4 == 0 {
			c = wantPosition(t, log, Box(), strings.Repeat("x", n), 1, 0)
		}
	}
}

func largeSnapshot(t *testing.T, log publish.Log) {
	c := mustClaim(t, log, Box())
	large := strings.Repeat("0123456789abcde\n", 3<<20/16)
	mustSave(t, c, large)
	mustAppend(t, c, Box(), 1, 3)
	c = wantPosition(t, log, Box(), large, 1, 3)
	mustSave(t, c, large+"!")
	mustSave(t, c, "small again")
	mustSave(t, c, "smaller")
	wantPosition(t, log, Box(), "smaller", 1, 0)
}

func fencing(t *testing.T, log publish.Log) {
	old := mustClaim(t, log, Box())
	mustSave(t, old, "base")
	mustAppend(t, old, Box(), 1, 1)
	young := mustClaim(t, log, Box())
	ev, ref := Sample(Box(), 66)
	for range 2 {
		if err := old.Append(deadline(t), ev, ref); !errors.Is(err, publish.ErrFenced) {
			t.Errorf("append of a fenced claim: %v", err)
		}
		if err := old.Save(deadline(t), []byte("zombie")); !errors.Is(err, publish.ErrFenced) {
			t.Errorf("save of a fenced claim: %v", err)
		}
	}
	mustAppend(t, young, Box(), 2, 3)
	wantPosition(t, log, Box(), "base", 1, 3)
}

func replays(t *testing.T, log publish.Log) {
	c := mustClaim(t, log, Box())
	mustAppend(t, c, Box(), 1, 2)
	for range 2 {
		ev, ref := Sample(Box(), 1)
		ev.Data.Ingest.Replay = true
		if err := c.Append(deadline(t), ev, ref); err != nil {
			t.Fatalf("replay: %v", err)
		}
	}
	mustAppend(t, c, Box(), 3, 3)
	wantPosition(t, log, Box(), "", 1, 3)
}

func sameEventTwice(t *testing.T, log publish.Log) {
	c := mustClaim(t, log, Box())
	mustAppend(t, c, Box(), 1, 2)
	mustAppend(t, c, Box(), 2, 2)
	mustAppend(t, c, Box(), 1, 1)
	mustAppend(t, c, Box(), 3, 3)
	wantPosition(t, log, Box(), "", 1, 3)
}

func largestEvent(t *testing.T, log publish.Log) {
	c := mustClaim(t, log, Box())
	ev, ref := sized(t, log.MaxEvent())
	if err := c.Append(deadline(t), ev, ref); err != nil {
		t.Errorf("append of %d bytes: %v", log.MaxEvent(), err)
	}
	ev, ref = sized(t, log.MaxEvent()+1)
	if err := c.Append(deadline(t), ev, ref); !errors.Is(err, publish.ErrTooLarge) {
		t.Errorf("append of a byte more: %v", err)
	}
	mustAppend(t, c, Box(), 3, 3)
}

// sized returns an event of n encoded bytes with a Ref of 1.5 KiB.
func sized(t *testing.T, n int) (*publish.Event, publish.Ref) {
	t.Helper()
	for fill := 0; ; {
		ev, _ := Sample(Box(), n)
		ev.Data.Subject = strings.Repeat("x", fill)
		body, err := ev.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if len(body) == n {
			return ev, publish.Ref(strings.Repeat("r", 1536))
		}
		fill += n - len(body)
	}
}
