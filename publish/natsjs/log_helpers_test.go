package natsjs_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
	"mailflume/publish/logtest"
	"mailflume/publish/natsjs"
)

// serverOptions vary the server of a test.
type serverOptions struct {
	maxPayload int32
	maxStore   int64
	configure  func(*server.Options)
}

// testServer is a real server on a TCP port of its own that can be stopped and started again.
type testServer struct {
	opts *server.Options
	mu   sync.Mutex
	srv  *server.Server
}

func startServer(t *testing.T, so serverOptions) *testServer {
	t.Helper()
	o := &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
		MaxPayload: so.maxPayload, JetStreamMaxStore: so.maxStore,
	}
	if so.configure != nil {
		so.configure(o)
	}
	s := &testServer{opts: o}
	s.start(t)
	t.Cleanup(s.stop)
	return s
}

func (s *testServer) start(t *testing.T) {
	t.Helper()
	srv, err := server.NewServer(s.opts.Clone())
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	if !srv.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server does not get ready")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.srv = srv
	if a := srv.Addr(); a != nil {
		_, err = fmt.Sscanf(a.String(), "127.0.0.1:%d", &s.opts.Port) // the same again after a restart
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (s *testServer) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.srv != nil {
		s.srv.Shutdown()
		s.srv.WaitForShutdown()
		s.srv = nil
	}
}

func (s *testServer) url() string { return fmt.Sprintf("nats://127.0.0.1:%d", s.opts.Port) }

// options returns quick-witted options.
func (s *testServer) options() natsjs.Options {
	return natsjs.Options{URL: s.url(), Worker: "w1", PublishTimeout: time.Second, RetryMax: 500 * time.Millisecond}
}

func dial(t *testing.T, o natsjs.Options) *natsjs.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := natsjs.Connect(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// conn connects and ensures the default stream.
func (s *testServer) conn(t *testing.T, change ...func(*natsjs.Options)) *natsjs.Conn {
	t.Helper()
	o := s.options()
	for _, f := range change {
		f(&o)
	}
	c := dial(t, o)
	if err := c.EnsureStream(deadline(t), natsjs.StreamConfig{Manage: true}); err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *testServer) log(t *testing.T) publish.Log { return s.conn(t).Log() }

// admin is a plain client for what a test does behind the log's back.
func (s *testServer) admin(t *testing.T) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(s.url(), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func (s *testServer) stream(t *testing.T) jetstream.Stream {
	t.Helper()
	st, err := s.admin(t).Stream(t.Context(), natsjs.DefaultStream)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// freshStream deletes the stream of the test before.
//
// The server removes a deleted stream in the background, under another name. While that is there it
// deletes the next stream of the name in memory only, without an error, and finds its messages again
// when it is created (2.15.2): so what is left of the last one goes first.
func (s *testServer) freshStream(t *testing.T) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(s.opts.StoreDir, server.JetStreamStoreDir, "$G", "streams", "."+natsjs.DefaultStream)); err != nil {
		t.Fatal(err)
	}
	if err := s.admin(t).DeleteStream(t.Context(), natsjs.DefaultStream); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Fatal(err)
	}
}

// deadline returns a context that ends before the test binary's patience does.
func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func mustClaim(t *testing.T, log publish.Log) publish.Claim {
	t.Helper()
	c, err := log.Claim(deadline(t), logtest.Box())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func appendOne(t *testing.T, c publish.Claim, n int) error {
	t.Helper()
	ev, ref := logtest.Sample(logtest.Box(), n)
	return c.Append(deadline(t), ev, ref)
}

func appendAll(t *testing.T, c publish.Claim, from, to int) {
	t.Helper()
	for n := from; n <= to; n++ {
		if err := appendOne(t, c, n); err != nil {
			t.Fatalf("append %d: %v", n, err)
		}
	}
}

// received lists the received events of the box in the stream's order.
func received(t *testing.T, conn *natsjs.Conn) []*natsjs.Delivered {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out []*natsjs.Delivered
	for d, err := range conn.Events(ctx, natsjs.Filter{Tenant: logtest.Box().Tenant, Mailbox: logtest.Box().Mailbox}) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, d)
	}
	return out
}

// wantEvents asserts that the stream holds the events 1 to n, once each and in order, and that their
// hash chain is whole.
func wantEvents(t *testing.T, conn *natsjs.Conn, n int) {
	t.Helper()
	got := received(t, conn)
	for i, d := range got {
		if _, ref := logtest.Sample(logtest.Box(), i+1); d.Ref != ref || int(d.Event.Data.UID) != i+1 {
			t.Fatalf("event %d of the stream is %s (uid %d), want %s", i+1, d.Ref, d.Event.Data.UID, ref)
		}
	}
	if len(got) != n {
		t.Fatalf("%d events in the stream, want %d", len(got), n)
	}
	wantChain(t, got)
	wantHistory(t, conn, n)
}

func wantChain(t *testing.T, events []*natsjs.Delivered) {
	t.Helper()
	prev, last, sum := "", uint64(0), ""
	for i, d := range events {
		if i > 0 {
			prev, last = sha256Hex(events[i-1].Raw), events[i-1].Sequence
			sum = sha256Hex([]byte(sum + prev))
		}
		if d.Header.Get("Mf-Prev") != prev || d.Header.Get("Mf-Last") != fmt.Sprint(last) || d.Header.Get("Mf-Chain") != sum {
			t.Fatalf("event %d: the chain is broken", i+1)
		}
	}
}

func sha256Hex(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }
