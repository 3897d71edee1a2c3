package natsjs

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Relay listens in front of a server and hands each pair of connections to those tests that want to
// come between the two. It is exported for the tests outside of the package.
type Relay struct {
	l      net.Listener
	target string
	carry  []func(client, server *net.TCPConn)
	wg     sync.WaitGroup

	mu      sync.Mutex
	live    []net.Conn
	stopped bool
}

// StartRelay starts one. Each of carry runs in a goroutine of its own, for every pair; when one returns,
// the client is cut off, and the server still gets what was written to it.
func StartRelay(t testing.TB, url string, carry ...func(client, server *net.TCPConn)) *Relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{l: l, target: strings.TrimPrefix(url, "nats://"), carry: carry}
	r.wg.Go(r.accept)
	t.Cleanup(func() {
		_ = l.Close()
		r.mu.Lock()
		r.stopped = true
		r.mu.Unlock()
		r.CloseAll()
		r.wg.Wait()
	})
	return r
}

// URL is where clients connect to.
func (r *Relay) URL() string { return "nats://" + r.l.Addr().String() }

// CloseAll breaks the connections there are.
func (r *Relay) CloseAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.live {
		_ = c.Close()
	}
	r.live = nil
}

func (r *Relay) accept() {
	for {
		client, err := r.l.Accept()
		if err != nil {
			return
		}
		server, err := net.DialTimeout("tcp", r.target, 5*time.Second)
		if err != nil {
			_ = client.Close()
			continue
		}
		r.mu.Lock()
		r.live = append(r.live, client, server)
		if r.stopped {
			_, _ = client.Close(), server.Close()
		}
		r.mu.Unlock()
		for _, carry := range r.carry {
			r.wg.Go(func() {
				carry(client.(*net.TCPConn), server.(*net.TCPConn))
				_, _ = client.Close(), server.(*net.TCPConn).CloseWrite()
			})
		}
	}
}
