package ingest_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/sourcetest"
	"mailflume/publish"
	"mailflume/publish/logtest"
)

// journal reads the world's log.
func (w *world) journal() ingest.Journal { return journalOf(w.log) }

func journalOf(log *logtest.Memory) ingest.Journal {
	replayed := func(e logtest.Event) bool { return e.Data.Ingest != nil && e.Data.Ingest.Replay }
	return ingest.Journal{
		Entries: func(_ context.Context, each func(ingest.Entry)) (ingest.Aged, error) {
			for _, e := range log.Events(key) {
				if !replayed(e) {
					each(ingest.Entry{Ref: e.Ref, Type: e.Kind, Time: e.Stored, Content: publish.ContentOf(e.Data)})
				}
			}
			return ingest.Aged{}, nil
		},
		Events: func(_ context.Context, after uint64, since time.Time) iter.Seq2[ingest.Logged, error] {
			return func(yield func(ingest.Logged, error) bool) {
				for _, e := range log.Events(key) {
					if e.Kind == publish.Received && e.Sequence > after && !e.Stored.Before(since) && !yield(ingest.Logged{Event: e.Event, Ref: e.Ref, Sequence: e.Sequence, Stored: e.Stored}, nil) {
						return
					}
				}
			}
		},
	}
}

// told lists the events after the first n: r received, l late, p replayed, q quarantined.
func (w *world) told(n int) string {
	out := ""
	for _, e := range w.log.Events(key)[n:] {
		kind := "r"
		switch {
		case e.Data.Ingest.Replay:
			kind = "p"
		case e.Kind == publish.Quarantined:
			kind = "q"
		case e.Data.Ingest.Late:
			kind = "l"
		}
		out += kind + string(e.Ref)[2:] + " "
	}
	return out
}

// employ runs the world's mailbox.
func (w *world) employ(t *testing.T) *ingest.Fleet {
	t.Helper()
	f := ingest.New(w.opt)
	must(t, f.Apply([]ingest.Mailbox{w.mailbox()}))
	pass(time.Second)
	return f
}

func TestABackfillPublishesWhatTheStartPassedOverAndNothingElse(t *testing.T) {
	for name, waits := range map[string]bool{"polled": false, "idle": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(ingest.Start{}, ingest.After{})
				w.box.Waits = waits
				mail := sourcetest.Mail(9)
				w.add(mail[:2])
				pass(time.Hour)
				since := time.Now()
				w.add(mail[2:5])
				pass(time.Hour)
				until := time.Now()
				w.add(mail[5:7])
				pass(time.Hour)
				f := w.employ(t)
				w.add(mail[7:8])
				pass(2 * time.Minute)
				got, err := f.Do(t.Context(), key, ingest.NewBackfill(w.journal(), since, until, nil))
				if err != nil || got.Published != 3 || got.Total != 3 || w.told(0) != "r8 l3 l4 l5 " {
					t.Errorf("%+v, %v: %s", got, err, w.told(0))
				}
				steps := 0
				got, err = f.Do(t.Context(), key, ingest.NewBackfill(w.journal(), since, time.Time{}, func(ingest.Progress) { steps++ }))
				if err != nil || got.Published != 2 || w.told(4) != "l6 l7 " || steps < 2 {
					t.Errorf("again: %+v, %v, told %d times: %s", got, err, steps, w.told(0))
				}
				w.add(mail[8:])
				pass(2 * time.Minute)
				must(t, f.Stop(t.Context()))
				must(t, w.once(t)) // from the log: nothing was forgotten, nothing comes again
				if w.told(6) != "r9 " {
					t.Errorf("afterwards %s", w.told(6))
				}
			})
		})
	}
}

