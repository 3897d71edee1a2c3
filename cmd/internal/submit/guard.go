package submit

import (
	"errors"
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

// short cuts what a server says: the library takes replies of any length.
func short(err error) error {
	if reply, ok := errors.AsType[*smtp.SMTPError](err); ok && len(reply.Message) > maxShown {
		shown := *reply
		shown.Message = reply.Message[:maxShown] + "…"
		return &shown
	}
	if odd, ok := errors.AsType[textproto.ProtocolError](err); ok && len(odd) > maxShown {
		return odd[:maxShown] + "…"
	}
	return err
}
