package pop3

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

const (
	// bufferSize bounds a response line too. RFC 2449 section 4 allows 512 octets; servers that list
	// capabilities or explain refusals at length are met in practice.
	bufferSize = 64 << 10
	// rateSpan is the time spent waiting after which the rate of an answer is judged.
	rateSpan = 2 * time.Minute
	// maxIdleReads bounds reads that return nothing and no error.
	maxIdleReads = 100
)

// wire reads and writes with deadlines. Its buffer is where lines and bodies are decoded in place.
type wire struct {
	conn    net.Conn
	timeout time.Duration
	minRate int64
	buf     []byte
	s, e    int // buf[s:e] is read but not consumed
	err     error
	waited  time.Duration
	got     int64
}

// buffered returns what was read and not consumed; it is valid until the next fill.
func (w *wire) buffered() []byte { return w.buf[w.s:w.e] }

// answer starts the account of one answer's rate.
func (w *wire) answer() { w.waited, w.got = 0, 0 }

// fill reads more octets behind those that are not consumed. Slices of the buffer die.
func (w *wire) fill() error {
	if w.err != nil {
		return w.err
	}
	if w.s > 0 {
		w.e = copy(w.buf, w.buf[w.s:w.e])
		w.s = 0
	}
	if w.e == len(w.buf) {
		w.err = fmt.Errorf("%w: a line of more than %d octets", ErrLimit, len(w.buf))
		return w.err
	}
	for range maxIdleReads {
		n, err := w.read()
		w.e += n
		if err != nil {
			w.err = err
		}
		if n > 0 {
			return nil // what came before an error is still good
		}
		if err != nil {
			return err
		}
	}
	w.err = io.ErrNoProgress
	return w.err
}

// read is one Read under the rolling deadline. A server that keeps each deadline by one octet would
// hold the connection for hours: the rate over the time spent waiting is judged too.
func (w *wire) read() (int, error) {
	start := time.Now()
	// A pipe whose other end is closed takes no deadline any more; Read says what became of it.
	if err := w.conn.SetReadDeadline(start.Add(w.timeout)); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		return 0, fmt.Errorf("set deadline: %w", err)
	}
	n, err := w.conn.Read(w.buf[w.e:])
	w.waited += time.Since(start)
	w.got += int64(n)
	if err == io.EOF { //nolint:errorlint // net.Conn returns it bare; a wrapped one is another reader's
		return n, io.ErrUnexpectedEOF // only a terminator ends an answer
	}
	if err == nil && w.waited >= rateSpan {
		if w.got < int64(w.waited.Seconds())*w.minRate {
			return n, fmt.Errorf("%w: %d octets in %s", ErrTooSlow, w.got, w.waited.Round(time.Second))
		}
		w.answer()
	}
	return n, err
}

// line returns the next line without its end: CRLF, or a bare LF as some servers send outside of
// messages. It is valid until the next fill.
func (w *wire) line() ([]byte, error) {
	seen := 0
	for {
		if i := bytes.IndexByte(w.buf[w.s+seen:w.e], '\n'); i >= 0 {
			b := w.buf[w.s : w.s+seen+i]
			w.s += seen + i + 1
			return bytes.TrimSuffix(b, []byte("\r")), nil
		}
		seen = w.e - w.s
		if err := w.fill(); err != nil {
			return nil, err
		}
	}
}

// write sends p under a deadline of its own: a server that does not read must not hold us.
func (w *wire) write(p []byte) error {
	if w.err != nil {
		return w.err
	}
	if err := w.conn.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return fmt.Errorf("set deadline: %w", err)
	}
	_, err := w.conn.Write(p)
	return err
}
