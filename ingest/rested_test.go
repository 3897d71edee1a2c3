package ingest_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/sourcetest"
)

// TestAWorkerThatIsRestartedAgainAndAgainIsNoStorm: systemd starts it anew every five seconds, whatever ends it.
func TestAWorkerThatIsRestartedAgainAndAgainIsNoStorm(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault ingest.Fault
		most  int           // tries in ten minutes
		rest  time.Duration // between the last of them and the first that may succeed
	}{
		{"a refused token", ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAuthRefused}, 3 + 10, time.Minute},
		{"a wrong secret", ingest.Fault{Class: ingest.Auth, Code: ingest.CodeClientSecret, Lasting: true}, 3 + 10, time.Minute},
		{"a time that the server named", ingest.Fault{Class: ingest.Throttled, Code: ingest.CodeThrottled, Wait: 299961 * time.Millisecond}, 3, 5 * time.Minute},
		{"what passes by itself", ingest.Fault{Class: ingest.Transient, Code: ingest.CodeConnRefused}, 1000, 5 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(ingest.Start{All: true}, ingest.After{})
				mail := sourcetest.Mail(3)
				w.add(mail)
				var mu sync.Mutex
				var tries []time.Time
				broken := true
				w.box.OpenFault = func(int) error {
					mu.Lock()
					defer mu.Unlock()
					if tries = append(tries, time.Now()); !broken {
						return nil
					}
					return refuse(c.fault)
				}
				for range 120 {
					stop := w.serve(t)
					pass(5 * time.Second)
					stop()
				}
				mu.Lock()
				if len(tries) > c.most || len(tries) < 3 {
					t.Errorf("%d tries in ten minutes", len(tries))
				}
				for i := range tries[1:] {
					if d := tries[i+1].Sub(tries[i]); d < c.fault.Wait {
						t.Fatalf("the server asked to wait %v, and was asked after %v", c.fault.Wait, d)
					}
				}
				last := tries[len(tries)-1]
				broken = false
				mu.Unlock()
				stop := w.serve(t)
				pass(time.Until(last.Add(c.rest + 3*time.Second)))
				stop()
				w.check(t, mail)
				began := time.Now()
				stop = w.serve(t)
				pass(time.Second)
				stop()
				if last = tries[len(tries)-1]; last.Before(began) {
					t.Error("a mailbox that is well again is not looked at when the worker starts")
				}
			})
		})
	}
}

func TestARepairedMailboxDoesNotWaitForWhatItWasRefusedAsBefore(t *testing.T) {
	for name, repair := range map[string]func(w *world, b *ingest.Mailbox) *ingest.Fleet{
		"its definition has changed": func(w *world, b *ingest.Mailbox) *ingest.Fleet {
			b.Definition = "2"
			return ingest.New(w.opt)
		},
		"somebody asks for a look": func(w *world, b *ingest.Mailbox) *ingest.Fleet {
			f := ingest.New(w.opt)
			time.AfterFunc(time.Second, func() { _ = f.Poll(b.Key) })
			return f
		},
		"somebody resumes what is not paused": func(w *world, b *ingest.Mailbox) *ingest.Fleet {
			f := ingest.New(w.opt)
			time.AfterFunc(time.Second, func() { _ = f.Resume(context.Background(), b.Key) })
			return f
		},
		"a secret has changed": func(w *world, _ *ingest.Mailbox) *ingest.Fleet {
			f := ingest.New(w.opt)
			time.AfterFunc(time.Second, f.Wake)
			return f
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(ingest.Start{All: true}, ingest.After{})
				mail := sourcetest.Mail(3)
				w.add(mail)
				broken := true
				w.box.OpenFault = func(int) error {
					if broken {
						return refuse(ingest.Fault{Class: ingest.Throttled, Code: ingest.CodeThrottled, Wait: time.Hour})
					}
					return nil
				}
				stop := w.serve(t)
				pass(5 * time.Second)
				stop()
				broken = false
				box := w.mailbox()
				f := repair(w, &box)
				if err := f.Apply([]ingest.Mailbox{box}); err != nil {
					t.Fatal(err)
				}
				pass(5 * time.Second)
				if err := f.Stop(t.Context()); err != nil {
					t.Error(err)
				}
				w.check(t, mail)
			})
		})
	}
}
