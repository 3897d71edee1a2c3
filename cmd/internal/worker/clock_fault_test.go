package worker_test

import (
	"sync/atomic"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/publish/logtest/fault"
)

// clock is a wall clock that somebody sets.
type clock struct{ off atomic.Int64 }

func (c *clock) set(off time.Duration) { c.off.Store(int64(off)) }

func (c *clock) now() time.Time { return time.Now().Round(0).Add(time.Duration(c.off.Load())) }

func TestFault_P7_ClocksDifferAndJump(t *testing.T) {
	s := newSite(t, 12)
	var ahead, behind, restless clock
	ahead.set(time.Hour)
	behind.set(-time.Hour)
	with := func(c *clock) func(*ingest.Options) { return func(o *ingest.Options) { o.Now = c.now } }
	a, b := s.join("a", with(&ahead)), s.join("b", with(&behind))
	s.sendFor(2 * time.Second)
	c := s.join("c", with(&restless))
	worst := time.Duration(0)
	for i := range 24 {
		restless.set(time.Duration(i%3-1) * time.Hour)
		worst = max(worst, s.send(30*time.Second))
	}
	s.crash(a)
	s.sendFor(2 * life)
	s.drain(b)
	s.sendFor(time.Second)
	s.drain(c)
	s.check()
	if worst > 2*time.Second {
		t.Errorf("a message waited %v when a clock jumped", worst)
	}
	fault.Note(t, fault.Row{
		ID: "P7", Fault: "the clocks of three workers differ by two hours, one jumps back and forth; one worker dies",
		Outcome: "who is live and who owns a log is not decided by any worker's clock", Messages: s.sent * len(s.keys),
	})
}

func TestTheGraceIsByTheServersClockWhateverTheWorkersSay(t *testing.T) {
	const grace = 4 * time.Second
	for name, off := range map[string][2]time.Duration{
		"an hour ahead": {0, time.Hour}, "from an hour ahead": {time.Hour, 0}, "an hour behind": {0, -time.Hour}, "from an hour behind": {-time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, 1)
			s.after = ingest.After{Action: ingest.ActionDelete, Grace: grace}
			box := s.boxes[s.keys[0]]
			box.After = s.after
			var first, second clock
			first.set(off[0])
			second.set(off[1])
			a := s.join("a", func(o *ingest.Options) { o.Now = first.now })
			begun := time.Now()
			s.send(30 * time.Second)
			appended := time.Now()
			if off[0] == 0 {
				s.crash(a) // the entry lies behind the snapshot, as the server stamped it
			} else {
				s.drain(a) // in the snapshot, as the worker did
			}
			b := s.join("b", func(o *ingest.Options) { o.Now = second.now })
			for end := time.After(3 * grace); box.Len() > 0; {
				select {
				case <-time.After(20 * time.Millisecond):
				case <-end:
					t.Fatal("it is not deleted")
				}
			}
			if took := time.Since(begun); took < grace {
				t.Errorf("it was deleted after %v, its grace is %v", took, grace)
			} else if late := time.Since(appended) - grace; late > grace {
				t.Errorf("it was deleted %v after its grace", late)
			}
			s.drain(b)
			s.check()
		})
	}
}
