package pop3source

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"sync"

	"mailflume/ingest"
	"mailflume/pop3"
	"mailflume/publish/redact"
)

// Prepare implements ingest.Preparer: it waits for a token.
func (s *Source) Prepare(ctx context.Context) error { return s.signIn.Prepare(ctx) }

// Open dials, secures the connection and signs in.
func (s *Source) Open(ctx context.Context) (ingest.Session, error) {
	sess, err := ingest.Connect(ctx, &s.signIn, s.connect)
	if err != nil {
		return nil, err
	}
	return sess, nil
}

// connect makes one attempt with one secret.
func (s *Source) connect(ctx context.Context, tok ingest.Token) (*session, error) {
	s.sent.Keep(tok.Value)
	c, err := s.secured(ctx)
	if err != nil {
		return nil, err
	}
	caps, err := s.authenticate(ctx, c, tok.Value)
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	s.worked.Store(max(s.worked.Load(), int64(s.lineOf(tok.Value))))
	return &session{src: s, c: c, caps: caps, unacked: map[ingest.Ref]bool{}, ends: tok.SessionEnd(s.opt.Now())}, nil
}

// mechanism is what signs in with a token where the configuration leaves it open: XOAUTH2, which
// Exchange is known to hide, unless the server lists only OAUTHBEARER.
func mechanism(m ingest.Mechanism, caps pop3.Capabilities) ingest.Mechanism {
	switch {
	case m != ingest.Bearer:
		return m
	case !caps.Has("XOAUTH2") && caps.Has("OAUTHBEARER"):
		return ingest.OAUTHBEARER
	}
	return ingest.XOAUTH2
}

// secured returns a greeted client over TLS.
func (s *Source) secured(ctx context.Context) (*pop3.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opt.ConnectTimeout)
	defer cancel()
	conn, err := s.opt.Endpoint.Open(ctx)
	if err != nil {
		return nil, classify(err, situation{op: "pop3 dial", sent: &s.sent})
	}
	conn = &onceConn{Conn: conn, close: sync.OnceValue(conn.Close)}
	if s.opt.Endpoint.Security == ingest.ImplicitTLS {
		secure := tls.Client(conn, s.opt.Endpoint.TLSConfig())
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, classify(err, situation{op: "pop3 TLS handshake", sent: &s.sent})
		}
		conn = redact.Trace(secure, s.opt.Endpoint.Trace, &s.sent)
	}
	c := pop3.New(conn, &pop3.Options{
		Timeout: s.opt.ProgressTimeout, Secured: func(c net.Conn) net.Conn { return redact.Trace(c, s.opt.Endpoint.Trace, &s.sent) },
	})
	if err := s.greet(ctx, c); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// onceConn closes its connection once, however many hands do it: whoever wrapped the dialer to
// count connections must not count one twice.
type onceConn struct {
	net.Conn
	close func() error
}

// Close closes the connection and returns what the first Close returned.
func (c *onceConn) Close() error { return c.close() }

// greet reads the greeting and upgrades the connection where TLS does not come first.
func (s *Source) greet(ctx context.Context, c *pop3.Client) error {
	if err := c.Greet(ctx); err != nil {
		return classify(err, situation{op: "pop3 greeting", sent: &s.sent})
	}
	if s.opt.Endpoint.Security == ingest.ImplicitTLS {
		return nil
	}
	caps, err := capabilities(ctx, c)
	if err != nil {
		return classify(err, situation{op: "pop3 CAPA", sent: &s.sent})
	}
	// A server without CAPA may still know STLS; one that lists other things does not.
	if len(caps.Lines) > 0 && !caps.STLS {
		return &ingest.Error{
			Fault: ingest.Fault{Class: ingest.Config, Code: ingest.CodeNoSTARTTLS},
			Op:    "pop3 STLS", Err: errors.New("STLS is not among the server's capabilities"),
		}
	}
	return classify(c.StartTLS(ctx, s.opt.Endpoint.TLSConfig()), situation{op: "pop3 STLS", sent: &s.sent})
}

// capabilities asks CAPA; a server that does not know it has none. One that asks to wait is asked no more.
func capabilities(ctx context.Context, c *pop3.Client) (pop3.Capabilities, error) {
	caps, err := c.Capa(ctx)
	if e, refused := errors.AsType[*pop3.Error](err); refused && e.Backoff == 0 {
		return pop3.Capabilities{}, nil
	}
	return caps, err
}

// authenticate signs in and returns the capabilities that hold from then on. A mechanism that CAPA
// does not list is tried all the same: Exchange is known to hide XOAUTH2.
func (s *Source) authenticate(ctx context.Context, c *pop3.Client, secret string) (pop3.Capabilities, error) {
	caps, err := capabilities(ctx, c)
	at := situation{op: "pop3 CAPA", caps: caps, sent: &s.sent}
	if err != nil {
		return caps, classify(err, at)
	}
	login := s.opt.Login
	login.Mechanism = mechanism(login.Mechanism, caps)
	at = situation{op: "pop3 sign-in", caps: caps, login: login.Mechanism, worked: int(s.worked.Load()), signIn: s.lineOf(secret), sent: &s.sent}
	switch login.Mechanism {
	case ingest.Password:
		err = c.AuthUserPass(ctx, login.User, secret)
	case ingest.OAUTHBEARER:
		err = c.AuthOAuthBearer(ctx, login.User, s.host, s.port(), secret)
	default:
		err = c.AuthXOAUTH2(ctx, login.User, secret)
	}
	if err != nil {
		at.closed = at.signIn > refusedToken && hungUp(ctx, c)
		return caps, classify(err, at)
	}
	at.op = "pop3 CAPA"
	after, err := capabilities(ctx, c)
	if err != nil {
		return after, classify(err, at)
	}
	return after, nil
}

// lineOf is the length of the line that signs in with a secret.
func (s *Source) lineOf(secret string) int { return (len(s.opt.Login.User) + len(secret) + 21) * 4 / 3 }

// hungUp tells whether the server has ended the connection behind its refusal.
func hungUp(ctx context.Context, c *pop3.Client) bool {
	ctx, cancel := context.WithTimeout(ctx, quitTimeout)
	defer cancel()
	err := c.Quit(ctx)
	_, refused := errors.AsType[*pop3.Error](err)
	return err != nil && !refused
}

// port returns the endpoint's port, 0 if it is a name.
func (s *Source) port() int {
	_, p, err := net.SplitHostPort(s.opt.Endpoint.Addr)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(p)
	if err != nil {
		return 0
	}
	return n
}
