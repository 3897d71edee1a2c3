package natsjs_test

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A proxy stands between a client and a server and loses what the server says.
type proxy struct {
	l      net.Listener
	target string
	wg     sync.WaitGroup
	mute   atomic.Bool  // swallow the server's answers
	cutAt  atomic.Bool  // and cut the connection at the first one swallowed
	rate   atomic.Int64 // of what the client sends, in octets a second; 0: as fast as it goes
	up     atomic.Int64 // octets that the client has sent

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

func startProxy(t *testing.T, url string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{l: l, target: strings.TrimPrefix(url, "nats://"), conns: map[net.Conn]struct{}{}}
	p.wg.Add(1)
	go p.accept()
	t.Cleanup(func() {
		_ = l.Close()
		p.mu.Lock()
		for c := range p.conns {
			_ = c.Close()
		}
		p.mu.Unlock()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.l.Addr().String() }

func (p *proxy) swallow(on bool) { p.mute.Store(on) }

// swallowThenCut loses the server's next answer and the connection with it.
func (p *proxy) swallowThenCut() {
	p.cutAt.Store(true)
	p.mute.Store(true)
}

func (p *proxy) accept() {
	defer p.wg.Done()
	for {
		client, err := p.l.Accept()
		if err != nil {
			return
		}
		server, err := net.DialTimeout("tcp", p.target, 5*time.Second)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = struct{}{}, struct{}{}
		p.mu.Unlock()
		p.wg.Add(2)
		go p.pipe(client, server, p.sent)
		go p.pipe(server, client, p.pass)
	}
}

// sent counts what the client sends, and slows it down.
func (p *proxy) sent(b []byte) bool {
	p.up.Add(int64(len(b)))
	if r := p.rate.Load(); r > 0 {
		<-time.After(time.Duration(len(b)) * time.Second / time.Duration(r))
	}
	return true
}

// pass decides over an answer of the server; false closes the connection.
func (p *proxy) pass(b []byte) bool {
	if p.mute.Load() && p.cutAt.CompareAndSwap(true, false) {
		p.mute.Store(false)
		return false
	}
	return true
}

func (p *proxy) pipe(from, to net.Conn, pass func([]byte) bool) {
	defer p.wg.Done()
	defer func() { _ = from.Close() }()
	defer func() { _ = to.Close() }()
	server := strings.HasSuffix(p.target, from.RemoteAddr().String())
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if !pass(buf[:n]) {
				return
			}
			if !server || !p.mute.Load() {
				if _, err := to.Write(buf[:n]); err != nil {
					return
				}
			}
		}
		if err != nil {
			return
		}
	}
}
