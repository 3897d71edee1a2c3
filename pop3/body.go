package pop3

import (
	"bytes"
	"fmt"
	"io"
)

// Body is the message of one RETR or TOP on its way from the server. It dies with the next command.
type Body struct {
	Number int

	c       *Client
	inLine  bool   // the last octets given out were not a CRLF
	pending []byte // decoded octets in the wire's buffer, not yet given out
	done    bool   // the terminator was read
	err     error  // what every further Read returns
}

// Read gives out the octets of the message: the CRLF of each line kept, stuffed dots removed, bare CR
// and LF as they are. It returns io.EOF only after the terminator (RFC 1939 section 3).
func (b *Body) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(b.pending) == 0 {
		if err := b.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.pending)
	b.pending = b.pending[n:]
	return n, nil
}

// WriteTo gives the whole message to w without copying it in between.
func (b *Body) WriteTo(w io.Writer) (n int64, err error) {
	for {
		if len(b.pending) == 0 {
			switch err := b.next(); {
			case err == io.EOF: //nolint:errorlint // next returns it bare
				return n, nil
			case err != nil:
				return n, err
			}
		}
		m, err := w.Write(b.pending)
		n += int64(m)
		b.pending = b.pending[m:]
		if err != nil {
			return n, err
		}
	}
}

// next decodes the next run of octets into pending, or returns io.EOF behind the terminator.
func (b *Body) next() error {
	if b.err != nil {
		return b.err
	}
	for {
		chunk, end, more := b.decode(b.c.wire.buffered())
		switch {
		case end:
			b.done, b.err = true, io.EOF
			b.c.finish(b)
			return b.err
		case len(chunk) > 0:
			b.pending = chunk
			return nil
		case more:
			if err := b.c.wire.fill(); err != nil {
				b.err = b.c.fail("read message", err)
				return b.err
			}
		}
	}
}

// decode takes one step through buf, which it consumes: a run of octets, the end, or the wish for
// more octets. A dot counts only behind CRLF or at the start; it is dropped unless CRLF follows it,
// which makes it the terminator. A line end is CRLF and nothing else, so no bare LF in a message can
// end it early.
func (b *Body) decode(buf []byte) (chunk []byte, end, more bool) {
	w := &b.c.wire
	if len(buf) == 0 {
		return nil, false, true
	}
	if !b.inLine && buf[0] == '.' {
		switch {
		case len(buf) == 1, len(buf) == 2 && buf[1] == '\r':
			return nil, false, true
		case buf[1] == '\r' && buf[2] == '\n':
			w.s += 3
			return nil, true, false
		}
		w.s++
		b.inLine = true
		buf = buf[1:]
	}
	b.inLine = true
	n := len(buf)
	if i := bytes.Index(buf, []byte("\r\n.")); i >= 0 {
		n = i + 2
		b.inLine = false
	} else if bytes.HasSuffix(buf, []byte("\r\n")) {
		b.inLine = false
	} else if buf[n-1] == '\r' {
		n-- // its LF, and a dot behind that, may still come
	}
	w.s += n
	return buf[:n], false, n == 0
}

// drain reads what nobody has read. Whoever still holds the Body then must not take it for complete.
func (b *Body) drain() error {
	if b.done {
		return nil
	}
	for {
		b.pending = nil
		if err := b.next(); b.done {
			b.err = fmt.Errorf("pop3: the message is over: %w", ErrState)
			return nil
		} else if err != nil {
			return err
		}
	}
}
