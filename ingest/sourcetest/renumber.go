package sourcetest

import (
	"bytes"
	"slices"
	"testing"

	"mailflume/ingest"
)

// renumbering plays the engine's part in a reset.
func renumbering(t *testing.T, s Server) {
	const before, later = 25, 3
	mail := Mail(before + 2*later)
	fill(t, s, mail[:before])
	src := s.Source(t, ingest.Start{All: true}, ingest.After{})
	all, c := readAll(t, src, nil)
	old := refsOf(all)
	c = fold(t, src, c, old...)
	if server, ok := s.(Renumberer); !ok || !server.Renumber(t) {
		return
	}
	fill(t, s, mail[before:before+later])

	session, found := open(t, src, c)
	if !bytes.Equal(found, c) {
		t.Error("the position has changed before the switch")
	}
	resets := session.(ingest.Renewer).Resets()
	scope := src.(ingest.Scoper).Scope
	if len(resets) != 1 || resets[0].PerDay < 1 || scope(resets[0].Ref) != resets[0].Scope || scope(all[0].ref) != resets[0].Scope {
		t.Fatalf("resets %+v of %s", resets, all[0].ref)
	}
	_ = session.Close()
	c = fold(t, src, c, resets[0].Ref)
	if odd := fold(t, src, c, append(old, resets[0].Ref)...); !bytes.Equal(odd, c) {
		t.Error("entries of the life before, or its end again, change the position")
	}
	c = judgeAll(t, src, c, mail[:before+later])
	fill(t, s, mail[before+later:])
	again, _ := readAll(t, src, c)
	if len(again) != later {
		t.Errorf("afterwards %d messages are read, want the %d new ones", len(again), later)
	}
}

func refsOf(l []read) (refs []ingest.Ref) {
	for _, r := range l {
		refs = append(refs, r.ref)
	}
	return refs
}

// judgeAll reads what there is in three sessions and recognises it.
func judgeAll(t *testing.T, src ingest.Source, c ingest.Cursor, mail [][]byte) ingest.Cursor {
	t.Helper()
	for range 3 {
		var session ingest.Session
		session, c = open(t, src, c)
		if resets := session.(ingest.Renewer).Resets(); len(resets) != 0 {
			t.Fatalf("another reset: %+v", resets)
		}
		var judged []ingest.Entry
		for m, err := range session.Messages(t.Context(), c, 10) {
			if err != nil || !m.Again || !m.Since.IsZero() {
				t.Fatalf("%+v, %v", m, err)
			}
			judged = append(judged, ingest.Entry{Ref: m.Ref, Type: ingest.Recognised})
		}
		_ = session.Close()
		var err error
		if c, err = src.Fold(c, slices.Values(judged)); err != nil {
			t.Fatal(err)
		}
		mail = mail[len(judged):]
	}
	if len(mail) != 0 {
		t.Errorf("%d messages were not to be judged", len(mail))
	}
	session, c := open(t, src, c)
	known := 0
	for _, l := range list(t, session, nil, c) {
		if l.Standing == ingest.Known {
			known++
		}
	}
	if known == 0 {
		t.Error("the list does not tell what was recognised")
	}
	_ = session.Close()
	return c
}
