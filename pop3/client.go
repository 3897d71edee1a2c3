package pop3

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"
)

// Options change how a Client behaves. The zero value is right for a server on the Internet.
type Options struct {
	// Timeout is the longest silence in one read or write; 0: 60 s.
	Timeout time.Duration
	// MinRate is the least number of octets per second that an answer must have after two minutes of
	// waiting for it; 0: 1024, negative: none.
	MinRate int
	// Secured, if it is set, takes the connection that StartTLS has made TLS and returns the one to use.
	Secured func(net.Conn) net.Conn
	// AllowPlaintext lets credentials go over a connection that is not TLS. Only tests want that.
	AllowPlaintext bool
}

type state int

// RFC 1939 section 3, with what comes before the greeting and after the end.
const (
	connected state = iota
	authorization
	transaction
	ended
)

// Client is one POP3 session.
type Client struct {
	opt    Options
	raw    net.Conn // closed to break whatever waits
	wire   wire
	secure bool
	state  state
	caps   *Capabilities
	banner string

	body *Body // of a RETR or TOP, not read to its end
	busy bool  // a loop over answers is running
	err  error // ended the connection
	ctx  func() error
	stop func() bool
}

// New returns a Client on conn. It does no I/O; Greet comes first. A nil opt is the zero Options.
func New(conn net.Conn, opt *Options) *Client {
	c := &Client{raw: conn, ctx: func() error { return nil }, stop: func() bool { return true }}
	if opt != nil {
		c.opt = *opt
	}
	if c.opt.Timeout <= 0 {
		c.opt.Timeout = time.Minute
	}
	if c.opt.MinRate == 0 {
		c.opt.MinRate = 1024
	}
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		// tls.Conn.Close waits for its close_notify; cutting a stuck connection must not.
		c.raw, c.secure = t.NetConn(), true
	}
	c.wire = wire{conn: conn, timeout: c.opt.Timeout, minRate: int64(max(c.opt.MinRate, 0)), buf: make([]byte, bufferSize)}
	return c
}

// Greet reads the server's greeting (RFC 1939 section 4). A server that refuses the session here
// answers with an *Error whose Command is "greeting".
func (c *Client) Greet(ctx context.Context) error {
	if err := c.begin(ctx, connected); err != nil {
		return err
	}
	defer c.end()
	text, err := c.status("greeting")
	if err != nil {
		return err
	}
	c.banner = clip(text)
	c.state = authorization
	return nil
}

// Banner returns the text of the greeting.
func (c *Client) Banner() string { return c.banner }

// StartTLS upgrades the connection (RFC 2595 section 4). What the server said before is forgotten.
// Any error but an *Error or ErrState ends the connection.
func (c *Client) StartTLS(ctx context.Context, cfg *tls.Config) error {
	if c.secure {
		return fmt.Errorf("pop3 STLS: the connection is TLS already: %w", ErrState)
	}
	if err := c.begin(ctx, authorization); err != nil {
		return err
	}
	defer c.end()
	if len(c.wire.buffered()) > 0 {
		return c.fail("STLS", ErrInjection) // an answer to a command that was not sent yet
	}
	if err := c.send("STLS"); err != nil {
		return err
	}
	if _, err := c.status("STLS"); err != nil {
		return err
	}
	if len(c.wire.buffered()) > 0 {
		return c.fail("STLS", ErrInjection)
	}
	conn := tls.Client(c.wire.conn, cfg)
	ctx, cancel := context.WithTimeout(ctx, c.opt.Timeout)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		return c.fail("STLS handshake", err)
	}
	c.wire.conn, c.secure, c.caps, c.banner = conn, true, nil, ""
	if c.opt.Secured != nil {
		c.wire.conn = c.opt.Secured(conn)
	}
	return nil
}

// Noop asks for an answer and nothing else.
func (c *Client) Noop(ctx context.Context) error { return c.simple(ctx, "NOOP") }

// Rset takes back every Dele of this session.
func (c *Client) Rset(ctx context.Context) error { return c.simple(ctx, "RSET") }

