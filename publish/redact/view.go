package redact

import (
	"bytes"
	"html"
	"iter"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// view is what stands in a text if it is read in one way. Octet i of it was written as the octets from[i] up
// to to[i] of the text.
type view struct {
	octets   []byte
	from, to []int32
}

// newView has room for n octets.
func newView(n int) *view {
	return &view{octets: make([]byte, 0, n), from: make([]int32, 0, n), to: make([]int32, 0, n)}
}

// plain is a text as it stands.
func plain(text string) *view {
	v := newView(len(text))
	for i := range len(text) {
		v.octets, v.from, v.to = append(v.octets, text[i]), append(v.from, int32(i)), append(v.to, int32(i)+1)
	}
	return v
}

// add appends octets that were written as octets i up to j of the view in.
func (v *view) add(in *view, i, j int, octets ...byte) {
	for _, o := range octets {
		v.octets, v.from, v.to = append(v.octets, o), append(v.from, in.from[i]), append(v.to, in.to[j-1])
	}
}

// cut leaves the first n octets.
func (v *view) cut(n int) { v.octets, v.from, v.to = v.octets[:n], v.from[:n], v.to[:n] }

// deeper yields the view read in every other way, as far as that gives so many octets in a row.
func (v *view) deeper(least int) iter.Seq[*view] {
	return func(yield func(*view) bool) {
		give := func(w *view) bool { return len(w.octets) < least || yield(w) }
		for _, escape := range []struct {
			first string
			read  func([]byte) ([]byte, int)
		}{{"%", percent}, {"+", form}, {"&", entity}, {`\`, backslash}, {"=", quotedPrintable}} {
			if !give(v.unescape(escape.first, escape.read)) {
				return
			}
		}
		for skip := range 2 {
			if !give(v.digits(hexDigit, 2, 4, skip, least)) {
				return
			}
		}
		for skip := range 4 {
			if !give(v.digits(base64Digit, 4, 6, skip, least)) {
				return
			}
		}
		give(v.numbers())
	}
}

// unescape replaces what read knows, in a text with one of these octets: it returns the octets that the beginning of a text stands for, and how
// many octets that are; 0: it is no escape.
func (v *view) unescape(first string, read func([]byte) ([]byte, int)) *view {
	if !bytes.ContainsAny(v.octets, first) {
		return &view{} // it would be the same
	}
	w, found := newView(len(v.octets)), false
	for i := 0; i < len(v.octets); {
		octets, n := read(v.octets[i:])
		if n == 0 {
			octets, n = v.octets[i:i+1], 1
		} else {
			found = true
		}
		w.add(v, i, i+n, octets...)
		i += n
	}
	if !found {
		return &view{}
	}
	return w
}

// percent is RFC 3986 section 2.1.
func percent(b []byte) ([]byte, int) {
	if len(b) < 3 || b[0] != '%' {
		return nil, 0
	}
	return hexPair(b[1:3], 3)
}

// form is how the values of HTML forms are written.
func form(b []byte) ([]byte, int) {
	if b[0] == '+' {
		return []byte{' '}, 1
	}
	return percent(b)
}

// quotedPrintable is RFC 2045 section 6.7, with its soft line breaks.
func quotedPrintable(b []byte) ([]byte, int) {
	switch {
	case len(b) < 2 || b[0] != '=':
		return nil, 0
	case b[1] == '\n':
		return nil, 2
	case len(b) > 2 && b[1] == '\r' && b[2] == '\n':
		return nil, 3
	case len(b) < 3:
		return nil, 0
	}
	return hexPair(b[1:3], 3)
}

// entity is a character reference of HTML and XML.
func entity(b []byte) ([]byte, int) {
	const longest = 12
	if b[0] != '&' {
		return nil, 0
	}
	end := bytes.IndexByte(b[:min(len(b), longest)], ';')
	if end < 0 {
		return nil, 0
	}
	written := string(b[:end+1])
	if read := html.UnescapeString(written); read != written {
		return []byte(read), end + 1
	}
	return nil, 0
}

// backslash is an escape of JSON, Go, C and the shells.
func backslash(b []byte) ([]byte, int) {
	if len(b) < 2 || b[0] != '\\' {
		return nil, 0
	}
	switch c := b[1]; {
	case c == 'u' || c == 'U':
		return codePoint(b)
	case c == 'x' && len(b) >= 4:
		return hexPair(b[2:4], 4)
	case c >= '0' && c <= '7' && len(b) >= 4:
		if n, err := strconv.ParseUint(string(b[1:4]), 8, 8); err == nil {
			return []byte{byte(n)}, 4
		}
	}
	if strings.IndexByte("abfnrtv", b[1]) >= 0 {
		return nil, 2 // control characters count for nothing
	}
	return b[1:2], 2
}

// codePoint is \uXXXX, a pair of them, or \UXXXXXXXX.
func codePoint(b []byte) ([]byte, int) {
	one := func(b []byte, digits int) (rune, bool) {
		if len(b) < 2+digits || b[0] != '\\' {
			return 0, false
		}
		n, err := strconv.ParseUint(string(b[2:2+digits]), 16, 32)
		return rune(n), err == nil
	}
	if b[1] == 'U' {
		if r, ok := one(b, 8); ok {
			return utf8.AppendRune(nil, r), 10
		}
		return nil, 0
	}
	r, ok := one(b, 4)
	if !ok {
		return nil, 0
	}
	if low, ok := one(b[6:], 4); ok && utf16.IsSurrogate(r) {
		return utf8.AppendRune(nil, utf16.DecodeRune(r, low)), 12
	}
	return utf8.AppendRune(nil, r), 6
}

func hexPair(b []byte, n int) ([]byte, int) {
	high, low := hexDigit(b[0]), hexDigit(b[1])
	if high < 0 || low < 0 {
		return nil, 0
	}
	return []byte{byte(high<<4 | low)}, n
}

// The values of a digit; not one: -1, or between to be passed over.
const between = -2

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c == ' ', c == ':', c == ',', c == '-', c == '\r', c == '\n', c == '\t':
		return between
	}
	return -1
}

// base64Digit reads both alphabets (RFC 4648 sections 4 and 5). Lines may be folded.
func base64Digit(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 26
	case c >= '0' && c <= '9':
		return int(c-'0') + 52
	case c == '+', c == '-':
		return 62
	case c == '/', c == '_':
		return 63
	case c == ' ', c == '\r', c == '\n', c == '\t':
		return between
	}
	return -1
}

// digits reads each run of digits, which have so many bits each, from its digit number skip on. A group is
// what makes whole octets; the last one of a run may be shorter. Runs of less than so many octets are left out.
func (v *view) digits(value func(byte) int, group, bits, skip, least int) *view {
	r := run{in: v, out: newView(len(v.octets)*bits/8 + 1), group: group, bits: bits}
	left := skip
	for i, c := range v.octets {
		switch n := value(c); {
		case n == between:
		case n < 0:
			r.end(i, least)
			left = skip
		case left > 0:
			left--
		default:
			r.digit(i, n)
		}
	}
	r.end(len(v.octets)-1, least)
	return r.out
}

// run is one run of digits on its way to octets.
type run struct {
	in, out     *view
	group, bits int
	begin       int   // of the run, in out
	acc         int   // the bits of the group
	at          []int // the digits of the group
}

func (r *run) digit(i, n int) {
	r.acc, r.at = r.acc<<r.bits|n, append(r.at, i)
	if len(r.at) == r.group {
		r.flush()
	}
}

// flush ends the group.
func (r *run) flush() {
	r.acc <<= r.bits * (r.group - len(r.at))
	whole := r.group * r.bits / 8
	for k := range len(r.at) * r.bits / 8 {
		first, last := r.at[k*8/r.bits], r.at[((k+1)*8-1)/r.bits]
		r.out.add(r.in, first, last+1, byte(r.acc>>(8*(whole-1-k))))
	}
	r.acc, r.at = 0, r.at[:0]
}

// end ends the run at octet i. Runs do not touch.
func (r *run) end(i, least int) {
	r.flush()
	if len(r.out.octets)-r.begin < least {
		r.out.cut(r.begin)
	} else if i >= 0 {
		r.out.add(r.in, i, i+1, 0xff)
	}
	r.begin = len(r.out.octets)
}

// numbers reads lists of octets in decimal and as Go writes them in hex, as %v, %d and %#v print them.
func (v *view) numbers() *view {
	w := &view{}
	for i := 0; i < len(v.octets); {
		base, j := 10, i
		if v.octets[i] == '0' && i+2 < len(v.octets) && v.octets[i+1]|0x20 == 'x' {
			base, j = 16, i+2
		}
		n, digits := 0, 0
		for ; j < len(v.octets) && n < 256; j++ {
			d := hexDigit(v.octets[j])
			if d < 0 || d >= base {
				break
			}
			n, digits = base*n+d, digits+1
		}
		if digits > 0 && n < 256 {
			w.add(v, i, j, byte(n))
		}
		i = max(j, i+1)
	}
	return w
}
