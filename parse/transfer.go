package parse

import (
	"bytes"
	"fmt"
)

// transferDecoder undoes a Content-Transfer-Encoding (RFC 2045 section 6). It takes the body in
// whatever pieces it comes and gives the same octets for every way of cutting it.
type transferDecoder interface {
	// decode returns the octets of src, and with last what was held back. The result is good until
	// the next call and may be src itself.
	decode(src []byte, last bool) []byte
	// flaws reports what was wrong, after the last call.
	flaws(to reporter)
}

// transferFor returns the decoder of an encoding's name; ok is false if nobody knows it.
func transferFor(name string) (d transferDecoder, ok bool) {
	switch name {
	case "base64", "b64", "base-64", "base 64":
		return new(base64Decoder), true
	case "quoted-printable", "quotedprintable", "quoted printable", "quoted_printable", "qp":
		return new(qpDecoder), true
	case "uuencode", "x-uuencode", "x-uue", "uue":
		return new(uuDecoder), true
	case "", "7bit", "8bit", "binary", "7-bit", "8-bit", "7 bit", "8 bit", "none", "plain":
		return identity{}, true
	}
	return identity{}, false
}

// identity leaves the octets as they are.
type identity struct{}

// decode implements transferDecoder.
func (identity) decode(src []byte, _ bool) []byte { return src }

// flaws implements transferDecoder.
func (identity) flaws(reporter) {}

// maxBlanks is how many blanks before a line end are taken for transport padding.
const maxBlanks = 4096

// qpDecoder reads quoted-printable (RFC 2045 section 6.7).
type qpDecoder struct {
	mem  *scratch
	out  []byte
	held []byte // the end of the input so far that later octets give its meaning: =, =4, blanks
	bad  int
}

// decode implements transferDecoder.
func (d *qpDecoder) decode(src []byte, last bool) []byte {
	if d.mem == nil {
		d.mem = newScratch()
		d.out = d.mem[:]
	}
	d.out = d.out[:0]
	src = d.continued(src)
	for len(src) > 0 {
		i := bytes.IndexByte(src, '\n')
		if i < 0 {
			d.held = append(d.held[:0], d.open(src, last)...)
			break
		}
		d.line(src[:i], src[i:i+1])
		src = src[i+1:]
	}
	if last {
		d.out = bytes.Clone(d.out) // what was held, or nothing
		d.mem.free()
		d.mem = nil
	}
	return d.out
}

// continued decodes the line that was held, if src has its end, and returns what is left to decode.
func (d *qpDecoder) continued(src []byte) []byte {
	if len(d.held) == 0 {
		return src
	}
	i := bytes.IndexByte(src, '\n')
	if i < 0 {
		src, d.held = append(d.held, src...), nil
		return src
	}
	d.held = append(d.held, src[:i]...)
	d.line(d.held, src[i:i+1])
	d.held = d.held[:0]
	return src[i+1:]
}

// line decodes a whole line, end being its line feed.
func (d *qpDecoder) line(line, end []byte) {
	cr := bytes.HasSuffix(line, []byte("\r"))
	if cr {
		line = line[:len(line)-1]
	}
	line = trimBlanks(line)
	soft, ok := bytes.CutSuffix(line, []byte("="))
	if !ok {
		soft, ok = bytes.CutSuffix(line, []byte("=\r")) // the CR was doubled on the way
	}
	if ok {
		d.text(soft)
		return
	}
	d.text(line)
	if cr {
		d.out = append(d.out, '\r')
	}
	d.out = append(d.out, end...)
}

// open decodes a line whose end has not come yet and returns what has to wait for it.
func (d *qpDecoder) open(line []byte, last bool) (wait []byte) {
	if last {
		line = trimBlanks(line)
		for _, end := range [...]string{"=", "=\r", "=\r\r"} {
			line = bytes.TrimSuffix(line, []byte(end))
		}
		d.text(line)
		return nil
	}
	cut := len(line)
	if cut > 0 && line[cut-1] == '\r' {
		cut--
	}
	cut = len(trimBlanks(line[:cut]))
	for i := 1; i <= 2 && i <= cut; i++ {
		if line[cut-i] == '=' {
			cut -= i
			break
		}
	}
	d.text(line[:cut])
	return line[cut:]
}

// trimBlanks removes blanks from the end, at most maxBlanks.
func trimBlanks(line []byte) []byte {
	n := len(line)
	for n > 0 && len(line)-n < maxBlanks && (line[n-1] == ' ' || line[n-1] == '\t') {
		n--
	}
	return line[:n]
}

