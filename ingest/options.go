package ingest

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// Endpoint is where a mail server listens and how its connection is secured.
type Endpoint struct {
	Addr     string // host:port
	Security Security
	TLS      *tls.Config // cloned before use; nil: system roots, TLS 1.2 or newer. ServerName defaults to the host
	// Dial opens the TCP connection; nil: a net.Dialer with keep-alive. Budgets and tests wrap it.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Trace is told the dialogue inside of TLS, line by line and without what signs in, from many goroutines.
	// Mail is in it, if mail is read. Nil: nobody listens.
	Trace func(line string)
}

// Open opens the TCP connection.
func (e Endpoint) Open(ctx context.Context) (net.Conn, error) {
	dial := e.Dial
	if dial == nil {
		dial = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext
	}
	return dial(ctx, "tcp", e.Addr)
}

// TLSConfig returns a configuration of the caller's own, with the floor of RFC 8314 section 4.1 (TLS 1.2 by
// now) and the name that the server's certificate has to have.
func (e Endpoint) TLSConfig() *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if e.TLS != nil {
		cfg = e.TLS.Clone()
		cfg.MinVersion = max(cfg.MinVersion, tls.VersionTLS12)
	}
	if cfg.ServerName == "" {
		cfg.ServerName = e.Addr // without a port no server is reached
		if host, _, err := net.SplitHostPort(e.Addr); err == nil {
			cfg.ServerName = host
		}
	}
	return cfg
}

// Security is how a connection comes to TLS. There is no third way: nothing is sent in clear.
type Security string

// The ways to TLS.
const (
	ImplicitTLS Security = "implicit" // TLS from the first octet (RFC 8314 section 3)
	StartTLS    Security = "starttls" // mandatory upgrade before anything else (RFC 3501, RFC 2595)
)

// Login is how a mailbox is signed in to.
type Login struct {
	User      string // the mailbox's address; for a shared mailbox that of the shared mailbox
	Mechanism Mechanism
	Tokens    TokenSource // bearer tokens, or the password when Mechanism is Password
}

// Mechanism names a sign-in method as the configuration does.
type Mechanism string

// The mechanisms.
const (
	Bearer      Mechanism = "bearer" // XOAUTH2 or OAUTHBEARER, as the server offers
	XOAUTH2     Mechanism = "xoauth2"
	OAUTHBEARER Mechanism = "oauthbearer" // RFC 7628
	Password    Mechanism = "password"    // IMAP: AUTHENTICATE PLAIN or LOGIN; POP3: USER and PASS
)

// Start says which of the messages that are there at the first claim are wanted. The zero value is
// "now": only what arrives later.
type Start struct {
	All   bool
	Since time.Time // received at this time or later; zero with All false: now
}

// After is what is done to a message on the server once its event is acknowledged and Grace is over.
type After struct {
	Action Action
	Flag   string // for ActionFlag: an IMAP keyword or system flag
	Folder string // for ActionMove
	Grace  time.Duration
}

// Action is a post-action.
type Action string

// The post-actions. POP3 knows only none and delete.
const (
	ActionNone   Action = "none"
	ActionSeen   Action = "seen"
	ActionFlag   Action = "flag"
	ActionMove   Action = "move"
	ActionDelete Action = "delete"
)
