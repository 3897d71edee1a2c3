package natsjs_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/logtest"
	"mailflume/publish/natsjs"
)

func TestARefThatNoClaimWroteMovesNoPosition(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	conn := srv.conn(t)
	c := mustClaim(t, conn.Log())
	appendAll(t, c, 1, 2)
	_, ref := logtest.Sample(logtest.Box(), 3)
	for _, forged := range []string{string(ref), "i/1/1/%zz", strings.Repeat("x", 5000)} {
		m := nats.NewMsg(janesLog + "received")
		m.Header.Set("Mf-Ref", forged)
		if _, err := srv.admin(t).PublishMsg(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	c = mustClaim(t, conn.Log())
	wantPosition(t, c, "", 2)
	appendAll(t, c, 3, 3)
	wantPosition(t, mustClaim(t, conn.Log()), "", 3)
}

func TestAStreamThatCameBackWithoutWhatTheLogNeedsIsNamedAndWaitedFor(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	told := make(chan error, 1000)
	conn := dial(t, withWaiting(srv.options(), told))
	if err := conn.EnsureStream(deadline(t), managed()); err != nil {
		t.Fatal(err)
	}
	appendAll(t, mustClaim(t, conn.Log()), 1, 2)
	srv.freshStream(t)
	st, err := srv.admin(t).CreateStream(t.Context(), jetstream.StreamConfig{Name: natsjs.DefaultStream, Subjects: []string{"mail.v1.>"}})
	if err != nil {
		t.Fatal(err)
	}
	claimed := make(chan error, 1)
	go func() {
		_, err := conn.Log().Claim(deadline(t), logtest.Box())
		claimed <- err
	}()
	if f := ingest.FaultOf(heard(t, told, publish.ErrUnsafe)); f.Code != ingest.CodeStreamUnsafe {
		t.Errorf("the reason has code %s", f.Code)
	}
	cfg := st.CachedInfo().Config
	cfg.AllowMsgTTL, cfg.AllowRollup = true, true
	if _, err := srv.admin(t).UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if err := <-claimed; err != nil {
		t.Fatal(err)
	}
}

func TestAStreamThatTakesLessThanBeforeGetsSmallerEvents(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	p := newPlant(t, srv.options(), managed(), 1)
	p.box.Add([]byte("Subject: 60 KB of text\r\n\r\n" + strings.Repeat("a line of text\r\n", 4000)))
	p.mail++
	p.strike(t, 1, func() {
		cfg := srv.stream(t).CachedInfo().Config
		cfg.MaxMsgSize = 32 << 10
		if _, err := srv.admin(t).UpdateStream(context.Background(), cfg); err != nil {
			t.Error(err)
		}
	}, func(m *ingest.Mailbox) { m.Blobs = p.conn.Blobs(m.Key.Tenant, natsjs.BlobOptions{}) })
	p.goesOn(t)
}

func TestWhatExpiredBeforeTheAgeWasRaisedIsNoBreak(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	conn := dial(t, srv.options())
	if err := conn.EnsureStream(deadline(t), natsjs.StreamConfig{Manage: true, MaxAge: 300 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	c := mustClaim(t, conn.Log())
	appendAll(t, c, 1, 2)
	save(t, c, "s")
	awaitMessages(t, srv, 2) // the claim and the snapshot
	begun := time.Now()
	for _, age := range []time.Duration{time.Hour, 2 * time.Hour, -1} {
		if err := conn.EnsureStream(deadline(t), natsjs.StreamConfig{Manage: true, MaxAge: age}); err != nil {
			t.Fatal(err)
		}
	}
	appendAll(t, c, 3, 5)
	h := readHistory(t, conn, natsjs.Pin{})
	if h.Break != nil || !h.Expired || h.KeptSince.Before(begun.Add(-time.Second)) || h.KeptSince.After(time.Now()) {
		t.Errorf("kept since %v, break %+v", h.KeptSince, h.Break)
	}
	if err := srv.stream(t).DeleteMsg(t.Context(), h.Last-1); err != nil {
		t.Fatal(err)
	}
	if h = readHistory(t, conn, natsjs.Pin{}); h.Break == nil || h.Break.Missing != h.Last-1 {
		t.Errorf("an event that is too young to expire is gone: %+v", h.Break)
	}
}