func TestARetryPublishesWhatWasSetAsideOnceItCanBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		w.add(sourcetest.Mail(5))
		bad := map[uint32]bool{2: true, 4: true}
		w.box.MessageFault = func(uid uint32) error {
			if bad[uid] {
				return &ingest.Error{Fault: ingest.Fault{Class: ingest.BadMessage, Code: ingest.CodeMessageRefused}}
			}
			return nil
		}
		f := w.employ(t)
		pass(time.Hour)
		if w.told(0) != "r1 q2 r3 q4 r5 " {
			t.Fatal(w.told(0))
		}
		got, err := f.Do(t.Context(), key, ingest.NewRetry(w.journal(), nil, nil))
		if err != nil || got.Total != 2 || got.Failed != 2 || len(got.Failures) != 2 || got.Failures[0].Code != ingest.CodeMessageRefused || w.told(5) != "" {
			t.Errorf("still bad: %+v, %v: %s", got, err, w.told(5))
		}
		delete(bad, 4)
		delete(bad, 2)
		w.log.Gate(func(_ context.Context, op logtest.Op) error {
			if op.Name == "Append" {
				w.log.Gate(nil)
				w.log.Fence(key) // somebody else asked, too
			}
			return nil
		})
		got, err = f.Do(t.Context(), key, ingest.NewRetry(w.journal(), nil, nil))
		if !errors.Is(err, publish.ErrFenced) || got.Total != 2 || got.Published != 0 {
			t.Errorf("fenced: %+v, %v: %s", got, err, w.told(5))
		}
		pass(time.Minute)
		got, err = f.Do(t.Context(), key, ingest.NewRetry(w.journal(), []ingest.Ref{sourcetest.RefOf(4), sourcetest.RefOf(5)}, nil))
		if err != nil || got.Published != 1 || w.told(5) != "l4 " {
			t.Errorf("one: %+v, %v: %s", got, err, w.told(5))
		}
		for range 2 {
			if _, err = f.Do(t.Context(), key, ingest.NewRetry(w.journal(), nil, nil)); err != nil || w.told(5) != "l4 l2 " {
				t.Errorf("the rest: %v: %s", err, w.told(5))
			}
		}
		must(t, f.Stop(t.Context()))
	})
}

// Nobody reads the rest of a message that is too large, so the session ends with it.
func TestARetryOfAMessageThatIsStillTooLargeSaysSoAndTriesTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		w.add(sourcetest.Mail(3))
		limit := map[uint32]bool{1: true, 2: true, 3: true}
		w.box.MessageFault = func(uid uint32) error {
			if limit[uid] {
				return ingest.TooLarge("read", 20, 10)
			}
			return nil
		}
		f := w.employ(t)
		pass(time.Hour)
		if w.told(0) != "q1 q2 q3 " {
			t.Fatal(w.told(0))
		}
		delete(limit, 3)
		for range 2 {
			got, err := f.Do(t.Context(), key, ingest.NewRetry(w.journal(), []ingest.Ref{sourcetest.RefOf(1)}, nil))
			if err != nil || got.Failed != 1 || got.Failures[0].Code != ingest.CodeMessageTooLarge || !strings.Contains(got.Failures[0].Error, "20 > 10") {
				t.Errorf("%+v, %v", got, err)
			}
		}
		got, err := f.Do(t.Context(), key, ingest.NewRetry(w.journal(), nil, nil))
		if err != nil || got.Failed != 2 || got.Published != 1 || w.told(3) != "l3 " {
			t.Errorf("%+v, %v: %s", got, err, w.told(3))
		}
		must(t, f.Stop(t.Context()))
	})
}

func TestAReplayPublishesAgainFromTheStoreAndMovesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{Action: ingest.ActionDelete, Grace: time.Minute})
		mail := sourcetest.Mail(4)
		w.add(mail[:1])
		f := w.employ(t)
		pass(time.Hour)
		since := time.Now()
		w.add(mail[1:])
		pass(time.Hour)
		settled := len(w.box.Settled())
		for run := range 2 {
			got, err := f.Do(t.Context(), key, ingest.NewReplay(w.journal(), since, time.Time{}, nil))
			if err != nil || got.Published != 3 || got.Failed != 0 || w.told(4+3*run) != "p2 p3 p4 " {
				t.Fatalf("%+v, %v: %s", got, err, w.told(0))
			}
		}
		pass(time.Hour)
		if len(w.box.Settled()) != settled {
			t.Error("a replay settles something")
		}
		must(t, f.Stop(t.Context()))
		must(t, w.once(t))
		events := w.log.Events(key)
		if len(events) != 10 {
			t.Fatalf("%d events: %s", len(events), w.told(0))
		}
		for i, e := range events[4:] {
			first := events[1+i%3]
			if e.ID != first.ID || e.Time != first.Time || e.Data.Raw.SHA256 != hexSum(mail[1+i%3]) || e.Data.Subject != first.Data.Subject || e.Data.UID != first.Data.UID {
				t.Errorf("%s is not %s again", e.Ref, first.Ref)
			}
		}
	})
}

func TestAJobIsTheOwnersAloneAndOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{}, ingest.After{})
		w.add(sourcetest.Mail(20))
		f := w.employ(t)
		all := func() *ingest.Job { return ingest.NewBackfill(w.journal(), time.Unix(0, 0), time.Time{}, nil) }
		if _, err := f.Do(t.Context(), publish.Key{Mailbox: "other"}, all()); ingest.FaultOf(err).Code != ingest.CodeNotServed {
			t.Errorf("another mailbox: %v", err)
		}
		gate, reached := make(chan bool), make(chan bool, 1)
		w.box.OnMessage = func(_ context.Context, uid uint32) {
			if uid == 10 {
				reached <- true
				<-gate
			}
		}
		ended := make(chan error, 1)
		go func() {
			_, err := f.Do(t.Context(), key, all())
			ended <- err
		}()
		<-reached
		if _, err := f.Do(t.Context(), key, all()); ingest.FaultOf(err).Code != ingest.CodeBusy {
			t.Errorf("a second one: %v", err)
		}
		_, err := w.log.Claim(t.Context(), key) // somebody else is the owner now
		must(t, err)
		close(gate)
		if err := <-ended; !errors.Is(err, publish.ErrFenced) {
			t.Errorf("an owner that was fenced: %v", err)
		}
		w.box.OnMessage = nil
		pass(10 * time.Minute) // it claims again
		_, err = f.Do(t.Context(), key, all())
		must(t, err)
		must(t, f.Pause(t.Context(), key))
		if _, err := f.Do(t.Context(), key, all()); ingest.FaultOf(err).Code != ingest.CodePaused {
			t.Errorf("a paused one: %v", err)
		}
		must(t, f.Stop(t.Context()))
		refs := map[ingest.Ref]int{}
		for _, e := range w.log.Events(key) {
			refs[e.Ref]++
		}
		if len(refs) != 20 || len(w.log.Events(key)) != 20 {
			t.Errorf("%d of 20 messages in %d events", len(refs), len(w.log.Events(key)))
		}
	})
}

func TestAJobGivesWayToNewMailAndEndsWithWhoeverWantsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{}, ingest.After{})
		w.add(sourcetest.Mail(30))
		f := w.employ(t)
		w.box.OnMessage = func(context.Context, uint32) { <-time.After(10 * time.Second) }
		ctx, leave := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := f.Do(ctx, key, ingest.NewBackfill(w.journal(), time.Unix(0, 0), time.Time{}, nil))
			ended <- err
		}()
		pass(30 * time.Second)
		w.add(sourcetest.Mail(1))
		pass(2 * time.Minute)
		events := w.log.Events(key)
		if i := slices.IndexFunc(events, func(e logtest.Event) bool { return e.Ref == sourcetest.RefOf(31) }); i < 0 || i > 15 {
			t.Errorf("new mail waited: %s", w.told(0))
		}
		leave()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		pass(time.Minute)
		n := len(w.log.Events(key))
		pass(time.Hour)
		if len(w.log.Events(key)) != n || n > 25 {
			t.Errorf("%d events, and later %d", n, len(w.log.Events(key)))
		}
		must(t, f.Stop(t.Context()))
	})
}

func TestAJobNeedsNoWorker(t *testing.T) {
	w := newWorld(ingest.Start{}, ingest.After{})
	w.add(sourcetest.Mail(3))
	must(t, w.once(t))
	w.add(sourcetest.Mail(1))
	f := ingest.New(w.opt)
	got, err := f.DoAlone(t.Context(), w.mailbox(), ingest.NewBackfill(w.journal(), time.Unix(0, 0), time.Time{}, nil))
	if err != nil || got.Published != 3 || w.told(0) != "r4 l1 l2 l3 " {
		t.Errorf("%+v, %v: %s", got, err, w.told(0))
	}
	w.box.OpenFault = func(int) error {
		return &ingest.Error{Fault: ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAuthRefused}}
	}
	got, err = f.DoAlone(t.Context(), w.mailbox(), ingest.NewReplay(w.journal(), time.Unix(0, 0), time.Time{}, nil))
	if err != nil || got.Published != 4 {
		t.Errorf("a replay without the mail server: %+v, %v", got, err)
	}
	if _, err = f.DoAlone(t.Context(), w.mailbox(), ingest.NewBackfill(w.journal(), time.Unix(0, 0), time.Time{}, nil)); ingest.FaultOf(err).Code != ingest.CodeAuthRefused {
		t.Errorf("a backfill without it: %v", err)
	}
	must(t, f.Stop(t.Context()))
}
