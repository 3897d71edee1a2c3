package ingest_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/publish"
)

func TestARetryFindsWhatWasSetAsideBeforeAReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		w.add(letters(0, 5))
		var n atomic.Int32
		w.blobs.fault = func() error {
			if i := n.Add(1); i <= 3 || i > 4 && i <= 7 { // the fourth try of a message stores its octets
				panic("a bug")
			}
			return nil
		}
		w.opt.Parallel = 1
		w.mustOnce(t)
		w.box.Renumber()
		w.mustOnce(t)
		var aside []ingest.Ref
		for _, e := range w.log.Events(key) {
			if e.Kind == publish.Quarantined {
				aside = append(aside, e.Ref)
			}
		}
		if len(aside) != 2 {
			t.Fatalf("set aside: %v", aside)
		}
		before := len(w.log.Events(key))
		f := w.employ(t)
		got, err := f.Do(t.Context(), key, ingest.NewRetry(w.journal(), append(aside[:1:1], "m/77"), nil))
		if err != nil || got.Published != 1 || got.Failed != 1 || got.Failures[0].Ref != "m/77" || got.Failures[0].Code != ingest.CodeMessageMissing {
			t.Errorf("%+v, %v", got, err)
		}
		if l := w.log.Events(key)[before:]; len(l) != 1 || l[0].Ref != aside[0] || l[0].Kind != publish.Received || !l[0].Data.Ingest.Late {
			t.Errorf("%d events", len(l))
		}
		if got, err = f.Do(t.Context(), key, ingest.NewRetry(w.journal(), nil, nil)); err != nil || got.Published != 1 {
			t.Errorf("the others: %+v, %v", got, err)
		}
		if got, err = f.Do(t.Context(), key, ingest.NewRetry(w.journal(), nil, nil)); err != nil || got.Total != 0 {
			t.Errorf("again: %+v, %v", got, err)
		}
		must(t, f.Stop(t.Context()))
	})
}

func TestABackfillFindsTheMessagesOfAFolderThatWasSetBack(t *testing.T) {
	h := newHistory(t, onIMAP(t), 1)
	h.src = h.source(t, h.start, h.after, h.clock)
	since := h.now.Add(-time.Hour)
	for range 4 {
		h.deliver()
	}
	h.now = h.now.Add(time.Hour)
	h.read()
	h.now = h.now.Add(time.Hour)
	for range 3 {
		h.deliver()
	}
	h.read()
	h.setBack(3)
	h.read()
	if _, resets := tally(h.log); resets != 1 {
		t.Fatalf("%d resets", resets)
	}
	f := ingest.New(ingest.Options{Log: h.log, Worker: "first", Now: h.clock})
	got, err := f.DoAlone(t.Context(), h.mailbox(), ingest.NewBackfill(journalOf(h.log), since, time.Time{}, nil))
	must(t, err)
	must(t, f.Stop(t.Context()))
	if got.Published != 3 {
		t.Errorf("%+v", got)
	}
	published, _ := tally(h.log)
	for i, m := range h.order {
		if want := map[bool]int{true: 1}[i != 3]; published[hexSum([]byte(m))] != want { // 3 is gone with the state before
			t.Errorf("letter %d has %d events, want %d", i, published[hexSum([]byte(m))], want)
		}
	}
}

// Nobody knows the octets of a message that the server would not give: after a reset it is asked for again.
func TestWhatWasSetAsideUnreadIsTriedAgainAfterAReset(t *testing.T) {
	for name, row := range map[string]struct {
		healed bool
		want   string
	}{"and fails again": {false, "r1 q2 r3 q1/2 "}, "and is read now": {true, "r1 q2 r3 r1/2 "}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(ingest.Start{All: true}, ingest.After{})
				w.add(letters(0, 3))
				healed := false
				w.box.MessageFault = func(uid uint32) error {
					if uid == 2 && !healed {
						return &ingest.Error{Fault: ingest.Fault{Class: ingest.BadMessage, Code: ingest.CodeMessageRefused}}
					}
					return nil
				}
				w.mustOnce(t)
				w.box.Renumber()
				healed = row.healed
				w.mustOnce(t)
				got := ""
				for _, e := range w.log.Events(key) {
					if e.Kind != publish.Reset {
						got += string(e.Kind)[:1] + string(e.Ref)[2:] + " "
					}
				}
				if got != row.want {
					t.Errorf("%s, want %s", got, row.want)
				}
			})
		})
	}
}
