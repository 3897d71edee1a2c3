package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"mailflume/ingest/imapsource/imaptest"
	"mailflume/ingest/oauth/oauthtest"
	"mailflume/pop3/pop3test"
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
	pop3  *pop3test.Server // instead of srv
	peer  peer
	quiet time.Duration // without anything new, the trial is over
	gone  bool          // nothing new came for so long
	sent  int
	late  int       // the first message after the fault
	since time.Time // when the fault struck, or that came

	refused int // the UID, and number, of a message that nobody can have

	mu      sync.Mutex
	cmd     *exec.Cmd
	ended   chan struct{}
	closing bool
}

// newStage starts a server and prepares a program to read it.
func newStage(dir, protocol string, make func(*stage) (peer, error)) (s *stage, err error) {
	s = &stage{dir: dir, late: 1 << 30}
	var ca []byte
	if protocol == pop3 {
		authority := oauthtest.NewCA()
		ca = authority.PEM()
		s.pop3, err = pop3test.Start(pop3test.Options{
			TLS: &tls.Config{Certificates: []tls.Certificate{authority.Server()}, MinVersion: tls.VersionTLS12},
		})
	} else if s.srv, err = imaptest.Start(imaptest.Options{}); err == nil {
		ca = s.srv.CA()
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "ca.pem"), ca, 0o600)
	}
	if err == nil {
		s.peer, err = make(s)
	}
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// The protocols.
const (
	imap = "imap"
	pop3 = "pop3"
)

// protocol is how the mailbox is read, and port where.
func (s *stage) protocol() string {
	if s.pop3 != nil {
		return pop3
	}
	return imap
}

func (s *stage) port() int {
	if s.pop3 != nil {
		return port(s.pop3.Addr())
	}
	return port(s.srv.Addr())
}

// stop ends the server.
func (s *stage) stop() error {
	switch {
	case s.pop3 != nil:
		return s.pop3.Close()
	case s.srv != nil:
		return s.srv.Close()
	}
	return nil
}

// drop ends all sessions.
func (s *stage) drop() {
	if s.pop3 != nil {
		s.pop3.Drop()
		return
	}
	s.srv.Drop()
}

// add brings n messages to the mailbox.
func (s *stage) add(n int) error {
	for range n {
		s.sent++
		if s.pop3 != nil {
			s.pop3.Add(user, text(s.sent))
		} else if err := s.srv.Add(user, inbox, text(s.sent), time.Now()); err != nil {
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
	return errors.Join(s.stop(), s.peer.close())
}

// await returns when n copies were delivered, or when nothing new was for as long as quiet: then the
// program is not waited for again.
func (s *stage) await(ctx context.Context, n int) error {
	if s.gone {
		return nil
	}
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
		if s.gone = time.Since(last) > s.quiet; s.gone || have >= n {
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
	begun := time.Now()
	have, last := -1, begun
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
		if still := time.Since(last); t.lost == 0 && still > lull || still > s.quiet || time.Since(begun) > s.quiet+endless {
			return t, nil
		}
		select {
		case <-ctx.Done():
			return t, ctx.Err()
		case <-tick.C:
		}
	}
}

const (
	lull    = 5 * time.Second // a trial goes on after its last message, in which doubles would show
	endless = 3 * time.Minute // beyond quiet: then a program delivers the same again and again
)
