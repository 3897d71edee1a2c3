package natsjs_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
	"mailflume/publish/logtest"
	"mailflume/publish/natsjs"
)

func TestAServerThatRestartsWhileEventsAreAppendedLosesAndDoublesNone(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	conn := srv.conn(t)
	c := mustClaim(t, conn.Log())
	const total = 1500
	progress := make(chan int, total)
	done := make(chan error, 1)
	go func() {
		defer close(done)
		for n := 1; n <= total; n++ {
			if err := appendOne(t, c, n); err != nil {
				done <- fmt.Errorf("append %d: %w", n, err)
				return
			}
			progress <- n
		}
	}()
	for n := range total {
		if n%400 == 100 {
			srv.stop()
			srv.start(t)
		}
		select {
		case <-progress:
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("no progress")
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	wantEvents(t, conn, total)
}

func TestLostAcknowledgementsLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	proxy := startProxy(t, srv.url())
	conn := srv.conn(t, func(o *natsjs.Options) {
		o.URL, o.PublishTimeout = proxy.URL(), 200*time.Millisecond
	})
	c := mustClaim(t, conn.Log())
	for n := 1; n <= 60; n++ {
		switch n % 10 {
		case 3: // the server stores it, and the connection dies before the answer
			proxy.swallowThenCut()
		case 7: // the answer never comes, the connection lives
			proxy.swallow(true)
			time.AfterFunc(350*time.Millisecond, func() { proxy.swallow(false) })
		}
		if err := appendOne(t, c, n); err != nil {
			t.Fatalf("append %d: %v", n, err)
		}
	}
	wantEvents(t, srv.conn(t), 60)
}

func TestAWriteInDoubtWhenItsContextEndsEndsTheClaim(t *testing.T) {
	srv := startServer(t, serverOptions{})
	proxy := startProxy(t, srv.url())
	conn := srv.conn(t, func(o *natsjs.Options) { o.URL, o.PublishTimeout = proxy.URL(), 100*time.Millisecond })
	c := mustClaim(t, conn.Log())
	proxy.swallow(true)
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	ev, ref := logtest.Sample(logtest.Box(), 1)
	if err := c.Append(ctx, ev, ref); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, publish.ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
	proxy.swallow(false)
	if err := appendOne(t, c, 2); !errors.Is(err, publish.ErrLogMoved) {
		t.Errorf("append: %v", err)
	}
	if err := c.Save(deadline(t), nil); !errors.Is(err, publish.ErrLogMoved) {
		t.Errorf("save: %v", err)
	}
	again := mustClaim(t, srv.log(t))
	if _, since := again.Position(); len(since) != 1 {
		t.Errorf("the event in doubt: %d entries", len(since))
	}
}

func TestAFullStreamIsWaitedFor(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	told, resumed := make(chan error, 100), make(chan bool, 100)
	o := withWaiting(srv.options(), told)
	o.Hooks.Resumed = func() { resumed <- true }
	conn := dial(t, o)
	if err := conn.EnsureStream(deadline(t), natsjs.StreamConfig{Manage: true, MaxBytes: 32 << 10}); err != nil {
		t.Fatal(err)
	}
	c := mustClaim(t, conn.Log())
	n, err := fillUp(t, c)
	if !errors.Is(err, publish.ErrFull) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	waitFor(t, told, publish.ErrFull)
	waitFor(t, told, nil)
	if len(resumed) > 0 {
		t.Error("a write that gave up is said to go on")
	}
	st := srv.stream(t)
	cfg := st.CachedInfo().Config
	cfg.MaxBytes = 1 << 20
	done := make(chan error, 1)
	go func() { done <- appendOne(t, c, n) }() // the claim is still good: nothing is in doubt
	waitFor(t, told, publish.ErrFull)
	if _, err := srv.admin(t).UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	waitFor(t, told, nil)
	if len(resumed) != 1 {
		t.Errorf("told %d times that it goes on", len(resumed))
	}
	wantEvents(t, conn, n)
}

// fillUp appends until an event is not taken within a while, and returns that event's number.
func fillUp(t *testing.T, c publish.Claim) (int, error) {
	t.Helper()
	for n := 1; n < 1000; n++ {
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		ev, ref := logtest.Sample(logtest.Box(), n)
		err := c.Append(ctx, ev, ref)
		cancel()
		if err != nil {
			return n, err
		}
	}
	t.Fatal("the stream never fills")
	return 0, nil
}

func withWaiting(o natsjs.Options, told chan error) natsjs.Options {
	o.Hooks.Waiting = func(err error) { told <- err }
	return o
}

// waitFor reads what the hook was told until it is of kind want.
func waitFor(t *testing.T, told <-chan error, want error) {
	t.Helper()
	for {
		select {
		case got := <-told:
			if errors.Is(got, want) {
				return
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("never told %v", want)
		}
	}
}

func TestALostTailIsFoundOutBeforeAnythingIsWritten(t *testing.T) {
	srv := startServer(t, serverOptions{})
	for name, cut := range map[string]func(st jetstream.Stream, last uint64) error{
		"the last event": func(st jetstream.Stream, last uint64) error { return st.DeleteMsg(context.Background(), last) },
		"everything":     func(st jetstream.Stream, _ uint64) error { return st.Purge(context.Background()) },
		"all this claim's": func(st jetstream.Stream, last uint64) error {
			for seq := last; seq > last-6; seq-- {
				if err := st.DeleteMsg(context.Background(), seq); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv.freshStream(t)
			log := srv.log(t)
			appendAll(t, mustClaim(t, log), 1, 3)
			c := mustClaim(t, log)
			appendAll(t, c, 4, 8)
			st := srv.stream(t)
			if err := cut(st, st.CachedInfo().State.LastSeq); err != nil {
				t.Fatal(err)
			}
			if err := c.(publish.Verifier).Verify(deadline(t)); !errors.Is(err, publish.ErrLogMoved) {
				t.Errorf("verify: %v", err)
			}
			if err := appendOne(t, c, 9); !errors.Is(err, publish.ErrLogMoved) {
				t.Errorf("append: %v", err)
			}
			again := mustClaim(t, log)
			_, since := again.Position()
			appendAll(t, again, len(since)+1, 9)
			wantEvents(t, srv.conn(t), 9)
		})
	}
}

func TestAMessageOfSomebodyElseIsNoticed(t *testing.T) {
	srv := startServer(t, serverOptions{})
	conn := srv.conn(t)
	c := mustClaim(t, conn.Log())
	appendAll(t, c, 1, 2)
	if _, err := srv.admin(t).Publish(t.Context(), "mail.v1.acme.jane=2Edoe=40acme=2Ecom.hello", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := appendOne(t, c, 3); !errors.Is(err, publish.ErrLogMoved) {
		t.Fatalf("got %v", err)
	}
	again := mustClaim(t, conn.Log())
	if _, since := again.Position(); len(since) != 2 {
		t.Errorf("%d entries", len(since))
	}
	appendAll(t, again, 3, 3)
	if err := appendOne(t, c, 4); !errors.Is(err, publish.ErrLogMoved) {
		t.Errorf("the old claim: %v", err)
	}
}

func TestALogOfANewerFormatIsLeftAlone(t *testing.T) {
	srv := startServer(t, serverOptions{})
	conn := srv.conn(t)
	appendAll(t, mustClaim(t, conn.Log()), 1, 2)
	m := nats.NewMsg("mail.v1.acme.jane=2Edoe=40acme=2Ecom.claim")
	m.Header.Set("Mf-Format", "2")
	if _, err := srv.admin(t).PublishMsg(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	before := srv.stream(t).CachedInfo().State.LastSeq
	if _, err := conn.Log().Claim(deadline(t), logtest.Box()); !errors.Is(err, publish.ErrNewerFormat) {
		t.Fatalf("got %v", err)
	}
	if after := srv.stream(t).CachedInfo().State.LastSeq; after != before {
		t.Errorf("%d messages were published", after-before)
	}
}

func TestOwnersThatFightOverALogPublishEachEventOnce(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	const total = 300
	var wg sync.WaitGroup
	for range 8 {
		log := srv.log(t)
		wg.Add(1)
		go func() {
			defer wg.Done()
			for fight(t, log, total) {
				select { // a fenced worker stops for a while, or nobody would get anywhere
				case <-time.After(time.Duration(rand.IntN(800)) * time.Millisecond):
				case <-t.Context().Done():
				}
			}
		}()
	}
	wg.Wait()
	wantEvents(t, srv.conn(t), total)
}

// fight claims, appends what is missing until it is fenced, and reports whether work may be left.
func fight(t *testing.T, log publish.Log, total int) bool {
	c, err := log.Claim(t.Context(), logtest.Box())
	if errors.Is(err, publish.ErrFenced) {
		return true
	}
	if err != nil {
		t.Error(err)
		return false
	}
	_, since := c.Position()
	for n := len(since) + 1; n <= total; n++ {
		ev, ref := logtest.Sample(logtest.Box(), n)
		err := c.Append(t.Context(), ev, ref)
		if errors.Is(err, publish.ErrFenced) {
			return true
		}
		if err != nil {
			t.Errorf("append %d: %v", n, err)
			return false
		}
	}
	return false
}

func TestABusyOwnerCanBeClaimedOver(t *testing.T) {
	srv := startServer(t, serverOptions{})
	old := mustClaim(t, srv.log(t))
	started, fenced := make(chan struct{}), make(chan int, 1)
	go func() {
		for n := 1; ; n++ {
			if err := appendOne(t, old, n); err != nil {
				if !errors.Is(err, publish.ErrFenced) {
					t.Error(err)
				}
				fenced <- n - 1
				return
			}
			if n == 100 {
				close(started)
			}
		}
	}()
	<-started
	begin := time.Now()
	c := mustClaim(t, srv.log(t))
	t.Logf("claimed over an owner that appends without a pause after %v", time.Since(begin))
	n := <-fenced
	if _, since := c.Position(); len(since) != n {
		t.Errorf("the position has %d entries, the old owner appended %d", len(since), n)
	}
}
