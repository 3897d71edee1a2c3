package natsjs_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"mailflume/publish"
	"mailflume/publish/natsjs"
)

var errRefused = errors.New("not today")

// serve lets a worker serve mailboxes; do may be nil.
func (s *testServer) serve(t *testing.T, worker string, do func(context.Context, natsjs.Request, func(any)) (any, error), boxes ...string) *natsjs.Service {
	t.Helper()
	return s.serveAt(t, "", worker, do, boxes...)
}

// serveAt is serve over another way to the server, if that is not empty.
func (s *testServer) serveAt(t *testing.T, url, worker string, do func(context.Context, natsjs.Request, func(any)) (any, error), boxes ...string) *natsjs.Service {
	t.Helper()
	c := s.conn(t, func(o *natsjs.Options) { o.Worker, o.URL = worker, cmp.Or(url, o.URL) })
	has := map[string]bool{}
	for _, b := range boxes {
		has[b] = true
	}
	if do == nil {
		do = func(_ context.Context, r natsjs.Request, _ func(any)) (any, error) { return worker + " " + r.Verb, nil }
	}
	svc, err := c.Serve(natsjs.Handler{
		Has: func(box publish.Key) bool { return has[box.Mailbox] }, Do: do,
		Code: func(error) string { return "X-1" }, Busy: "X-BUSY", Unknown: "X-UNKNOWN",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = svc.Close() })
	return svc
}

func ask(t *testing.T, c *natsjs.Conn, mailbox, verb string, a natsjs.Asking) (string, error) {
	t.Helper()
	b, err := c.Ask(deadline(t), natsjs.Request{Box: publish.Key{Tenant: "acme", Mailbox: mailbox}, Verb: verb}, a)
	return string(b), err
}

func TestARequestReachesTheWorkerThatHasTheMailbox(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{})
	s.serve(t, "one", nil, "a", "Ä.*>")
	s.serve(t, "two", nil, "b")
	c := s.conn(t)
	for mailbox, want := range map[string]string{"a": `"one pause"`, "Ä.*>": `"one pause"`, "b": `"two pause"`} {
		taken := ""
		got, err := ask(t, c, mailbox, "pause", natsjs.Asking{Taken: func(w string) { taken = w }})
		if got != want || err != nil || taken != want[1:4] {
			t.Errorf("%s: %s from %q, %v", mailbox, got, taken, err)
		}
	}
	if _, err := ask(t, c, "nobody", "pause", natsjs.Asking{Wait: 300 * time.Millisecond}); !errors.Is(err, natsjs.ErrNotServed) {
		t.Errorf("a mailbox that nobody has: %v", err)
	}
}

func TestARequestToNobodyIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{})
	c := s.conn(t)
	begin := time.Now()
	if _, err := ask(t, c, "a", "pause", natsjs.Asking{Wait: time.Minute}); !errors.Is(err, natsjs.ErrNoWorker) || time.Since(begin) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
	svc := s.serve(t, "one", nil, "a")
	if _, err := ask(t, c, "a", "pause", natsjs.Asking{}); err != nil {
		t.Error(err)
	}
	if err := svc.Close(); err != nil {
		t.Error(err)
	}
	if _, err := ask(t, c, "a", "pause", natsjs.Asking{Wait: 200 * time.Millisecond}); !errors.Is(err, natsjs.ErrNoWorker) && !errors.Is(err, natsjs.ErrNotServed) {
		t.Errorf("after its end: %v", err)
	}
}

func TestProgressComesInOrderAndAnErrorWithItsCode(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{})
	s.serve(t, "one", func(_ context.Context, _ natsjs.Request, tell func(any)) (any, error) {
		for i := range 100 {
			tell(i)
		}
		return nil, errRefused
	}, "a")
	n := 0
	_, err := ask(t, s.conn(t), "a", "replay", natsjs.Asking{Progress: func(worker string, p json.RawMessage) {
		if worker != "one" || string(p) != fmt.Sprint(n) {
			t.Errorf("progress %s of %s, want %d", p, worker, n)
		}
		n++
	}})
	if e, ok := errors.AsType[*natsjs.ControlError](err); !ok || e.Code != "X-1" || e.Text != errRefused.Error() || n != 100 {
		t.Errorf("%v after %d steps", err, n)
	}
}

func TestAWorkerServesSoManyRequestsAndNoMore(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{})
	began, end := make(chan bool, 100), make(chan bool)
	s.serve(t, "one", func(context.Context, natsjs.Request, func(any)) (any, error) {
		began <- true
		<-end
		return nil, nil
	}, "a")
	c := s.conn(t)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if _, err := ask(t, c, "a", "replay", natsjs.Asking{}); err != nil {
				t.Error(err)
			}
		})
	}
	for range 16 {
		<-began
	}
	_, err := ask(t, c, "a", "replay", natsjs.Asking{})
	if e, ok := errors.AsType[*natsjs.ControlError](err); !ok || e.Code != "X-BUSY" {
		t.Errorf("the 17th: %v", err)
	}
	close(end)
	wg.Wait()
}

