package interop

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"mailflume/cmd/internal/rig"
	"mailflume/ingest/oauth"
	"mailflume/ingest/oauth/oauthtest"
)

// Front stands before a Dovecot as the front ends of the large providers stand before their stores: it ends
// TLS, counts who signs in, and ends sessions, which Dovecot never does for a token's sake.
type Front struct {
	IMAP, POP3 string // addresses, TLS from the first octet
	// Strict ends each session with its token, in Exchange's words. It is set before the first connection.
	Strict bool

	server, client *tls.Config
	listeners      []net.Listener
	wg             sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	live    map[*fronted]bool
	signIns map[string]int // by protocol
	overdue int            // sessions that were ended with their token
	token   string         // the last one
}

// fronted is one connection through the front.
type fronted struct {
	f        *Front
	protocol string
	worker   net.Conn
	dovecot  net.Conn
	say      sync.Mutex // of what is written to the worker
	expiry   *time.Timer
}

// NewFront listens for both protocols until Close.
func NewFront(d *rig.Dovecot, ca *oauthtest.CA) (*Front, error) {
	f := &Front{
		live: map[*fronted]bool{}, signIns: map[string]int{},
		server: &tls.Config{Certificates: []tls.Certificate{ca.Server()}, MinVersion: tls.VersionTLS12},
		client: &tls.Config{RootCAs: ca.Pool(), ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12},
	}
	for _, x := range []struct {
		protocol, to string
		addr         *string
	}{{"imap", d.IMAPS, &f.IMAP}, {"pop3", d.POP3S, &f.POP3}} {
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		*x.addr = l.Addr().String()
		f.listeners = append(f.listeners, l)
		f.wg.Go(func() { f.listen(l, x.protocol, x.to) })
	}
	return f, nil
}

func (f *Front) listen(l net.Listener, protocol, to string) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		f.wg.Go(func() { f.serve(&fronted{f: f, protocol: protocol, worker: tls.Server(conn, f.server)}, to) })
	}
}

// serve carries one connection to its end.
func (f *Front) serve(s *fronted, to string) {
	defer s.worker.Close()
	back, err := (&tls.Dialer{Config: f.client}).DialContext(context.Background(), "tcp", to)
	if err != nil {
		return
	}
	defer back.Close()
	s.dovecot = back
	if !f.enter(s) {
		return
	}
	defer f.leave(s)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.up()
		_ = back.Close()
	}()
	s.down()
	_ = s.worker.Close()
	<-done
}

func (f *Front) enter(s *fronted) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live[s] = true
	return !f.closed
}

func (f *Front) leave(s *fronted) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.live, s)
	if s.expiry != nil {
		s.expiry.Stop()
	}
}

// up carries what the worker says, line by line, and looks for credentials.
func (s *fronted) up() {
	lines := bufio.NewReaderSize(s.worker, 64<<10)
	awaited := false // the credentials come on the next line
	for {
		line, err := lines.ReadSlice('\n')
		awaited = s.heard(line, awaited)
		if len(line) > 0 {
			if _, err := s.dovecot.Write(line); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// heard looks at a line of the worker: IMAP signs in with AUTHENTICATE or LOGIN, POP3 with AUTH or PASS.
func (s *fronted) heard(line []byte, awaited bool) bool {
	words := bytes.Fields(line)
	if s.protocol == "imap" && len(words) > 0 {
		words = words[1:]
	}
	if len(words) == 0 && !awaited {
		return false
	}
	if awaited {
		s.bearer(line)
		return false
	}
	switch strings.ToUpper(string(words[0])) {
	case "AUTHENTICATE", "AUTH", "LOGIN", "PASS":
	default:
		return false
	}
	s.f.mu.Lock()
	s.f.signIns[s.protocol]++
	s.f.mu.Unlock()
	s.bearer(words[len(words)-1])
	return len(words) == 2
}

// bearer looks into a SASL message for its token.
func (s *fronted) bearer(message []byte) {
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(message)))
	_, rest, ok := strings.Cut(string(text), "Bearer ")
	value, _, _ := strings.Cut(rest, "\x01")
	claims, known := oauth.Describe(value)
	if err != nil || !ok || !known {
		return
	}
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	s.f.token = value
	if !s.f.Strict {
		return
	}
	s.expiry = time.AfterFunc(time.Until(claims.Expires), func() {
		s.f.mu.Lock()
		s.f.overdue++
		s.f.mu.Unlock()
		s.end("Session invalidated - AccessTokenExpired")
	})
}

// down carries what Dovecot says.
func (s *fronted) down() {
	buf := make([]byte, 32<<10)
	for {
		n, err := s.dovecot.Read(buf)
		if n > 0 {
			s.say.Lock()
			_, err = s.worker.Write(buf[:n])
			s.say.Unlock()
		}
		if err != nil {
			return
		}
	}
}

// end hangs up; IMAP has words for it, POP3 has none.
func (s *fronted) end(words string) {
	s.say.Lock()
	defer s.say.Unlock()
	if s.protocol == "imap" {
		_ = s.worker.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = s.worker.Write([]byte("* BYE " + words + "\r\n"))
	}
	_ = s.worker.Close()
	_ = s.dovecot.Close()
}

// End ends all sessions now and returns how many there were.
func (f *Front) End(words string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.live {
		f.wg.Go(func() { s.end(words) })
	}
	return len(f.live)
}

// SignIns is how often a protocol's credentials were sent.
func (f *Front) SignIns(protocol string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.signIns[protocol]
}

// Token is the one that somebody signed in with last.
func (f *Front) Token() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.token
}

// Overdue is how many sessions Strict has ended.
func (f *Front) Overdue() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.overdue
}

// Close ends everything and waits.
func (f *Front) Close() error {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	var errs []error
	for _, l := range f.listeners {
		errs = append(errs, l.Close())
	}
	f.End("the front is closed")
	f.wg.Wait()
	return errors.Join(errs...)
}
