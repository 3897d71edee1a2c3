package natsjs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/logtest"
	"mailflume/publish/natsjs"
)

func TestFault_N8_TheStreamIsFull(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	p := newPlant(t, srv.options(), natsjs.StreamConfig{Manage: true, MaxBytes: 128 << 10}, 120)
	p.strike(t, 1, func() {})
	p.stands(t, publish.ErrFull, ingest.CodeStreamFull)
	cfg := srv.stream(t).CachedInfo().Config
	cfg.MaxBytes = 10 << 20
	if _, err := srv.admin(t).UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	p.goesOn(t)
	waitFor(t, p.told, nil)
	p.note(t, "N8", "the stream is full (DiscardNew)", "fetching stops with MF-NATS-003; goes on when there is room")
}

func TestFault_N9_AStreamThatDropsTheOldestIsRefusedUnlessInsisted(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	_, err := srv.admin(t).CreateStream(t.Context(), jetstream.StreamConfig{Name: natsjs.DefaultStream, Subjects: []string{"mail.v1.>"}, MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	conn := dial(t, srv.options())
	err = conn.EnsureStream(deadline(t), managed())
	if f := ingest.FaultOf(err); !errors.Is(err, publish.ErrUnsafe) || f.Code != ingest.CodeStreamUnsafe || !strings.Contains(err.Error(), "allow_discard_old") {
		t.Errorf("not refused with what to do: %v", err)
	}
	insist := natsjs.StreamConfig{Manage: true, AllowDiscardOld: true, MaxBytes: 2 << 20}
	if err := conn.EnsureStream(deadline(t), insist); err != nil {
		t.Errorf("insisted: %v", err)
	}
	if cfg := srv.stream(t).CachedInfo().Config; cfg.Discard != jetstream.DiscardOld || cfg.MaxBytes != 2<<20 {
		t.Errorf("the stream is now %v with %d bytes", cfg.Discard, cfg.MaxBytes)
	}
	p := newPlant(t, srv.options(), insist, 100)
	p.strike(t, 1, func() {})
	p.goesOn(t)
	p.note(t, "N9", "the stream drops its oldest messages (DiscardOld)", "refused at the start with what to do; taken if the configuration insists")
}

func TestFault_N11_TheAccountIsAtItsLimit(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{maxStore: 1 << 20})
	js := srv.admin(t)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "OTHER", Subjects: []string{"other"}}); err != nil {
		t.Fatal(err)
	}
	for range 9 {
		if _, err := js.Publish(t.Context(), "other", make([]byte, 100<<10)); err != nil {
			t.Fatal(err)
		}
	}
	p := newPlant(t, srv.options(), managed(), 300)
	p.strike(t, 1, func() {})
	p.stands(t, publish.ErrFull, ingest.CodeStreamFull)
	if err := js.DeleteStream(t.Context(), "OTHER"); err != nil {
		t.Fatal(err)
	}
	p.goesOn(t)
	p.note(t, "N11", "the account is at its limit", "as N8")
}

func TestFault_N12_AnEventIsLargerThanMaxPayload(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	p := newPlant(t, srv.options(), managed(), 2)
	var headers bytes.Buffer
	for n := range 30_000 {
		fmt.Fprintf(&headers, "X-Header-%d: %s\r\n", n, strings.Repeat("x", 80))
	}
	for _, mail := range [][]byte{
		append(headers.Bytes(), "\r\n3 MB of headers\r\n"...),
		append([]byte("Subject: 10 MB of text\r\n\r\n"), strings.Repeat("a line of text\r\n", 10<<16)...),
		append([]byte("Subject: 60 KB of text\r\n\r\n"), strings.Repeat("\"a line\" of text\r\n", 3<<10)...),
		[]byte("Subject: small\r\n\r\n.\r\n"),
	} {
		p.box.Add(mail)
		p.mail++
	}
	// In the middle of it the server comes back with a smaller limit than events were made for.
	p.strike(t, 5, func() {
		srv.stop()
		srv.opts.MaxPayload = 32 << 10
		srv.start(t)
	}, func(m *ingest.Mailbox) { m.Blobs, m.Raw = p.conn.Blobs(m.Key.Tenant, natsjs.BlobOptions{}), true })
	p.goesOn(t)
	for i, d := range received(t, p.conn) {
		if large := i == 2; large != (d.Event.DataRef != "") && i != 4 {
			t.Errorf("event %d: dataref %q", i+1, d.Event.DataRef)
		}
		if i == 3 && (d.Event.Data.Text == nil || d.Event.Data.Text.Ref == "") {
			t.Error("the long text is not in the store")
		}
	}
	p.note(t, "N12", "events larger than max_payload, which shrinks on the way", "bodies and data go to the blob store, the event names them")
}

