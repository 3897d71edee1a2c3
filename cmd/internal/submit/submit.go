package submit

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/emersion/go-smtp"

	"mailflume/ingest"
	"mailflume/publish/redact"
)

// atMost is how long a submission may take if its context does not say. Servers scan what they take.
const atMost = 2 * time.Minute

// Options are where to submit and as whom.
type Options struct {
	Endpoint ingest.Endpoint
	Login    ingest.Login
}

// Legs are the times that the parts of a submission took.
type Legs struct {
	Token   time.Duration `json:"token"`
	Connect time.Duration `json:"connect"` // TCP, TLS and EHLO
	Submit  time.Duration `json:"submit"`  // from AUTH to the server's answer to the message
}

// String tells the legs in one line.
func (l Legs) String() string {
	ms := func(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
	return fmt.Sprintf("token %v, connect %v, submit %v", ms(l.Token), ms(l.Connect), ms(l.Submit))
}

// Send submits one message. What was measured until an error comes with it.
func Send(ctx context.Context, opt Options, from, to string, message []byte) (Legs, error) {
	return session(ctx, opt, func(c *smtp.Client) error { return transfer(c, from, to, message) })
}

// SignIn signs in and leaves: it finds out whether a message could be submitted, and submits none.
func SignIn(ctx context.Context, opt Options) (Legs, error) {
	return session(ctx, opt, func(*smtp.Client) error { return nil })
}

// session does something once signed in. No error of it shows what the server repeats of the token.
func session(ctx context.Context, opt Options, do func(*smtp.Client) error) (Legs, error) {
	var sent redact.Memory
	legs, err := signedIn(ctx, opt, &sent, do)
	return legs, sent.Masker().Error(err)
}

// signedIn signs in, once more with a new token if the first is refused, and does it then.
func signedIn(ctx context.Context, opt Options, sent *redact.Memory, do func(*smtp.Client) error) (Legs, error) {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, atMost)
		defer cancel()
	}
	var legs Legs
	refused := ""
	var refusal error
	for {
		watch := time.Now()
		token, err := opt.Login.Tokens.Token(ctx, refused)
		legs.Token += time.Since(watch)
		switch {
		case refusal != nil && ingest.FaultOf(err).Code == ingest.CodeAuthRefused:
			return legs, refusal // there is no other token: the server's own words say more
		case err != nil:
			return legs, fmt.Errorf("smtp token: %w", err)
		}
		sent.Keep(token.Value)
		err = attempt(ctx, opt, token.Value, sent, &legs, do)
		if err == nil || refused != "" || !tokenRefused(err) || opt.Login.Mechanism == ingest.Password {
			return legs, err
		}
		refused, refusal = token.Value, err // servers refuse good tokens too: once more, with a new one
	}
}

// tokenRefused says whether another token may help.
func tokenRefused(err error) bool {
	code := ingest.FaultOf(err).Code
	return code == ingest.CodeSubmitRefused || code == ingest.CodeTokenExpired
}

// attempt is one connection.
func attempt(ctx context.Context, opt Options, token string, sent *redact.Memory, legs *Legs, send func(*smtp.Client) error) error {
	watch := time.Now()
	c, done, err := connect(ctx, opt.Endpoint)
	legs.Connect += time.Since(watch)
	if err != nil {
		return err
	}
	defer done()
	if tell := opt.Endpoint.Trace; tell != nil { // the library's own TLS leaves nothing to wrap
		c.DebugWriter = redact.NewLines("SMTP ", tell, sent)
	}
	watch = time.Now()
	defer func() { legs.Submit += time.Since(watch) }()
	if err := authenticate(c, opt, token); err != nil {
		return ended(ctx, err)
	}
	if err := send(c); err != nil {
		return ended(ctx, classify("smtp submit", atMessage, err))
	}
	_ = c.Quit() // the message is the server's; nothing is to be gained from an error
	return nil
}

// ended says that it was the context that closed the connection, if so.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && ingest.FaultOf(err).Code == ingest.CodeConnLost {
		return classify("smtp submit", atMessage, context.Cause(ctx))
	}
	return err
}

// connect dials, secures the connection and says EHLO. done closes it.
func connect(ctx context.Context, ep ingest.Endpoint) (c *smtp.Client, done func(), err error) {
	raw, err := ep.Open(ctx)
	if err != nil {
		return nil, nil, classify("smtp connect", atConnect, err)
	}
	// Closing is the only way to end a wait on a net.Conn when the context does: the client moves the deadline.
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	done = func() { stop(); _ = raw.Close() }
	if c, err = secure(ctx, ep, &guard{raw, maxHeard}); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		done()
		return nil, nil, classify("smtp connect", atConnect, err)
	}
	return c, done, nil
}

// errNoSTARTTLS: the server does not offer it, and nothing is sent in clear.
var errNoSTARTTLS = errors.New("the server does not offer STARTTLS")

func secure(ctx context.Context, ep ingest.Endpoint, raw net.Conn) (*smtp.Client, error) {
	cfg := ep.TLSConfig()
	if ep.Security != ingest.StartTLS {
		conn := tls.Client(raw, cfg)
		if err := conn.HandshakeContext(ctx); err != nil {
			return nil, fmt.Errorf("tls handshake: %w", err)
		}
		c := smtp.NewClient(conn)
		return c, c.Hello(hello)
	}
	c, err := smtp.NewClientStartTLS(raw, cfg)
	if err != nil {
		if kindOf(err) == nil { // the one error of the library without a type
			err = fmt.Errorf("%w: %w", errNoSTARTTLS, err)
		}
		return nil, err
	}
	return c, c.Hello(hello) // what was offered in clear counts no more (RFC 3207 section 4.2)
}

// hello is what the client calls itself: it is no mail server and has no name that could be looked up
// (RFC 5321 section 4.1.4).
const hello = "[127.0.0.1]"

// transfer is MAIL, RCPT and DATA.
func transfer(c *smtp.Client, from, to string, message []byte) error {
	return c.SendMail(from, []string{to}, bytes.NewReader(message))
}
