package worker_test

import (
	"bytes"
	"context"
	"iter"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/interop"
	"mailflume/ingest"
	"mailflume/publish/logtest/fault"
	"mailflume/publish/natsjs"
)

func TestFault_P5_TwoWorkersForcedOntoOneMailboxDoubleNothing(t *testing.T) {
	sent := 0
	t.Run("one server", func(t *testing.T) {
		sent += twoOwners(t, newSite(t, 1)).sent
	})
	t.Run("three replicas", func(t *testing.T) {
		late := twoOwners(t, newSiteOn(t, 1, natsjs.Options{URL: cluster(t)}))
		if !late.duplicate.Load() {
			t.Error("the stale write was not answered as a duplicate: this proves nothing about such answers")
		}
		sent += late.sent
	})
	fault.Note(t, fault.Row{
		ID: "P5", Fault: "two workers believe that a mailbox is theirs, on one server and on three replicas; a write of the first one arrives twice, late",
		Outcome: "the log takes the later one's events and refuses the other, which stops until it knows better", Messages: sent,
	})
}

// cluster runs three servers until the test ends.
func cluster(t *testing.T) (url string) {
	t.Helper()
	bin, err := interop.Build(t.Context(), t.TempDir(), "github.com/nats-io/nats-server/v2", "nats-server")
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := interop.StartCluster(bin, filepath.Join(t.TempDir(), "cluster"), 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		t.Cleanup(func() { n.Signal(syscall.SIGKILL) })
	}
	return nodes[0].URL
}

func TestOneCopyInAClusterIsToldUnlessItIsMeant(t *testing.T) {
	t.Parallel()
	stage := demoStage(t)
	url := cluster(t)
	for _, chosen := range []bool{false, true} {
		c := startColleague(t, stage.ConfigFile(), url, "", func(c *config.Config) { c.NATS.Stream.Chosen = chosen })
		c.log.await(t, `"message":"started"`)
		if told := strings.Contains(c.log.text(), "MF-NATS-014"); told == chosen {
			t.Errorf("replicas: 1 was chosen: %v; told: %v", chosen, told)
		}
		c.stop()
	}
}

// twoOwners lets a second worker, which hears of nobody, claim what a first one has, which hears of nobody
// either. At that moment the first one's event is in the log, unknown to it, and it writes the event again.
func twoOwners(t *testing.T, s *site) *lateWrite {
	late := &lateWrite{subject: []byte("HPUB mail.v1.t.box0.received "), repeated: make(chan struct{})}
	plain := s.nats
	s.nats.InProcess, s.nats.Dialer = nil, late
	a := s.join("a")
	s.nats = plain
	s.send(30 * time.Second)
	a.members.cut.Store(true)

	late.armed.Store(true)
	for _, box := range s.boxes {
		box.Add([]byte("Subject: late\r\n\r\ntext\r\n"))
	}
	s.sent++
	s.last[s.keys[0]].Add(1) // nobody will say so
	<-late.repeated
	b := s.join("b", func(o *ingest.Options) { o.Members = alone{o.Members} })
	s.send(30 * time.Second) // all of these are b's
	late.release()
	for limit := time.After(20 * time.Second); a.fenced.Load() == 0; {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-limit:
			t.Fatal("the first worker was not fenced")
		}
	}
	s.sendFor(time.Second)
	if a.fenced.Load() != 1 || b.fenced.Load() != 0 {
		t.Errorf("a was fenced %d times, b %d times", a.fenced.Load(), b.fenced.Load())
	}
	s.drain(a)
	s.drain(b)
	s.check()
	late.sent = s.sent
	return late
}

// alone is a membership in which a worker hears of itself only.
type alone struct{ ingest.Membership }

func (m alone) Watch(ctx context.Context) iter.Seq2[map[string]int, map[string]string] {
	return func(yield func(map[string]int, map[string]string) bool) {
		for weights, lists := range m.Membership.Watch(ctx) {
			delete(weights, "a")
			delete(lists, "a")
			if !yield(weights, lists) {
				return
			}
		}
	}
}

// lateWrite dials connections whose next write of an event, once it is armed, arrives only when it is repeated,
// and whose repetition arrives when it is released.
type lateWrite struct {
	net.Dialer
	subject   []byte
	armed     atomic.Bool
	repeated  chan struct{}
	duplicate atomic.Bool // an answer said so
	sent      int

	mu    sync.Mutex
	first []byte
	again func()
}

func (l *lateWrite) Dial(network, address string) (net.Conn, error) {
	c, err := l.Dialer.Dial(network, address)
	return &lateConn{c, l}, err
}

func (l *lateWrite) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.again()
}

type lateConn struct {
	net.Conn
	late *lateWrite
}

func (c *lateConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if bytes.Contains(b[:n], []byte(`"duplicate": true`)) || bytes.Contains(b[:n], []byte(`"duplicate":true`)) {
		c.late.duplicate.Store(true)
	}
	return n, err
}

// Write takes the event out of what is written: HPUB subject reply header-size size, then so many octets.
func (c *lateConn) Write(b []byte) (int, error) {
	l := c.late
	l.mu.Lock()
	defer l.mu.Unlock()
	at := bytes.Index(b, l.subject)
	if !l.armed.Load() || at < 0 || l.again != nil {
		return c.Conn.Write(b)
	}
	line, _, _ := strings.Cut(string(b[at:]), "\r\n")
	size, _ := strconv.Atoi(line[strings.LastIndexByte(line, ' ')+1:])
	end := at + len(line) + 2 + size + 2
	event := bytes.Clone(b[at:end])
	if l.first == nil {
		l.first = event
	} else {
		if _, err := c.Conn.Write(l.first); err != nil {
			return 0, err
		}
		l.again = func() { _, _ = c.Conn.Write(event) }
		close(l.repeated)
	}
	if _, err := c.Conn.Write(append(bytes.Clone(b[:at]), b[end:]...)); err != nil {
		return 0, err
	}
	return len(b), nil
}
