package ingest_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/sourcetest"
)

// refuse makes an error of a fault.
func refuse(f ingest.Fault) error {
	return &ingest.Error{Fault: f, Op: "login", Err: errors.New("no")}
}

func TestARefusedMailboxHealsByItselfWithoutAStorm(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault ingest.Fault
		state ingest.State
		most  int // tries in six hours
		heals time.Duration
	}{
		{"what an administrator may mend", ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAuthRefused}, ingest.StateAuthFailed, 27, 17 * time.Minute},
		{"a wrong secret", ingest.Fault{Class: ingest.Auth, Code: ingest.CodeClientSecret, Lasting: true}, ingest.StateAuthFailed, 9, 67 * time.Minute},
		{"a missing folder", ingest.Fault{Class: ingest.Config, Code: ingest.CodeFolderMissing}, ingest.StateConfigError, 27, 17 * time.Minute},
		{"a token that is too long", ingest.Fault{Class: ingest.Auth, Code: ingest.CodeTokenTooLong, Lasting: true}, ingest.StateAuthFailed, 9, 67 * time.Minute},
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
					if !broken {
						return nil
					}
					tries = append(tries, time.Now())
					return refuse(c.fault)
				}
				stop := w.serve(t)
				pass(6 * time.Hour)
				mu.Lock()
				if len(tries) > c.most || len(tries) < 5 {
					t.Errorf("%d tries in six hours, want at most %d", len(tries), c.most)
				}
				for i := range tries[1:] {
					if tries[i+1].Sub(tries[i]) < time.Minute {
						t.Errorf("try %d came after %v", i+2, tries[i+1].Sub(tries[i]))
					}
				}
				if s, ok := w.saw(c.state); !ok || s.Fault.Code != c.fault.Code {
					t.Errorf("the state %s was not told", c.state)
				}
				broken = false
				mu.Unlock()
				pass(c.heals)
				stop()
				w.check(t, mail)
			})
		})
	}
}

// TestRefusalsThatSomebodyAskedForDoNotOpenTheBreaker: those that count are a minute apart.
func TestRefusalsThatSomebodyAskedForDoNotOpenTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		mail := sourcetest.Mail(2)
		w.add(mail)
		var broken atomic.Bool
		broken.Store(true)
		w.box.OpenFault = func(int) error {
			if broken.Load() {
				return refuse(ingest.Fault{Class: ingest.Auth, Code: ingest.CodeClientSecret, Lasting: true})
			}
			return nil
		}
		f := ingest.New(w.opt)
		if err := f.Apply([]ingest.Mailbox{w.mailbox()}); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			pass(5 * time.Second)
			if err := f.Poll(key); err != nil {
				t.Error(err)
			}
		}
		pass(5 * time.Second)
		broken.Store(false)
		pass(70 * time.Second)
		if err := f.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		w.check(t, mail)
	})
}

func TestARefusalIsDoubtedWhereTheMailboxWorkedWithinADay(t *testing.T) {
	for _, c := range []struct {
		name    string
		works   bool          // at first
		idle    time.Duration // between that and the refusal
		refused int
		want    bool // the administrator is called
	}{
		{"never worked", false, 0, 1, true},
		{"worked an hour ago, one refusal", true, time.Hour, 1, false},
		{"worked an hour ago, two refusals", true, time.Hour, 2, false},
		{"worked an hour ago, three refusals", true, time.Hour, 3, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(ingest.Start{All: true}, ingest.After{})
				mail := sourcetest.Mail(2)
				w.add(mail)
				begin, n := time.Now(), 0
				w.box.OpenFault = func(int) error {
					if c.works && time.Since(begin) < c.idle || n >= c.refused {
						return nil
					}
					n++
					return refuse(ingest.Fault{Class: ingest.Config, Code: ingest.CodeNotConnected})
				}
				stop := w.serve(t)
				pass(c.idle + 3*time.Hour)
				stop()
				if _, called := w.saw(ingest.StateConfigError); called != c.want || n != c.refused {
					t.Errorf("called %v after %d refusals, want %v", called, n, c.want)
				}
				w.check(t, mail)
			})
		})
	}
}

func TestASessionThatEndsIsTroubleOnlyIfTheNextOneDoesTooBeforeTheMailboxWasRead(t *testing.T) {
	over := ingest.Fault{Class: ingest.SessionOver, Code: ingest.CodeTokenExpired}
	lost := ingest.Fault{Class: ingest.Transient, Code: ingest.CodeConnLost}
	for _, c := range []struct {
		name    string
		fault   ingest.Fault
		from    int // the first session that ends
		ends    int // sessions in a row
		trouble bool
	}{
		{"one, as with every token", over, 1, 1, false}, {"two", over, 1, 2, true},
		{"a connection is lost", lost, 2, 1, false}, {"two are", lost, 2, 2, true}, {"the first one ever", lost, 1, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(ingest.Start{All: true}, ingest.After{})
				mail := sourcetest.Mail(2)
				w.add(mail)
				w.box.OpenFault = func(n int) error {
					if n < c.from || n >= c.from+c.ends {
						return nil
					}
					return refuse(c.fault)
				}
				stop := w.serve(t)
				pass(5 * time.Minute)
				stop()
				if s, ok := w.saw(ingest.StateBackoff); ok != c.trouble {
					t.Errorf("%+v", s)
				}
				w.check(t, mail)
			})
		})
	}
}
