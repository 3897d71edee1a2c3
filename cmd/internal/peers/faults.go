package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"mailflume/ingest/imapsource/imaptest"
)

// fault is one row of the table.
type fault struct {
	key, name string
	quiet     time.Duration // how long nothing may come before a program is given up; 0: the usual
	run       func(context.Context, *stage) error
}

func faults() []fault {
	return []fault{
		{"none", "none", 0, ordinary},
		{"kill", "killed with SIGKILL ten times in 300 messages", 0, killed},
		{"cut", "the connection breaks in mid message, three times", 0, func(ctx context.Context, s *stage) error {
			return s.with(ctx, imaptest.Fault{Cut: 9000}, 10, 20, 21)
		}},
		{"silent", "the server falls silent in mid message, once", 7 * time.Minute, func(ctx context.Context, s *stage) error {
			return s.with(ctx, imaptest.Fault{Cut: 9000, Silent: true}, 10)
		}},
		{"render", "the server refuses one message, for ever", 0, func(ctx context.Context, s *stage) error {
			s.refused = 10
			return s.with(ctx, imaptest.Fault{Refuse: "Server Unavailable. 15"}, 10)
		}},
		{"size", "the announced sizes are wrong", 0, func(ctx context.Context, s *stage) error {
			return s.with(ctx, imaptest.Fault{Size: 7}, 10, 11, 12)
		}},
		{"late", "a message turns up below the highest UID", 0, late},
		{"session", "the server ends the session ten times", 0, sessions},
		{"validity", "UIDVALIDITY changes in a mailbox of which half was deleted", 0, renumbered},
	}
}

const (
	before = 30 // messages there at the start
	later  = 10 // messages that arrive after the fault
)

// more brings the messages after a fault.
func (s *stage) more() error {
	s.late, s.since = s.sent+1, time.Now()
	return s.add(later)
}

func ordinary(ctx context.Context, s *stage) error {
	if err := s.start(ctx, before, before); err != nil {
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

// with breaks some messages: once if their fault ends the connection, else for ever.
func (s *stage) with(ctx context.Context, f imaptest.Fault, uids ...uint32) error {
	var mu sync.Mutex
	s.srv.Break(func(_ string, uid uint32, octets int) imaptest.Fault {
		mu.Lock()
		defer mu.Unlock()
		i := slices.Index(uids, uid)
		if i < 0 {
			return imaptest.Fault{}
		}
		if f.Cut > 0 && octets > f.Cut {
			uids = slices.Delete(uids, i, i+1)
		}
		return f
	})
	if err := s.start(ctx, before, before); err != nil {
		return err
	}
	return s.more()
}

func killed(ctx context.Context, s *stage) error {
	const all, kills = 300, 10
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
	const all, ends = 300, 10
	if err := s.start(ctx, all, 1); err != nil {
		return err
	}
	for i := range ends {
		if err := s.await(ctx, (i+1)*all/(ends+2)); err != nil {
			return err
		}
		s.srv.Drop()
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
		if open, _ := s.srv.Connections(); open == 0 {
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
