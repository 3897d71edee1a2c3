package natsjs_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"mailflume/ingest"
	"mailflume/publish/natsjs"
)

// powerCut stops the server and takes so many octets off the end of the stream's newest file, with all
// that the server believes to know about it: what a machine that loses power leaves behind.
func (s *testServer) powerCut(t *testing.T, octets int64) {
	t.Helper()
	s.stop()
	dir := filepath.Join(s.opts.StoreDir, server.JetStreamStoreDir, "$G", "streams", natsjs.DefaultStream, "msgs")
	blocks, err := filepath.Glob(filepath.Join(dir, "*.blk"))
	if err != nil || len(blocks) == 0 {
		t.Fatalf("no blocks in %s: %v", dir, err)
	}
	slices.SortFunc(blocks, func(a, b string) int { return len(a) - len(b) })
	last := blocks[len(blocks)-1]
	info, err := os.Stat(last)
	if err == nil {
		err = os.Truncate(last, max(0, info.Size()-octets))
	}
	gone := os.Remove(filepath.Join(dir, "index.db"))
	if err != nil || gone != nil && !errors.Is(gone, os.ErrNotExist) {
		t.Fatal(err, gone)
	}
	s.start(t)
}

func TestFault_N14_AQuietOwnerLosesItsTailInAPowerCut(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	p := newPlant(t, srv.options(), managed(), 60)
	p.strike(t, 1, func() {}, func(m *ingest.Mailbox) { m.PollEvery = 200 * time.Millisecond })
	p.goesOn(t)
	srv.powerCut(t, 10_000)
	p.latest.Store(time.Now().UnixNano())
	left := len(received(t, p.conn))
	if left == 0 || left >= p.mail {
		t.Fatalf("%d events are left", left)
	}
	for limit := time.After(20 * time.Second); p.delivered.Load() < int64(2*p.mail-left); {
		select {
		case <-p.polled:
		case <-limit:
			t.Fatalf("no new mail comes, and what was lost is not published again: %d events of %d", left, p.mail)
		}
	}
	p.goesOn(t)
	if n := p.delivered.Load(); n != int64(2*p.mail-left) {
		t.Errorf("%d messages were published again, %d were lost", n-int64(p.mail), p.mail-left)
	}
	p.note(t, "N14", "power is cut under a mailbox without new mail; the end of the stream's file is lost", "found out with the reconnect: what was lost is published again")
}
