package natsjs

import (
	"bytes"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"
)

// faultProxy stands between a client and a server and breaks the connection when a number of
// octets have passed towards the server.
type faultProxy struct {
	*Relay
	mu     sync.Mutex
	seen   int64  // octets from clients
	cutAt  int64  // cut when seen reaches it; 0: never
	mute   int64  // from here on answers are swallowed, until the cut; 0: never
	perSec int64  // octets a second towards the server; 0: no limit
	loseOn string // text of a publish whose answer is to be lost; empty: none
	hold   bool   // and the connection stays
	cuts   int
}

func newFaultProxy(t testing.TB, url string) *faultProxy {
	t.Helper()
	p := &faultProxy{}
	p.Relay = StartRelay(t, url, p.up, p.down)
	return p
}

// arm breaks the connection n octets from now; muted octets before that (half of n at most) the
// answers stop: what is stored then is not acknowledged.
func (p *faultProxy) arm(n, muted int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutAt, p.mute = p.seen+n, 0
	if muted > 0 {
		p.mute = p.cutAt - min(muted, n/2)
	}
}

// armOn loses the answer to the next publish that has text in it: the server stores it, nothing comes
// back, and the connection breaks when the client asks what became of it.
func (p *faultProxy) armOn(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.loseOn = text
}

func (p *faultProxy) lose(sent []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := bytes.Index(sent, []byte(p.loseOn))
	if p.loseOn == "" || at < 0 {
		return
	}
	// HPUB <subject> <reply> <header bytes> <total bytes>: the cut comes after those.
	line, _, _ := bytes.Cut(sent[at:], []byte("\r\n"))
	total, _ := strconv.Atoi(string(line[bytes.LastIndexByte(line, ' ')+1:]))
	p.loseOn, p.mute = "", 1
	if p.hold {
		return
	}
	p.cutAt = p.seen + int64(at+len(line)+total+8)
}

func (p *faultProxy) cutCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}

// up carries the client's octets. Those before the cut still arrive at the server.
func (p *faultProxy) up(c, s *net.TCPConn) {
	buf := make([]byte, 16<<10)
	for {
		n, err := c.Read(buf)
		p.lose(buf[:n])
		pass, cut, wait := p.count(n)
		if wait > 0 {
			<-time.NewTimer(wait).C // a slow link
		}
		if _, werr := s.Write(buf[:pass]); werr != nil || err != nil || cut {
			return
		}
	}
}

func (p *faultProxy) count(n int) (pass int, cut bool, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.seen
	p.seen += int64(n)
	if p.perSec > 0 {
		wait = time.Duration(int64(n) * int64(time.Second) / p.perSec)
	}
	if p.cutAt == 0 || p.seen < p.cutAt {
		return n, false, wait
	}
	pass = int(p.cutAt - before)
	p.cutAt, p.mute = 0, 0
	p.cuts++
	return pass, true, wait
}

// down carries the server's answers, and reads on when there is nobody to give them to.
func (p *faultProxy) down(c, s *net.TCPConn) {
	buf := make([]byte, 16<<10)
	for {
		n, err := s.Read(buf)
		p.mu.Lock()
		muted := p.mute > 0 && p.seen >= p.mute
		p.mu.Unlock()
		if !muted {
			_, _ = c.Write(buf[:n])
		}
		if err != nil {
			return
		}
	}
}
