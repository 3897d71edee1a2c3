package natsjs_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
	"mailflume/publish/natsjs"
)

func TestPausesOutliveTheirBucket(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	m, err := srv.conn(t).Members(deadline(t), natsjs.MemberOptions{Worker: "w1"})
	if err != nil {
		t.Fatal(err)
	}
	p := m.Pauses()
	one, two := publish.Key{Tenant: "acme", Mailbox: "one"}, publish.Key{Tenant: "acme", Mailbox: "two"}
	seen := make(chan map[publish.Key]time.Time, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		for paused := range p.Watch(ctx) {
			seen <- paused
		}
	}()
	defer func() { cancel(); <-over }()
	await := func(boxes ...publish.Key) {
		t.Helper()
		for limit := time.After(20 * time.Second); ; {
			select {
			case paused := <-seen:
				all := len(paused) == len(boxes)
				for _, b := range boxes {
					_, ok := paused[b]
					all = all && ok
				}
				if all {
					return
				}
				t.Log(paused)
			case <-limit:
				t.Fatalf("%v are never seen to be paused", boxes)
			}
		}
	}
	for range 20 {
		if err := m.Beat(t.Context(), "list"); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Pause(deadline(t), one, time.Now()); err != nil {
		t.Fatal(err)
	}
	await(one)
	js := srv.admin(t)
	if err := js.DeleteKeyValue(t.Context(), natsjs.DefaultBucket); err != nil && !errors.Is(err, jetstream.ErrBucketNotFound) {
		t.Fatal(err)
	}
	if err := m.Beat(deadline(t), "list"); err != nil { // makes the bucket anew
		t.Fatal(err)
	}
	if err := p.Pause(deadline(t), two, time.Now()); err != nil {
		t.Fatal(err)
	}
	await(one, two)
	if err := p.Resume(deadline(t), one); err != nil {
		t.Fatal(err)
	}
	await(two)
}
