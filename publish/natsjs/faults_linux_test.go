package natsjs_test

import (
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

func TestFault_N3_TheServerIsFrozen(t *testing.T) {
	t.Parallel()
	url, process := childServer(t)
	p := newPlant(t, natsjs.Options{URL: url, PublishTimeout: time.Second, RetryMax: 500 * time.Millisecond}, managed(), 120)
	signal := func(s syscall.Signal) {
		if err := process.Signal(s); err != nil {
			t.Error(err)
		}
	}
	p.strike(t, 50, func() { signal(syscall.SIGSTOP) })
	t.Cleanup(func() { signal(syscall.SIGCONT) })
	p.stands(t, publish.ErrUnavailable, ingest.CodeNATSDown)
	signal(syscall.SIGCONT)
	p.goesOn(t)
	p.note(t, "N3", "NATS is frozen (SIGSTOP)", "as N2")
}

func TestFault_N10_TheDiskIsFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
		if os.Getenv("MAILFLUME_CI") == "1" {
			t.Fatal(err)
		}
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	srv := startServer(t, serverOptions{configure: func(o *server.Options) { o.StoreDir = filepath.Join(dir, "js") }})
	p := newPlant(t, srv.options(), managed(), 3000)
	ballast := filepath.Join(dir, "ballast")
	p.strike(t, 50, func() {
		f, err := os.Create(ballast)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.Copy(f, rand.NewChaCha8([32]byte{})) // until there is no room
		_ = f.Close()
	})
	why := p.stands(t, publish.ErrUnavailable, ingest.CodeNATSDown) // the server does not say why it does not answer
	if _, next := ingest.Explain(ingest.FaultOf(why).Code); !strings.Contains(next, "out of disk") {
		t.Errorf("the next step does not mention the disk: %s", next)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	srv.stop() // a server that ran out of disk takes nothing more until it is restarted (2.15.2)
	srv.start(t)
	p.goesOn(t)
	p.note(t, "N10", "the disk of NATS is full", "fetching stops, the reason names the disk; goes on when there is room and NATS was restarted")
}
