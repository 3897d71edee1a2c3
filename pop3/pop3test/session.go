package pop3test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// session is one connection; its goroutine owns it.
type session struct {
	srv    *Server
	conn   net.Conn
	r      *bufio.Reader
	w      *bufio.Writer
	secure bool
	name   string // given by USER, not yet proven
	user   string // signed in
	box    []*mail
	read   map[*mail]bool
	gone   map[*mail]bool
	over   bool
}

// newSession puts a new connection into the state before the greeting; the TLS handshake happens with
// the first octet, in the connection's own goroutine.
func newSession(s *Server, conn net.Conn) *session {
	ss := &session{srv: s, read: map[*mail]bool{}, gone: map[*mail]bool{}}
	if s.opt.Security == Implicit {
		conn = tls.Server(conn, s.tls)
		ss.secure = true
	}
	ss.use(conn)
	return ss
}

// use takes conn with fresh buffers: what was buffered before an upgrade to TLS is dropped.
func (c *session) use(conn net.Conn) {
	c.conn = conn
	c.r = bufio.NewReaderSize(conn, 64<<10)
	c.w = bufio.NewWriterSize(conn, 32<<10)
}

// serve runs the connection to its end. The maildrop is free again before the client can see that the
// connection is closed.
func (c *session) serve() {
	defer func() {
		if c.user != "" {
			c.srv.leave(c.user, nil) // no QUIT: nothing is removed (RFC 1939 section 6)
		}
		_ = c.w.Flush()
		_ = c.conn.Close()
	}()
	c.reply("%s", c.srv.opt.Greeting)
	for !c.over {
		// Answers to pipelined commands leave together.
		if c.r.Buffered() == 0 && c.w.Flush() != nil {
			return
		}
		line, ok := c.line()
		if !ok {
			return
		}
		c.command(line)
		if c.srv.opt.NoPipelining && c.r.Buffered() > 0 {
			c.reply("-ERR commands must wait for their answers here")
			return
		}
	}
}

// line reads one command line; longer ones than the buffer end the session.
func (c *session) line() (string, bool) {
	_ = c.conn.SetDeadline(time.Now().Add(c.srv.opt.IdleTimeout))
	b, err := c.r.ReadSlice('\n')
	if err != nil {
		return "", false
	}
	return strings.TrimRight(string(b), "\r\n"), true
}

// command gives a line to the hooks and then to the state it belongs to.
func (c *session) command(line string) {
	verb, arg, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	c.srv.note(redact(verb, arg))
	if h := c.srv.hook().Line; h != nil {
		if reply, handled := h(c.user, line); handled {
			reply, c.over = strings.CutSuffix(reply, Hangup)
			_, _ = c.w.WriteString(reply)
			return
		}
	}
	switch {
	case verb == "QUIT":
		c.quit()
	case verb == "CAPA" && !c.srv.opt.NoCAPA:
		c.capa()
	case c.user == "":
		c.authorization(verb, arg)
	default:
		c.transaction(verb, arg)
	}
}

// redact shows a command without what is secret in it.
func redact(verb, arg string) string {
	switch verb {
	case "PASS":
		return "PASS ***"
	case "AUTH":
		if mech, _, more := strings.Cut(arg, " "); more {
			return "AUTH " + mech + " ***"
		}
	}
	return strings.TrimSpace(verb + " " + arg)
}

// reply writes one line; bufio keeps an error for the next Flush.
func (c *session) reply(format string, args ...any) { _, _ = fmt.Fprintf(c.w, format+"\r\n", args...) }

// capa lists what is switched on, for the state that the session is in (RFC 2449 section 5).
func (c *session) capa() {
	o := c.srv.opt
	c.reply("+OK")
	for _, row := range []struct {
		on   bool
		text string
	}{
		{!o.NoTOP, "TOP"}, {!o.NoUIDL, "UIDL"}, {true, "RESP-CODES"}, {true, "AUTH-RESP-CODE"},
		{!o.NoPipelining, "PIPELINING"}, {!o.NoUser && c.maySignIn(), "USER"},
		{o.Security == STLS && !c.secure, "STLS"},
		{!o.HideSASL && c.maySignIn() && len(o.Mechanisms) > 0, "SASL " + strings.Join(o.Mechanisms, " ")},
	} {
		if row.on {
			c.reply("%s", row.text)
		}
	}
	for _, text := range o.Capabilities {
		c.reply("%s", text)
	}
	c.reply(".")
}

// quit enters the UPDATE state: the only place where messages are removed (RFC 1939 section 6).
func (c *session) quit() {
	if c.user != "" {
		if c.srv.opt.ConsumeOnQuit {
			for m := range c.read {
				c.gone[m] = true
			}
		}
		c.srv.leave(c.user, c.gone)
		c.user = ""
	}
	c.reply("+OK bye")
	c.over = true
}

