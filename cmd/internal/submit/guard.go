package submit

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/emersion/go-smtp"
)

const (
	maxHeard     = 1 << 20 // octets of a server in one session: its answers are a few kilobytes
	maxShown     = 500     // of what it says, in an error
	shortestEcho = 12      // the least part of a secret that is looked for in what it says
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

// hide takes secrets out of what a server says in a reply or a challenge: it may echo what it refuses.
func hide(err error, challenge []byte, secrets ...string) error {
	reply, ok := errors.AsType[*smtp.SMTPError](err)
	if !ok {
		return err
	}
	shown := *reply
	shown.Message = mask(reply.Message, secrets...)
	if len(challenge) > 0 {
		return fmt.Errorf("%w; it says: %q", said{&shown}, mask(string(challenge), secrets...))
	}
	return said{&shown}
}

// said is a reply as it was on the wire, with the enhanced status code that people look for.
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

// mask puts *** for what stems from a secret, and cuts long text.
func mask(text string, secrets ...string) string {
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		var out strings.Builder
		for i := 0; i < len(text); {
			j := i
			for j < len(text) && strings.Contains(secret, text[i:j+1]) {
				j++
			}
			if j-i >= min(shortestEcho, len(secret)) {
				out.WriteString("***")
				i = j
				continue
			}
			out.WriteByte(text[i])
			i++
		}
		text = out.String()
	}
	if len(text) > maxShown {
		text = text[:maxShown] + "…"
	}
	return text
}
