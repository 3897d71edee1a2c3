package natsjs_test

import (
	"mailflume/publish/natsjs"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// A proxy stands between a client and a server and loses what the server says.
type proxy struct {
	*natsjs.Relay
	mute  atomic.Bool  // swallow the server's answers
	cutAt atomic.Bool  // and cut the connection at the first one swallowed
	rate  atomic.Int64 // of what the client sends, in octets a second; 0: as fast as it goes
	up    atomic.Int64 // octets that the client has sent
}

func startProxy(t *testing.T, url string) *proxy {
	t.Helper()
	p := &proxy{}
	p.Relay = natsjs.StartRelay(t, url,
		func(client, server *net.TCPConn) { pipe(client, server, p.sent) },
		func(client, server *net.TCPConn) { pipe(server, client, p.pass) })
	return p
}

func (p *proxy) swallow(on bool) { p.mute.Store(on) }

// swallowThenCut loses the server's next answer and the connection with it.
func (p *proxy) swallowThenCut() {
	p.cutAt.Store(true)
	p.mute.Store(true)
}

// sent counts what the client sends, and slows it down.
func (p *proxy) sent(b []byte) ([]byte, bool) {
	p.up.Add(int64(len(b)))
	if r := p.rate.Load(); r > 0 {
		<-time.After(time.Duration(len(b)) * time.Second / time.Duration(r))
	}
	return b, true
}

// pass decides over an answer of the server.
func (p *proxy) pass(b []byte) ([]byte, bool) {
	if !p.mute.Load() {
		return b, true
	}
	if p.cutAt.CompareAndSwap(true, false) {
		p.mute.Store(false)
		return nil, false
	}
	return nil, true
}

// pipe carries what pass leaves of it, until pass says no.
func pipe(from, to net.Conn, pass func([]byte) ([]byte, bool)) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		b, ok := pass(buf[:n])
		if !ok || err != nil {
			return
		}
		if _, err := to.Write(b); err != nil {
			return
		}
	}
}
