package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"mailflume/cmd/internal/interop"
	"mailflume/publish/natsjs"
)

// Storm is a run: the rounds, and what is struck in them.
type Storm struct {
	*State
	out      io.Writer
	dir, bin string
	stream   string // configuration of a test
	more     string

	post    Post
	stage   *Stage
	nats    *interop.NATS
	server  *Victim
	workers []*Victim
	agenda  Agenda
	told    time.Time

	conn   *natsjs.Conn
	stop   context.CancelFunc // of following
	follow sync.WaitGroup
	seen   atomic.Int64 // events that `mailflume tap --follow` would have shown
}

// begin starts the servers and the workers and brings the mail to where the run is.
func (s *Storm) begin(ctx context.Context, server string) (err error) {
	s.post = Post{s.Options}
	if s.stage, err = newStage(s.post); err != nil {
		return err
	}
	for b := range s.Boxes { // an interrupted round may have delivered some of its mail
		if err := s.stage.deliver(b, s.post.due(b, s.Done+min(s.Resumed, 1))); err != nil {
			return err
		}
	}
	if s.nats == nil { // a test may have brought a cluster
		if s.nats, err = interop.StartNATS(server, filepath.Join(s.dir, "nats")); err != nil {
			return err
		}
	}
	s.server = serverVictim(s.nats)
	if s.conn, err = natsjs.Connect(ctx, natsjs.Options{URL: s.nats.URL, Worker: "soak"}); err != nil {
		return err
	}
	if err := s.conn.EnsureStream(ctx, natsjs.StreamConfig{Manage: true}); err != nil {
		return err
	}
	following, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.follow.Go(func() { s.count(following) })
	s.stage.stream, s.stage.more = s.stream, s.more
	config, err := s.stage.config(s.dir, s.nats.URL)
	if err != nil {
		return err
	}
	for i := range s.Workers {
		s.workers = append(s.workers, workerVictim(s, i, config))
		if err := s.workers[i].start(); err != nil {
			return err
		}
	}
	s.told = time.Now()
	fmt.Fprintf(s.out, "soak: seed %d, %d messages for %d mailboxes, %d workers, rounds %d to %d of %v on average; folder %s\n",
		s.Seed, s.Messages, s.Boxes, s.Workers, s.Done+1, s.Rounds, s.Round.Round(time.Millisecond), s.dir)
	return nil
}

// count follows the stream as a consumer would.
func (s *Storm) count(ctx context.Context) {
	for d, err := range s.conn.Events(ctx, natsjs.Filter{FromStart: true, Follow: true, RefsOnly: true}) {
		if d == nil {
			if ctx.Err() == nil {
				fmt.Fprintln(s.out, "soak: following the stream ended:", err)
			}
			return
		}
		s.seen.Add(1)
	}
}

// end ends everything that begin started.
func (s *Storm) end() error {
	for _, v := range s.workers {
		v.kill()
	}
	if s.stop != nil {
		s.stop()
		s.follow.Wait()
	}
	var errs []error
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	if s.server != nil {
		s.server.kill()
	}
	if s.stage != nil {
		errs = append(errs, s.stage.Close())
	}
	return errors.Join(errs...)
}

// run makes the rounds that are left and judges the whole.
func (s *Storm) run(ctx context.Context) (*Verdict, error) {
	for s.Done < s.Rounds {
		if err := s.round(ctx); err != nil {
			return nil, err
		}
		s.tell()
	}
	if err := s.agenda.now(); err != nil {
		return nil, err
	}
	if err := s.quiet(ctx); err != nil {
		return nil, err
	}
	for _, v := range s.workers {
		if err := v.drain(); err != nil {
			s.Trouble++
			fmt.Fprintf(s.out, "soak: %s did not end as it should: %v\n", v.name, err)
		}
	}
	s.Elapsed = time.Since(s.began)
	v, err := s.judge(ctx)
	if seen := int(s.seen.Load()); err == nil && seen != v.Events {
		v.Strange++
		fmt.Fprintf(s.out, "soak: following the stream showed %d events, and it has %d\n", seen, v.Events)
	}
	return v, err
}

// round delivers what is due in two parts and strikes once, each at a random moment. What it has
// begun, such as a server that is to come back, may end in a later one.
func (s *Storm) round(ctx context.Context) error {
	if err := s.save(); err != nil {
		return err
	}
	rnd := rand.New(rand.NewPCG(s.Seed, uint64(s.Done)))
	length := s.Round/2 + time.Duration(rnd.Int64N(int64(s.Round)+1))
	for part := range 2 {
		s.agenda.in(time.Duration(part)*moment(rnd, length), func() error { return s.deliver(part) })
	}
	s.agenda.in(moment(rnd, length), func() error { return s.strike(rnd) })
	if err := s.agenda.until(ctx, time.Now().Add(length)); err != nil {
		return err
	}
	s.Done++
	for _, v := range append(s.workers, s.server) {
		s.survived(v)
	}
	return nil
}

// moment is a random one in the next so long.
func moment(rnd *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(rnd.Int64N(int64(d) + 1))
}

// deliver brings every second mailbox up to date.
func (s *Storm) deliver(part int) error {
	for b := range s.Boxes {
		if (b+s.Done)%2 == part {
			if err := s.stage.deliver(b, s.post.due(b, s.Done+1)); err != nil {
				return err
			}
		}
	}
	return nil
}

// patience is how long nothing may come any more before what is missing counts as lost.
const patience = 3 * time.Minute

// quiet waits until the last message is in the stream.
func (s *Storm) quiet(ctx context.Context) error {
	for last, since := int64(-1), time.Now(); time.Since(since) < patience; s.tell() {
		seen := s.seen.Load()
		if int(seen) >= s.Messages {
			return nil
		}
		if seen != last {
			last, since = seen, time.Now()
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// tell prints how far the run is, every minute.
func (s *Storm) tell() {
	if time.Since(s.told) < time.Minute {
		return
	}
	s.told = time.Now()
	fmt.Fprintf(s.out, "soak: %v: round %d of %d; %s; %d of %d messages sent, %d seen in the stream\n",
		time.Since(s.began).Round(time.Second), s.Done, s.Rounds, s.strikes(), s.stage.sent(), s.Messages, s.seen.Load())
}
