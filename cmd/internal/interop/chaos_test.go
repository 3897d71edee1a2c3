//go:build interop

package interop_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mailflume/cmd/internal/interop"
	"mailflume/cmd/internal/rig"
	"mailflume/publish"
)

// cutter is a TCP proxy whose connections live for a random number of octets.
type cutter struct {
	ln     net.Listener
	target string
	most   atomic.Int64 // 0: no cuts
	wg     sync.WaitGroup
	cuts   atomic.Int64
}

func newCutter(t *testing.T, target string) *cutter {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{ln: ln, target: target}
	c.wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			c.wg.Go(func() { c.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = ln.Close() })
	return c
}

func (c *cutter) serve(a net.Conn) {
	b, err := net.Dial("tcp", c.target)
	if err != nil {
		_ = a.Close()
		return
	}
	end := func() {
		if rand.IntN(2) == 0 {
			_ = a.(*net.TCPConn).SetLinger(0)
		}
		_ = a.Close()
		_ = b.Close()
	}
	go func() { _, _ = io.Copy(b, a); end() }()
	if most := c.most.Load(); most > 0 {
		n := 8000 + rand.Int64N(most)
		if rand.IntN(4) == 0 {
			n *= 40 // large messages need longer lives
		}
		if m, _ := io.CopyN(a, b, n); m == n {
			c.cuts.Add(1)
			if rand.IntN(3) == 0 { // swallow: silence before the cut
				<-time.After(rand.N(1500 * time.Millisecond))
			}
		}
	} else {
		_, _ = io.Copy(a, b)
	}
	end()
}

func TestChaosEverythingAtOnce(t *testing.T) {
	const messages = 2500
	life := 150 * time.Second
	if s := os.Getenv("CHAOS"); s != "" {
		life, _ = time.ParseDuration(s)
	}
	calm := 8 * time.Second
	if s := os.Getenv("CHAOS_CALM"); s != "" {
		calm, _ = time.ParseDuration(s)
	}
	b, s := build(t), stage(t)
	want := map[string][]string{}
	var boxes []interop.Box
	for i, p := range []string{"imap", "pop3", "imap"} {
		id := fmt.Sprintf("%s%d", p, i)
		user := id + "@rig.test"
		addUser(t, s, user)
		f, err := s.Dovecot.Fill(rig.FillOptions{User: user, N: messages, Seed: uint64(50 + i), MedianBytes: 5 << 10, Sigma: 1.2, LargeShare: 0.004})
		if err != nil {
			t.Fatal(err)
		}
		want[id] = f.Digests
		boxes = append(boxes, interop.Box{ID: id, User: user, Protocol: p, Extra: os.Getenv("CHAOS_EXTRA")})
	}
	ci, cp := newCutter(t, s.Dovecot.IMAPS), newCutter(t, s.Dovecot.POP3S)
	s.Dovecot.IMAPS, s.Dovecot.POP3S = ci.ln.Addr().String(), cp.ln.Addr().String()
	ci.most.Store(1_500_000)
	cp.most.Store(1_500_000)
	n := natsServer(t, b)
	cfg := config(t, s, interop.Setup{NATS: n.URL, Boxes: boxes})
	cfg2 := config(t, s, interop.Setup{NATS: n.URL, Boxes: boxes})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var kills, freezes, natsKills atomic.Int64
	configs := []string{cfg, cfg2}
	if os.Getenv("CHAOS_ONE") != "" {
		configs = configs[:1]
	}
	for _, c := range configs {
		wg.Go(func() {
			for i := 0; ; i++ {
				w, err := interop.StartWorker(b.mailflume, c)
				if err != nil {
					t.Error(err)
					return
				}
				ended := false
				for alive := true; alive; {
					select {
					case <-stop:
						alive, ended = false, true
					case <-time.After(rand.N(calm)):
						switch rand.IntN(3) {
						case 0:
							alive = false
						case 1:
							w.Signal(syscall.SIGSTOP)
							d := rand.N(20 * time.Second)
							freezes.Add(1)
							select {
							case <-time.After(d):
							case <-stop:
							}
							w.Signal(syscall.SIGCONT)
						}
					}
				}
				if ended {
					w.Signal(syscall.SIGTERM)
					done := make(chan error, 1)
					go func() { done <- w.Wait() }()
					select {
					case err := <-done:
						if err != nil {
							t.Errorf("worker ended: %v\n%s", err, tail(w.Log()))
						}
					case <-time.After(45 * time.Second):
						w.Signal(syscall.SIGQUIT)
						<-done
						t.Errorf("worker did not end in 45 s:\n%s", w.Log()[max(0, len(w.Log())-20000):])
					}
				} else {
					w.Signal(syscall.SIGKILL)
					kills.Add(1)
					_ = w.Wait()
				}
				if dir := os.Getenv("CHAOS_LOG"); dir != "" {
					_ = os.WriteFile(fmt.Sprintf("%s/worker-%d-%d.log", dir, time.Now().UnixMilli(), i), []byte(w.Log()), 0o600)
				}
				if l := w.Log(); strings.Contains(l, "panic") || strings.Contains(l, "quarantin") || strings.Contains(l, "DATA RACE") {
					t.Errorf("log: %s", l[max(0, len(l)-6000):])
				}
				if ended {
					return
				}
			}
		})
	}
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(calm/4 + rand.N(calm)):
				n.Signal(syscall.SIGKILL)
				natsKills.Add(1)
				<-time.After(rand.N(1500 * time.Millisecond))
				if err := n.Start(); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	deliver := time.After(life)
	for i, on := 0, true; on; i++ {
		raw := crlf([]byte(fmt.Sprintf("From: late@example.com\nSubject: late %d\nMessage-ID: <late%d@x>\n\nlate mail %d %d\n", i, i, i, rand.Int64())))
		for id := range want {
			if i > 0 && i < 300 {
				if _, err := s.Dovecot.Deliver(id+"@rig.test", "INBOX", raw, time.Now()); err != nil {
					t.Error(err)
				}
				want[id] = append(want[id], sum(raw))
			}
		}
		select {
		case <-deliver:
			on = false
		case <-time.After(300 * time.Millisecond):
		}
	}
	close(stop)
	wg.Wait()
	ci.most.Store(0)
	cp.most.Store(0)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	w, err := interop.StartWorker(b.mailflume, cfg, "--once")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- w.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("once: %v\n%s", err, tail(w.Log()))
		}
	case <-ctx.Done():
		w.Signal(syscall.SIGQUIT)
		<-done
		t.Fatalf("once hangs: %s", w.Log()[max(0, len(w.Log())-20000):])
	}
	inOnce := strings.Count(w.Log(), `"message":"received"`)
	byBox := map[string][]publish.Event{}
	for _, ev := range tap(t, b, cfg) {
		byBox[ev.Data.Mailbox.ID] = append(byBox[ev.Data.Mailbox.ID], ev)
	}
	t.Logf("kills %d, freezes %d, nats kills %d, cuts %d+%d, %d messages left for the last pass", kills.Load(), freezes.Load(), natsKills.Load(), ci.cuts.Load(), cp.cuts.Load(), inOnce)
	for id := range want {
		checkOnceInOrder(t, byBox[id], want[id])
	}
}
