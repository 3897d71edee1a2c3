package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"mailflume/cmd/internal/interop"
	"mailflume/publish/natsjs"
)

// trial is one worker's life through all rows.
type trial struct {
	options
	crowd  *crowd
	nats   *interop.NATS
	conn   *natsjs.Conn
	cmd    *exec.Cmd
	cancel context.CancelFunc
	hush   context.CancelFunc // ends the mail
	wg     sync.WaitGroup

	mu    sync.Mutex
	codes map[string]map[string]bool // by hostile mailbox
}

// newTrial starts everything and waits until all healthy mailboxes are read.
func newTrial(ctx context.Context, dir string, o options) (*trial, error) {
	t := &trial{options: o, codes: map[string]map[string]bool{}}
	bin, err := interop.Build(ctx, dir, "github.com/nats-io/nats-server/v2", "nats-server")
	if err != nil {
		return nil, err
	}
	if t.nats, err = interop.StartNATS(bin, filepath.Join(dir, "store")); err != nil {
		return nil, err
	}
	if t.crowd, err = newCrowd(dir, t.nats.URL, o.mailboxes-o.mailboxes/10); err != nil {
		return nil, errors.Join(err, t.close())
	}
	ctx, t.cancel = context.WithCancel(ctx)
	if err := t.start(ctx); err != nil {
		return nil, errors.Join(err, t.close())
	}
	first, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for i := range t.crowd.healthy {
		if err := t.crowd.deliver(i); err != nil {
			return nil, errors.Join(err, t.close())
		}
	}
	t.crowd.book.settled(first)
	if first.Err() != nil {
		return nil, errors.Join(errors.New("the healthy mailboxes are not read"), t.close())
	}
	mailing, hush := context.WithCancel(ctx)
	t.hush = hush
	t.wg.Go(func() { _ = t.crowd.keepMailing(mailing, o.rate) })
	return t, nil
}

// start runs the worker and follows what it publishes.
func (t *trial) start(ctx context.Context) (err error) {
	t.cmd = exec.Command(t.bin, "run", "-c", t.crowd.config()) //nolint:noctx,gosec // ended by close; the program is the one the caller names
	pipe, err := t.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := t.cmd.Start(); err != nil {
		return err
	}
	t.wg.Go(func() { t.read(pipe) })
	if t.conn, err = natsjs.Connect(ctx, natsjs.Options{URL: t.nats.URL}); err != nil {
		return err
	}
	wait := time.NewTicker(100 * time.Millisecond)
	defer wait.Stop()
	for end := time.Now().Add(30 * time.Second); ; { // the worker makes the stream
		if err = t.conn.EnsureStream(ctx, natsjs.StreamConfig{}); err == nil {
			break
		}
		if time.Now().After(end) {
			return err
		}
		<-wait.C
	}
	t.wg.Go(func() { t.crowd.book.follow(ctx, t.conn) })
	return nil
}

// read keeps the codes of the worker's log.
func (t *trial) read(r io.Reader) {
	keep := io.Discard
	if t.log != "" {
		if f, err := os.Create(t.log); err == nil {
			defer f.Close()
			keep = f
		}
	}
	s := bufio.NewScanner(io.TeeReader(r, keep))
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var line struct{ Mailbox, Code string }
		if json.Unmarshal(s.Bytes(), &line) != nil || line.Code == "" {
			continue
		}
		t.mu.Lock()
		if t.codes[line.Mailbox] == nil {
			t.codes[line.Mailbox] = map[string]bool{}
		}
		t.codes[line.Mailbox][line.Code] = true
		t.mu.Unlock()
	}
}

// close ends everything in reverse order.
func (t *trial) close() error {
	var errs []error
	if t.cancel != nil {
		t.cancel()
	}
	if t.cmd != nil && t.cmd.Process != nil {
		_ = t.cmd.Process.Signal(syscall.SIGTERM)
	}
	t.wg.Wait()
	if t.cmd != nil && t.cmd.Process != nil {
		errs = append(errs, t.cmd.Wait())
	}
	if t.conn != nil {
		errs = append(errs, t.conn.Close())
	}
	t.nats.Signal(syscall.SIGKILL)
	if t.crowd != nil {
		errs = append(errs, t.crowd.close())
	}
	return errors.Join(errs...)
}

// comparison is what one row did.
type comparison struct {
	calm, hostile []arm // one for each round
	peak          int64
	codes         map[string]bool
	met           int // connections to hostile servers
}

// compare alternates phases without and with the hostile servers of a row.
func (t *trial) compare(ctx context.Context, r row) (c *comparison, err error) {
	c = &comparison{codes: map[string]bool{}, calm: make([]arm, t.rounds), hostile: make([]arm, t.rounds)}
	for round := range t.rounds {
		if err := t.phase(ctx, &c.calm[round]); err != nil {
			return nil, err
		}
		if round == 0 {
			t.forgetPeak()
		}
		if err := t.harassed(ctx, r, round, c); err != nil {
			return nil, err
		}
	}
	c.peak = t.peak()
	return c, ctx.Err()
}

// harassed is a phase with hostile mailboxes.
func (t *trial) harassed(ctx context.Context, r row, round int, c *comparison) error {
	var boxes []healthy
	for i := range t.mailboxes / 10 {
		s, err := startServer(t.crowd.certs, r.ways[i%len(r.ways)])
		if err != nil {
			return err
		}
		defer s.close()
		defer func() { c.met += int(s.count.Load()) }()
		boxes = append(boxes, healthy{ID: name(r, round, i), Port: s.port()})
	}
	if err := t.reconfigure(ctx, boxes); err != nil {
		return err
	}
	if err := t.phase(ctx, &c.hostile[round]); err != nil {
		return err
	}
	err := t.reconfigure(ctx, nil)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range boxes {
		for code := range t.codes[b.ID] {
			c.codes[code] = true
		}
	}
	return err
}

// reconfigure has the worker take over other hostile mailboxes, and lets it do so.
func (t *trial) reconfigure(ctx context.Context, boxes []healthy) error {
	if err := t.crowd.configure(boxes); err != nil {
		return err
	}
	if err := t.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	pause(ctx, 500*time.Millisecond)
	return ctx.Err()
}

// phase lets mail arrive and counts it for one side.
func (t *trial) phase(ctx context.Context, a *arm) error {
	t.crowd.book.side(a)
	pause(ctx, t.lasts)
	t.crowd.book.side(nil)
	return ctx.Err()
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