func TestAWorkerThatWakesUpDoesNotDoWhatNobodyWaitsForAnyMore(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{})
	gate, frozen := make(chan struct{}), atomic.Bool{}
	r := natsjs.StartRelay(t, s.url(), func(c, s *net.TCPConn) { _, _ = io.Copy(s, c) }, func(c, s *net.TCPConn) {
		for b := make([]byte, 4096); ; {
			n, err := s.Read(b)
			if frozen.Load() {
				<-gate
			}
			if _, werr := c.Write(b[:n]); err != nil || werr != nil {
				return
			}
		}
	})
	var did []string
	svc := s.serveAt(t, r.URL(), "one", func(_ context.Context, r natsjs.Request, _ func(any)) (any, error) {
		did = append(did, r.Verb)
		return nil, nil
	}, "a")
	frozen.Store(true)
	if _, err := ask(t, s.conn(t), "a", "pause", natsjs.Asking{Wait: 200 * time.Millisecond}); !errors.Is(err, natsjs.ErrNotServed) {
		t.Errorf("of a frozen worker: %v", err)
	}
	frozen.Store(false)
	close(gate)
	if _, err := ask(t, s.conn(t), "a", "poll", natsjs.Asking{}); err != nil {
		t.Errorf("of a worker that woke up: %v", err)
	}
	if err := svc.Close(); err != nil || !slices.Equal(did, []string{"poll"}) {
		t.Errorf("it did %v: %v", did, err)
	}
}

func TestWorkEndsWhenNobodyHearsOfItAnyMore(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{})
	ended := make(chan error, 1)
	s.serve(t, "one", func(ctx context.Context, _ natsjs.Request, _ func(any)) (any, error) {
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	}, "a")
	ctx, leave := context.WithCancel(t.Context())
	_, err := s.conn(t).Ask(ctx, natsjs.Request{Box: publish.Key{Mailbox: "a"}, Verb: "replay"}, natsjs.Asking{Taken: func(string) { leave() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("whoever left hears %v", err)
	}
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("the work goes on")
	}
}

func TestAMissingPermissionToAskIsNamed(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{configure: func(o *server.Options) {
		o.Users = []*server.User{{Username: "u", Password: "p", Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"mailflume.v1.ctl.>"}}}}}
	}})
	c := s.conn(t, func(o *natsjs.Options) { o.User, o.Password = "u", func() (string, error) { return "p", nil } })
	if _, err := ask(t, c, "a", "pause", natsjs.Asking{Wait: 300 * time.Millisecond}); !errors.Is(err, publish.ErrDenied) {
		t.Errorf("%v", err)
	}
}

func TestPausesAreSeenByAllAndOutliveTheServer(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{})
	a, b := s.members(t, "a", 1).Pauses(), s.members(t, "b", 1).Pauses()
	seen := make(chan map[publish.Key]time.Time, 100)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() {
		for p := range b.Watch(ctx) {
			seen <- p
		}
	})
	await := func(what string, want map[publish.Key]time.Time) {
		t.Helper()
		limit := time.After(30 * time.Second)
		for {
			select {
			case got := <-seen:
				if maps.EqualFunc(got, want, time.Time.Equal) {
					return
				}
			case <-limit:
				t.Fatal(what)
			}
		}
	}
	await("the beginning", nil)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	one, two := publish.Key{Tenant: "acme", Mailbox: "x.y"}, publish.Key{Tenant: "acme", Mailbox: "z"}
	for _, box := range []publish.Key{one, two} {
		if err := a.Pause(deadline(t), box, at); err != nil {
			t.Fatal(err)
		}
	}
	await("two pauses", map[publish.Key]time.Time{one: at, two: at})
	s.stop()
	s.start(t)
	if err := a.Resume(deadline(t), one); err != nil {
		t.Fatal(err)
	}
	for box, want := range map[publish.Key]bool{one: false, two: true, {Tenant: "acme", Mailbox: "never"}: false} {
		if paused, err := b.Paused(deadline(t), box); err != nil || paused != want {
			t.Errorf("%s is paused: %v, %v", box, paused, err)
		}
	}
	await("one resumed", map[publish.Key]time.Time{two: at})
	for p := range a.Watch(ctx) {
		if !maps.Equal(p, map[publish.Key]time.Time{two: at}) {
			t.Errorf("whoever comes later sees %v", p)
		}
		break
	}
}
