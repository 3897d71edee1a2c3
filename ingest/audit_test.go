package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/sourcetest"
	"mailflume/publish"
)

func event(uid uint32, kind publish.EventType) ingest.Entry {
	return ingest.Entry{Ref: sourcetest.RefOf(uid), Type: kind, Time: time.Now()}
}

// published returns a mailbox of n messages that was read to its end, and the snapshot in its log.
func published(t *testing.T, start ingest.Start, n int) (*sourcetest.Mailbox, []byte) {
	t.Helper()
	w := newWorld(start, ingest.After{})
	for range n {
		w.box.Add([]byte("Subject: x\r\n\r\n"))
	}
	if err := w.once(t); err != nil {
		t.Fatal(err)
	}
	return w.box, w.log.Snapshot(key)
}

func TestAnAuditSaysWhatBecameOfEveryMessage(t *testing.T) {
	now := time.Now()
	for name, row := range map[string]struct {
		events []ingest.Entry // beside the ten that say received
		aged   ingest.Aged
		lost   int // of the ten
		want   ingest.AuditReport
	}{
		"all is well":        {nil, ingest.Aged{}, 0, ingest.AuditReport{InMailbox: 13, Published: 10, Waiting: 3}},
		"events are missing": {nil, ingest.Aged{}, 2, ingest.AuditReport{InMailbox: 13, Published: 8, Missing: 2, Waiting: 3}},
		"events have expired": {nil, ingest.Aged{Any: true, Since: now.Add(time.Hour)}, 2,
			ingest.AuditReport{InMailbox: 13, Published: 8, Expired: 2, Waiting: 3}},
		"what came later cannot have expired": {nil, ingest.Aged{Any: true, Since: now.Add(-time.Hour)}, 2,
			ingest.AuditReport{InMailbox: 13, Published: 8, Missing: 2, Waiting: 3}},
		"an event comes twice": {[]ingest.Entry{event(9, publish.Received)}, ingest.Aged{}, 0,
			ingest.AuditReport{InMailbox: 13, Published: 10, Waiting: 3, Duplicate: 1}},
		"set aside twice, and published late": {[]ingest.Entry{
			event(11, publish.Quarantined), event(12, publish.Quarantined), event(12, publish.Quarantined), event(12, publish.Received),
		}, ingest.Aged{}, 0, ingest.AuditReport{InMailbox: 13, Published: 11, Quarantined: 1, Waiting: 1}},
		"an event of a message that is gone": {[]ingest.Entry{event(77, publish.Received)}, ingest.Aged{}, 0,
			ingest.AuditReport{InMailbox: 13, Published: 10, Waiting: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			box, snapshot := published(t, ingest.Start{All: true}, 10)
			for range 3 {
				box.Add([]byte("Subject: x\r\n\r\n"))
			}
			a := ingest.NewAudit(box)
			for uid := uint32(1); uid <= 10; uid++ {
				if int(uid) > row.lost {
					a.Event(event(uid, publish.Received), true)
				}
			}
			for _, e := range row.events {
				a.Event(e, false)
			}
			got, err := a.Compare(t.Context(), snapshot, row.aged)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.MissingRefs) != got.Missing || len(got.DuplicateRefs) != got.Duplicate || got.Clean() != (got.Missing+got.Duplicate == 0) {
				t.Errorf("names %v and %v, clean %v", got.MissingRefs, got.DuplicateRefs, got.Clean())
			}
			got.MissingRefs, got.DuplicateRefs = nil, nil
			if fmt.Sprintf("%+v", *got) != fmt.Sprintf("%+v", row.want) {
				t.Errorf("got  %+v\nwant %+v", *got, row.want)
			}
		})
	}
}

func TestWhatTheStartPassesOverIsNotMissing(t *testing.T) {
	box, snapshot := published(t, ingest.Start{}, 5)
	box.Add([]byte("Subject: x\r\n\r\n"))
	a := ingest.NewAudit(box)
	a.Event(event(6, publish.Received), false)
	got, err := a.Compare(t.Context(), snapshot, ingest.Aged{})
	if err != nil || got.Skipped != 5 || got.Published != 1 || !got.Clean() {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAnAuditWaitsForAMaildropThatIsInUse(t *testing.T) {
	locked := &ingest.Error{Fault: ingest.Fault{Class: ingest.Transient, Wait: time.Hour, Code: ingest.CodeLocked}, Err: errors.New("in use")}
	for name, row := range map[string]struct {
		refused int
		took    time.Duration
	}{"for a moment": {2, 3 * time.Second}, "for ever": {1 << 20, 31 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				box := sourcetest.NewMailbox(ingest.Start{}, ingest.After{})
				box.OpenFault = func(attempt int) error {
					if attempt > row.refused {
						return nil
					}
					return locked
				}
				began := time.Now()
				_, err := ingest.NewAudit(box).Compare(t.Context(), nil, ingest.Aged{})
				if took := time.Since(began); took != row.took || errors.Is(err, locked) != (row.refused > 6) {
					t.Errorf("after %v: %v", took, err)
				}
			})
		})
	}
}

// long lists n messages with long names that nothing keeps.
type long struct {
	ingest.Source
	ingest.Session
	n int
}

func (l *long) Open(context.Context) (ingest.Session, error) { return l, nil }
func (l *long) Close() error                                 { return nil }

func (l *long) ref(i int) ingest.Ref {
	return ingest.Ref(fmt.Sprintf("i/1234567890/%d/Archive%%2FA%%20folder%%20with%%20a%%20long%%20name%%2F2026", i))
}

func (l *long) List(context.Context, ingest.Cursor, ingest.Cursor) iter.Seq2[ingest.Listed, error] {
	return func(yield func(ingest.Listed, error) bool) {
		for i := range l.n {
			if !yield(ingest.Listed{Ref: l.ref(i), Standing: ingest.Passed}, nil) {
				return
			}
		}
	}
}

func TestAnAuditNeedsLittleMemoryForEachMessage(t *testing.T) {
	l := &long{n: 100_000}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	a := ingest.NewAudit(l)
	for i := range l.n {
		a.Event(ingest.Entry{Ref: l.ref(i), Type: publish.Received}, true)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / int64(l.n); each > 60 {
		t.Errorf("%d bytes a message", each)
	}
	if got, err := a.Compare(t.Context(), nil, ingest.Aged{}); err != nil || got.Published != l.n {
		t.Errorf("%+v, %v", got, err)
	}
}
