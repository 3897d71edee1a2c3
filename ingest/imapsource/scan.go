package imapsource

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
)

// The limits on what a server may send outside the messages it was asked for. go-imap v2.0.0-beta.8
// has none of its own: a list of parentheses ends the process (emersion/go-imap#574), and a string
// without an end takes all memory.
const (
	maxLine      = 64 << 10 // octets of one response without its literals
	maxDepth     = 64       // nested lists
	maxSmall     = 1 << 20  // octets of literals in one response that are not a message
	maxKept      = 1 << 10  // octets kept of a line
	maxSaid      = 300      // octets of a server's words in an error
	tailOctets   = 64
	normalBudget = 1 << 20 // octets outside literals that one command may bring
)

// errLimit is the guard's refusal of a server that sends too much.
var errLimit = errors.New("imap guard")

func limitError(what string) error { return fmt.Errorf("%w: %s", errLimit, what) }

// lineKind says how go-imap reads a line: free text up to the line end, or data with lists, quoted
// strings and literals.
type lineKind int

const (
	lineOpen lineKind = iota // too short to tell
	lineText
	lineData
)

// scanner follows the server's octets outside literals and counts. It must see lines, quotes and
// literals exactly as go-imap's decoder does; where both could differ it refuses.
type scanner struct {
	kind     lineKind
	line     int // octets of this response outside literals
	depth    int
	quoted   bool
	escaped  bool
	literal  int64 // octets of the open literal still to come
	small    int64 // octets of this response's literals that are not messages
	budget   int64
	keep     []byte // the first octets of the response
	tail     []byte // the last ones of the line
	onStatus func(line []byte)
}

func newScanner(onStatus func(line []byte)) *scanner {
	return &scanner{budget: normalBudget, onStatus: onStatus}
}

// feed looks at octets on their way to go-imap.
func (s *scanner) feed(p []byte) error {
	for len(p) > 0 {
		if s.literal > 0 {
			n := min(s.literal, int64(len(p)))
			s.literal -= n
			p = p[n:]
			continue
		}
		if err := s.octet(p[0]); err != nil {
			return err
		}
		p = p[1:]
	}
	return nil
}

// started says whether a response has begun and is not complete.
func (s *scanner) started() bool { return s.line > 0 }

// octet takes one octet outside literals.
func (s *scanner) octet(b byte) error {
	if s.budget--; s.budget < 0 {
		return limitError("more unasked data than any answer needs")
	}
	if b == '\n' {
		return s.lineEnd()
	}
	if s.line++; s.line > maxLine {
		return limitError("line longer than 64 KiB")
	}
	if len(s.keep) < maxKept {
		s.keep = append(s.keep, b)
	}
	if s.tail = append(s.tail, b); len(s.tail) > 4*tailOctets {
		s.tail = append(s.tail[:0], s.tail[len(s.tail)-tailOctets:]...)
	}
	if s.kind == lineOpen {
		s.kind = kindOf(s.keep)
	}
	if s.kind == lineData {
		return s.data(b)
	}
	return nil
}

// kindOf tells text from data by RFC 9051 section 9: tagged, continuation and status responses end
// in resp-text.
func kindOf(head []byte) lineKind {
	if head[0] != '*' {
		return lineText
	}
	if len(head) < 3 {
		return lineOpen
	}
	word := head[2:]
	n := 0
	for n < len(word) && (word[n]|0x20) >= 'a' && (word[n]|0x20) <= 'z' {
		n++
	}
	if n == len(word) && n < 12 {
		return lineOpen
	}
	if isStatus(string(word[:n])) {
		return lineText
	}
	return lineData
}

func isStatus(word string) bool {
	switch strings.ToUpper(word) {
	case "OK", "NO", "BAD", "BYE", "PREAUTH":
		return true
	}
	return false
}

// data follows quotes and lists, which free text does not have.
func (s *scanner) data(b byte) error {
	switch {
	case s.escaped:
		s.escaped = false
	case s.quoted && b == '\\':
		s.escaped = true
	case b == '"':
		s.quoted = !s.quoted
	case s.quoted:
	case b == '(':
		if s.depth == maxDepth {
			return limitError("lists nested deeper than 64")
		}
		s.depth++
	case b == ')':
		s.depth--
	}
	return nil
}

// lineEnd ends a response, or begins a literal in it.
func (s *scanner) lineEnd() error {
	if s.kind == lineOpen && len(s.keep) > 2 && !isStatus(string(bytes.TrimRight(s.keep[2:], "\r "))) {
		s.kind = lineData
	}
	if s.kind == lineData {
		if s.quoted {
			return limitError("line end inside a quoted string")
		}
		if n, message, ok := announced(s.tail); ok {
			return s.open(n, message)
		}
		if bytes.HasPrefix(s.keep, []byte("* 0 EXPUNGE")) { // ends go-imap's list of expunged numbers early
			return limitError("sequence number 0")
		}
	} else if s.onStatus != nil {
		s.onStatus(s.keep)
	}
	s.kind, s.line, s.depth, s.small, s.keep, s.tail = lineOpen, 0, 0, 0, s.keep[:0], s.tail[:0]
	return nil
}

// open begins a literal. The response goes on after it. A message may have any size here: whoever
// asked for it knows its limit.
func (s *scanner) open(n int64, message bool) error {
	if !message {
		if s.small += n; n > maxSmall || s.small > maxSmall {
			return limitError("literal that is not a message, over 1 MiB")
		}
	}
	s.literal, s.tail = n, s.tail[:0]
	return nil
}

// announced reads a literal's announcement at the end of a line: {n} or {n+}, where go-imap also
// takes one stray space before the line end (emersion/go-imap#540).
func announced(tail []byte) (n int64, message, ok bool) {
	t := bytes.TrimSuffix(bytes.TrimSuffix(tail, []byte("\r")), []byte(" "))
	if len(t) < 3 || t[len(t)-1] != '}' {
		return 0, false, false
	}
	at := bytes.LastIndexByte(t, '{')
	if at < 0 {
		return 0, false, false
	}
	digits := bytes.TrimSuffix(t[at+1:len(t)-1], []byte("+"))
	if len(digits) == 0 {
		return 0, false, false
	}
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, false, false
		}
		if v := int64(d - '0'); n > (math.MaxInt64-v)/10 {
			n = math.MaxInt64 // go-imap refuses it
		} else {
			n = n*10 + v
		}
	}
	before := bytes.ToUpper(bytes.TrimSuffix(t[:at], []byte("~")))
	return n, bytes.HasSuffix(before, []byte("BODY[] ")), true
}
