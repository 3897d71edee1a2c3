package imapsource

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/publish"
)

// renewed folds the resets that a Sync found into a position, and looks again.
func renewed(t *testing.T, src *Source, sess ingest.Session, at ingest.Cursor, want ...ingest.Ref) ingest.Cursor {
	t.Helper()
	at = syncAt(t, sess, at)
	var refs []ingest.Ref
	var entries []ingest.Entry
	for _, r := range sess.(ingest.Renewer).Resets() {
		refs = append(refs, r.Ref)
		entries = append(entries, ingest.Entry{Ref: r.Ref, Type: publish.Reset})
	}
	if !slices.Equal(refs, want) {
		t.Fatalf("resets %q, want %q", refs, want)
	}
	if l, end := readAll(t, sess, at, 0); len(want) > 0 && (len(l) != 0 || end != nil) {
		t.Errorf("before the switch %d messages are read, %v", len(l), end)
	}
	next, err := src.Fold(at, slices.Values(entries))
	must(t, err)
	again, err := src.Fold(next, slices.Values(entries))
	if must(t, err); string(again) != string(next) {
		t.Error("a reset that is folded twice is two")
	}
	return syncAt(t, sess, next)
}

// marked reads all and tells which messages are to be judged.
func marked(t *testing.T, sess ingest.Session, at ingest.Cursor) (again, plain []uint32) {
	t.Helper()
	for m, err := range sess.Messages(t.Context(), at, 0) {
		must(t, err)
		if m.Again {
			again = append(again, m.UID)
		} else {
			plain = append(plain, m.UID)
		}
	}
	return again, plain
}

func TestANewUIDValidityIsAReset(t *testing.T) {
	srv := startServer(t, imaptest.Options{})
	base := time.Now()
	now := func() time.Time { return base }
	for i := range 3 {
		must(t, srv.Add(user, "INBOX", mail(i, 100), base.Add(-time.Hour)))
	}
	src := sourceOn(t, srv, Options{Now: now})
	sess := open(t, src)
	at := syncAt(t, sess, nil)
	must(t, srv.Add(user, "INBOX", mail(4, 100), base.Add(time.Hour)))
	must(t, srv.Add(user, "INBOX", mail(5, 1234), base.Add(-time.Hour))) // moved in
	srv.Renumber(user, "INBOX")
	sess = open(t, src)
	size := int64(len(mail(5, 1234)))
	sess.(ingest.Renewer).Recall(func(_ context.Context, scope string) (func(int64) bool, error) {
		return func(n int64) bool { return scope == "INBOX" && n == size }, nil
	})
	at = renewed(t, src, sess, at, "r/2/INBOX")
	must(t, srv.Add(user, "INBOX", mail(6, 100), base.Add(-time.Hour)))
	at = syncAt(t, sess, at)
	if again, plain := marked(t, sess, at); !slices.Equal(again, []uint32{4, 5}) || !slices.Equal(plain, []uint32{6}) {
		t.Errorf("to be judged %v, not %v", again, plain)
	}
	srv.Renumber(user, "INBOX")
	s := sess.(*session)
	s.selected, s.plans = selection{}, nil
	_, end := readAll(t, sess, at, 0)
	if f := ingest.FaultOf(end); f.Class != ingest.SessionOver {
		t.Errorf("changed between Sync and Messages: %v", end)
	}
}

func TestAFolderMadeAnewIsAReset(t *testing.T) {
	srv := startServer(t, imaptest.Options{})
	srv.Create(user, "Team")
	src := sourceOn(t, srv, Options{Folders: []string{"INBOX", "Team"}, Start: ingest.Start{All: true}})
	must(t, srv.Add(user, "Team", mail(1, 100), time.Now()))
	sess := open(t, src)
	at := syncAt(t, sess, nil)
	srv.Remove(user, "Team")
	sess = open(t, src)
	at = syncAt(t, sess, at)
	srv.Create(user, "Team")
	must(t, srv.Add(user, "Team", mail(2, 100), time.Now()))
	sess = open(t, src)
	at = renewed(t, src, sess, at, "r/3/Team")
	if again, plain := marked(t, sess, at); len(again) != 1 || plain != nil {
		t.Errorf("to be judged %v, not %v", again, plain)
	}
}

