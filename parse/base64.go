package parse

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"

	fast "github.com/segmentio/asm/base64"
)

// decodeQuanta decodes src, whole quanta without padding or white space, into dst, which may be the
// same memory: what is written never goes ahead of what was read. It is the only use of the vectorised
// decoder; ok is false for anything else in src.
func decodeQuanta(dst, src []byte) (n int, ok bool) {
	n, err := fast.RawStdEncoding.Decode(dst, src)
	return n, err == nil && n == len(src)/4*3
}

// decodeQuantaStd does the same with the standard library: the oracle of the fuzz test.
func decodeQuantaStd(dst, src []byte) (n int, ok bool) {
	n, err := base64.RawStdEncoding.Decode(dst, src)
	return n, err == nil && n == len(src)/4*3
}

// sextet returns the value of a base64 character, -1 if it is none.
func sextet(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 26
	case c >= '0' && c <= '9':
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}

// base64Decoder reads base64 (RFC 2045 section 6.8) and what breaks it: foreign characters are
// skipped, a missing padding is none the worse. After the padding encoded data may go on (two
// encodings joined); anything else there, a list's footer most of all, is no data.
type base64Decoder struct {
	mem   *scratch
	out   []byte
	carry []byte // fewer than four characters waiting for their quantum

	flawed bool   // something else than lines of characters was seen: padding, most often the end
	padded bool   // padding was seen
	pads   int    // how many more characters of it belong to the quantum
	glued  bool   // nothing but padding stands between the data and tail
	ended  bool   // what follows is no data
	tail   []byte // the line after the padding, until it is clear what it is
	spaced bool   // a blank came last in it

	garbage, trailing int
	continued, cut    bool
	unpadded          bool
}

// maxTail bounds a line after padding that may be data: RFC 2045 allows 76 characters, some send more.
const maxTail = 2048

// decode implements transferDecoder.
func (d *base64Decoder) decode(src []byte, last bool) []byte {
	d.out = d.out[:0]
	for len(src) > 0 {
		if d.padded {
			src = d.after(src)
		} else {
			src = d.data(src)
		}
	}
	if last {
		d.judge()
		d.finish()
		d.out = bytes.Clone(d.out) // a few octets, or none
		d.mem.free()
		d.mem = nil
	}
	return d.out
}

// data decodes up to the first padding character and returns what follows it.
func (d *base64Decoder) data(src []byte) (rest []byte) {
	if !d.flawed {
		// Padding stands at the end, most often: a look there spares decoding all for nothing.
		end := src[max(0, len(src)-maxLine):]
		if bytes.IndexByte(end, '=') < 0 && d.lines(src) {
			return nil
		}
		d.flawed = true
	}
	eq := bytes.IndexByte(src, '=')
	if eq >= 0 {
		src, rest = src[:eq], src[eq+1:]
	}
	if len(src) > 0 && !d.lines(src) {
		d.slow(src)
	}
	switch {
	case eq < 0:
	case len(d.carry) >= 2:
		d.pads = 3 - len(d.carry)
		d.quantum()
		d.padded, d.glued = true, true
	default:
		d.garbage++
	}
	return rest
}

// lines decodes lines without padding all in one go, or does nothing if they hold something else. Their
// characters are put together where their octets will lie.
func (d *base64Decoder) lines(src []byte) bool {
	at := len(d.out)
	d.grow(len(d.carry) + len(src))
	b := appendLines(append(d.out[at:], d.carry...), src)
	whole := len(b) &^ 3
	if !validTail(b[whole:]) {
		return false
	}
	tail := [4]byte{}
	k := copy(tail[:], b[whole:])
	n, ok := decodeQuanta(b, b[:whole])
	if ok {
		d.out = d.out[:at+n]
		d.carry = append(d.carry[:0], tail[:k]...)
	}
	return ok
}

// grow makes room for n more octets in out.
func (d *base64Decoder) grow(n int) {
	if d.mem == nil {
		d.mem = newScratch()
		d.out = append(d.mem[:0], d.out...)
	}
	if cap(d.out)-len(d.out) < n {
		d.out = slices.Grow(d.out, n)
	}
}

// appendLines appends the lines of src without their ends. Most lines are as long as the one before
// and none is longer than 76 characters (RFC 2045 section 6.8): copies of one fixed size are several
// times as fast. A line end that is taken for a character is found out, for it is not in the alphabet.
func appendLines(dst, src []byte) []byte {
	for len(src) > 0 {
		i := bytes.IndexByte(src, '\n')
		if i < 0 {
			return append(dst, bytes.TrimSuffix(src, []byte("\r"))...)
		}
		line := bytes.TrimSuffix(src[:i], []byte("\r"))
		dst = append(dst, line...)
		src = src[i+1:]
		if n := len(line); n > 0 && n <= fixed {
			dst, src = appendFixed(dst, src, n, i+1)
		}
	}
	return dst
}

