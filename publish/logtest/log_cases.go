package logtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"mailflume/publish"
)

func twoMailboxes(t *testing.T, log publish.Log) {
	a, b := publish.Key{Tenant: "acme", Mailbox: "a"}, publish.Key{Tenant: "acme", Mailbox: "b"}
	ca, cb := mustClaim(t, log, a), mustClaim(t, log, b)
	for n := 1; n <= 5; n++ {
		mustAppend(t, ca, a, n, n)
		mustAppend(t, cb, b, 10*n, 10*n)
	}
	mustSave(t, ca, "a's")
	wantPosition(t, log, a, "a's", 1, 0)
	if snapshot, since := mustClaim(t, log, b).Position(); snapshot != nil || len(since) != 5 {
		t.Errorf("b's position: %q, %d entries", snapshot, len(since))
	}
}

func hostileNames(t *testing.T, log publish.Log) {
	boxes := []publish.Key{
		{Tenant: "acme", Mailbox: "x"}, {Tenant: "acme", Mailbox: "*"}, {Tenant: "acme", Mailbox: ">"}, {Tenant: "*", Mailbox: "x"},
		{Tenant: "acme", Mailbox: "x.y"}, {Tenant: "acme.x", Mailbox: "y"}, {Tenant: "acme", Mailbox: ""}, {Tenant: "", Mailbox: "x"},
		{Tenant: "acme", Mailbox: "x y\r\nz"}, {Tenant: "acme", Mailbox: "\xff\x00"},
	}
	claims := make([]publish.Claim, len(boxes))
	for i, box := range boxes {
		claims[i] = mustClaim(t, log, box)
	}
	for i, box := range boxes {
		mustAppend(t, claims[i], box, i+1, i+1)
	}
	for i, box := range boxes {
		wantPosition(t, log, box, "", i+1, i+1)
	}
}

func released(t *testing.T, log publish.Log) {
	c := mustClaim(t, log, Box())
	mustAppend(t, c, Box(), 1, 1)
	if err := c.Release(deadline(t)); err != nil {
		t.Fatalf("release: %v", err)
	}
	ev, ref := Sample(Box(), 2)
	if err := c.Append(deadline(t), ev, ref); !errors.Is(err, publish.ErrLogMoved) {
		t.Errorf("append after release: %v", err)
	}
	if err := c.Save(deadline(t), []byte("late")); !errors.Is(err, publish.ErrLogMoved) {
		t.Errorf("save after release: %v", err)
	}
	wantPosition(t, log, Box(), "", 1, 1)
}

func endedContext(t *testing.T, log publish.Log) {
	c := mustClaim(t, log, Box())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ev, ref := Sample(Box(), 1)
	if err := c.Append(ctx, ev, ref); !errors.Is(err, context.Canceled) {
		t.Errorf("append: %v", err)
	}
	if _, err := log.Claim(ctx, Box()); !errors.Is(err, context.Canceled) {
		t.Errorf("claim: %v", err)
	}
	wantPosition(t, log, Box(), "", 1, 0)
}

func verify(t *testing.T, log publish.Log) {
	c := mustClaim(t, log, Box())
	v, ok := c.(publish.Verifier)
	if !ok {
		t.Fatal("the claim is no publish.Verifier")
	}
	if err := v.Verify(deadline(t)); err != nil {
		t.Errorf("fresh claim: %v", err)
	}
	mustAppend(t, c, Box(), 1, 2)
	if v.Doubts() {
		t.Error("a doubt right after an append")
	}
	if err := v.Verify(deadline(t)); err != nil {
		t.Errorf("after an append: %v", err)
	}
	mustSave(t, c, "snapshot")
	if err := v.Verify(deadline(t)); err != nil {
		t.Errorf("after a save: %v", err)
	}
	mustClaim(t, log, Box())
	if err := v.Verify(deadline(t)); !errors.Is(err, publish.ErrFenced) {
		t.Errorf("after another claim: %v", err)
	}
}

func clocks(t *testing.T, log publish.Log) {
	c := mustClaim(t, log, Box())
	times := func(c publish.Claim) (earliest, latest time.Time) {
		t.Helper()
		k, ok := c.(publish.Clock)
		if !ok {
			t.Fatal("the claim is no publish.Clock")
		}
		if earliest, latest = k.Now(); earliest.After(latest) || latest.Sub(earliest) > 10*time.Second {
			t.Errorf("it is between %v and %v", earliest, latest)
		}
		return earliest, latest
	}
	before, _ := times(c)
	mustAppend(t, c, Box(), 1, 1)
	_, after := times(c)
	next := mustClaim(t, log, Box())
	_, since := next.Position()
	if len(since) != 1 || since[0].Time.Before(before) || since[0].Time.After(after) {
		t.Errorf("%+v was not stored between %v and %v", since, before, after)
	}
	if _, latest := times(next); latest.Before(after) {
		t.Errorf("the next claim's clock is at %v or before, this one's was at %v", latest, after)
	}
}

func words(t *testing.T, log publish.Log) {
	left := func(c publish.Claim, word string, owned bool) publish.Noter {
		t.Helper()
		n, ok := c.(publish.Noter)
		if !ok {
			t.Fatal("the claim is no publish.Noter")
		}
		if got, was := n.Left(); string(got) != word || was != owned {
			t.Errorf("left was %q, owned %v; want %q, %v", got, was, word, owned)
		}
		return n
	}
	note := func(n publish.Noter, word string) {
		t.Helper()
		if err := n.Note(deadline(t), []byte(word)); err != nil {
			t.Fatalf("note %q: %v", word, err)
		}
	}
	first := mustClaim(t, log, Box())
	n := left(first, "", false)
	note(n, "one")
	mustAppend(t, first, Box(), 1, 2)
	note(n, "two")
	mustSave(t, first, "snapshot")
	second := wantPosition(t, log, Box(), "snapshot", 1, 0)
	left(second, "two", true)
	mustAppend(t, second, Box(), 3, 3)
	third := wantPosition(t, log, Box(), "snapshot", 3, 3) // the word outlives an owner that said nothing
	n = left(third, "two", true)
	if err := first.(publish.Noter).Note(deadline(t), []byte("late")); !errors.Is(err, publish.ErrFenced) {
		t.Errorf("the word of an owner that was fenced: %v", err)
	}
	note(n, "")
	mustAppend(t, third, Box(), 4, 4)
	left(wantPosition(t, log, Box(), "snapshot", 3, 4), "", true)
}
