package sourcetest

import (
	"context"
	"iter"
	"slices"
	"testing"

	"mailflume/ingest"
)

var _ ingest.Lister = (*session)(nil)

// List implements ingest.Lister.
func (s *session) List(ctx context.Context, base, at ingest.Cursor) iter.Seq2[ingest.Listed, error] {
	return func(yield func(ingest.Listed, error) bool) {
		began, err := decodeCursor(base)
		if err != nil {
			yield(ingest.Listed{}, err)
			return
		}
		pos, err := decodeCursor(at)
		if err != nil {
			yield(ingest.Listed{}, err)
			return
		}
		for _, uid := range s.wanted(memoryCursor{}) {
			l := ingest.Listed{Ref: refIn(pos.Life, uid), Received: s.m.receivedAt(uid), Size: s.m.sizeOf(uid)}
			switch {
			case ctx.Err() != nil:
				yield(ingest.Listed{}, ctx.Err())
				return
			case began.Life == pos.Life && began.has(uid):
				l.Standing = ingest.Skipped
			case slices.Contains(pos.Known, uid):
				l.Standing = ingest.Known
			case uid <= pos.Again && l.Received.Before(pos.Since):
				l.Standing = ingest.Skipped
			case pos.has(uid):
				l.Standing = ingest.Passed
			}
			if !yield(l, nil) {
				return
			}
		}
	}
}

// list reads a session's list.
func list(t *testing.T, s ingest.Session, base, at ingest.Cursor) []ingest.Listed {
	t.Helper()
	var out []ingest.Listed
	for l, err := range s.(ingest.Lister).List(t.Context(), base, at) {
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		out = append(out, l)
	}
	return out
}

func listing(t *testing.T, s Server) {
	mail := Mail(6)
	fill(t, s, mail[:2])
	src := s.Source(t, ingest.Start{}, ingest.After{})
	_, base := readAll(t, src, nil)
	fill(t, s, mail[2:])
	arrived, c := readAll(t, src, base)
	if len(arrived) != 4 {
		t.Fatalf("got %d messages", len(arrived))
	}
	c = fold(t, src, c, arrived[0].ref, arrived[2].ref)
	session, err := src.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	all := list(t, session, base, c)
	var standings []ingest.Standing
	for _, l := range all {
		standings = append(standings, l.Standing)
	}
	if want := []ingest.Standing{ingest.Skipped, ingest.Skipped, ingest.Passed, ingest.Waiting, ingest.Passed, ingest.Waiting}; !slices.Equal(standings, want) {
		t.Fatalf("the standings are %v, want %v", standings, want)
	}
	for i, a := range arrived {
		if all[2+i].Ref != a.ref {
			t.Errorf("message %d is listed as %s and read as %s", 2+i, all[2+i].Ref, a.ref)
		}
	}
	for _, l := range list(t, session, nil, nil) {
		if l.Standing != ingest.Waiting {
			t.Errorf("without a position %s has the standing %d", l.Ref, l.Standing)
		}
	}
	for l, err := range session.(ingest.Lister).List(t.Context(), base, c) { // leaving early leaves the session whole
		if l.Ref != all[0].Ref || err != nil {
			t.Errorf("the second list begins with %v, %v", l, err)
		}
		break
	}
	n := 0
	for _, err := range session.Messages(t.Context(), c, 0) {
		if n++; err != nil {
			t.Fatalf("Messages after a list: %v", err)
		}
	}
	if n != 2 || s.Left(t) != 6 {
		t.Errorf("after the list %d messages are read and %d are left", n, s.Left(t))
	}
}
