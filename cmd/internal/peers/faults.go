package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"mailflume/ingest/imapsource/imaptest"
	"mailflume/pop3/pop3test"
)

// fault is one row of a table.
type fault struct {
	key, name string
	protocol  string
	quiet     time.Duration // how long nothing may come before a program is given up; 0: the usual
	run       func(context.Context, *stage) error
}

func faults() []fault {
	return []fault{
		{"none", "none", imap, 0, ordinary},
		{"kill", "killed with SIGKILL ten times in 100 messages", imap, 0, killed},
		{"cut", "the connection breaks in mid message, three times", imap, 0, broken(imaptest.Fault{Cut: half}, 10, 20, 21)},
		{"silent", "the server falls silent in mid message, once", imap, 7 * time.Minute, broken(imaptest.Fault{Cut: half, Silent: true}, 10)},
		{"render", "the server refuses one message, for ever", imap, 0, broken(imaptest.Fault{Refuse: "Server Unavailable. 15"}, 10)},
		{"size", "the announced sizes are wrong", imap, 0, broken(imaptest.Fault{Size: 7}, 10, 11, 12)},
		{"late", "a message turns up below the highest UID", imap, 0, late},
		{"session", "the server ends the session ten times", imap, 0, sessions},
		{"validity", "UIDVALIDITY changes in a mailbox of which half was deleted", imap, 0, renumbered},
		{"pop3-none", "none", pop3, 0, ordinary},
		{"pop3-kill", "killed with SIGKILL ten times in 100 messages", pop3, 0, killed},
		{"pop3-cut", "the connection breaks in mid message, three times", pop3, 0, brokenPOP3(pop3test.Fault{Cut: true, After: half}, 10, 20, 21)},
		{"pop3-render", "the server refuses one message, for ever", pop3, 0, brokenPOP3(pop3test.Fault{Refuse: "-ERR cannot be read"}, 10)},
		{"pop3-session", "the server ends the session ten times", pop3, 0, sessions},
		{"pop3-uidl", "all UIDLs change", pop3, 0, renumberedPOP3},
	}
}

const (
	before = 30   // messages there at the start
	later  = 10   // messages that arrive after the fault
	half   = 9000 // octets of a message
)

// more brings the messages after a fault.
func (s *stage) more() error {
	s.late = s.sent + 1
	if s.since.IsZero() {
		s.since = time.Now()
	}
	return s.add(later)
}

func ordinary(ctx context.Context, s *stage) error {
	copies := before
	if s.refused > 0 {
		copies--
	}
	if err := s.start(ctx, before, copies); err != nil {
		return err
	}
	return s.more()
}

// start fills the mailbox, runs the program, and waits for so many copies.
func (s *stage) start(ctx context.Context, n, copies int) error {
	if err := s.add(n); err != nil {
		return err
	}
	if err := s.keepRunning(); err != nil {
		return err
	}
	return s.await(ctx, copies)
}

// broken breaks some messages: once if their fault ends the connection, else for ever.
func broken(f imaptest.Fault, uids ...int) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		left := newLeft(s, f.Refuse != "", uids)
		s.srv.Break(func(_ string, uid uint32, octets int) imaptest.Fault {
			if !left.has(int(uid), f.Cut > 0 && octets > f.Cut) {
				return imaptest.Fault{}
			}
			return f
		})
		return ordinary(ctx, s)
	}
}

// brokenPOP3 is broken for the other protocol.
func brokenPOP3(f pop3test.Fault, numbers ...int) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		left := newLeft(s, f.Refuse != "", numbers)
		s.pop3.SetHooks(pop3test.Hooks{Retr: func(_ string, _ int, uidl string) pop3test.Fault {
			if !left.has(number(uidl), f.Cut) {
				return pop3test.Fault{}
			}
			return f
		}})
		return ordinary(ctx, s)
	}
}

// number is the message of a UIDL as pop3test gives them: four digits and the number, in hex.
func number(uidl string) int {
	n, err := strconv.ParseInt(uidl[max(0, len(uidl)-8):], 16, 32)
	if err != nil {
		return -1
	}
	return int(n)
}

// left are the messages that are still broken.
type left struct {
	mu      sync.Mutex
	numbers []int
}

// newLeft notes in the stage which message nobody can have.
func newLeft(s *stage, refused bool, numbers []int) *left {
	if refused {
		s.refused = numbers[0]
	}
	s.since = time.Now() // it strikes at once
	return &left{numbers: slices.Clone(numbers)}
}

// has reports whether a message is broken, for the last time if it is broken only once.
func (l *left) has(n int, once bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.numbers, n)
	if i >= 0 && once {
		l.numbers = slices.Delete(l.numbers, i, i+1)
	}
	return i >= 0
}

func killed(ctx context.Context, s *stage) error {
	const all, kills = 100, 10
	if err := s.start(ctx, all, 1); err != nil {
		return err
	}
	for i := range kills {
		if err := s.await(ctx, (i+1)*all/(kills+2)); err != nil {
			return err
		}
		<-time.After(rand.N(15 * time.Millisecond))
		s.kill()
	}
	if err := s.await(ctx, all); err != nil {
		return err
	}
	return s.more()
}

func late(ctx context.Context, s *stage) error {
	if err := s.add(before / 2); err != nil {
		return err
	}
	uid := s.srv.Reserve(user, inbox)
	if err := s.start(ctx, before/2, before); err != nil {
		return err
	}
	s.calm(ctx)
	s.sent++
	s.srv.AddAt(user, inbox, uid, text(s.sent), time.Now())
	return s.more()
}

func sessions(ctx context.Context, s *stage) error {
	const all, ends = 100, 10
	if err := s.start(ctx, all, 1); err != nil {
		return err
	}
	for i := range ends {
		if err := s.await(ctx, (i+1)*all/(ends+2)); err != nil {
			return err
		}
		s.drop()
	}
	if err := s.await(ctx, all); err != nil {
		return err
	}
	return s.more()
}

func renumbered(ctx context.Context, s *stage) error {
	if err := s.start(ctx, before, before); err != nil {
		return err
	}
	for uid := range uint32(before / 2) {
		s.srv.Expunge(user, inbox, uid+1)
	}
	s.calm(ctx)
	s.srv.Renumber(user, inbox)
	s.srv.Drop()
	return s.more()
}

// calm waits a little for a moment without a session: ending sessions is a fault of its own.
func (s *stage) calm(ctx context.Context) {
	tick, end := time.NewTicker(2*time.Millisecond), time.After(3*time.Second)
	defer tick.Stop()
	for {
		if s.sessions() == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			return
		case <-ctx.Done():
			return
		}
	}
}

func renumberedPOP3(ctx context.Context, s *stage) error {
	if err := s.start(ctx, before, before); err != nil {
		return err
	}
	s.calm(ctx)
	s.pop3.Renumber(user)
	return s.more()
}

// sessions counts those that are open; over POP3 those that have not been ended by QUIT.
func (s *stage) sessions() int {
	if s.pop3 != nil {
		return s.pop3.Sessions() - s.pop3.Count("QUIT")
	}
	open, _ := s.srv.Connections()
	return open
}
