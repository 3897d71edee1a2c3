package ingest_test

import (
	"context"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/sourcetest"
	"mailflume/publish"
	"mailflume/publish/logtest"
)

func TestAPausedMailboxIsLeftAloneUntilItIsResumed(t *testing.T) {
	for name, pauses := range map[string]ingest.Pauses{"alone": nil, "shared": sourcetest.NewPauses()} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if pauses != nil {
					pauses = sourcetest.NewPauses() // its channels are the bubble's
				}
				w := newWorld(ingest.Start{All: true}, ingest.After{})
				w.opt.Pauses = pauses
				mail := sourcetest.Mail(6)
				w.add(mail[:3])
				f := ingest.New(w.opt)
				must(t, f.Apply([]ingest.Mailbox{w.mailbox()}))
				pass(time.Second)
				must(t, f.Pause(t.Context(), key))
				w.check(t, mail[:3])
				if s, ok := w.saw(ingest.StatePaused); !ok || s.At.IsZero() || w.last() != ingest.StatePaused {
					t.Errorf("the state is %v", w.last())
				}
				opens := w.box.Opens()
				w.add(mail[3:])
				pass(time.Hour)
				w.check(t, mail[:3])
				if w.box.Opens() != opens {
					t.Error("a paused mailbox was looked at")
				}
				if err := f.Poll(key); ingest.FaultOf(err).Code != ingest.CodePaused {
					t.Errorf("a poll: %v", err)
				}
				must(t, f.Apply([]ingest.Mailbox{w.mailbox()})) // a reload is no resume
				pass(time.Hour)
				must(t, f.Pause(t.Context(), key)) // again changes nothing
				must(t, f.Resume(t.Context(), key))
				pass(time.Second)
				w.check(t, mail)
				must(t, f.Stop(t.Context()))
			})
		})
	}
}

// last is the state that was reported last.
func (w *world) last() ingest.State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.states[len(w.states)-1].State
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAPauseReturnsWhenTheLastWriteIsResolved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		w.add(sourcetest.Mail(1))
		w.log.Gate(func(ctx context.Context, op logtest.Op) error {
			if op.Name == "Append" {
				<-time.After(5 * time.Second) // a slow server
			}
			return nil
		})
		f := ingest.New(w.opt)
		must(t, f.Apply([]ingest.Mailbox{w.mailbox()}))
		pass(time.Second)
		must(t, f.Pause(t.Context(), key))
		if n := len(w.log.Events(key)); n != 1 {
			t.Errorf("paused with %d events", n)
		}
		pass(time.Minute)
		if n := len(w.log.Events(key)); n != 1 {
			t.Errorf("after the pause: %d events", n)
		}
		must(t, f.Stop(t.Context()))
	})
}

func TestAPollEndsEveryWait(t *testing.T) {
	for name, waits := range map[string]bool{"between polls": false, "for news": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(ingest.Start{All: true}, ingest.After{})
				polls := 0
				w.opt.Hooks.Polled = func(publish.Key, time.Time) { polls++ }
				w.box.Waits = waits
				f := ingest.New(w.opt)
				must(t, f.Apply([]ingest.Mailbox{w.mailbox()}))
				pass(time.Second)
				for n := range 3 {
					must(t, f.Poll(key))
					pass(time.Second)
					if polls != n+2 {
						t.Errorf("%d polls after %d requests", polls, n+1)
					}
				}
				if _, ok := w.saw(ingest.StateBackoff); ok {
					t.Error("a poll is a trouble")
				}
				must(t, f.Stop(t.Context()))
			})
		})
	}
}

func TestOnlyTheOwnerPausesAndEveryLaterOwnerKeepsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pauses, cluster := sourcetest.NewPauses(), sourcetest.NewCluster(12*time.Second)
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		mail := sourcetest.Mail(4)
		w.add(mail[:2])
		fleets := map[string]*ingest.Fleet{}
		for _, id := range []string{"a", "b"} {
			opt := w.opt
			opt.Worker, opt.Members, opt.Pauses = id, cluster.Member(id, 1), pauses
			fleets[id] = ingest.New(opt)
			must(t, fleets[id].Apply([]ingest.Mailbox{w.mailbox()}))
		}
		pass(time.Minute)
		owner, other := "a", "b"
		if fleets["b"].Has(key) {
			owner, other = "b", "a"
		}
		if fleets[other].Has(key) || !fleets[owner].Has(key) {
			t.Fatal("not one of them has it")
		}
		for _, err := range []error{fleets[other].Pause(t.Context(), key), fleets[other].Resume(t.Context(), key), fleets[other].Poll(key)} {
			if ingest.FaultOf(err).Code != ingest.CodeNotServed {
				t.Errorf("the other one: %v", err)
			}
		}
		must(t, fleets[owner].Pause(t.Context(), key))
		must(t, fleets[owner].Stop(t.Context()))
		w.add(mail[2:])
		pass(10 * time.Minute)
		if !fleets[other].Has(key) || len(w.log.Events(key)) != 2 {
			t.Errorf("the new owner did not keep the pause: %d events", len(w.log.Events(key)))
		}
		if err := w.once(t); err != nil || len(w.log.Events(key)) != 4 {
			t.Errorf("a pass of somebody who knows of no pause: %v", err)
		}
		w.opt.Pauses = pauses
		w.add(mail[:1])
		if err := w.once(t); err != nil || len(w.log.Events(key)) != 4 || w.last() != ingest.StatePaused {
			t.Errorf("a single pass did not keep the pause: %v, %s", err, w.last())
		}
		began := time.Now()
		_, err := ingest.New(w.opt).DoAlone(t.Context(), w.mailbox(), ingest.NewRetry(w.journal(), nil, nil))
		if took := time.Since(began); ingest.FaultOf(err).Code != ingest.CodePaused || took > 0 {
			t.Errorf("a job of a paused mailbox waits for %s: %v", took, err)
		}
		must(t, fleets[other].Resume(t.Context(), key))
		pass(time.Minute)
		if n := len(w.log.Events(key)); n != 5 {
			t.Errorf("%d events after the end of the pause", n)
		}
		must(t, fleets[other].Stop(t.Context()))
	})
}