// setBack is a server whose folder is what answers say: EXISTS, UIDNEXT, the UIDs.
func setBack(t *testing.T, exists, next int, uids ...uint32) (*Source, func()) {
	t.Helper()
	list := ""
	for i, u := range uids {
		list += fmt.Sprintf("* %d FETCH (UID %d RFC822.SIZE 5)\r\n", i+1, u)
	}
	return scripted(t, &imaptest.Script{Rules: []imaptest.Rule{
		{Command: "EXAMINE", Answers: []string{fmt.Sprintf("* %d EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT %d] ok\r\n{tag} OK done\r\n", exists, next)}},
		{Command: "FETCH", Answers: []string{list + "{tag} OK\r\n"}},
		{Command: "UID FETCH", Answers: []string{list + "{tag} OK\r\n"}},
	}}, Options{})
}

func TestAServerThatWasSetBackIsAReset(t *testing.T) {
	p := &position{folders: []string{"INBOX"}}
	p.put(box{name: "INBOX", epoch: epoch{validity: 7}, low: 1002, mark: 1000, markAt: 1, since: 1})
	src, wait := setBack(t, 2, 901, 899, 900)
	defer wait()
	sess := open(t, src)
	at := renewed(t, src, sess, p.encode(), "r/7.1/INBOX")
	_ = sess.Close()
	q, err := decodeCursor(at)
	if b := q.find("INBOX"); err != nil || b.life != 1 || b.low != 0 || b.again != 1002 || b.until != 900 || b.fresh {
		t.Errorf("%+v, %v", b, err)
	}
	if got := sess.(*session).plans["INBOX"].items; len(got) != 2 {
		t.Errorf("%d messages are to be judged", len(got))
	}
}

func TestAUIDNextThatFallsProvesNothingWhereMessagesAreAboveIt(t *testing.T) {
	for name, row := range map[string]struct{ exists, next, mark int }{
		"a message is above":    {2, 901, 1000},
		"it has not fallen":     {2, 1001, 1000},
		"the server names none": {2, 0, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			p := &position{folders: []string{"INBOX"}}
			p.put(box{name: "INBOX", epoch: epoch{validity: 7}, low: 1002, mark: uint32(row.mark), markAt: 1})
			src, wait := setBack(t, row.exists, row.next, 899, 1001)
			defer wait()
			sess := open(t, src)
			syncAt(t, sess, p.encode())
			if r := sess.(ingest.Renewer).Resets(); len(r) != 0 {
				t.Errorf("%+v", r)
			}
			_ = sess.Close()
		})
	}
}

func TestRefsOfAnotherLifeAreNotTouched(t *testing.T) {
	srv := startServer(t, imaptest.Options{})
	must(t, srv.Add(user, "INBOX", mail(0, 100), time.Now()))
	must(t, srv.Add(user, "INBOX", mail(1, 100), time.Now()))
	src := sourceOn(t, srv, Options{After: ingest.After{Action: ingest.ActionDelete}})
	p := &position{folders: []string{"INBOX"}}
	p.put(box{name: "INBOX", epoch: epoch{1, 1}, low: 2})
	sess := open(t, src)
	syncAt(t, sess, p.encode())
	refs := []ingest.Ref{"i/1/1/INBOX", "i/1.1/2/INBOX"}
	if done, err := sess.Settle(t.Context(), refs); err != nil || len(done) != 2 {
		t.Errorf("done %q, %v", done, err)
	}
	if left := srv.Messages(user, "INBOX"); len(left) != 1 || left[0].UID != 1 {
		t.Errorf("left: %+v", left)
	}
}

