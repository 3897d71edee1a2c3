package worker_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/sourcetest"
	"mailflume/publish"
	"mailflume/publish/natsjs"
	"mailflume/publish/natsjs/embed"
)

// The workers of these tests beat six times as fast as real ones.
const (
	beat = 500 * time.Millisecond
	life = 2 * time.Second
)

// site is a real NATS server and mailboxes in memory that get mail all the time.
type site struct {
	t     *testing.T
	nats  natsjs.Options
	keys  []publish.Key
	after ingest.After
	boxes map[publish.Key]*sourcetest.Mailbox
	sent  int
	last  map[publish.Key]*atomic.Int64 // events appended, by whomever
	news  chan struct{}
}

// hand is a worker at the site.
type hand struct {
	conn    *natsjs.Conn
	members *cuttable
	fleet   *ingest.Fleet
	fenced  atomic.Int64
	working sync.Map // mailboxes that it appended to
}

// cuttable is a membership that can be cut off: not heard and not hearing, as when frozen or dead.
type cuttable struct {
	ingest.Membership
	cut atomic.Bool
}

func (c *cuttable) Beat(ctx context.Context, list string) error {
	if c.cut.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return c.Membership.Beat(ctx, list)
}

func (c *cuttable) Leave(ctx context.Context) error {
	if c.cut.Load() {
		return context.DeadlineExceeded
	}
	return c.Membership.Leave(ctx)
}

func (c *cuttable) Watch(ctx context.Context) iter.Seq2[map[string]int, map[string]string] {
	return func(yield func(map[string]int, map[string]string) bool) {
		for weights, lists := range c.Membership.Watch(ctx) {
			if !c.cut.Load() && !yield(weights, lists) {
				return
			}
		}
	}
}

func newSite(t *testing.T, boxes int) *site {
	t.Helper()
	server, err := embed.Start(t.Context(), embed.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	return newSiteOn(t, boxes, server.Options())
}

// newSiteOn is newSite with another NATS.
func newSiteOn(t *testing.T, boxes int, nats natsjs.Options) *site {
	s := &site{t: t, nats: nats, boxes: map[publish.Key]*sourcetest.Mailbox{}, last: map[publish.Key]*atomic.Int64{}, news: make(chan struct{}, 1)}
	for i := range boxes {
		k := publish.Key{Tenant: "t", Mailbox: fmt.Sprint("box", i)}
		s.keys = append(s.keys, k)
		s.boxes[k] = sourcetest.NewMailbox(ingest.Start{All: true}, ingest.After{})
		s.boxes[k].Waits = true
		s.last[k] = &atomic.Int64{}
	}
	return s
}

func (s *site) connect(id string) *natsjs.Conn {
	s.t.Helper()
	opt := s.nats
	opt.Worker, opt.PublishTimeout = id, 2*time.Second
	conn, err := natsjs.Connect(s.t.Context(), opt)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := conn.EnsureStream(s.t.Context(), natsjs.StreamConfig{Manage: true}); err != nil {
		s.t.Fatal(err)
	}
	return conn
}

func (s *site) join(id string, change ...func(*ingest.Options)) *hand {
	s.t.Helper()
	h := &hand{conn: s.connect(id)}
	members, err := h.conn.Members(s.t.Context(), natsjs.MemberOptions{Worker: id, Life: life})
	if err != nil {
		s.t.Fatal(err)
	}
	h.members = &cuttable{Membership: members}
	opt := ingest.Options{Log: h.conn.Log(), Worker: id, Members: h.members, Beat: beat, Hooks: ingest.Hooks{
		Fenced: func(publish.Key) { h.fenced.Add(1) },
		Delivered: func(k publish.Key, _ ingest.Delivery) {
			h.working.Store(k, true)
			s.last[k].Add(1)
			select {
			case s.news <- struct{}{}:
			default:
			}
		},
	}}
	for _, f := range change {
		f(&opt)
	}
	h.fleet = ingest.New(opt)
	boxes := make([]ingest.Mailbox, 0, len(s.keys))
	for _, k := range s.keys {
		boxes = append(boxes, ingest.Mailbox{Key: k, Host: "h", Source: s.boxes[k], PollEvery: time.Second, Definition: "1", After: s.after})
	}
	if err := h.fleet.Apply(boxes); err != nil {
		s.t.Fatal(err)
	}
	return h
}

// send puts a message into every mailbox and waits until all are published; it returns how long that took.
func (s *site) send(limit time.Duration) time.Duration {
	s.t.Helper()
	s.sent++
	for _, b := range s.boxes {
		b.Add(fmt.Appendf(nil, "Subject: message %d\r\n\r\ntext\r\n", s.sent))
	}
	begin, late := time.Now(), time.After(limit)
	for _, k := range s.keys {
		for s.last[k].Load() < int64(s.sent) {
			select {
			case <-s.news:
			case <-late:
				s.t.Fatalf("%s: %d of %d messages after %v", k, s.last[k].Load(), s.sent, limit)
			}
		}
	}
	return time.Since(begin)
}

// sendFor sends message after message.
func (s *site) sendFor(d time.Duration) {
	s.t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		s.send(30 * time.Second)
		<-time.After(20 * time.Millisecond)
	}
}

