package pop3

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Error is a refusal: the server answered -ERR. The connection is still usable unless the server
// closes it.
type Error struct {
	Command string // the verb, for example "RETR"; "greeting" for the first line
	Code    string // RFC 2449 response code in upper case, for example "IN-USE" or "SYS/TEMP"; "" if none
	Text    string // what follows the code
	Line    string // the whole line, at most 512 octets of it; "": it gave a Challenge and hung up
	// Challenge is what the server said about a refused token (RFC 7628 section 3.2.2), decoded.
	Challenge []byte
	// Backoff is how long Exchange asks to be left alone, which it says in words only: "Request is throttled.
	// Suggested Backoff Time: 89117 milliseconds". 0: it does not.
	Backoff time.Duration
	// Bare tells that AUTH was refused with the mechanism alone, before any credentials were sent.
	Bare bool
}

// Error returns the refusal on one line without control characters.
func (e *Error) Error() string {
	s := "pop3 " + e.Command + ": server answered " + quote(e.Line)
	if e.Line == "" {
		s = "pop3 " + e.Command + ": server hung up"
	}
	if len(e.Challenge) > 0 {
		s += ", with " + quote(string(e.Challenge))
	}
	return s
}

// The errors of the client itself. All of them but ErrState, ErrArgument, ErrInsecure and ErrNoSTLS
// end the connection.
var (
	// ErrSyntax: the server sent something that is not POP3.
	ErrSyntax = errors.New("the server's answer is not POP3")
	// ErrLimit: a line or list is longer than any sane server sends.
	ErrLimit = errors.New("the server sent more than any sane server does")
	// ErrTooSlow: octets trickle in under Options.MinRate.
	ErrTooSlow = errors.New("the server sends too slowly")
	// ErrInjection: something was sent in clear behind the answer to STLS; somebody between here and
	// the server may have put it there (RFC 2595 section 4, and CVE-2011-0411 and its kin).
	ErrInjection = errors.New("the server sent plaintext behind its answer to STLS")
	// ErrAuthLost: the connection ended in answer to the credentials. The token is longer than the
	// server takes, or the server cannot open this mailbox.
	ErrAuthLost = errors.New("the server closed the connection on the credentials")
	// ErrAbandoned: a loop over messages was left with answers still on their way.
	ErrAbandoned = errors.New("the connection was left in the middle of an answer")
	// ErrClosed: Close or Quit was called.
	ErrClosed = errors.New("the client is closed")
	// ErrState: the command is not allowed now (RFC 1939 section 3).
	ErrState = errors.New("not allowed in this state")
	// ErrArgument: an argument cannot be sent, for example a password with a line break.
	ErrArgument = errors.New("argument cannot be sent")
	// ErrInsecure: credentials were not sent because the connection is not TLS.
	ErrInsecure = errors.New("refusing to sign in without TLS")
)

// maxShown is how much of a server's line an error keeps.
const maxShown = 512

// refusal makes an Error of a -ERR line. A code stands in brackets right behind -ERR (RFC 2449
// section 8); anything else in brackets is text: Exchange names its hosts there.
func refusal(command string, line []byte) *Error {
	e := &Error{Command: command, Line: clip(string(line))}
	rest := strings.TrimPrefix(string(line[len("-ERR"):]), " ")
	if inner, ok := strings.CutPrefix(rest, "["); ok {
		if code, text, ok := strings.Cut(inner, "]"); ok && isCode(code) {
			e.Code, rest = strings.ToUpper(code), strings.TrimPrefix(text, " ")
		}
	}
	e.Text, e.Backoff = clip(rest), suggested(rest)
	return e
}

// maxBackoff is the longest wait that a server is believed.
const maxBackoff = 24 * time.Hour

// suggested reads the number of milliseconds, or seconds, behind Exchange's label.
func suggested(text string) time.Duration {
	_, words, _ := strings.Cut(strings.ToLower(text), "suggested backoff time:")
	f := strings.Fields(words)
	if len(f) == 0 {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimRight(f[0], ".,"), 10, 63)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	unit := time.Millisecond
	if len(f) > 1 && strings.HasPrefix(f[1], "second") {
		unit = time.Second
	}
	return time.Duration(min(n, uint64(maxBackoff/unit))) * unit
}

// isCode accepts the characters of registered codes (RFC 3206 section 4, RFC 2449 section 8.1).
func isCode(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '/' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// clip bounds what an error keeps of a line: a server may fill 64 KiB with it.
func clip(s string) string {
	if len(s) > maxShown {
		return s[:maxShown]
	}
	return s
}

// quote makes untrusted text safe for logs.
func quote(s string) string { return strconv.QuoteToGraphic(clip(s)) }

// syntaxError shows what came instead of an answer, safe for logs.
func syntaxError(line []byte) error { return fmt.Errorf("%w: %s", ErrSyntax, quote(string(line))) }