func TestFault_I13_AMessageThatTurnsUpDaysLaterIsFound(t *testing.T) {
	now := time.Now()
	list := func(uids ...uint32) string {
		s := ""
		for i, u := range uids {
			s += fmt.Sprintf("* %d FETCH (UID %d RFC822.SIZE 5)\r\n", i+1, u)
		}
		return s + "{tag} OK\r\n"
	}
	script := &imaptest.Script{Rules: []imaptest.Rule{
		{Command: "EXAMINE", Answers: []string{"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 8] ok\r\n{tag} OK done\r\n"}},
		{Command: "UID FETCH 5 ", Answers: []string{list(), list(5)}},
		{Command: "UID FETCH", Answers: []string{list(4, 6, 7)}},
	}}
	src, wait := scripted(t, script, Options{Now: func() time.Time { return now }})
	defer wait()
	p := &position{folders: []string{"INBOX"}}
	p.put(box{name: "INBOX", epoch: epoch{validity: 7}, low: 4, done: spans{{6, 7}}, mark: 7, markAt: now.Add(-time.Hour).Unix()})
	sess := open(t, src)
	at := syncAt(t, sess, p.encode())
	q, err := decodeCursor(at)
	if b := q.find("INBOX"); err != nil || b.low != 7 || !slices.Equal(b.gaps, spans{{5, 5}}) {
		t.Fatalf("%+v, %v", b, err)
	}
	late := func() []item {
		at = syncAt(t, sess, at)
		return sess.(*session).plans["INBOX"].items
	}
	if l := late(); len(l) != 0 { // looked, and not there yet
		t.Errorf("first look: %+v", l)
	}
	if now = now.Add(lateEvery / 2); len(late()) != 0 {
		t.Error("it is looked for before its time")
	}
	now = now.Add(3 * 24 * time.Hour)
	if l := late(); len(l) != 1 || l[0].uid != 5 {
		t.Errorf("days later: %+v", l)
	}
	at, err = src.Fold(at, slices.Values(entries(7, "INBOX", 5)))
	must(t, err)
	now = now.Add(lateEvery)
	if l := late(); len(l) != 0 {
		t.Errorf("when it is finished: %+v", l)
	}
	_ = sess.Close()
}

func TestGapsAreBoundedAndClosed(t *testing.T) {
	b := box{mark: 10_000, done: spans{{10_000, 10_000}}}
	for u := uint32(2); u < 10_000; u += 2 {
		b.done = b.done.add(u)
	}
	b.pass(10_000, 10_000, time.Now())
	if b.low != 10_000 || len(b.gaps) != maxGaps || b.gaps[maxGaps-1] != (span{9999, 9999}) {
		t.Fatalf("low %d, %d gaps", b.low, len(b.gaps))
	}
	if b.finished(9999) || !b.finished(9998) || !b.finished(1) {
		t.Error("the last gaps are to be filled, the first ones are forgotten")
	}
	b.gaps = joined(append(b.gaps, span{20_000, 20_009})).without([]uint32{20_000, 20_004, 20_009, 7})
	if n := len(b.gaps); !slices.Equal(b.gaps[n-2:], spans{{20_001, 20_003}, {20_005, 20_008}}) {
		t.Errorf("%v", b.gaps[n-2:])
	}
	if h := (spans{{3, 4}, {7, 7}}).holes(3, 9); !slices.Equal(h, spans{{5, 6}, {8, 9}}) {
		t.Errorf("%v", h)
	}
}

func TestAWitnessDeniesOnlyBySizeAndDate(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	w := witness{uid: 9, at: at.Unix(), size: 500}
	for name, row := range map[string]struct {
		it   item
		want bool
	}{
		"the same":                 {item{uid: 9, size: 500, received: at}, false},
		"another message":          {item{uid: 9, size: 501, received: at.Add(time.Hour)}, true},
		"another UID":              {item{uid: 8, size: 501, received: at.Add(time.Hour)}, false},
		"an estimate that changed": {item{uid: 9, size: 501, received: at}, false},
		"a zone that changed":      {item{uid: 9, size: 500, received: at.Add(time.Hour)}, false},
		"no date":                  {item{uid: 9, size: 501}, false},
		"no size":                  {item{uid: 9, size: -1, received: at.Add(time.Hour)}, false},
	} {
		if got := w.denies(row.it); got != row.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
