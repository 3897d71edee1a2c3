package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"mailflume/publish"
)

// listSource folds refs into a JSON list.
type listSource struct{ Source }

func (listSource) Fold(at Cursor, entries iter.Seq[Entry]) (Cursor, error) {
	var refs []Ref
	if err := json.Unmarshal(at, &refs); err != nil {
		return nil, err
	}
	for e := range entries {
		if !slices.Contains(refs, e.Ref) {
			refs = append(refs, e.Ref)
		}
	}
	return json.Marshal(refs)
}

type fixedClaim struct {
	publish.Claim
	snapshot []byte
	since    []Entry
}

func (c fixedClaim) Position() ([]byte, []Entry) { return c.snapshot, c.since }

func TestAPositionSurvivesItsSnapshot(t *testing.T) {
	at := time.UnixMilli(1_800_000_000_123)
	p := &position{action: ActionDelete, base: Cursor("[]"), cursor: Cursor(`["a"]`), pending: []due{{ref: "a", at: at}, {ref: "some/longer ref", at: at.Add(time.Hour)}}}
	got, err := openPosition(fixedClaim{snapshot: p.encode()}, listSource{}, ActionDelete, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.base, p.base) || !bytes.Equal(got.cursor, p.cursor) || len(got.pending) != 2 || got.pending[1].ref != "some/longer ref" ||
		!got.pending[1].at.Equal(at.Add(time.Hour)) {
		t.Fatalf("got %+v, want %+v", got, p)
	}
}

func TestEntriesAfterTheSnapshotCountAndWaitForTheirPostAction(t *testing.T) {
	now := time.Now()
	since := []Entry{{Ref: "a", Type: publish.Received, Time: now}, {Ref: "q", Type: publish.Quarantined, Time: now}}
	for action, want := range map[Action]int{ActionNone: 0, ActionDelete: 1} {
		p := &position{action: action, base: Cursor("[]"), cursor: Cursor("[]")}
		got, err := openPosition(fixedClaim{snapshot: p.encode(), since: since}, listSource{}, action, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := got.fold(); err != nil || string(got.cursor) != `["a","q"]` {
			t.Errorf("%s: cursor %s, error %v", action, got.cursor, err)
		}
		if len(got.pending) != want {
			t.Errorf("%s: %d messages wait, want %d: quarantined mail is never touched", action, len(got.pending), want)
		}
	}
}

func TestAnEmptiedLogIsReadAgainFromTheBaseThatIsHeld(t *testing.T) {
	got, err := openPosition(fixedClaim{}, listSource{}, ActionNone, Cursor(`["before"]`))
	if err != nil || string(got.cursor) != `["before"]` || !got.mustSave {
		t.Fatalf("cursor %s, must save %v, error %v", got.cursor, got.mustSave, err)
	}
}

// span is a clock that is known to be between two times.
type span [2]time.Time

func (s span) Now() (earliest, latest time.Time) { return s[0], s[1] }

func TestGraceIsKept(t *testing.T) {
	now := time.Now()
	p := &position{clock: span{now, now.Add(time.Second)}, pending: []due{{ref: "old", at: now.Add(-time.Hour)}, {ref: "new", at: now.Add(-time.Minute)}}}
	refs, next := p.ripe(10 * time.Minute)
	if !slices.Equal(refs, []Ref{"old"}) || next != 9*time.Minute {
		t.Fatalf("ripe %v, next %v", refs, next)
	}
	if at := p.entry("new", publish.Received, publish.Content{}).Time; !at.Equal(now.Add(time.Second)) {
		t.Errorf("what happens now is noted as of %v", at)
	}
	p.settled(refs)
	if len(p.pending) != 1 || p.dirty != 1 {
		t.Fatalf("%d pending, dirty %d", len(p.pending), p.dirty)
	}
}

func FuzzSnapshot(f *testing.F) {
	p := &position{base: Cursor("b"), cursor: Cursor("c"), pending: []due{{ref: "a", at: time.UnixMilli(1)}}}
	f.Add(p.encode())
	f.Add([]byte(snapshotMagic))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var p position
		err := p.decode(b)
		if err != nil && !errors.Is(err, errSnapshot) && !errors.Is(err, publish.ErrNewerFormat) {
			t.Fatalf("an unreadable snapshot gave %v", err)
		}
		if err == nil && len(b) > 0 {
			var again position
			p.action = p.saved
			if err := again.decode(p.encode()); err != nil || again.saved != p.saved || len(again.pending) != len(p.pending) {
				t.Fatalf("not stable: %v", err)
			}
		}
	})
}
