package natsjs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/logtest"
	"mailflume/publish/natsjs"
)

// watchful options look at the stream before every write.
func (s *testServer) watchful() natsjs.Options {
	o := s.options()
	o.LookEvery = 1
	return o
}

// edit changes the stream as an administrator does.
func (s *testServer) edit(t *testing.T, change func(*jetstream.StreamConfig)) {
	t.Helper()
	cfg := s.stream(t).CachedInfo().Config
	change(&cfg)
	if _, err := s.admin(t).UpdateStream(context.Background(), cfg); err != nil {
		t.Error(err)
	}
}

func TestFault_N9_AStreamThatIsEditedWhileWorkersRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil, mend func(*jetstream.StreamConfig)
		says        string
	}{
		"discard old with a cap": {
			func(c *jetstream.StreamConfig) { c.MaxMsgs, c.Discard = 1000, jetstream.DiscardOld },
			func(c *jetstream.StreamConfig) { c.MaxMsgs = -1 }, "discard: old",
		},
		"interest": {
			func(c *jetstream.StreamConfig) { c.Retention = jetstream.InterestPolicy },
			func(c *jetstream.StreamConfig) { c.Retention = jetstream.LimitsPolicy }, "retention",
		},
		"max messages per subject": {
			func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 1000 },
			func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = -1 }, "max_msgs_per_subject",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := startServer(t, serverOptions{})
			p := newPlant(t, srv.watchful(), managed(), 100)
			p.strike(t, 50, func() { srv.edit(t, c.spoil) })
			if why := p.stands(t, publish.ErrUnsafe, ingest.CodeStreamUnsafe); !strings.Contains(why.Error(), c.says) {
				t.Errorf("the reason does not name the setting: %v", why)
			}
			srv.edit(t, c.mend)
			p.goesOn(t)
			waitFor(t, p.told, nil)
			p.note(t, "N9", "the stream is edited while workers run: "+name, "publishing waits with MF-NATS-004 until it is as it was")
		})
	}
}

func TestAStreamThatIsDeletedIsMadeAndFilledAgain(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	p := newPlant(t, srv.options(), managed(), 100)
	p.strike(t, 50, func() { srv.freshStream(t) })
	p.goesOn(t)
}

func TestAQuietOwnerMakesTheStreamAgainWhenItLooks(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	conn := srv.conn(t)
	c := mustClaim(t, conn.Log())
	srv.freshStream(t)
	if err := c.(publish.Verifier).Verify(deadline(t)); !errors.Is(err, publish.ErrLogMoved) {
		t.Errorf("verify: %v", err)
	}
	wantPosition(t, mustClaim(t, conn.Log()), "", 0)
}

func TestAStreamThatOthersManageIsWaitedForWhenItIsDeleted(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	srv.conn(t)
	told := make(chan error, 1000)
	conn := dial(t, withWaiting(srv.options(), told))
	if err := conn.EnsureStream(deadline(t), natsjs.StreamConfig{}); err != nil {
		t.Fatal(err)
	}
	c := mustClaim(t, conn.Log())
	srv.freshStream(t)
	done := make(chan error, 1)
	go func() { done <- appendOne(t, c, 1) }()
	if why := heard(t, told, publish.ErrUnavailable); !strings.Contains(why.Error(), "the stream MAIL was deleted") {
		t.Errorf("the reason is %v", why)
	}
	srv.conn(t)
	if err := <-done; !errors.Is(err, publish.ErrLogMoved) {
		t.Errorf("append: %v", err)
	}
}

func TestAnotherServerOfTheListIsLookedAtBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	first, other := startServer(t, serverOptions{}), startServer(t, serverOptions{})
	o := first.options()
	o.URL += "," + other.url()
	p := newPlant(t, o, managed(), 100)
	if p.conn.URL() == other.url() { // any of the list comes first
		first, other = other, first
	}
	if _, err := other.admin(t).CreateStream(t.Context(), jetstream.StreamConfig{Name: natsjs.DefaultStream, Subjects: []string{"mail.v1.>"}, MaxMsgsPerSubject: 1}); err != nil {
		t.Fatal(err)
	}
	p.strike(t, 50, first.stop)
	p.stands(t, publish.ErrUnsafe, ingest.CodeStreamUnsafe)
	other.edit(t, func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = -1 })
	p.goesOn(t)
}

func TestTheAgeOfTheStreamIsThatOfNow(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	conn := dial(t, srv.watchful())
	if err := conn.EnsureStream(deadline(t), managed()); err != nil {
		t.Fatal(err)
	}
	srv.edit(t, func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour })
	c := mustClaim(t, conn.Log())
	for n := 1; conn.MaxAge() != time.Hour; n++ {
		appendAll(t, c, n, n)
	}
	if cfg := srv.stream(t).CachedInfo().Config; cfg.MaxAge != time.Hour {
		t.Errorf("the administrator's age was changed to %s", cfg.MaxAge)
	}
}

func TestAServerThatTakesTooLittleIsNamedAndWaitedFor(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	told := make(chan error, 1000)
	conn := dial(t, withWaiting(srv.options(), told))
	if err := conn.EnsureStream(deadline(t), managed()); err != nil {
		t.Fatal(err)
	}
	c := mustClaim(t, conn.Log())
	limit := func(n int32) {
		srv.stop()
		srv.opts.MaxPayload = n
		srv.start(t)
	}
	limit(2000)
	saved := make(chan error, 1)
	go func() {
		ev, ref := logtest.Sample(logtest.Box(), 1)
		saved <- errors.Join(c.Append(deadline(t), ev, ref), c.Save(deadline(t), []byte("s")))
	}()
	if why := heard(t, told, publish.ErrUnsafe); !strings.Contains(why.Error(), "max_payload") {
		t.Errorf("the reason is %v", why)
	}
	limit(server.MAX_PAYLOAD_SIZE)
	if err := <-saved; err != nil {
		t.Error(err)
	}
}
