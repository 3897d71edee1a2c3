package submittest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"sync"

	"mailflume/ingest/oauth/oauthtest"
)

// Options of a Server. The zero value is a server with STARTTLS that lets everybody in and forgets mail.
type Options struct {
	// Implicit is TLS from the first octet; false listens in clear and offers STARTTLS.
	Implicit bool
	// Mechanisms offered; nil: XOAUTH2.
	Mechanisms []string
	// Verify decides on a user and the token or password; nil accepts everybody.
	Verify func(user, secret string) error
	// Deliver takes what was submitted. It is called before the client hears 250.
	Deliver func(Message)
}

// Message is a message that was submitted.
type Message struct {
	User     string // who signed in
	From, To string
	Octets   []byte
}

// Server is a running submission server. Its methods are safe for concurrent use.
type Server struct {
	opt     Options
	ln      net.Listener
	tls     *tls.Config
	ca      *oauthtest.CA
	serving sync.WaitGroup

	mu      sync.Mutex
	conns   map[net.Conn]struct{}
	lines   []string
	answers map[string]string
	without []string
	closed  bool
}

// Start listens on a free port of 127.0.0.1.
func Start(o Options) (*Server, error) {
	if o.Mechanisms == nil {
		o.Mechanisms = []string{"XOAUTH2"}
	}
	ca := oauthtest.NewCA()
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := &Server{opt: o, ln: ln, ca: ca, tls: &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{ca.Server()}},
		conns: map[net.Conn]struct{}{}, answers: map[string]string{}}
	s.serving.Go(s.accept)
	return s, nil
}

// Addr returns host:port.
func (s *Server) Addr() string { return s.ln.Addr().String() }

// Pool returns the authority of the server's certificate.
func (s *Server) Pool() *x509.CertPool { return s.ca.Pool() }

// CA returns the same as PEM, for a ca_file.
func (s *Server) CA() []byte { return s.ca.PEM() }

// Answer has the server answer a verb with this reply instead of its own: EHLO, STARTTLS, AUTH, TOKEN (the
// line after AUTH), MAIL, RCPT, DATA, or END (of the message). The reply "drop" closes the connection, an
// empty one ends the fault.
func (s *Server) Answer(verb, reply string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[verb] = reply
}

// Without takes extensions out of what EHLO lists.
func (s *Server) Without(extensions ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.without = extensions
}

// Lines returns what clients said, without the messages themselves.
func (s *Server) Lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines)
}

// Close ends all sessions and waits for them.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	err := s.ln.Close()
	s.serving.Wait()
	return err
}

func (s *Server) accept() {
	for {
		conn, err := s.ln.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			_ = conn.Close()
		}
		s.conns[conn] = struct{}{}
		s.mu.Unlock()
		s.serving.Go(func() {
			s.serve(conn)
			_ = conn.Close()
			s.mu.Lock()
			delete(s.conns, conn)
			s.mu.Unlock()
		})
	}
}

func (s *Server) heard(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
}

func (s *Server) answer(verb string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answers[verb]
}

func (s *Server) lacks(extension string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.without, extension)
}
