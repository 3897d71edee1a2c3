package submit

import (
	"errors"
	"fmt"
	"net"
	"net/textproto"

	"github.com/emersion/go-smtp"
)

const (
	maxHeard = 1 << 20 // octets of a server in one session: its answers are a few kilobytes
	maxShown = 500     // of what it says, in an error
)

// errTooMuch: the server says more than any submission server does. The library collects the lines of a
// reply without a bound.
var errTooMuch = errors.New("the server sends more than 1 MiB")

// guard bounds what is read from a server.
type guard struct {
	net.Conn
	left int
}

// Read implements io.Reader.
func (g *guard) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, errTooMuch
	}
	n, err := g.Conn.Read(p[:min(len(p), g.left)])
	g.left -= n
	return n, err
}

// short shows a reply as it was on the wire, and cuts what a server says: the library takes replies of any length.
func short(err error) error {
	if _, done := errors.AsType[said](err); done {
		return err
	}
	if reply, ok := errors.AsType[*smtp.SMTPError](err); ok {
		shown := *reply
		shown.Message = cut(shown.Message)
		return said{&shown}
	}
	if odd, ok := errors.AsType[textproto.ProtocolError](err); ok {
		return textproto.ProtocolError(cut(string(odd)))
	}
	return err
}

func cut(s string) string {
	if len(s) > maxShown {
		s = s[:maxShown] + "…"
	}
	return s
}

// said is a reply with the enhanced status code that people look for.
type said struct{ *smtp.SMTPError }

// Error implements error.
func (s said) Error() string {
	code := fmt.Sprint(s.Code)
	if e := s.EnhancedCode; e[0] > 0 {
		code += fmt.Sprintf(" %d.%d.%d", e[0], e[1], e[2])
	}
	return "server says " + code + " " + s.Message
}

// Unwrap returns the reply.
func (s said) Unwrap() error { return s.SMTPError }
