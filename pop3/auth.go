package pop3

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"syscall"
)

// maxChallenges bounds the continuations after the credentials; one is what servers send.
const maxChallenges = 4

// AuthXOAUTH2 signs in with a bearer token by XOAUTH2, as Exchange Online and Gmail document it. It
// takes two steps: with a token in it the AUTH line has more than the 255 octets of RFC 2449 section 4 (RFC
// 5034 section 4 keeps that limit for it, and sets none for the line of the second step), and Exchange ends the
// connection on it. Only if the server refuses the bare command is the token put on that line.
func (c *Client) AuthXOAUTH2(ctx context.Context, user, token string) error {
	if err := sendable(user, token); err != nil {
		return err
	}
	response := "user=" + user + "\x01auth=Bearer " + token + "\x01\x01"
	// The answer to an error challenge is an empty line.
	return c.sasl(ctx, exchange{mechanism: "XOAUTH2", response: response})
}

// AuthOAuthBearer signs in with a bearer token by OAUTHBEARER (RFC 7628 section 3.1). Host and port
// are those of the server that was dialled; "" and 0 leave them out.
func (c *Client) AuthOAuthBearer(ctx context.Context, user, host string, port int, token string) error {
	if err := sendable(user, host, token); err != nil {
		return err
	}
	// RFC 5801 section 4: comma and equals sign are escaped in a GS2 header.
	response := "n,a=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(user) + ",\x01"
	if host != "" {
		response += "host=" + host + "\x01"
	}
	if port > 0 {
		response += "port=" + strconv.Itoa(port) + "\x01"
	}
	response += "auth=Bearer " + token + "\x01\x01"
	// RFC 7628 section 3.2.3: the answer to an error challenge is one 0x01.
	return c.sasl(ctx, exchange{mechanism: "OAUTHBEARER", response: response, reply: "AQ=="})
}

// AuthUserPass signs in with USER and PASS (RFC 1939 section 7).
func (c *Client) AuthUserPass(ctx context.Context, user, password string) error {
	if err := sendable(user, password); err != nil {
		return err
	}
	if err := c.beginAuth(ctx); err != nil {
		return err
	}
	defer c.end()
	if err := c.send("USER " + user); err != nil {
		return err
	}
	if _, err := c.status("USER"); err != nil {
		return err
	}
	if err := c.send("PASS " + password); err != nil {
		return err
	}
	if _, err := c.status("PASS"); err != nil {
		return c.refused(err, false, nil)
	}
	c.signedIn()
	return nil
}

// sendable refuses what would end the line, and with it smuggle a command (CR, LF, NUL) or a SASL
// field (0x01).
func sendable(args ...string) error {
	for _, s := range args {
		if strings.ContainsAny(s, "\r\n\x00\x01") {
			return fmt.Errorf("pop3 sign-in: %w: it has a line break or NUL", ErrArgument)
		}
	}
	if args[0] == "" || args[len(args)-1] == "" {
		return fmt.Errorf("pop3 sign-in: %w: user or secret is empty", ErrArgument)
	}
	return nil
}

// beginAuth refuses before anything secret is written (RFC 2595 section 2.1): the first line of a sign-in
// names the user already.
func (c *Client) beginAuth(ctx context.Context) error {
	if !c.secure && !c.opt.AllowPlaintext {
		return fmt.Errorf("pop3 sign-in: %w", ErrInsecure)
	}
	return c.begin(ctx, authorization)
}

// signedIn enters the TRANSACTION state. Capabilities are asked for again there: Dovecot lists others
// than before, and EXPIRE and LOGIN-DELAY may differ for each user (RFC 2449 section 6).
func (c *Client) signedIn() {
	c.state = transaction
	c.caps = nil
}

// exchange is one SASL exchange with a single client message.
type exchange struct {
	mechanism string
	response  string
	reply     string // base64 sent in answer to an error challenge
}

// sasl runs the exchange of RFC 5034 section 4.
func (c *Client) sasl(ctx context.Context, x exchange) error {
	if err := c.beginAuth(ctx); err != nil {
		return err
	}
	defer c.end()
	encoded := base64.StdEncoding.EncodeToString([]byte(x.response))
	command := "AUTH " + x.mechanism
	bare := false
	if err := c.send(command); err != nil {
		return err
	}
	if _, _, err := c.continuation("AUTH"); err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok {
			return err
		}
		if e.Bare = true; !c.mayRetryOnOneLine(e, x.mechanism) {
			return e
		}
		bare, encoded = true, command+" "+encoded
	}
	if err := c.send(encoded); err != nil {
		return c.lost(err)
	}
	return c.verdict(x, bare)
}

// mayRetryOnOneLine tells whether a refused bare AUTH may only mean that the server wants the initial
// response with it. A server that gives a reason, asks to wait, or lists other mechanisms, does not get the token.
func (c *Client) mayRetryOnOneLine(e *Error, mechanism string) bool {
	return e.Code == "" && e.Backoff == 0 && (c.caps == nil || len(c.caps.SASL) == 0 || c.caps.Has(mechanism))
}

// verdict reads what the server thinks of the credentials, with an error challenge before a -ERR.
func (c *Client) verdict(x exchange, bare bool) error {
	var challenge []byte
	for range maxChallenges {
		more, text, err := c.continuation("AUTH")
		switch {
		case err != nil:
			return c.refused(err, bare, challenge)
		case !more:
			c.signedIn()
			return nil
		}
		if b, err := base64.StdEncoding.DecodeString(text); err == nil && len(b) > 0 {
			challenge = b[:min(len(b), maxShown)]
		}
		if err := c.send(x.reply); err != nil {
			return c.lost(err)
		}
	}
	return c.fail("AUTH", fmt.Errorf("%w: %d challenges in a row", ErrSyntax, maxChallenges))
}

// refused finishes an error that came in answer to credentials.
func (c *Client) refused(err error, bare bool, challenge []byte) error {
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok && len(challenge) > 0 && errors.Is(c.lost(err), ErrAuthLost):
		e = &Error{Command: "AUTH"} // the reason is a refusal, whatever became of the -ERR that was due
	case !ok:
		return c.lost(err)
	}
	e.Bare, e.Challenge = bare, challenge
	return e
}

// lost marks a connection that ended on the credentials.
func (c *Client) lost(err error) error {
	for _, end := range []error{io.ErrUnexpectedEOF, io.ErrClosedPipe, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, end) {
			return fmt.Errorf("%w: %w", ErrAuthLost, err)
		}
	}
	return err
}

// continuation reads an answer that may ask for more (RFC 5034 section 4): more with the text behind
// "+ ", or a status.
func (c *Client) continuation(verb string) (more bool, text string, err error) {
	c.wire.answer()
	line, err := c.wire.line()
	if err != nil {
		return false, "", c.fail(verb, err)
	}
	if len(line) > 0 && line[0] == '+' && (len(line) == 1 || line[1] == ' ') {
		return true, string(bytes.TrimSpace(line[1:])), nil
	}
	text, err = c.parse(verb, line)
	return false, text, err
}
