package imaptest

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"

	"mailflume/ingest/sasl"
)

// Options of a Server. The zero value is a server with implicit TLS that lets everybody in.
type Options struct {
	// StartTLS listens in clear and offers STARTTLS; false is TLS from the first octet.
	StartTLS bool
	// Mechanisms offered; nil: XOAUTH2, OAUTHBEARER and PLAIN.
	Mechanisms []string
	// Verify decides on a user and the bearer token or password; nil accepts everybody. An
	// *imap.Error is sent to the client as it is, any other error as AUTHENTICATIONFAILED.
	Verify func(user, secret string) error
	// Without names capabilities that are not offered, for example MOVE or UIDPLUS.
	Without []string
}

// Server is a running IMAP server. Its methods are safe for concurrent use.
type Server struct {
	opt  Options
	ln   net.Listener
	imap *imapserver.Server
	cert *certificate

	serving  sync.WaitGroup // the accept loop and one for each session
	mu       sync.Mutex
	users    map[string]*account
	sessions map[*session]struct{}
	total    int
	commands map[string]int
	fault    func(user string, uid uint32, octets int) Fault
	closed   bool
}

// Start starts a server on a free port of 127.0.0.1.
func Start(o Options) (*Server, error) {
	if o.Mechanisms == nil {
		o.Mechanisms = []string{sasl.MechXOAUTH2, sasl.MechOAUTHBEARER, sasl.MechPlain}
	}
	cert, err := newCertificate()
	if err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := &Server{opt: o, ln: ln, cert: cert, users: map[string]*account{}, sessions: map[*session]struct{}{}, commands: map[string]int{}}
	s.imap = imapserver.New(&imapserver.Options{
		NewSession: s.newSession,
		Caps:       s.caps(),
		Logger:     log.New(io.Discard, "", 0),
		TLSConfig:  cert.server(),
	})
	if !o.StartTLS {
		ln = tls.NewListener(ln, cert.server())
	}
	s.serving.Go(func() { _ = s.imap.Serve(ln) })
	return s, nil
}

// caps are the capabilities less those that Options.Without names.
func (s *Server) caps() imap.CapSet {
	caps := imap.CapSet{}
	for _, c := range []imap.Cap{imap.CapIMAP4rev1, imap.CapNamespace, imap.CapUIDPlus, imap.CapMove,
		imap.CapListExtended, imap.CapSpecialUse, imap.CapChildren} {
		if !slices.Contains(s.opt.Without, string(c)) {
			caps[c] = struct{}{}
		}
	}
	return caps
}

// Addr returns host:port.
func (s *Server) Addr() string { return s.ln.Addr().String() }

// TLS returns a client configuration that trusts the server.
func (s *Server) TLS() *tls.Config { return s.cert.client() }

// CA returns the certificate to trust, in PEM.
func (s *Server) CA() []byte { return s.cert.pem }

// Add puts a message into a folder, creating user and folder where needed, and tells clients that
// have the folder selected.
func (s *Server) Add(user, folder string, message []byte, received time.Time) error {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return net.ErrClosed
	}
	s.account(user).open(folder).add(message, received, nil)
	return nil
}

// Create makes a folder, with special uses (RFC 6154) such as \Archive if any are given.
func (s *Server) Create(user, folder string, specialUse ...string) {
	f := s.account(user).open(folder)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.use = nil
	for _, u := range specialUse {
		f.use = append(f.use, imap.MailboxAttr(u))
	}
}

// Remove deletes a folder with its messages.
func (s *Server) Remove(user, folder string) {
	a := s.account(user)
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.folders, folder)
}

// Expunge removes one message.
func (s *Server) Expunge(user, folder string, uid uint32) {
	s.account(user).open(folder).expunge(func(m *stored) bool { return m.uid == imap.UID(uid) })
}

// Renumber gives the folder a new UIDVALIDITY and its messages new UIDs from 1, as after a restore.
func (s *Server) Renumber(user, folder string) {
	s.account(user).renumber(folder)
}

// SetBack takes the messages from a UID on away and gives their UIDs out again, as a server does that
// was restored from a backup and kept its UIDVALIDITY.
func (s *Server) SetBack(user, folder string, next uint32) {
	s.account(user).setBack(folder, next)
}

// Stored is a message as the server holds it.
type Stored struct {
	UID     uint32
	Flags   []string
	Message []byte
}

// Messages lists a folder.
func (s *Server) Messages(user, folder string) []Stored {
	f := s.account(user).open(folder)
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]Stored, 0, len(f.messages))
	for _, m := range f.messages {
		flags := make([]string, 0, len(m.flags))
		for _, fl := range m.flags {
			flags = append(flags, string(fl))
		}
		out = append(out, Stored{UID: uint32(m.uid), Flags: flags, Message: m.octets})
	}
	return out
}

// Connections returns how many clients are connected and how many ever were.
func (s *Server) Connections() (open, total int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions), s.total
}

// Count returns how often the clients asked for something: SELECT, EXAMINE, FETCH, STORE, IDLE,
// MOVE, COPY, EXPUNGE or LIST.
func (s *Server) Count(command string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commands[command]
}

func (s *Server) count(command string) {
	s.mu.Lock()
	s.commands[command]++
	s.mu.Unlock()
}

// Drop cuts all open connections, without a BYE.
func (s *Server) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sess := range s.sessions {
		_ = sess.conn.NetConn().Close()
	}
}

// Close ends the server and all connections and waits for them.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	err := s.imap.Close()
	s.Drop()
	s.serving.Wait()
	if err != nil {
		return fmt.Errorf("close imap server: %w", err)
	}
	return nil
}

// newSession is called by imapserver for each connection.
func (s *Server) newSession(c *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
	sess := &session{srv: s, conn: c}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, &imap.Error{Type: imap.StatusResponseTypeBye, Text: "closing"}
	}
	s.serving.Add(1)
	s.total++
	s.sessions[sess] = struct{}{}
	return sess, nil, nil
}

// forget is called at the end of each connection.
func (s *Server) forget(sess *session) {
	s.mu.Lock()
	delete(s.sessions, sess)
	s.mu.Unlock()
	s.serving.Done()
}

// account returns a user's folders; everybody has an INBOX.
func (s *Server) account(user string) *account {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.users[user]
	if a == nil {
		a = &account{folders: map[string]*folder{}}
		a.folders["INBOX"] = newFolder("INBOX", a.nextEpoch())
		s.users[user] = a
	}
	return a
}