// transaction serves the TRANSACTION state (RFC 1939 section 5).
func (c *session) transaction(verb, arg string) {
	o := c.srv.opt
	switch {
	case verb == "STAT":
		n, size := c.total()
		c.reply("+OK %d %d", n, size)
	case verb == "LIST":
		c.list(arg, func(m *mail) string { return strconv.Itoa(wireSize(m.body)) })
	case verb == "UIDL" && !o.NoUIDL:
		c.list(arg, func(m *mail) string { return m.uidl })
	case verb == "RETR":
		c.retr(arg)
	case verb == "TOP" && !o.NoTOP:
		c.top(arg)
	case verb == "DELE":
		if m, _ := c.message(arg); m != nil {
			c.gone[m] = true
			c.reply("+OK deleted")
		}
	case verb == "RSET":
		clear(c.gone)
		c.reply("+OK")
	case verb == "NOOP":
		c.reply("+OK")
	default:
		c.reply("-ERR unknown command")
	}
}

// message finds the message that arg names, or answers -ERR.
func (c *session) message(arg string) (*mail, int) {
	n, err := strconv.Atoi(strings.TrimSpace(arg))
	if err != nil || n < 1 || n > len(c.box) || c.gone[c.box[n-1]] {
		c.reply("-ERR no such message")
		return nil, 0
	}
	return c.box[n-1], n
}

// total counts what is not marked as deleted, as STAT wants it.
func (c *session) total() (n, size int) {
	for _, m := range c.box {
		if !c.gone[m] {
			n++
			size += wireSize(m.body)
		}
	}
	return n, size
}

// list answers LIST and UIDL: one line for a number, all lines without one.
func (c *session) list(arg string, show func(*mail) string) {
	if arg != "" {
		if m, n := c.message(arg); m != nil {
			c.reply("+OK %d %s", n, show(m))
		}
		return
	}
	c.reply("+OK")
	for i, m := range c.box {
		if !c.gone[m] {
			c.reply("%d %s", i+1, show(m))
		}
	}
	c.reply(".")
}

// retr sends a message, whole or broken as the hook says.
func (c *session) retr(arg string) {
	m, n := c.message(arg)
	if m == nil {
		return
	}
	var f Fault
	if h := c.srv.hook().Retr; h != nil {
		f = h(c.user, n, m.uidl)
	}
	if f.Refuse != "" {
		c.reply("%s", f.Refuse)
		return
	}
	c.read[m] = true
	c.reply("+OK %d octets", wireSize(m.body))
	if f.Empty {
		c.reply(".")
		return
	}
	if f.Cut {
		_ = stuff(&cutWriter{c.w, f.After}, m.body) // the writer's refusal is the fault itself
		c.over = true
		return
	}
	_ = stuff(c.w, m.body) // bufio keeps the error for Flush
}

// top answers with the header and the first lines of the body (RFC 1939 section 7).
func (c *session) top(arg string) {
	num, lines, _ := strings.Cut(arg, " ")
	keep, err := strconv.Atoi(lines)
	if err != nil || keep < 0 {
		c.reply("-ERR TOP wants a message and a number of lines")
		return
	}
	m, _ := c.message(num)
	if m == nil {
		return
	}
	c.reply("+OK")
	head, body, _ := bytes.Cut(m.body, []byte("\r\n\r\n"))
	out := append(bytes.Clone(head), "\r\n\r\n"...)
	for ; keep > 0 && len(body) > 0; keep-- {
		i := bytes.IndexByte(body, '\n') + 1
		if i == 0 {
			i = len(body)
		}
		out, body = append(out, body[:i]...), body[i:]
	}
	_ = stuff(c.w, out)
}

// wireSize is the size that LIST announces: the octets that RETR will send, unstuffed.
func wireSize(b []byte) int {
	if !bytes.HasSuffix(b, []byte("\r\n")) {
		return len(b) + 2
	}
	return len(b)
}

// stuff writes a message as a multi-line response (RFC 1939 section 3).
func stuff(w io.Writer, b []byte) error {
	if len(b) > 0 && b[0] == '.' {
		if _, err := io.WriteString(w, "."); err != nil {
			return err
		}
	}
	rest := b
	for {
		i := bytes.Index(rest, []byte("\r\n."))
		if i < 0 {
			break
		}
		if _, err := w.Write(append(bytes.Clone(rest[:i]), "\r\n."...)); err != nil {
			return err
		}
		rest = rest[i+2:]
	}
	end := ".\r\n"
	if !bytes.HasSuffix(b, []byte("\r\n")) {
		end = "\r\n.\r\n"
	}
	if _, err := w.Write(rest); err != nil {
		return err
	}
	_, err := io.WriteString(w, end)
	return err
}

// cutWriter passes so many octets and refuses the rest.
type cutWriter struct {
	w    io.Writer
	left int64
}

// Write passes what is left and then refuses.
func (c *cutWriter) Write(p []byte) (int, error) {
	if int64(len(p)) > c.left {
		n, _ := c.w.Write(p[:c.left])
		c.left = 0
		return n, io.ErrShortWrite
	}
	c.left -= int64(len(p))
	return c.w.Write(p)
}
