package redact

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"unicode"
)

const (
	maxTraced = 1 << 10  // octets of a line that are shown
	maxLine   = 64 << 10 // octets of a line that are looked at: a token may have so many
	maxLines  = 500      // that are told: the list of a mailbox may have a million
)

// Lines is a writer that tells the lines of a protocol's dialogue without the secrets in them. A line is told
// when it is whole, so that a secret is, too, however it was cut on its way. It is safe for concurrent use.
type Lines struct {
	prefix string
	tell   func(line string)
	sent   *Memory

	mu   sync.Mutex
	line []byte
	left int // octets of the line that there was no room for
	told int
}

// NewLines returns a writer that tells lines with a prefix.
func NewLines(prefix string, tell func(line string), sent *Memory) *Lines {
	return &Lines{prefix: prefix, tell: tell, sent: sent}
}

// Write implements io.Writer; it never fails.
func (l *Lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.told > maxLines {
		return len(p), nil
	}
	for rest := p; len(rest) > 0; {
		part, after, whole := bytes.Cut(rest, []byte("\n"))
		room := min(len(part), maxLine-len(l.line))
		l.line, l.left, rest = append(l.line, part[:room]...), l.left+len(part)-room, after
		if whole {
			l.flush()
		}
	}
	return len(p), nil
}

// flush tells the line.
func (l *Lines) flush() {
	if l.told++; l.told > maxLines {
		if l.told == maxLines+1 {
			l.tell(l.prefix + "… the rest is not shown")
		}
		return
	}
	text := Looks(l.sent.Masker().Text(strings.ToValidUTF8(string(bytes.TrimRight(l.line, "\r")), "?")))
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
	if more := l.left + len(text) - maxTraced; more > 0 {
		text = strings.ToValidUTF8(text[:min(len(text), maxTraced)], "") + fmt.Sprintf("… (%d more)", more)
	}
	l.tell(l.prefix + text)
	l.line, l.left = l.line[:0], 0
}

// Trace returns conn with its dialogue told, the client's lines after "C: " and the server's after "S: ". If tell is
// nil that is conn itself.
func Trace(conn net.Conn, tell func(line string), sent *Memory) net.Conn {
	if tell == nil {
		return conn
	}
	return &traced{conn, NewLines("C: ", tell, sent), NewLines("S: ", tell, sent)}
}

type traced struct {
	net.Conn
	client, server *Lines
}

// Read implements net.Conn.
func (t *traced) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	_, _ = t.server.Write(p[:n])
	return n, err
}

// Write implements net.Conn.
func (t *traced) Write(p []byte) (int, error) {
	_, _ = t.client.Write(p) // first: the answer comes after it
	return t.Conn.Write(p)
}

// NetConn is the connection below TLS, as that of tls.Conn.
func (t *traced) NetConn() net.Conn {
	if c, ok := t.Conn.(*tls.Conn); ok {
		return c.NetConn()
	}
	return t.Conn
}

// ConnectionState is that of the tls.Conn.
func (t *traced) ConnectionState() tls.ConnectionState {
	if c, ok := t.Conn.(*tls.Conn); ok {
		return c.ConnectionState()
	}
	return tls.ConnectionState{}
}
