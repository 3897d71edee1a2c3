package parse

import (
	"io"

	"mailflume/parse/sniff"
)

// octets gives the decoded octets of a part piece by piece.
type octets interface {
	// next returns the next piece, good until the next call. Nothing follows the last one, nor an
	// error, which is the transport's.
	next() (b []byte, last bool, err error)
	// skip goes to the end without decoding.
	skip() error
	// flaws reports what was wrong, after the end.
	flaws(to reporter)
}

// reporter takes what was wrong: a part, for one.
type reporter interface {
	issue(code, detail string, lossy bool)
}

// bodyOctets is the body of a MIME part.
type bodyOctets struct {
	w          *window
	dec        transferDecoder
	start, len int64 // where the body lies in the message
}

// next implements octets.
func (o *bodyOctets) next() ([]byte, bool, error) {
	raw := o.w.body()
	if raw == nil && o.w.err != nil {
		return nil, true, o.w.err
	}
	o.len += int64(len(raw))
	last := raw == nil
	return o.dec.decode(raw, last), last, nil
}

// skip implements octets.
func (o *bodyOctets) skip() error {
	for {
		raw := o.w.body()
		if raw == nil {
			return o.w.err
		}
		o.len += int64(len(raw))
	}
}

// flaws implements octets.
func (o *bodyOctets) flaws(to reporter) { o.dec.flaws(to) }

// readerOctets are octets that come out of a container.
type readerOctets struct {
	in  io.Reader
	buf []byte // a piece's
	end func() // called after the last octet, if there is one
}

// pieceSize is how many octets come out of a container at once.
const pieceSize = 16 << 10

// next implements octets.
func (o *readerOctets) next() ([]byte, bool, error) {
	n, err := o.in.Read(o.buf)
	if err != io.EOF {
		return o.buf[:n], false, err
	}
	if o.end != nil {
		o.end()
	}
	return o.buf[:n], true, nil
}

// skip implements octets.
func (o *readerOctets) skip() error {
	for {
		if _, last, err := o.next(); last || err != nil {
			return err
		}
	}
}

// flaws implements octets.
func (o *readerOctets) flaws(reporter) {}

// Tee makes the part's octets, decoded but in the charset they were sent in, also go to w from now
// on, whether they are read, walked or drained. It is meant to be called before the first Read. An
// error of w comes back from Read or Next as it is, except that io.EOF, which would mean the end of
// the message there, becomes io.ErrUnexpectedEOF.
func (p *Part) Tee(w io.Writer) { p.tee = w }

// Range tells where the part's still encoded body lies in the message around it: the octets from
// start up to end, which is final after the end; of a text in pieces, the first has the range of all,
// and it is final after the last. Both are 0 if it is no MIME part.
func (p *Part) Range() (start, end int64) {
	if p.body != nil {
		return p.body.start, p.body.start + p.body.len
	}
	return 0, 0
}

// Read returns text in UTF-8, with the line ends it was sent with, and the decoded octets of an
// attachment exactly, in whatever charset they are. Its only errors are io.EOF, the transport's and
// the Tee writer's.
func (p *Part) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if !p.claim() {
		return 0, io.EOF
	}
	return p.pull(b)
}

// claim makes the part the caller's: it will not be opened. It is too late for that once the reader
// has gone on, or into the part.
func (p *Part) claim() bool {
	if p.r.last != p {
		return false
	}
	p.read = true
	return true
}

// pull is Read without a look at who reads.
func (p *Part) pull(b []byte) (int, error) {
	for len(p.out) == 0 {
		if p.err != nil {
			return 0, p.err
		}
		if p.done {
			return 0, io.EOF
		}
		p.fill()
	}
	n := copy(b, p.out)
	p.out = p.out[n:]
	return n, nil
}

// WriteTo writes what is left of the part to w: io.Copy without a second buffer.
func (p *Part) WriteTo(w io.Writer) (n int64, err error) {
	for p.claim() {
		if len(p.out) > 0 {
			k, err := writeAll(w, p.out)
			n += int64(k)
			p.out = p.out[k:]
			if err != nil {
				return n, err
			}
			continue
		}
		if p.err != nil || p.done {
			return n, p.err
		}
		p.fill()
	}
	return n, nil
}

// fill decodes the next piece into out, or sets err.
func (p *Part) fill() {
	b, last, err := p.octets.next()
	if err == nil {
		err = p.observe(b)
	}
	if err != nil {
		p.err = err
		return
	}
	p.out = b
	if p.text != nil {
		p.out = p.text.convert(p.out, last)
	}
	if p.flow != nil {
		p.out = p.flow.convert(p.out, last)
	}
	if last {
		p.done = true
		if !p.opened {
			p.finish()
		}
	}
}

// observe shows decoded octets to all who look on.
func (p *Part) observe(b []byte) error {
	if n := min(len(b), sniff.Size-len(p.head)); n > 0 && p.Role == RoleAttachment {
		p.remember(b[:n])
	}
	if p.tap != nil {
		p.tap.write(b)
	}
	if p.tee != nil && len(b) > 0 {
		_, err := writeAll(p.tee, b)
		if err == io.EOF { //nolint:errorlint // bare: one that wraps it cannot be mistaken
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	return nil
}

// remember keeps the first octets. Those of a container are asked for after those of what is in it;
// all other parts of a reader take turns in one memory.
func (p *Part) remember(b []byte) {
	if p.Container() {
		p.head = append(p.head, b...)
		return
	}
	p.r.head = append(p.r.head[:len(p.head)], b...)
	p.head = p.r.head
}

// writeAll writes b; a writer that takes less without saying why is an error, as it is for io.Copy.
func writeAll(w io.Writer, b []byte) (n int, err error) {
	if n, err = w.Write(b); err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return n, err
}

// finish reports what the part's decoders found.
func (p *Part) finish() {
	p.octets.flaws(p)
	if p.tap != nil {
		p.tap.finish(&p.r.about.Summary)
	}
	if p.text == nil {
		return
	}
	if p.text.guessed {
		p.issue(IssueCharsetGuessed, p.text.charset.name, false)
	}
	if p.text.invalid {
		p.issue(IssueCharsetInvalid, p.text.charset.name, true)
	}
	p.UsedCharset = p.text.charset.name
	if p.UsedCharset == "" {
		p.UsedCharset = "us-ascii"
	}
}

// drain goes to the end of the part. What nobody looks at is not decoded; what somebody began to look
// at is, for how far he came depends on the transport, and what is reported must not. What was wrong
// with a part that holds others is reported after what was wrong with them, for the same reason.
func (p *Part) drain() error {
	if p.tee == nil && p.tap == nil && !p.read && !p.opened {
		p.done = true
		p.err = p.octets.skip()
	}
	for p.err == nil && !p.done {
		p.fill()
	}
	p.out = nil
	if p.opened && p.err == nil {
		p.finish()
	}
	return p.err
}
