package submittest

import (
	"crypto/tls"
	"encoding/base64"
	"net"
	"net/textproto"
	"strings"
)

// session is one client.
type session struct {
	s      *Server
	raw    net.Conn
	text   *textproto.Conn
	secure bool
	user   string
	msg    Message
}

func (s *Server) serve(raw net.Conn) {
	x := &session{s: s, raw: raw, secure: s.opt.Implicit}
	if s.opt.Implicit {
		raw = tls.Server(raw, s.tls)
	}
	x.text = textproto.NewConn(raw)
	x.say("220 submittest ESMTP")
	for {
		line, err := x.text.ReadLine()
		if err != nil {
			return
		}
		s.heard(line)
		verb, arg, _ := strings.Cut(line, " ")
		if !x.do(strings.ToUpper(verb), arg) {
			return
		}
	}
}

func (x *session) say(line string) bool { return x.text.PrintfLine("%s", line) == nil }

// reply says line, or what the test wants said instead.
func (x *session) reply(verb, line string) (ok, own bool) {
	switch other := x.s.answer(verb); other {
	case "":
		return x.say(line), true
	case "drop":
		return false, false
	default:
		return x.say(other), false
	}
}

// do answers one command; false ends the session.
func (x *session) do(verb, arg string) bool {
	switch {
	case verb == "EHLO":
		return x.ehlo()
	case verb == "QUIT":
		x.say("221 2.0.0 bye")
		return false
	case verb == "STARTTLS" && !x.secure && !x.s.lacks("STARTTLS"):
		ok, own := x.reply(verb, "220 2.0.0 ready")
		if ok && own {
			x.text, x.secure = textproto.NewConn(tls.Server(x.raw, x.s.tls)), true
		}
		return ok
	case !x.secure:
		return x.say("530 5.7.0 Must issue a STARTTLS command first")
	case verb == "AUTH":
		return x.auth(strings.ToUpper(arg))
	case x.user == "":
		return x.say("530 5.7.57 Client not authenticated to send mail")
	case verb == "MAIL":
		x.msg = Message{User: x.user, From: path(arg)}
	case verb == "RCPT":
		x.msg.To = path(arg)
	case verb == "DATA":
		return x.data()
	default:
		return x.say("502 5.5.1 not known here")
	}
	ok, _ := x.reply(verb, "250 2.1.0 OK")
	return ok
}

func (x *session) ehlo() bool {
	lines := []string{"submittest"}
	for extension, there := range map[string]bool{"STARTTLS": !x.secure, "AUTH": x.secure} {
		if !there || x.s.lacks(extension) {
			continue
		}
		if extension == "AUTH" {
			extension += " " + strings.Join(x.s.opt.Mechanisms, " ")
		}
		lines = append(lines, extension)
	}
	all := "250-" + strings.Join(lines, "\r\n250-") + "\r\n250 8BITMIME"
	ok, _ := x.reply("EHLO", all)
	return ok
}

// auth is the exchange in two steps, as Exchange and Gmail do it.
func (x *session) auth(mech string) bool {
	if strings.Contains(mech, " ") { // a token on this line is too long for it
		return x.say("500 5.5.2 Line too long")
	}
	if ok, own := x.reply("AUTH", "334 "); !ok || !own {
		return ok
	}
	line, err := x.text.ReadLine()
	if err != nil {
		return false
	}
	x.s.heard(line)
	octets, _ := base64.StdEncoding.DecodeString(line)
	user, secret := x.credentials(mech, string(octets))
	if user == "" || x.s.opt.Verify != nil && x.s.opt.Verify(user, secret) != nil {
		return x.refuse(mech)
	}
	ok, own := x.reply("TOKEN", "235 2.7.0 Authentication successful")
	if own {
		x.user = user
	}
	return ok
}

func (x *session) credentials(mech, octets string) (user, secret string) {
	switch mech {
	case "XOAUTH2":
		u, rest, _ := strings.Cut(strings.TrimPrefix(octets, "user="), "\x01auth=Bearer ")
		return u, strings.TrimSuffix(rest, "\x01\x01")
	case "OAUTHBEARER":
		u, rest, _ := strings.Cut(strings.TrimPrefix(octets, "n,a="), ",\x01")
		_, token, _ := strings.Cut(rest, "auth=Bearer ")
		return u, strings.TrimSuffix(token, "\x01\x01")
	case "PLAIN":
		if f := strings.Split(octets, "\x00"); len(f) == 3 {
			return f[1], f[2]
		}
	}
	return "", ""
}

// refuse tells a refused token as JSON and wants an empty line before it says the code.
func (x *session) refuse(mech string) bool {
	if mech != "PLAIN" {
		told := base64.StdEncoding.EncodeToString([]byte(`{"status":"401","schemes":"bearer","scope":"https://mail.example/"}`))
		x.say("334 " + told)
		line, err := x.text.ReadLine()
		if err != nil {
			return false
		}
		x.s.heard(line)
		if wanted := map[string]string{"OAUTHBEARER": "AQ=="}[mech]; line != wanted {
			return x.say("501 5.5.4 another answer was wanted")
		}
	}
	ok, _ := x.reply("TOKEN", "535 5.7.3 Authentication unsuccessful")
	return ok
}

func (x *session) data() bool {
	if ok, own := x.reply("DATA", "354 go on"); !ok || !own {
		return ok
	}
	octets, err := x.text.ReadDotBytes()
	if err != nil {
		return false
	}
	if x.s.answer("END") == "" && x.s.opt.Deliver != nil {
		x.msg.Octets = []byte(strings.ReplaceAll(string(octets), "\n", "\r\n"))
		x.s.opt.Deliver(x.msg)
	}
	ok, _ := x.reply("END", "250 2.6.0 queued")
	return ok
}

// path is the address of MAIL FROM:<address> and RCPT TO:<address>.
func path(arg string) string {
	_, rest, _ := strings.Cut(arg, "<")
	address, _, _ := strings.Cut(rest, ">")
	return address
}
