package pop3test

import (
	"crypto/tls"
	"time"
)

// Security is how a connection comes to TLS.
type Security int

// The ways to TLS.
const (
	Implicit Security = iota // TLS from the first octet, as on port 995
	STLS                     // upgrade by command (RFC 2595); nobody signs in before it
	Plain                    // no TLS at all: for tests of what a client refuses to do
)

// Options describe the server. The zero value is a complete server with implicit TLS, a certificate
// of its own, every capability, and a Verify that accepts everybody.
type Options struct {
	Security Security
	TLS      *tls.Config // nil: a fresh self-signed certificate for 127.0.0.1 and localhost

	// Verify decides on a bearer token or a password. An error refuses; a Reply is sent as it is.
	Verify func(user, secret string) error
	// Mechanisms are the SASL mechanisms; nil: XOAUTH2 and OAUTHBEARER.
	Mechanisms []string
	// Challenge is the JSON sent to a client whose token was refused; "": a 401. "-": none at all.
	Challenge string
	// OneStep tells how `AUTH mech <response>` on one line is taken.
	OneStep OneStep

	NoPipelining bool // CAPA without PIPELINING; a client that pipelines anyway is cut off
	NoUIDL       bool
	NoTOP        bool
	NoCAPA       bool
	NoUser       bool // no USER and PASS
	// HideSASL leaves the SASL line out of CAPA although the mechanisms work.
	HideSASL     bool
	Capabilities []string // more CAPA lines, for example "EXPIRE 0"

	// Shared lets sessions have a maildrop at the same time, as Dovecot does unless told otherwise.
	Shared bool
	// ConsumeOnQuit removes at QUIT what was read by RETR, as Gmail does.
	ConsumeOnQuit bool

	Greeting    string        // "": a plain one
	IdleTimeout time.Duration // 0: 10 minutes (RFC 1939 section 3)
	Hooks       Hooks
}

// OneStep is a server's view of an initial response on the AUTH line (RFC 5034 section 4).
type OneStep int

// The views.
const (
	BothSteps   OneStep = iota // one line and two steps, as Dovecot
	TwoStepOnly                // one line is a protocol error that ends the connection, as Exchange Online
	OneLineOnly                // the bare command is refused
)

// Hooks break single answers. Each is called from connection goroutines; nil does nothing.
type Hooks struct {
	// Line sees each command line first, secrets included. If handled, reply is sent as it is
	// (with its line ends; "" is silence) and the server does nothing else; with Hangup at its end
	// the connection is closed after the octets before it.
	Line func(user, line string) (reply string, handled bool)
	// Retr may break the answer to one RETR.
	Retr func(user string, number int, uidl string) Fault
}

// Hangup ends a reply (of Hooks.Line or of Verify) after which the server closes the connection.
const Hangup = "\x00HANGUP"

// Fault is a broken answer to RETR; the zero value is a good one.
type Fault struct {
	Refuse string // a whole -ERR line without its line end
	Cut    bool   // close the connection after After octets of the answer's body, dots and terminator counted
	After  int64
	Empty  bool // +OK and the terminator, no message
}

// Reply is an error of Verify that says exactly what is sent, without its line end. No challenge
// goes before it. With Hangup at its end the connection is closed after it.
type Reply string

// Error returns the line.
func (r Reply) Error() string { return string(r) }