const (
	maxLine = 78 // RFC 2045 section 6.8, with its end
	fixed   = 80 // how much appendFixed copies at a time
)

// appendFixed appends lines of n characters, step octets apart, while there are such.
func appendFixed(dst, src []byte, n, step int) (_, rest []byte) {
	for len(src) > fixed+1 && src[step-1] == '\n' && src[step-2] == '\r' == (step == n+2) && cap(dst)-len(dst) >= fixed {
		at := len(dst)
		to, from := (*[fixed]byte)(dst[at:at+fixed]), (*[fixed]byte)(src)
		*(*[16]byte)(to[:]) = *(*[16]byte)(from[:])
		*(*[16]byte)(to[16:]) = *(*[16]byte)(from[16:])
		*(*[16]byte)(to[32:]) = *(*[16]byte)(from[32:])
		*(*[16]byte)(to[48:]) = *(*[16]byte)(from[48:])
		*(*[16]byte)(to[64:]) = *(*[16]byte)(from[64:])
		dst, src = dst[:at+n], src[step:]
	}
	return dst, src
}

// validTail tells whether b has characters of the alphabet only.
func validTail(b []byte) bool {
	for _, c := range b {
		if sextet(c) < 0 {
			return false
		}
	}
	return true
}

// slow decodes one character at a time.
func (d *base64Decoder) slow(src []byte) {
	for _, c := range src {
		switch {
		case sextet(c) >= 0:
			d.carry = append(d.carry, c)
			if len(d.carry) == 4 {
				d.quantum()
			}
		case c != '\r' && c != '\n' && c != ' ' && c != '\t':
			d.garbage++
		}
	}
}

// quantum decodes the two to four characters in carry.
func (d *base64Decoder) quantum() {
	var v uint32
	for i := range 4 {
		v <<= 6
		if i < len(d.carry) {
			v |= uint32(sextet(d.carry[i]))
		}
	}
	b := [3]byte{byte(v >> 16), byte(v >> 8), byte(v)}
	d.out = append(d.out, b[:max(len(d.carry)-1, 0)]...)
	d.carry = d.carry[:0]
}

// after looks at what follows padding, up to the end of a line, and returns what follows that.
func (d *base64Decoder) after(src []byte) (rest []byte) {
	for i, c := range src {
		switch {
		case d.ended:
			d.trailing += len(src) - i
			return nil
		case c == '\n':
			d.judge()
			d.glued, d.spaced = false, false
			return src[i+1:]
		case c == '=' && len(d.tail) == 0:
			if d.pads--; d.pads < 0 {
				d.garbage++
			}
		case c == '\r', c == ' ', c == '\t':
			d.glued = d.glued && len(d.tail) > 0
			d.spaced = c != '\r' && len(d.tail) > 0 && d.tail[len(d.tail)-1] != '='
		case d.spaced, len(d.tail) == maxTail: // words
			d.ended = true
			d.trailing += len(d.tail) + 1
		default:
			if n := len(d.tail); n > 0 && c != '=' && d.tail[n-1] == '=' {
				d.judge() // a whole encoding, and another in the same line
			}
			d.tail = append(d.tail, c)
		}
	}
	return nil
}

// judge decides whether the line in tail is encoded data again, and decodes it.
func (d *base64Decoder) judge() {
	line := d.tail
	d.tail = d.tail[:0] // line is used up before anything is appended again
	body := bytes.TrimRight(line, "=")
	switch {
	case len(line) == 0 || d.ended:
	case len(line)%4 != 0 || len(line)-len(body) > 2 || !validTail(body) || len(line) < 8 && len(line) == len(body) && !d.glued:
		d.ended = true
		d.trailing += len(line)
	default:
		d.unpadded = d.unpadded || d.pads > 0
		d.continued, d.padded, d.pads = true, false, 0
		d.pads -= len(d.data(line))
	}
}

// finish decodes what is left in carry: an encoding that lost its padding.
func (d *base64Decoder) finish() {
	d.unpadded = d.unpadded || d.pads > 0
	switch len(d.carry) {
	case 0:
	case 1:
		d.cut = true
		d.carry = nil
	default:
		d.unpadded = true
		d.quantum()
	}
}

// flaws implements transferDecoder.
func (d *base64Decoder) flaws(to reporter) {
	if d.garbage > 0 {
		to.issue(IssueBase64Garbage, fmt.Sprintf("%d characters skipped", d.garbage), false)
	}
	if d.continued {
		to.issue(IssueBase64Continued, "", false)
	}
	if d.trailing > 0 {
		to.issue(IssueBase64Trailing, "text after the padding", true)
	}
	if d.cut {
		to.issue(IssueBase64Truncated, "", true)
	}
	if d.unpadded {
		to.issue(IssueBase64Unpadded, "", false)
	}
}
