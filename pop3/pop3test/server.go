package pop3test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxCommands bounds what Commands remembers.
const maxCommands = 100_000

// Server is a running POP3 server. Its methods are safe for concurrent use.
type Server struct {
	opt  Options
	ln   net.Listener
	tls  *tls.Config
	pool *x509.CertPool
	wg   sync.WaitGroup

	mu       sync.Mutex
	hooks    Hooks
	boxes    map[string]*maildrop
	conns    map[net.Conn]struct{}
	commands []string
	sessions int
	closed   bool
}

type maildrop struct {
	mail    []*mail
	next    int
	epoch   int
	locked  bool
	deleted int
}

type mail struct {
	uidl string
	body []byte
}

// Start listens on a free port of 127.0.0.1 and serves until Close.
func Start(opt Options) (*Server, error) {
	if opt.Mechanisms == nil {
		opt.Mechanisms = []string{"XOAUTH2", "OAUTHBEARER"}
	}
	if opt.Verify == nil {
		opt.Verify = func(string, string) error { return nil }
	}
	if opt.Greeting == "" {
		opt.Greeting = "+OK pop3test ready"
	}
	if opt.IdleTimeout == 0 {
		opt.IdleTimeout = 10 * time.Minute
	}
	s := &Server{opt: opt, hooks: opt.Hooks, boxes: map[string]*maildrop{}, conns: map[net.Conn]struct{}{}}
	if err := s.certificate(); err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s.ln = ln
	s.wg.Go(s.accept)
	return s, nil
}

// Addr returns host:port.
func (s *Server) Addr() string { return s.ln.Addr().String() }

// ClientTLS returns a configuration that trusts this server's own certificate. It trusts nothing
// else, and is empty when Options.TLS brought the certificate.
func (s *Server) ClientTLS() *tls.Config {
	return &tls.Config{RootCAs: s.pool, MinVersion: tls.VersionTLS12, ServerName: "localhost"}
}

// Add puts a message into the maildrop of user and returns its UIDL. Sessions that are open already
// do not see it. The octets are served exactly; a missing last CRLF is added (RFC 1939 section 3).
func (s *Server) Add(user string, message []byte) (uidl string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.drop(user)
	d.next++
	uidl = fmt.Sprintf("%04x%08x", d.epoch, d.next)
	d.mail = append(d.mail, &mail{uidl: uidl, body: message})
	return uidl
}

// AddUIDL is Add with a UIDL of the caller's choice.
func (s *Server) AddUIDL(user, uidl string, message []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.drop(user)
	d.mail = append(d.mail, &mail{uidl: uidl, body: message})
}

// Messages returns how many messages the maildrop of user holds.
func (s *Server) Messages(user string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.drop(user).mail)
}

// UIDLs lists the maildrop of user.
func (s *Server) UIDLs(user string) (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.drop(user).mail {
		ids = append(ids, m.uidl)
	}
	return ids
}

// Deleted returns how many messages left the maildrop of user at a QUIT.
func (s *Server) Deleted(user string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drop(user).deleted
}

// Remove takes a message away as another client would.
func (s *Server) Remove(user, uidl string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.drop(user)
	for i, m := range d.mail {
		if m.uidl == uidl {
			d.mail = append(d.mail[:i:i], d.mail[i+1:]...)
			return
		}
	}
}

// Renumber gives every message of user a new UIDL, as a server does that was restored from elsewhere.
func (s *Server) Renumber(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.drop(user)
	d.epoch++
	for i, m := range d.mail {
		d.mail[i] = &mail{uidl: "r" + strconv.Itoa(d.epoch) + m.uidl, body: m.body}
	}
}

// Lock holds the maildrop of user as another session would, until unlock is called.
func (s *Server) Lock(user string) (unlock func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(user).locked = true
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.drop(user).locked = false
	}
}

// SetHooks replaces the hooks, also for connections that are open.
func (s *Server) SetHooks(h Hooks) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = h
}

// Commands returns the verbs with their arguments in the order of arrival, over all connections;
// what carries a secret is shown as "***".
func (s *Server) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.commands...)
}

// Count returns how many commands began with verb, for example "QUIT".
func (s *Server) Count(verb string) (n int) {
	for _, c := range s.Commands() {
		if c == verb || strings.HasPrefix(c, verb+" ") {
			n++
		}
	}
	return n
}

// Sessions returns how many connections were accepted.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions
}

// Drop closes every open connection.
func (s *Server) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}

// Close stops listening, closes every connection and waits for all goroutines.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	err := s.ln.Close()
	s.Drop()
	s.wg.Wait()
	return err
}

// accept starts a goroutine for each connection until the listener is closed.
func (s *Server) accept() {
	for {
		conn, err := s.ln.Accept()
		if err != nil {
			return
		}
		if !s.track(conn) {
			_ = conn.Close()
			return
		}
		s.wg.Go(func() {
			defer s.untrack(conn)
			newSession(s, conn).serve()
		})
	}
}

// track notes a connection so that Drop and Close find it; false once the server is closing.
func (s *Server) track(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns[c] = struct{}{}
	s.sessions++
	return true
}

// untrack closes a connection whose session has ended.
func (s *Server) untrack(c net.Conn) {
	_ = c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// hook returns the hooks of this moment: tests change them while connections are open.
func (s *Server) hook() Hooks {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hooks
}

// note remembers a command without its secrets.
func (s *Server) note(command string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.commands) < maxCommands {
		s.commands = append(s.commands, command)
	}
}

// drop returns the maildrop of user; s.mu is held.
func (s *Server) drop(user string) *maildrop {
	d := s.boxes[user]
	if d == nil {
		d = &maildrop{}
		s.boxes[user] = d
	}
	return d
}

// enter locks the maildrop and returns its messages as they stand.
func (s *Server) enter(user string) ([]*mail, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.drop(user)
	if d.locked {
		return nil, false
	}
	d.locked = !s.opt.Shared
	return append([]*mail(nil), d.mail...), true
}

// leave unlocks the maildrop and removes gone from it: the UPDATE state of RFC 1939 section 6.
func (s *Server) leave(user string, gone map[*mail]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.drop(user)
	if !s.opt.Shared {
		d.locked = false
	}
	if len(gone) == 0 {
		return
	}
	kept := make([]*mail, 0, len(d.mail))
	for _, m := range d.mail {
		if gone[m] {
			d.deleted++
			continue
		}
		kept = append(kept, m)
	}
	d.mail = kept
}