func (s *site) drain(h *hand) {
	s.t.Helper()
	if err := h.fleet.Stop(s.t.Context()); err != nil {
		s.t.Error(err)
	}
	if err := h.conn.Close(); err != nil {
		s.t.Error(err)
	}
}

// crash ends a worker in the middle of its work, without a word.
func (s *site) crash(h *hand) {
	s.t.Helper()
	h.members.cut.Store(true)
	_ = h.conn.Close()
	ctx, cancel := context.WithCancel(s.t.Context())
	cancel()
	_ = h.fleet.Stop(ctx)
}

// check wants every message once and in order in the stream.
func (s *site) check() {
	s.t.Helper()
	conn := s.connect("reader")
	defer conn.Close()
	got := map[publish.Key]int{}
	for d, err := range conn.Events(s.t.Context(), natsjs.Filter{FromStart: true}) {
		if err != nil {
			s.t.Fatal(err)
		}
		k := publish.Key{Tenant: "t", Mailbox: d.Event.Source[len("/mailflume/t/"):]}
		got[k]++
		if want := sourcetest.RefOf(uint32(got[k])); d.Ref != want {
			s.t.Fatalf("%s: event %d is of %s", k, got[k], d.Ref)
		}
	}
	for _, k := range s.keys {
		if got[k] != s.sent {
			s.t.Errorf("%s: %d events, want %d", k, got[k], s.sent)
		}
	}
}

func (h *hand) boxes() (n int) {
	h.working.Range(func(any, any) bool { n++; return true })
	return n
}

func TestWorkersComeGoDieAndFreezeWhileMailFlows(t *testing.T) {
	s := newSite(t, 12)
	a, b := s.join("a"), s.join("b")
	s.sendFor(3 * time.Second)
	if a.boxes() == 0 || b.boxes() == 0 {
		t.Errorf("a has %d mailboxes, b %d", a.boxes(), b.boxes())
	}
	c := s.join("c")
	s.sendFor(3 * time.Second)
	if c.boxes() == 0 {
		t.Error("c got no mailbox")
	}

	b.members.cut.Store(true) // frozen for the others, but it appends
	s.sendFor(2 * life)
	if b.fenced.Load() == 0 {
		t.Error("the frozen worker was not fenced")
	}
	b.members.cut.Store(false)
	s.sendFor(2 * life)

	s.drain(a)
	if took := s.send(30 * time.Second); took > 2*time.Second {
		t.Errorf("after a drain the mailboxes stood still for %v", took)
	}
	s.sendFor(time.Second)
	s.crash(c)
	if took := s.send(30 * time.Second); took > life*15/12 {
		t.Errorf("after a crash the mailboxes stood still for %v", took)
	}
	s.sendFor(time.Second)
	s.drain(b)
	s.check()
}
