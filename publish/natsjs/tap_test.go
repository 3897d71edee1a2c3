package natsjs_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"mailflume/publish"
	"mailflume/publish/logtest"
	"mailflume/publish/natsjs"
)

func TestEventsEndWithTheLastMessageThereIs(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	conn := srv.conn(t)
	wantEvents(t, conn, 0)
	c := mustClaim(t, conn.Log())
	wantEvents(t, conn, 0) // a claim is no event
	appendAll(t, c, 1, 700)
	save(t, c, "s")
	wantEvents(t, conn, 700)
	n := 0
	for d, err := range conn.Events(deadline(t), natsjs.Filter{}) {
		if err != nil || d.Event == nil || d.Event.Kind != publish.Received || len(d.Raw) == 0 || d.Time.IsZero() {
			t.Fatalf("%+v, %v", d, err)
		}
		if n++; n == 3 {
			break
		}
	}
	last := uint64(0)
	for _, want := range []int{100, 200, 400, 0} { // a consumer that comes back, again and again
		n := 0
		for d, err := range conn.Events(deadline(t), natsjs.Filter{After: last}) {
			if err != nil || d.Sequence <= last {
				t.Fatalf("after %d: %+v, %v", last, d, err)
			}
			last = d.Sequence
			if n++; n == want {
				break
			}
		}
		if n != want {
			t.Errorf("%d events, want %d", n, want)
		}
	}
	for d, err := range conn.Events(deadline(t), natsjs.Filter{Types: []publish.EventType{publish.Quarantined}}) {
		t.Errorf("%+v, %v", d, err)
	}
	for d, err := range conn.Events(deadline(t), natsjs.Filter{Mailbox: "jane"}) {
		t.Errorf("%+v, %v", d, err)
	}
	for d, err := range conn.Events(deadline(t), natsjs.Filter{Since: time.Now().Add(time.Hour)}) {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestFollowingGoesOnOverARestartAndEndsWithItsContext(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	conn := srv.conn(t)
	c := mustClaim(t, conn.Log())
	appendAll(t, c, 1, 5)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for d, err := range conn.Events(ctx, natsjs.Filter{FromStart: true, Follow: true}) {
		if n == 10 {
			if d != nil || !errors.Is(err, context.Canceled) {
				t.Errorf("ended with %v, %v", d, err)
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
		if _, ref := logtest.Sample(logtest.Box(), n); d.Ref != ref {
			t.Fatalf("event %d is %s", n, d.Ref)
		}
		if n == 5 {
			srv.stop()
			srv.start(t)
			appendAll(t, c, 6, 10)
		}
		if n == 10 {
			cancel()
		}
	}
	if n != 10 {
		t.Errorf("%d events", n)
	}
}

func TestFollowingFindsOutWhatItsConnectionLost(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	c := mustClaim(t, srv.conn(t).Log())
	appendAll(t, c, 1, 1)
	proxy := startProxy(t, srv.url())
	o := srv.options()
	o.URL = proxy.URL()
	conn := dial(t, o)
	if err := conn.EnsureStream(deadline(t), managed()); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	n := 0
	for d, err := range conn.Events(deadline(t), natsjs.Filter{FromStart: true, Follow: true}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		if _, ref := logtest.Sample(logtest.Box(), n); d.Ref != ref {
			t.Fatalf("event %d is %s", n, d.Ref)
		}
		switch n {
		case 1:
			appendAll(t, c, 2, 5)
		case 5: // what is delivered now is lost on its way, and nothing comes after it
			proxy.swallow(true)
			appendAll(t, c, 6, 10)
			begin = time.Now()
			time.AfterFunc(300*time.Millisecond, func() { proxy.swallow(false) })
		}
		if n == 10 {
			break
		}
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestAMessageThatIsNoEventIsAnErrorOfItsOwn(t *testing.T) {
	srv := startServer(t, serverOptions{})
	conn := srv.conn(t)
	if _, err := srv.admin(t).Publish(t.Context(), janesLog+"received", []byte("{")); err != nil {
		t.Fatal(err)
	}
	appendAll(t, mustClaim(t, conn.Log()), 1, 1)
	var bad, good int
	for d, err := range conn.Events(deadline(t), natsjs.Filter{}) {
		switch {
		case d == nil:
			t.Fatal(err)
		case err != nil && d.Event == nil && string(d.Raw) == "{":
			bad++
		case err == nil:
			good++
		}
	}
	if bad != 1 || good != 1 {
		t.Errorf("%d bad, %d good", bad, good)
	}
}
