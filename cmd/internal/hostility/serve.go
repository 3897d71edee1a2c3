package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mailflume/ingest/imapsource/imaptest"
	"mailflume/ingest/oauth/oauthtest"
)

// certificates are what hostile servers show.
type certificates struct {
	ca                      *oauthtest.CA
	good, expired, stranger tls.Certificate
}

func newCertificates() *certificates {
	ca := oauthtest.NewCA()
	return &certificates{ca: ca, good: ca.Server(), expired: ca.ExpiredServer(), stranger: oauthtest.NewCA().Server("elsewhere.example")}
}

func (c *certificates) config(cert tls.Certificate, newest uint16) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10, MaxVersion: newest} //nolint:gosec // hostile on purpose
}

// server is one hostile server. It owns a goroutine for its listener and one for each connection.
type server struct {
	way    way
	script *imaptest.Script
	tls    *tls.Config
	ln     net.Listener
	met    chan struct{} // closed at the first connection
	count  atomic.Int64

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
	wg     sync.WaitGroup
}

func startServer(c *certificates, w way) (*server, error) {
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	caps := w.caps
	if caps == "" {
		caps = "AUTH=PLAIN SASL-IR IDLE UIDPLUS MOVE"
	}
	s := &server{way: w, ln: ln, met: make(chan struct{}), conns: map[net.Conn]struct{}{}, tls: c.config(c.good, tls.VersionTLS13)}
	s.script = &imaptest.Script{Greeting: w.greeting, Caps: caps, Rules: w.rules}
	if w.tls != nil {
		s.tls = w.tls(c)
	}
	s.wg.Go(s.accept)
	return s, nil
}

func (s *server) port() int {
	addr, _ := s.ln.Addr().(*net.TCPAddr)
	return addr.Port
}

func (s *server) accept() {
	for {
		conn, err := s.ln.Accept()
		if err != nil {
			return
		}
		if s.count.Add(1) == 1 {
			close(s.met)
		}
		if s.way.reset {
			_ = conn.(*net.TCPConn).SetLinger(0) // what Close then sends is RST
		}
		if !s.track(conn) {
			_ = conn.Close()
			return
		}
		s.wg.Go(func() { s.serve(conn) })
	}
}

func (s *server) track(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[conn] = struct{}{}
	return !s.closed
}

func (s *server) serve(conn net.Conn) {
	defer func() {
		_ = conn.Close()
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
	}()
	c := conn
	if !s.way.clear {
		c = tls.Server(conn, s.tls)
	}
	if s.way.serve != nil {
		s.way.serve(c)
		return
	}
	_ = s.script.Serve(c) // however it ends
}

// close ends the server and waits for its goroutines.
func (s *server) close() {
	_ = s.ln.Close()
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// silent takes everything and says nothing.
func silent(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// drip says something octet by octet, and then nothing.
func drip(s string, every time.Duration) func(net.Conn) {
	return func(c net.Conn) {
		t := time.NewTicker(every)
		defer t.Stop()
		for i := range len(s) {
			if _, err := c.Write([]byte{s[i]}); err != nil {
				return
			}
			<-t.C
		}
		silent(c)
	}
}

// endless says the same for ever, at about 30 MB/s at most.
func endless(s string) func(net.Conn) {
	return func(c net.Conn) {
		t := time.NewTicker(instant)
		defer t.Stop()
		for {
			if _, err := io.WriteString(c, s); err != nil {
				return
			}
			<-t.C
		}
	}
}

// garbage is a block of every octet there is.
func garbage() string {
	b := make([]byte, block)
	noise := rand.NewChaCha8([32]byte{})
	_, _ = noise.Read(b)
	return string(b)
}

// million serves a mailbox of 1,000,000 messages of 5,000 octets, made as they are asked for. Messages
// come at 1 MB/s, which is what a mail provider gives.
func million(c net.Conn) {
	const all, octets, perSecond = 1_000_000, 5000, 200
	w := bufio.NewWriterSize(c, 64<<10)
	text := "Subject: one of a million\r\n\r\n" + strings.Repeat("x", octets)
	text = text[:octets-2] + "\r\n"
	tick := time.NewTicker(time.Second / perSecond)
	defer tick.Stop()
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
	say("* OK ready\r\n")
	in := bufio.NewScanner(c)
	for w.Flush() == nil && in.Scan() {
		tag, command, _ := strings.Cut(in.Text(), " ")
		word, rest, _ := strings.Cut(command, " ")
		switch word {
		case "CAPABILITY":
			say("* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n")
		case "EXAMINE":
			say("%s* OK [UIDNEXT %d] ok\r\n", exists(all, 7), all+1)
		case "UID":
			from, to := span(rest, all)
			for i := from; i <= to && w.Flush() == nil; i++ {
				if !strings.Contains(rest, "BODY") {
					for range 100 { // many in one write
						if i <= to {
							say("* %d FETCH (UID %d FLAGS () INTERNALDATE \"17-Jul-2026 02:44:25 -0700\" RFC822.SIZE %d)\r\n", i, i, octets)
							i++
						}
					}
					i--
					continue
				}
				say("* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n", i, i, octets, text)
				<-tick.C
			}
		}
		say("%s OK done\r\n", tag)
	}
}

// span reads the set of a UID FETCH, of which this server understands one range.
func span(fetch string, all int) (from, to int) {
	set, _, _ := strings.Cut(strings.TrimPrefix(fetch, "FETCH "), " ")
	first, last, ok := strings.Cut(set, ":")
	_, _ = fmt.Sscan(first, &from)
	if to = from; ok {
		if to = all; last != "*" {
			_, _ = fmt.Sscan(last, &to)
		}
	}
	return from, min(to, all)
}
