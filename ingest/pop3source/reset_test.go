package pop3source

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/pop3/pop3test"
	"mailflume/publish"
)

func TestTheFirstLookAtANewLife(t *testing.T) {
	c := newClock()
	on := func(day, n int) []byte {
		at := c.at.AddDate(0, 0, day).Format(time.RFC1123Z)
		return fmt.Appendf(nil, "Received: from a by b; %s\r\nSubject: %d\r\n\r\n%0*d\r\n", at, n, n+1, 0)
	}
	srv := start(t, pop3test.Options{})
	for n := range 30 {
		srv.Add(ann, on(-10, n)) // passed over by start: now
	}
	src := source(t, srv, c.use, fromNow)
	at, _ := visit(t, src, nil)
	srv.Renumber(ann)
	srv.AddUIDL(ann, "new", on(1, 99))
	srv.AddUIDL(ann, "undated", letter(1))
	s := open(t, src)
	size := int64(len(on(-10, 7)))
	s.(ingest.Renewer).Recall(func(context.Context, string) (func(int64) bool, error) {
		return func(n int64) bool { return n == size }, nil
	})
	at = synced(t, s, at)
	resets := s.(ingest.Renewer).Resets()
	if len(resets) != 1 || resets[0].Ref != "r/1" || resets[0].PerDay != 1 {
		t.Fatalf("resets %+v", resets)
	}
	entry := ingest.Entry{Ref: resets[0].Ref, Type: publish.Reset}
	next, err := src.Fold(at, slices.Values([]ingest.Entry{entry, entry}))
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := src.Fold(next, slices.Values([]ingest.Entry{entry})); !slices.Equal(again, next) {
		t.Error("a reset that is folded twice is two")
	}
	at = synced(t, s, next)
	var todo []string
	for m, err := range s.Messages(t.Context(), at, 0) {
		if err != nil || !m.Again || m.Since.Unix() != c.at.Unix() {
			t.Fatalf("%+v, %v", m, err)
		}
		todo = append(todo, m.UIDL)
	}
	if len(todo) != 3 || todo[1] != "new" || todo[2] != "undated" { // the first could be a known one
		t.Errorf("to be judged: %v", todo)
	}
	var entries []ingest.Entry
	for i, kind := range []publish.EventType{ingest.Recognised, publish.Received, ingest.PassedOver} {
		entries = append(entries, ingest.Entry{Ref: refOf(todo[i], 1), Type: kind})
	}
	if at, err = src.Fold(at, slices.Values(entries)); err != nil {
		t.Fatal(err)
	}
	at = synced(t, s, at)
	if p, err := decode(at); err != nil || p.judging || len(p.entries) != 32 {
		t.Errorf("at the end: judging %t, %d entries, %v", p.judging, len(p.entries), err)
	}
	standings := map[ingest.Standing]int{}
	for l, err := range s.(ingest.Lister).List(t.Context(), nil, at) {
		if standings[l.Standing]++; err != nil {
			t.Fatal(err)
		}
	}
	if standings[ingest.Known] != 1 || standings[ingest.Passed] != 1 || standings[ingest.Skipped] != 30 {
		t.Errorf("standings %v", standings)
	}
}