// Dele marks a message for deletion; the server deletes it at Quit (RFC 1939 sections 5 and 6).
func (c *Client) Dele(ctx context.Context, number int) error {
	if err := checkNumber(number); err != nil {
		return fmt.Errorf("pop3 DELE: %w", err)
	}
	return c.simple(ctx, fmt.Sprintf("DELE %d", number))
}

// Quit ends the session and closes the connection. Only a nil error proves that the server has
// deleted what Dele marked; an *Error says that some of it stays (RFC 1939 section 6).
func (c *Client) Quit(ctx context.Context) error {
	defer func() { _ = c.Close() }()
	if c.state == connected {
		return nil
	}
	_, err := c.command(ctx, c.state, "QUIT")
	return err
}

// Close cuts the connection without QUIT: what Dele marked stays on the server. It may be called
// from any goroutine and more than once.
func (c *Client) Close() error { return c.raw.Close() }

// simple is a command of the TRANSACTION state with a one-line answer.
func (c *Client) simple(ctx context.Context, line string) error {
	_, err := c.command(ctx, transaction, line)
	return err
}

// command sends a line without secrets and returns the text of a +OK.
func (c *Client) command(ctx context.Context, in state, line string) (string, error) {
	if err := c.begin(ctx, in); err != nil {
		return "", err
	}
	defer c.end()
	if err := c.send(line); err != nil {
		return "", err
	}
	verb, _, _ := bytes.Cut([]byte(line), []byte(" "))
	text, err := c.status(string(verb))
	if string(verb) == "QUIT" {
		c.state = ended
		c.err = ErrClosed
	}
	return text, err
}

// begin readies the connection for a command: right state, no answer left over, context watched.
func (c *Client) begin(ctx context.Context, in state) error {
	switch {
	case c.err != nil:
		return c.err
	case c.state != in, c.busy:
		return fmt.Errorf("pop3: %w", ErrState)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if b := c.body; b != nil {
		if err := b.drain(); err != nil {
			return err
		}
	}
	raw := c.raw
	c.ctx = func() error { return context.Cause(ctx) }
	c.stop = context.AfterFunc(ctx, func() { _ = raw.Close() })
	return nil
}

// end stops watching the context.
func (c *Client) end() { c.stop() }

// finish is called by a Body at its terminator.
func (c *Client) finish(b *Body) {
	if c.body == b {
		c.body = nil
		c.end()
	}
}

// fail ends the connection. The context's own end is what the caller wants to hear of, not the
// closed socket that it causes.
func (c *Client) fail(doing string, err error) error {
	if c.err != nil {
		return c.err
	}
	if cause := c.ctx(); cause != nil && !errors.Is(err, cause) {
		err = cause
	}
	c.err = fmt.Errorf("pop3 %s: %w", doing, err)
	c.state = ended
	c.stop()
	_ = c.raw.Close()
	return c.err
}

// send writes one line. Arguments were checked: none of them can end it early.
func (c *Client) send(line string) error {
	if err := c.wire.write([]byte(line + "\r\n")); err != nil {
		return c.fail("write", err)
	}
	return nil
}

// status reads one status indicator (RFC 1939 section 3): the text of +OK, or an *Error.
func (c *Client) status(verb string) (string, error) {
	c.wire.answer()
	line, err := c.wire.line()
	if err != nil {
		return "", c.fail(verb, err)
	}
	return c.parse(verb, line)
}

// parse reads a status indicator and tells a refusal, after which the session goes on, from octets
// that are no POP3, after which nothing can be trusted.
func (c *Client) parse(verb string, line []byte) (string, error) {
	switch {
	case hasStatus(line, "+OK"):
		return string(bytes.TrimPrefix(line[len("+OK"):], []byte(" "))), nil
	case hasStatus(line, "-ERR"):
		return "", refusal(verb, line)
	}
	return "", c.fail(verb, syntaxError(line))
}

// hasStatus tells whether line begins with the indicator and then ends or goes on behind a space.
// RFC 1939 wants upper case; nothing is gained by insisting.
func hasStatus(line []byte, indicator string) bool {
	n := len(indicator)
	return len(line) >= n && bytes.EqualFold(line[:n], []byte(indicator)) && (len(line) == n || line[n] == ' ' || line[n] == '\t')
}
