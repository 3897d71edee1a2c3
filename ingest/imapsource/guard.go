package imapsource

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// guard stands between go-imap and the TLS connection. go-imap v2.0.0-beta.8 waits without end for
// an answer, reads a cut literal as a whole one, gives a large message five minutes, and forgets
// what the server said before it hung up. So the guard
//
//   - owns the deadlines: rolling ones, renewed by each octet, armed only while an answer is due;
//   - turns every end of the stream into io.ErrUnexpectedEOF, and makes the first error stick;
//   - refuses what the scanner refuses;
//   - remembers the last BYE, NO or BAD.
//
// One goroutine reads at a time: go-imap's own, or, inside a literal, the message's consumer.
type guard struct {
	net.Conn          // TLS
	raw      net.Conn // below it: closing this one never waits for anybody
	progress time.Duration

	mu      sync.Mutex
	err     error         // sticky
	timeout time.Duration // for each Read; 0: no answer is due
	waited  time.Duration // inside Reads, since an answer became due
	armed   time.Time     // when it did
	said    status
	budget  int64 // for the scanner, from the next Read on; 0: go on as it is

	readOnly atomic.Bool // a folder was opened READ-ONLY; whoever wants to know clears it before

	scan  *scanner // the reader's
	head  []byte   // a greeting to invent
	line  time.Duration
	slow  time.Duration
	moved int64
}

// A literal that brings less than minRate over rateWindow of waiting is given up: a progress
// deadline alone lets one octet a minute hold a session for hours.
const (
	minRate    = 1 << 10 // octets a second
	rateWindow = 2 * time.Minute
	maxWaits   = 10 // progress timeouts that one answer may take, outside literals
)

// newGuard wraps a TLS connection over raw. greeted: the greeting was already read (STARTTLS), so
// one is invented for go-imap, which waits for it.
func newGuard(conn, raw net.Conn, progress time.Duration, greeted bool) *guard {
	g := &guard{Conn: conn, raw: raw, progress: progress, timeout: progress}
	g.scan = newScanner(g.remember)
	if greeted {
		g.head = []byte("* OK ready\r\n")
	}
	return g
}

// Read implements net.Conn.
func (g *guard) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, g.failure()
	}
	if err := g.beforeRead(); err != nil {
		return 0, err
	}
	start := time.Now()
	n, err := g.read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	g.afterRead()
	if slow := g.account(n, time.Since(start)); slow != nil {
		n, err = 0, slow
	} else if e := g.scan.feed(p[:n]); e != nil {
		n, err = 0, e
	}
	if err != nil {
		err = g.fail(err)
	}
	if n > 0 {
		return n, nil // the error sticks and comes next time
	}
	return 0, err
}

// read gives the invented greeting first.
func (g *guard) read(p []byte) (int, error) {
	if len(g.head) > 0 {
		n := copy(p, g.head)
		g.head = g.head[n:]
		return n, nil
	}
	return g.Conn.Read(p)
}

// beforeRead sets the deadline of this one Read: the wait is rolling.
func (g *guard) beforeRead() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		return g.err
	}
	g.takeBudget()
	return g.deadline()
}

// takeBudget is called with the lock held, by the reader.
func (g *guard) takeBudget() {
	if g.budget > 0 {
		g.scan.budget, g.budget = g.budget, 0
	}
}

// deadline is called with the lock held.
func (g *guard) deadline() error {
	if g.timeout == 0 {
		return g.Conn.SetReadDeadline(time.Time{})
	}
	return g.Conn.SetReadDeadline(time.Now().Add(g.timeout))
}

// afterRead takes up what changed meanwhile.
func (g *guard) afterRead() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.takeBudget()
}

