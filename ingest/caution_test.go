package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"

	"mailflume/ingest"
	"mailflume/ingest/sourcetest"
	"mailflume/publish"
	"mailflume/publish/logtest"
)

// A mortal is a worker that dies when it reads a certain message: nothing reaches the log any more.
type mortal struct {
	*world
	dead      bool
	deaths    int
	inherited []string
}

func newMortal(mail [][]byte, poison func(m *mortal, uid uint32) bool) *mortal {
	m := &mortal{world: newWorld(ingest.Start{All: true}, ingest.After{})}
	m.add(mail)
	m.box.BodyFault = func(uid uint32, body io.Reader) io.Reader {
		return readerFunc(func(b []byte) (int, error) {
			if !m.dead && poison(m, uid) {
				m.dead = true
				m.deaths++
			}
			if m.dead {
				return 0, errors.New("this worker is dead")
			}
			return body.Read(b)
		})
	}
	m.log.Gate(func(_ context.Context, op logtest.Op) error {
		if m.dead {
			return fmt.Errorf("%s after death: %w", op.Name, publish.ErrFenced)
		}
		return nil
	})
	m.opt.Parallel = 1 // one goroutine
	m.opt.Hooks.Inherited = func(_ publish.Key, worker string, ref ingest.Ref, crashes int) {
		m.inherited = append(m.inherited, fmt.Sprint(worker, " ", ref, " ", crashes))
	}
	return m
}

type readerFunc func(b []byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// live is one process, from its start to its death or to the end of the mailbox.
func (m *mortal) live(t *testing.T) error {
	m.dead = false
	return m.once(t)
}

func TestAMessageInWorkAtThreeDeathsIsSetAside(t *testing.T) {
	mail := sourcetest.Mail(100)
	for name, tc := range map[string]struct {
		lethal int // how often
		deaths int
		kept   bool
	}{
		"when it is read":                   {4, 4, true},
		"whenever its octets are asked for": {1000, 5, false},
		"twice, and then it is read":        {3, 3, true},
		"once, as when somebody kills it":   {1, 1, true},
	} {
		simulated(t, name, func(t *testing.T) {
			const poison = 40
			m := newMortal(mail, func(m *mortal, uid uint32) bool { return uid == poison && m.deaths < tc.lethal })
			for life := 1; m.live(t) != nil; life++ {
				if life > 10 {
					t.Fatal("it never comes to its end")
				}
			}
			if m.deaths != tc.deaths {
				t.Errorf("%d deaths, want %d", m.deaths, tc.deaths)
			}
			events := m.log.Events(key)
			if len(events) != len(mail) {
				t.Fatalf("%d events of %d messages", len(events), len(mail))
			}
			for i, ev := range events {
				suspect := i+1 == poison && tc.lethal > 3
				if ev.Ref != sourcetest.RefOf(uint32(i+1)) || (ev.Kind == publish.Quarantined) != suspect {
					t.Fatalf("event %d: %s of %s", i+1, ev.Kind, ev.Ref)
				}
				if suspect && (ev.Data.Quarantine.Code != string(ingest.CodeMessageSuspect) || (ev.Data.Raw != nil) != tc.kept) {
					t.Errorf("quarantine %+v, raw %v", ev.Data.Quarantine, ev.Data.Raw)
				}
			}
			// All is well now: the next owner has nothing to fear.
			told := len(m.inherited)
			if err := m.live(t); err != nil || len(m.inherited) != told {
				t.Errorf("after that: %v, told %q", err, m.inherited[told:])
			}
		})
	}
}

// simulated runs a test in virtual time.
func simulated(t *testing.T, name string, test func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

func TestDeathsOverDifferentMessagesSetNothingAside(t *testing.T) {
	synctest.Test(t, deathsOverDifferentMessages)
}

func deathsOverDifferentMessages(t *testing.T) {
	mail := sourcetest.Mail(120)
	m := newMortal(mail, func(m *mortal, uid uint32) bool { return int(uid) == 20*(m.deaths+1) && m.deaths < 5 })
	for m.live(t) != nil {
	}
	m.check(t, mail)
	if m.deaths != 5 {
		t.Errorf("%d deaths", m.deaths)
	}
}

func TestAnOwnerThatLetGoIsNoWarning(t *testing.T) {
	mail := sourcetest.Mail(20)
	m := newMortal(mail, func(*mortal, uint32) bool { return false })
	for range 3 {
		if err := m.live(t); err != nil {
			t.Fatal(err)
		}
	}
	m.check(t, mail)
	if len(m.inherited) > 0 {
		t.Errorf("told %q", m.inherited)
	}
}

func TestAnOwnerThatWasFencedAndLivesIsNoWarning(t *testing.T) {
	synctest.Test(t, fencedAndAlive)
}

func fencedAndAlive(t *testing.T) {
	mail := sourcetest.Mail(60)
	m := newMortal(mail, func(*mortal, uint32) bool { return false })
	fences := 0
	m.box.OnMessage = func(_ context.Context, uid uint32) {
		if uid == 30 && fences == 0 { // somebody else claims, and this worker claims again
			fences++
			m.log.Fence(key)
		}
	}
	for range 3 {
		if err := m.live(t); err == nil {
			break
		}
	}
	m.check(t, mail)
	if slices.ContainsFunc(m.inherited, func(s string) bool { return s != "test  0" }) || fences != 1 {
		t.Errorf("told %q", m.inherited)
	}
}
