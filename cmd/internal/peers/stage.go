package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"mailflume/ingest/imapsource/imaptest"
)

const (
	user     = "box@example.com"
	password = "secret"
	inbox    = "INBOX"
	again    = time.Second // until a program that ended is started again
)

// stage is one trial: a mail server, a program, and where that delivers.
type stage struct {
	dir   string
	srv   *imaptest.Server
	peer  peer
	quiet time.Duration // without anything new, the trial is over
	sent  int
	late  int       // the first message after the fault
	since time.Time // when that came

	refused int // the UID, and number, of a message that nobody can have

	mu      sync.Mutex
	cmd     *exec.Cmd
	ended   chan struct{}
	closing bool
}

// newStage starts a server and prepares a program to read it.
func newStage(dir string, make func(*stage) (peer, error)) (*stage, error) {
	s := &stage{dir: dir, late: 1 << 30}
	var err error
	if s.srv, err = imaptest.Start(imaptest.Options{}); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), s.srv.CA(), 0o600); err != nil {
		return nil, errors.Join(err, s.srv.Close())
	}
	if s.peer, err = make(s); err != nil {
		return nil, errors.Join(err, s.srv.Close())
	}
	return s, nil
}

// add brings n messages to the mailbox.
func (s *stage) add(n int) error {
	for range n {
		s.sent++
		if err := s.srv.Add(user, inbox, text(s.sent), time.Now()); err != nil {
			return err
		}
	}
	return nil
}

// keepRunning starts the program, and again whenever it ends, until stop.
func (s *stage) keepRunning() error {
	if err := s.launch(); err != nil {
		return err
	}
	s.ended = make(chan struct{})
	go func() {
		defer close(s.ended)
		for {
			s.mu.Lock()
			cmd := s.cmd
			s.mu.Unlock()
			_ = cmd.Wait() // how it ended is in its output
			<-time.After(again)
			if s.launch() != nil {
				return
			}
		}
	}()
	return nil
}

var errClosing = errors.New("the trial is over")

func (s *stage) launch() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return errClosing
	}
	out, err := os.OpenFile(filepath.Join(s.dir, "output"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := s.peer.command()
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, out, out
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	s.cmd = cmd
	return nil
}

// kill ends the program by SIGKILL; it is started again.
func (s *stage) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.cmd.Process.Kill()
}

// close ends the program for good, and the server.
func (s *stage) close() error {
	s.mu.Lock()
	s.closing = true
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
	}
	s.mu.Unlock()
	if s.ended != nil {
		<-s.ended
	}
	return errors.Join(s.srv.Close(), s.peer.close())
}

// await returns when n copies were delivered, or when nothing new was for as long as quiet.
func (s *stage) await(ctx context.Context, n int) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	have, last := -1, time.Now()
	for {
		got, err := s.peer.copies()
		if err != nil {
			return err
		}
		if got != have {
			have, last = got, time.Now()
		}
		if have >= n || time.Since(last) > s.quiet {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// finish waits until every message was delivered or nothing new comes, and counts.
func (s *stage) finish(ctx context.Context) (tally, error) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	have, last := -1, time.Now()
	for {
		got, err := s.peer.read()
		if err != nil {
			return tally{}, err
		}
		t := count(got, s.sent, s.late, s.refused)
		if len(got) != have {
			have, last = len(got), time.Now()
		}
		t.took = last.Sub(s.since)
		if still := time.Since(last); t.lost == 0 && still > lull || still > s.quiet {
			return t, nil
		}
		select {
		case <-ctx.Done():
			return t, ctx.Err()
		case <-tick.C:
		}
	}
}

// lull is how long a trial goes on after its last message, in which doubles would show.
const lull = 5 * time.Second