func TestFault_N16_NATSIsSlow(t *testing.T) { // alone: it measures the heap
	url, _ := childServer(t)
	proxy := startProxy(t, url)
	proxy.rate.Store(16 << 20)
	size, allowed := int64(48<<20), int64(4<<20)
	if testing.Short() {
		size = 24 << 20
	}
	p := newPlant(t, natsjs.Options{URL: proxy.URL()}, managed(), 0)
	p.box.Add([]byte("Subject: large\r\nContent-Type: application/octet-stream\r\n\r\n"))
	p.mail = 1
	var read, ahead, peak atomic.Int64
	p.box.BodyFault = func(_ uint32, head io.Reader) io.Reader {
		return io.MultiReader(head, io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{1}), size), writerFunc(func(b []byte) (int, error) {
			// Raw and attachment are sent: what is read may be ahead of half of what went through.
			n := read.Add(int64(len(b)))
			ahead.Store(max(ahead.Load(), n-proxy.up.Load()/2))
			if n>>23 != (n-int64(len(b)))>>23 {
				peak.Store(max(peak.Load(), heap()))
			}
			return len(b), nil
		})))
	}
	before := heap()
	p.strike(t, 1, func() {}, func(m *ingest.Mailbox) {
		m.Blobs, m.Raw, m.Attachments = p.conn.Blobs(m.Key.Tenant, natsjs.BlobOptions{}), true, true
	})
	p.goesOn(t)
	if read.Load() != size || ahead.Load() > allowed || peak.Load() > before+32<<20 {
		t.Errorf("%d octets were read, %d ahead of what was sent (at most %d); the heap went from %d to %d MiB", read.Load(), ahead.Load(), allowed, before>>20, peak.Load()>>20)
	}
	p.gap.Store(0) // it is slow, but it does not stand still
	p.note(t, "N16", "NATS takes 16 MiB/s, a message has 48 MiB", "memory stays flat: at most 4 MiB are read ahead of what was sent")
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestFault_N17_APermissionIsTakenAway(t *testing.T) {
	t.Parallel()
	with := func(o *server.Options, deny ...string) {
		u := &server.User{Username: "mf", Password: "pw"}
		if len(deny) > 0 {
			u.Permissions = &server.Permissions{Publish: &server.SubjectPermission{Deny: deny}}
		}
		o.Users = []*server.User{u}
	}
	srv := startServer(t, serverOptions{configure: func(o *server.Options) { with(o) }})
	o := srv.options()
	o.User, o.Password, o.PublishTimeout = "mf", func() (string, error) { return "pw", nil }, 300*time.Millisecond
	p := newPlant(t, o, managed(), 120)
	reload := func(deny ...string) {
		changed := srv.opts.Clone()
		with(changed, deny...)
		if err := srv.srv.ReloadOptions(changed); err != nil {
			t.Error(err)
		}
	}
	p.strike(t, 50, func() { reload("mail.v1.*.*.received") })
	why := p.stands(t, publish.ErrDenied, ingest.CodeNATSDenied)
	if !strings.Contains(why.Error(), "mail.v1."+natsjs.Token(logtest.Box().Tenant)) {
		t.Errorf("the reason does not name the subject: %v", why)
	}
	reload()
	p.goesOn(t)
	p.note(t, "N17", "the permission to publish is taken away", "the reason names the subject; goes on when it is back")
}
