package worker_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/imapsource"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/ingest/oauth"
	"mailflume/ingest/pop3source"
	"mailflume/pop3/pop3test"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// renewing is a mailbox on a real-protocol server that can give all its messages new ids.
type renewing struct {
	source   func(ingest.Start) (ingest.Source, error)
	add      func(message []byte, at time.Time)
	renumber func()
	setBack  func(next uint32)
}

const owner = "anna@example.com"

func login() ingest.Login {
	return ingest.Login{User: owner, Mechanism: ingest.XOAUTH2, Tokens: oauth.Password(func(context.Context) (string, error) { return "token", nil })}
}

func imapMailbox(t *testing.T) renewing {
	t.Helper()
	srv, err := imaptest.Start(imaptest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	return renewing{
		source: func(start ingest.Start) (ingest.Source, error) {
			return imapsource.New(imapsource.Options{
				Endpoint: ingest.Endpoint{Addr: srv.Addr(), Security: ingest.ImplicitTLS, TLS: srv.TLS()}, Login: login(), Folders: []string{"INBOX"}, Start: start,
			})
		},
		add: func(m []byte, at time.Time) {
			if err := srv.Add(owner, "INBOX", m, at); err != nil {
				t.Error(err)
			}
		},
		renumber: func() { srv.Renumber(owner, "INBOX") },
		setBack:  func(next uint32) { srv.SetBack(owner, "INBOX", next) },
	}
}

func pop3Mailbox(t *testing.T) renewing {
	t.Helper()
	srv, err := pop3test.Start(pop3test.Options{Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	return renewing{
		source: func(start ingest.Start) (ingest.Source, error) {
			return pop3source.New(pop3source.Options{Endpoint: ingest.Endpoint{Addr: srv.Addr(), TLS: srv.ClientTLS()}, Login: login(), Start: start})
		},
		add:      func(m []byte, _ time.Time) { srv.Add(owner, m) },
		renumber: func() { srv.Renumber(owner) },
	}
}

// resetSite is such a mailbox, a NATS server, and what to do in the middle.
type resetSite struct {
	*site
	box    renewing
	start  ingest.Start
	judged atomic.Int64
	middle func(judged int64, stop context.CancelFunc) // after each message that was judged
}

// pass lets a new worker read the mailbox to its end, or until it is stopped.
func (s *resetSite) pass() error {
	s.t.Helper()
	conn := s.connect("w")
	defer conn.Close()
	src, err := s.box.source(s.start)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(s.t.Context())
	defer stop()
	f := ingest.New(ingest.Options{Log: conn.Log(), Worker: "w", Hooks: ingest.Hooks{Judged: func(publish.Key, ingest.Ref, publish.EventType) {
		if n := s.judged.Add(1); s.middle != nil {
			s.middle(n, stop)
		}
	}}})
	err = f.Once(ctx, []ingest.Mailbox{{
		Key: s.keys[0], Host: "h", Source: src, Blobs: conn.Blobs("t", natsjs.BlobOptions{}), PollEvery: time.Minute, Definition: "1",
	}}, 0)
	return errors.Join(err, f.Stop(s.t.Context()))
}

func (s *resetSite) mustPass() {
	s.t.Helper()
	if err := s.pass(); err != nil {
		s.t.Fatal(err)
	}
}

// check reads the stream and wants messages from to to published once each, and so many resets.
func (s *resetSite) check(from, to, resets int) {
	s.t.Helper()
	conn := s.connect("reader")
	defer conn.Close()
	got, want, ids, n := map[string]int{}, map[string]int{}, map[string]bool{}, 0
	for d, err := range conn.Events(s.t.Context(), natsjs.Filter{}) {
		if err != nil {
			s.t.Fatal(err)
		}
		if ids[d.Event.ID] {
			s.t.Errorf("two events have the id %s", d.Event.ID)
		}
		ids[d.Event.ID] = true
		switch d.Event.Type {
		case publish.Received.CloudEvent():
			got[d.Event.Data.Subject]++
		case publish.Reset.CloudEvent():
			n++
		}
	}
	for i := from; i < to; i++ {
		want[fmt.Sprint("message ", i)] = 1
	}
	if !maps.Equal(got, want) {
		s.t.Errorf("%d different messages published, want %d once each", len(got), len(want))
	}
	if n != resets {
		s.t.Errorf("%d reset events, want %d", n, resets)
	}
}

// letters puts messages into the mailbox that were received at a time.
func (s *resetSite) letters(from, to int, at time.Time) {
	for i := from; i < to; i++ {
		s.box.add(fmt.Appendf(nil, "Received: from a by b; %s\r\nSubject: message %d\r\n\r\nHell%s.\r\n", at.Format(time.RFC1123Z), i, strings.Repeat("o", 1+i%17)), at)
	}
}

func onBoth(t *testing.T, run func(t *testing.T, s *resetSite)) {
	for name, box := range map[string]func(*testing.T) renewing{"IMAP": imapMailbox, "POP3": pop3Mailbox} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, &resetSite{site: newSite(t, 1), box: box(t), start: ingest.Start{All: true}})
		})
	}
}

