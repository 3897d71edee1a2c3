//go:build interop

package main

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"mailflume/cmd/internal/interop"
	"mailflume/publish/logtest/fault"
)

// binaries are built once; crashing is the program with crash points.
type binaries struct{ dir, mailflume, crashing, nats string }

var built = sync.OnceValues(func() (b binaries, err error) {
	if b.dir, err = os.MkdirTemp("", "mailflume-soak-"); err != nil {
		return b, err
	}
	ctx := context.Background()
	if b.mailflume, err = interop.Build(ctx, b.dir, "mailflume/cmd/mailflume", "mailflume"); err != nil {
		return b, err
	}
	if b.crashing, err = interop.Build(ctx, b.dir, "mailflume/cmd/mailflume", "crashing", "-tags", "crashpoints"); err != nil {
		return b, err
	}
	b.nats, err = interop.Build(ctx, b.dir, "github.com/nats-io/nats-server/v2", "nats-server")
	return b, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if b, err := built(); err == nil {
		_ = os.RemoveAll(b.dir)
	}
	os.Exit(code)
}

func programs(t *testing.T) binaries {
	t.Helper()
	b, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// scene is a run without rounds: the test says what is struck and when.
type scene struct {
	*Storm
	t     *testing.T
	sent  int // messages of each mailbox
	extra int // messages that are not of the post
}

// newScene starts the servers and so many workers. The mailboxes are empty; change may alter the storm
// before that.
func newScene(t *testing.T, o Options, change ...func(*Storm)) *scene {
	t.Helper()
	b := programs(t)
	o.Seed, o.Rounds = uint64(time.Now().UnixNano()), 1
	state, err := openState(t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	s := &Storm{State: state, out: t.Output(), dir: state.dir, bin: b.mailflume}
	for _, f := range change {
		f(s)
	}
	err = s.begin(t.Context(), b.nats)
	t.Cleanup(func() {
		if err := s.end(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			logs, _ := filepath.Glob(filepath.Join(s.dir, "logs", "*"))
			for _, l := range logs {
				text, _ := os.ReadFile(l)
				t.Logf("%s:\n%s", l, text[max(0, len(text)-4000):])
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return &scene{Storm: s, t: t}
}

// mail brings n more messages into every mailbox.
func (s *scene) mail(n int) {
	s.t.Helper()
	s.sent += n
	for b := range s.Boxes {
		if err := s.stage.deliver(b, s.sent); err != nil {
			s.t.Fatal(err)
		}
	}
}

// arrive waits until everything sent so far is in the stream and returns how long that took.
func (s *scene) arrive(within time.Duration) time.Duration {
	s.t.Helper()
	begin, tick := time.Now(), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for int(s.seen.Load()) < s.stage.sent()+s.extra {
		if <-tick.C; time.Since(begin) > within {
			s.t.Fatalf("%d of %d messages after %v", s.seen.Load(), s.stage.sent(), within)
		}
	}
	return time.Since(begin)
}

// wait lets time pass.
func (s *scene) wait(d time.Duration) {
	s.t.Helper()
	if err := pause(s.t.Context(), d); err != nil {
		s.t.Fatal(err)
	}
}

// freeze stops a process and returns what wakes it.
func (s *scene) freeze(v *Victim) (thaw func()) {
	v.signal(syscall.SIGSTOP)
	return func() { v.signal(syscall.SIGCONT) }
}

// finish sends the rest, ends the workers and notes the fault with what the stream holds.
func (s *scene) finish(r fault.Row) {
	s.t.Helper()
	s.mail(s.post.each() - s.sent)
	s.arrive(time.Minute)
	for _, v := range s.workers {
		if !v.up {
			continue
		}
		if err := v.drain(); err != nil {
			s.t.Errorf("%s ended with %v", v.name, err)
		}
	}
	v, err := s.judge(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	v.Strange -= s.extra
	if !v.good() || s.Trouble > 0 {
		s.t.Errorf("%+v, trouble %d", *v, s.Trouble)
	}
	r.Messages, r.Lost, r.Doubled = s.Messages, v.Lost, v.Doubled
	fault.Note(s.t, r)
}