// account notes how long a Read waited and for how much, and gives up on a server that only drips.
// Time that the consumer of a message takes between Reads is not the server's.
func (g *guard) account(n int, waited time.Duration) error {
	if g.scan.literal > 0 {
		g.line = 0
		g.slow, g.moved = g.slow+waited, g.moved+int64(n)
		if g.slow < rateWindow {
			return nil
		}
		slow := g.moved < minRate*int64(rateWindow/time.Second)
		g.slow, g.moved = 0, 0
		if slow {
			return fmt.Errorf("message comes at less than 1 KiB/s: %w", os.ErrDeadlineExceeded)
		}
		return nil
	}
	g.slow, g.moved = 0, 0
	if g.line += waited; !g.scan.started() {
		g.line = 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.timeout == 0 {
		return nil
	}
	if g.waited += min(waited, time.Since(g.armed)); g.line > g.timeout || g.waited > maxWaits*g.timeout {
		return fmt.Errorf("answer only drips: %w", os.ErrDeadlineExceeded)
	}
	return nil
}

// Write implements net.Conn.
func (g *guard) Write(p []byte) (int, error) {
	if err := g.failure(); err != nil {
		return 0, err
	}
	err := g.Conn.SetWriteDeadline(time.Now().Add(g.progress))
	n := 0
	if err == nil {
		n, err = g.Conn.Write(p)
	}
	if err != nil {
		err = g.fail(err)
	}
	return n, err
}

// Close implements net.Conn. go-imap calls it, and waits for its reader only if it returns nil.
func (g *guard) Close() error {
	if g.failure() == nil {
		_ = g.Conn.Close() // with close_notify, which may wait for 5 s
	}
	_ = g.fail(net.ErrClosed)
	return nil
}

// SetDeadline does nothing: the guard owns the deadlines.
func (g *guard) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing: the guard owns the deadlines.
func (g *guard) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing: the guard owns the deadlines.
func (g *guard) SetWriteDeadline(time.Time) error { return nil }

// arm says that an answer is due: the next octet within timeout, and not more than budget octets
// outside literals until the next arm. It also covers a Read that is already waiting.
func (g *guard) arm(timeout time.Duration, budget int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.timeout, g.waited, g.armed = timeout, 0, time.Now()
	g.budget = budget
	if g.err == nil {
		_ = g.deadline() // a dead connection says so in Read
	}
}

// disarm says that no answer is due: a session may be kept for long without a word.
func (g *guard) disarm() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.timeout, g.waited = 0, 0
	if g.err == nil {
		_ = g.deadline()
	}
}

// fail makes err the connection's end, unless it has one, closes it, and returns its end.
func (g *guard) fail(err error) error {
	g.mu.Lock()
	if g.err == nil {
		g.err = err
	}
	err = g.err
	g.mu.Unlock()
	_ = g.raw.Close()
	return err
}

// failure is how the connection ended, nil while it lives.
func (g *guard) failure() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// status is a refusal in the server's own words.
type status struct {
	kind string // BYE, NO, BAD
	code string // response code (RFC 5530), upper case
	text string
}

// remember keeps the last BYE, NO or BAD: go-imap drops untagged ones, and Exchange says why it
// hangs up only there. One that asks to wait is the reason for those behind it: "Connection closed. 14".
func (g *guard) remember(line []byte) {
	fields := bytes.SplitN(bytes.TrimRight(line, "\r"), []byte(" "), 3)
	if len(fields) < 2 || fields[0][0] == '+' {
		return
	}
	kind := strings.ToUpper(string(fields[1]))
	if kind == "OK" && len(fields) == 3 && len(fields[2]) < maxSaid && strings.HasPrefix(strings.ToUpper(string(fields[2])), "[READ-ONLY]") {
		g.readOnly.Store(true)
	}
	if kind != "BYE" && kind != "NO" && kind != "BAD" {
		return
	}
	st := status{kind: kind}
	if len(fields) == 3 {
		st.text = printable(string(fields[2]))
		if rest, ok := strings.CutPrefix(st.text, "["); ok {
			code, _, _ := strings.Cut(rest, "]")
			code, _, _ = strings.Cut(code, " ")
			st.code = strings.ToUpper(code)
		}
	}
	_, wait := backoff(st.text)
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, told := backoff(g.said.text); wait || !told {
		g.said = st
	}
}

// lastSaid returns the last refusal.
func (g *guard) lastSaid() status {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.said
}

// printable makes a server's words fit for an error: one line, bounded.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return ' '
		}
		return r
	}, s)
	if len(s) > maxSaid {
		s = strings.ToValidUTF8(s[:maxSaid], "") + "…"
	}
	return s
}