func TestFault_I10_O2_AThousandMessagesGetNewIDs(t *testing.T) {
	onBoth(t, func(t *testing.T, s *resetSite) {
		now := time.Now()
		s.letters(0, 1000, now)
		s.mustPass()
		s.box.renumber()
		s.letters(1000, 1010, now) // in the same moment
		s.mustPass()
		s.check(0, 1010, 1)
		s.letters(1010, 1015, now)
		s.mustPass()
		s.check(0, 1015, 1)
		if n := s.judged.Load(); n != 1000 {
			t.Errorf("%d messages were judged to need no event", n)
		}
	})
}

func TestAWorkerEndsInTheMiddleOfJudging(t *testing.T) {
	onBoth(t, func(t *testing.T, s *resetSite) {
		s.letters(0, 300, time.Now())
		s.mustPass()
		s.box.renumber()
		s.letters(300, 310, time.Now())
		s.middle = func(judged int64, stop context.CancelFunc) {
			switch judged {
			case 1, 120: // the position is saved at the end
				stop()
			case 200: // it is not: another worker has had the log meanwhile
				s.usurp()
			}
		}
		for range 3 {
			_ = s.pass()
		}
		s.mustPass()
		s.check(0, 310, 1)
		if n := s.judged.Load(); n <= 300 {
			t.Errorf("%d messages were judged: nothing went wrong on the way", n)
		}
	})
}

// usurp claims the log, so that nothing of the one at work reaches it any more.
func (s *resetSite) usurp() {
	conn := s.connect("other")
	defer conn.Close()
	claim, err := conn.Log().Claim(s.t.Context(), s.keys[0])
	if err != nil {
		s.t.Error(err)
		return
	}
	_ = claim.Release(s.t.Context())
}

func TestWhatWasThereBeforeTheStartStaysUnpublished(t *testing.T) {
	onBoth(t, func(t *testing.T, s *resetSite) {
		s.start = ingest.Start{}
		s.letters(0, 100, time.Now().Add(-24*time.Hour))
		s.mustPass()
		s.letters(100, 140, time.Now().Add(time.Second))
		s.mustPass()
		s.box.renumber()
		s.letters(140, 145, time.Now().Add(time.Second))
		s.mustPass()
		s.mustPass()
		s.check(100, 145, 1)
	})
}

func TestASecondReset(t *testing.T) {
	onBoth(t, func(t *testing.T, s *resetSite) {
		s.letters(0, 200, time.Now())
		s.mustPass()
		s.box.renumber()
		s.middle = func(judged int64, stop context.CancelFunc) {
			if judged == 100 {
				stop()
			}
		}
		_ = s.pass()
		s.middle = nil
		s.box.renumber()
		s.letters(200, 205, time.Now())
		err := s.pass()
		if src, _ := s.box.source(s.start); fmt.Sprintf("%T", src) == "*pop3source.Source" {
			if f := ingest.FaultOf(err); f.Code != ingest.CodeUIDLReset || f.Class != ingest.Config {
				t.Errorf("two resets of a maildrop within a day: %v", err)
			}
			s.check(0, 200, 1)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		s.check(0, 205, 2)
	})
}

func TestAServerIsSetBackAndGivesItsUIDsOutAgain(t *testing.T) {
	s := &resetSite{site: newSite(t, 1), box: imapMailbox(t), start: ingest.Start{All: true}}
	s.letters(0, 50, time.Now())
	s.mustPass()
	for from := 50; from < 60; from += 5 {
		s.box.setBack(31) // twenty are gone, or what came since
		s.letters(from, from+5, time.Now().Add(time.Duration(from)*time.Second))
		s.mustPass()
	}
	s.check(0, 60, 2)
}