// text decodes the escapes inside of a line.
func (d *qpDecoder) text(s []byte) {
	for len(s) > 0 {
		i := 0
		if s[0] != '=' { // they come in rows
			i = bytes.IndexByte(s, '=')
		}
		if i < 0 {
			d.out = append(d.out, s...)
			return
		}
		d.out = append(d.out, s[:i]...)
		if i+2 < len(s) {
			if hi, lo := hexValue(s[i+1]), hexValue(s[i+2]); hi >= 0 && lo >= 0 {
				d.out = append(d.out, byte(hi<<4|lo))
				s = s[i+3:]
				continue
			}
		}
		if i+1 < len(s) && s[i+1] == '\r' {
			s = s[i+2:] // a soft break where lines end in CR
			continue
		}
		d.bad++
		d.out = append(d.out, '=')
		s = s[i+1:]
	}
}

// flaws implements transferDecoder.
func (d *qpDecoder) flaws(to reporter) {
	if d.bad > 0 {
		to.issue(IssueQuotedPrintableBad, fmt.Sprintf("%d times = without two digits", d.bad), false)
	}
}

// uuDecoder reads uuencode (IEEE Std 1003.1), which some old senders name as transfer encoding. What has
// no begin line is not encoded and stays as it is.
type uuDecoder struct {
	out    []byte
	held   []byte
	before []byte // all so far, until the begin line was found
	sought bool   // it was, or there is none
	plain  bool   // there is none
	begun  bool
	done   bool
	bad    int
}

const (
	maxUULine   = 128     // a line has 61 characters
	maxUUBefore = 8 << 10 // octets that a begin line is sought in
)

// decode implements transferDecoder.
func (d *uuDecoder) decode(src []byte, last bool) []byte {
	d.out = d.out[:0]
	if !d.sought {
		src = d.seek(src, last)
	}
	if d.plain {
		return src
	}
	for len(src) > 0 {
		i := bytes.IndexByte(src, '\n')
		if i < 0 {
			d.hold(src)
			break
		}
		d.hold(src[:i])
		d.line(d.held)
		d.held = d.held[:0]
		src = src[i+1:]
	}
	if last && len(d.held) > 0 {
		d.line(d.held)
		d.held = d.held[:0]
	}
	return d.out
}

// seek looks for the begin line and returns what to decode.
func (d *uuDecoder) seek(src []byte, last bool) []byte {
	const begin = "begin "
	d.before = append(d.before, src...)
	room := d.before[:min(len(d.before), maxUUBefore+len(begin))]
	found := bytes.HasPrefix(room, []byte(begin)) || bytes.Contains(room, []byte("\n"+begin))
	if !found && !last && len(room) < maxUUBefore+len(begin) {
		return nil
	}
	d.sought, d.plain = true, !found && len(d.before) > 0
	src, d.before = d.before, nil
	return src
}

// hold keeps the beginning of a line; what is longer than an encoded line is none.
func (d *uuDecoder) hold(b []byte) {
	room := max(maxUULine-len(d.held), 0)
	d.held = append(d.held, b[:min(room, len(b))]...)
}

// line decodes one line: its first character says how many octets follow.
func (d *uuDecoder) line(line []byte) {
	line = bytes.TrimRight(line, "\r")
	switch {
	case len(line) == 0:
		return
	case !d.begun && bytes.HasPrefix(line, []byte("begin ")):
		d.begun = true
		return
	case d.done || !d.begun:
		d.bad++
		return
	case bytes.Equal(line, []byte("end")):
		d.done = true
		return
	}
	n := int(line[0]-' ') & 0x3f
	if line[0] < ' ' || line[0] > '`' || len(line)-1 < (n*8+5)/6-1 {
		d.bad++
		return
	}
	line = line[1:]
	for n = min(n, len(line)*6/8); n > 0; n -= 3 {
		quad := [4]byte{' ', ' ', ' ', ' '}
		line = line[copy(quad[:], line):]
		v := uint32(quad[0]-' ')&0x3f<<18 | uint32(quad[1]-' ')&0x3f<<12 | uint32(quad[2]-' ')&0x3f<<6 | uint32(quad[3]-' ')&0x3f
		d.out = append(d.out, byte(v>>16), byte(v>>8), byte(v))
	}
	d.out = d.out[:len(d.out)+min(n, 0)]
}

// flaws implements transferDecoder.
func (d *uuDecoder) flaws(to reporter) {
	switch {
	case d.plain:
		to.issue(IssueUUBad, "no begin line: octets as sent", false)
	case d.bad > 0:
		to.issue(IssueUUBad, fmt.Sprintf("%d lines skipped", d.bad), true)
	}
}
