package pop3test

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
)

// defaultChallenge is what a refused XOAUTH2 client is shown before it answers with an empty line.
const defaultChallenge = `{"status":"401","schemes":"bearer","scope":"mail"}`

// maySignIn is false before the upgrade on a server that wants one.
func (c *session) maySignIn() bool { return c.secure || c.srv.opt.Security == Plain }

// authorization serves the AUTHORIZATION state (RFC 1939 section 4).
func (c *session) authorization(verb, arg string) {
	o := c.srv.opt
	switch {
	case verb == "STLS" && o.Security == STLS && !c.secure:
		c.startTLS()
	case !c.maySignIn():
		c.reply("-ERR use STLS first")
	case verb == "AUTH":
		c.auth(arg)
	case verb == "USER" && !o.NoUser:
		c.name = arg
		c.reply("+OK")
	case verb == "PASS" && !o.NoUser && c.name != "":
		c.enter(c.name, o.Verify(c.name, arg))
	default:
		c.reply("-ERR unknown command")
	}
}

// startTLS drops whatever was sent in clear behind the command (RFC 2595 section 4).
func (c *session) startTLS() {
	c.reply("+OK begin TLS")
	if c.w.Flush() != nil {
		c.over = true
		return
	}
	c.secure = true
	c.use(tls.Server(c.conn, c.srv.tls))
}

// auth serves AUTH with or without an initial response (RFC 5034 section 4).
func (c *session) auth(arg string) {
	mech, initial, oneLine := strings.Cut(arg, " ")
	mech = strings.ToUpper(mech)
	switch {
	case !slices.Contains(c.srv.opt.Mechanisms, mech):
		c.reply("-ERR unknown mechanism")
	case oneLine && c.srv.opt.OneStep == TwoStepOnly:
		c.reply("-ERR Protocol error. Connection is closed. 10")
		c.over = true
	case !oneLine && c.srv.opt.OneStep == OneLineOnly:
		c.reply("-ERR initial response expected")
	default:
		if !oneLine {
			initial, oneLine = c.ask("+ ")
		}
		if oneLine {
			c.bearer(mech, initial)
		}
	}
}

// ask sends a continuation and returns the client's line; "*" aborts (RFC 5034 section 4).
func (c *session) ask(prompt string) (string, bool) {
	c.reply("%s", prompt)
	if c.w.Flush() != nil {
		c.over = true
		return "", false
	}
	line, ok := c.line()
	if !ok {
		c.over = true
		return "", false
	}
	if line == "*" {
		c.reply("-ERR aborted")
		return "", false
	}
	return line, true
}

// bearer judges a client response; a refused token is explained in a challenge first, which the
// client has to answer before it hears -ERR (RFC 7628 section 3.2.2).
func (c *session) bearer(mech, response string) {
	raw, err := base64.StdEncoding.DecodeString(response)
	if err != nil {
		c.reply("-ERR invalid base64")
		return
	}
	user, token, ok := split(mech, string(raw))
	if !ok {
		c.reply("-ERR [AUTH] malformed response")
		return
	}
	err = c.srv.opt.Verify(user, token)
	if _, plain := errors.AsType[Reply](err); err != nil && !plain && c.srv.opt.Challenge != "-" {
		text := c.srv.opt.Challenge
		if text == "" {
			text = defaultChallenge
		}
		if _, ok := c.ask("+ " + base64.StdEncoding.EncodeToString([]byte(text))); !ok {
			return
		}
	}
	c.enter(user, err)
}

// split takes user and token out of an XOAUTH2 or OAUTHBEARER response (RFC 7628 section 3.1).
func split(mech, raw string) (user, token string, ok bool) {
	for i, field := range strings.Split(raw, "\x01") {
		switch {
		case i == 0 && mech == "XOAUTH2":
			user, ok = strings.CutPrefix(field, "user=")
		case i == 0:
			gs2, _ := strings.CutPrefix(field, "n,a=")
			user, ok = strings.CutSuffix(gs2, ",")
			user = strings.NewReplacer("=2C", ",", "=3D", "=").Replace(user)
		case strings.HasPrefix(field, "auth=Bearer "):
			token = strings.TrimPrefix(field, "auth=Bearer ")
		}
	}
	return user, token, ok && user != "" && token != ""
}

// enter opens the maildrop of a user whose credentials were judged.
func (c *session) enter(user string, verdict error) {
	if r, ok := errors.AsType[Reply](verdict); ok {
		line, over := strings.CutSuffix(string(r), Hangup)
		if line != "" {
			c.reply("%s", line)
		}
		c.over = over
		return
	}
	if verdict != nil {
		c.reply("-ERR [AUTH] Authentication failed.")
		return
	}
	box, ok := c.srv.enter(user)
	if !ok {
		c.reply("-ERR [IN-USE] the maildrop is locked by another session")
		return
	}
	c.user, c.box = user, box
	c.reply("+OK signed in")
}