func TestOppositeRequestsAtTheSameTimeBothEnd(t *testing.T) {
	for range 30 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(ingest.Start{All: true}, ingest.After{})
			pauses := sourcetest.NewPauses()
			w.opt.Pauses = pauses
			f := ingest.New(w.opt)
			must(t, f.Apply([]ingest.Mailbox{w.mailbox()}))
			pass(time.Second)
			done := make(chan error, 4)
			go func() { done <- f.Pause(t.Context(), key) }()
			go func() { done <- f.Resume(t.Context(), key) }()
			go func() { done <- f.Pause(t.Context(), key) }()
			go func() { done <- pauses.Resume(t.Context(), key) }() // of another machine
			pass(20 * time.Second)
			if len(done) != 4 {
				t.Errorf("%d of 4 requests ended", len(done))
			}
			for range len(done) {
				if err := <-done; err != nil && ingest.FaultOf(err).Code != ingest.CodeBusy {
					t.Error(err)
				}
			}
			must(t, f.Stop(t.Context()))
		})
	}
}

func TestNothingStartsBeforeThePausesAreKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		late := &latePauses{sourcetest.NewPauses(), make(chan struct{})}
		must(t, late.Pause(t.Context(), key, time.Now()))
		w.opt.Pauses = late
		w.add(sourcetest.Mail(1))
		f := ingest.New(w.opt)
		must(t, f.Apply([]ingest.Mailbox{w.mailbox()}))
		pass(time.Hour)
		close(late.gate)
		pass(time.Hour)
		w.mu.Lock()
		states := slices.Clone(w.states)
		w.mu.Unlock()
		if len(states) != 1 || states[0].State != ingest.StatePaused || len(w.log.Events(key)) != 0 {
			t.Errorf("states %v", states)
		}
		must(t, f.Stop(t.Context()))
	})
}

// latePauses are known when the gate opens.
type latePauses struct {
	*sourcetest.Pauses
	gate chan struct{}
}

func (p *latePauses) Watch(ctx context.Context) iter.Seq[map[publish.Key]time.Time] {
	return func(yield func(map[publish.Key]time.Time) bool) {
		select {
		case <-p.gate:
		case <-ctx.Done():
			return
		}
		p.Pauses.Watch(ctx)(yield)
	}
}

func TestANewOwnerKnowsThePauseBeforeItReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		slow := &slowPauses{sourcetest.NewPauses(), make(chan struct{})}
		must(t, slow.Pause(t.Context(), key, time.Now())) // the owner before did it; the news are on their way
		w.opt.Pauses = slow
		w.add(sourcetest.Mail(1))
		f := ingest.New(w.opt)
		must(t, f.Apply([]ingest.Mailbox{w.mailbox()}))
		pass(time.Hour)
		if len(w.log.Events(key)) != 0 || w.log.Claims(key) != 0 || w.last() != ingest.StatePaused {
			t.Errorf("%d events, %d claims, %s", len(w.log.Events(key)), w.log.Claims(key), w.last())
		}
		close(slow.gate)
		pass(time.Hour)
		must(t, f.Resume(t.Context(), key))
		pass(time.Minute)
		if len(w.log.Events(key)) != 1 {
			t.Errorf("%d events after the end of the pause", len(w.log.Events(key)))
		}
		must(t, f.Stop(t.Context()))
	})
}

// slowPauses tell that nothing is paused until the gate opens.
type slowPauses latePauses

func (p *slowPauses) Watch(ctx context.Context) iter.Seq[map[publish.Key]time.Time] {
	return func(yield func(map[publish.Key]time.Time) bool) {
		if yield(map[publish.Key]time.Time{}) {
			(*latePauses)(p).Watch(ctx)(yield)
		}
	}
}
