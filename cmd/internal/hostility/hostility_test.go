package main

import (
	"bytes"
	"context"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.(*Server).startGoRoutine.func1"))
}

// output is a log that is read when its writers are gone.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start runs a worker in this process; stop drains it.
func start(t *testing.T, c *crowd, log *output) (w *worker.Worker, stop func()) {
	t.Helper()
	cfg, err := config.Load(c.config())
	must(t, err)
	w, err = worker.Start(t.Context(), cfg, worker.Options{Log: zerolog.New(log), Name: "test"})
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	return w, func() {
		cancel()
		must(t, <-ended)
	}
}

// heap is what lies in memory now, garbage included.
func heap() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}

// All hostile servers at once, and ten healthy mailboxes beside them.
func TestHostileServersHarmNoOtherMailbox(t *testing.T) {
	const each, limit = 5, 256 << 20
	c, err := newCrowd(t.TempDir(), "", 10)
	must(t, err)
	var hostile []healthy
	var servers []*server
	for _, r := range rows() {
		for i, w := range r.ways {
			s, err := startServer(c.certs, w)
			must(t, err)
			servers = append(servers, s)
			hostile = append(hostile, healthy{ID: name(r, 0, i), Port: s.port()})
		}
	}
	must(t, c.configure(hostile))
	log := &output{}
	w, stop := start(t, c, log)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	following, unfollow := context.WithCancel(ctx)
	var reading sync.WaitGroup
	reading.Go(func() { c.book.follow(following, w.Conn()) })
	for _, s := range servers {
		select {
		case <-s.met:
		case <-ctx.Done():
			t.Fatal("a hostile server was never asked")
		}
	}
	peak := heap()
	for range each {
		for i := range c.healthy {
			must(t, c.deliver(i))
		}
		c.book.settled(ctx)
		peak = max(peak, heap())
	}
	sent, lost, doubled := c.book.account()
	t.Logf("%d hostile servers, %d messages, heap at most %d MiB", len(servers), sent, peak>>20)
	if sent != each*len(c.healthy) || lost != 0 || doubled != 0 {
		t.Errorf("%d messages to healthy mailboxes: %d lost, %d doubled", sent, lost, doubled)
	}
	if peak > limit {
		t.Errorf("%d MiB on the heap, servers and NATS included", peak>>20)
	}
	unfollow()
	reading.Wait()
	stop()
	must(t, w.Close())
	for _, s := range servers {
		s.close()
	}
	must(t, c.close())
	if text := log.b.String(); strings.Contains(text, "panic") || strings.Contains(text, "did not finish in time") {
		t.Error(text)
	}
}
