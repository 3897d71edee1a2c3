package imapsource

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/ingest/sourcetest"
)

// conforming makes the test server a sourcetest.Server, behind a proxy that can cut a body short.
type conforming struct {
	srv    *imaptest.Server
	ln     net.Listener
	server *tls.Config
	client *tls.Config
	cut    atomic.Int64 // octets of the next body; -1: all
	all    sync.WaitGroup
}

func startConforming(t *testing.T) *conforming {
	t.Helper()
	srv, err := imaptest.Start(imaptest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	srv.Create(user, "INBOX")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &conforming{srv: srv, ln: ln}
	if c.server, c.client, err = imaptest.Certificates(); err != nil {
		t.Fatal(err)
	}
	c.cut.Store(-1)
	c.all.Go(c.accept)
	t.Cleanup(func() {
		_ = ln.Close()
		_ = srv.Close()
		c.all.Wait()
	})
	return c
}

func (c *conforming) accept() {
	for {
		conn, err := c.ln.Accept()
		if err != nil {
			return
		}
		c.all.Go(func() { c.proxy(conn) })
	}
}

// proxy ends TLS on both sides, so that it sees the protocol.
func (c *conforming) proxy(raw net.Conn) {
	client := tls.Server(raw, c.server)
	server, err := tls.Dial("tcp", c.srv.Addr(), c.srv.TLS())
	if err != nil {
		_ = raw.Close()
		return
	}
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	})
	both.Go(func() {
		_, _ = io.Copy(&cutter{Writer: client, c: c}, server)
		_ = client.Close()
		_ = server.Close()
	})
	both.Wait()
}

// cutter ends the stream n octets into a body.
type cutter struct {
	io.Writer
	c      *conforming
	left   int64
	inside bool
}

func (w *cutter) Write(p []byte) (int, error) {
	rest := p
	if !w.inside {
		i := bytes.Index(p, []byte("BODY[] {"))
		if i < 0 {
			return w.Writer.Write(p)
		}
		n := w.c.cut.Swap(-1)
		if n < 0 {
			return w.Writer.Write(p)
		}
		end := i + bytes.IndexByte(p[i:], '\n') + 1
		w.inside, w.left, rest = true, n, p[end:]
		if _, err := w.Writer.Write(p[:end]); err != nil {
			return 0, err
		}
	}
	k := min(int64(len(rest)), w.left)
	if _, err := w.Writer.Write(rest[:k]); err != nil {
		return 0, err
	}
	if w.left -= k; k < int64(len(rest)) || w.left == 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

func (c *conforming) Source(t *testing.T, start ingest.Start, after ingest.After) ingest.Source {
	t.Helper()
	return mustSource(t, Options{
		Endpoint: ingest.Endpoint{Addr: c.ln.Addr().String(), Security: ingest.ImplicitTLS, TLS: c.client},
		Start:    start, After: after, WindowBytes: 8 << 10,
	})
}

func (c *conforming) Add(t *testing.T, message []byte) {
	t.Helper()
	if err := c.srv.Add(user, "INBOX", message, time.Now()); err != nil {
		t.Fatal(err)
	}
}

func (c *conforming) Renumber(*testing.T) bool {
	c.srv.Renumber(user, "INBOX")
	return true
}

func (c *conforming) Left(*testing.T) int { return len(c.srv.Messages(user, "INBOX")) }

func (c *conforming) Cut(_ *testing.T, n int) { c.cut.Store(int64(n)) }

func TestTheSourceConforms(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.Server { return startConforming(t) })
}
