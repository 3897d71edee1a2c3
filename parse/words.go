package parse

import (
	"strconv"
	"strings"
)

// wordDecoder decodes RFC 2047 encoded words wherever they stand: alone, glued to text, inside
// quotes. It is linear in the value's length.
type wordDecoder struct {
	max   int
	h     *Header // makes UTF-8 of what is no encoded word
	bad   bool    // a word was repaired or left alone
	lossy bool    // octets that their charset does not have became U+FFFD
	over  bool    // there were more than max

	out     strings.Builder
	octets  []byte // decoded octets of adjacent words, not yet converted
	held    bool   // there are such words
	cut     sextets
	charset string
	nextEnd int // the position of the next "?=", if it is not before the current one
}

// encodedWord is one =?charset?encoding?text?= and where it ends.
type encodedWord struct {
	charset, text string
	q             bool
	end           int
}

// decode returns s with its words decoded and white space between adjacent words dropped (section
// 6.2). Adjacent words of one charset are converted together: some split characters or shift states.
func (d *wordDecoder) decode(s string) string {
	if !strings.Contains(s, "=?") {
		return d.h.utf8(s)
	}
	d.nextEnd = -1
	n := 0
	for from := 0; ; {
		i := strings.Index(s[from:], "=?")
		if i < 0 {
			d.text(s[from:])
			return d.out.String()
		}
		i += from
		w, ok := d.word(s, i)
		if !ok {
			d.text(s[from : i+2])
			from = i + 2
			d.bad = true
			continue
		}
		if n++; n > d.max {
			d.over = true
			d.text(s[from:])
			return d.out.String()
		}
		if between := s[from:i]; !d.held || strings.Trim(between, " \t\r\n") != "" {
			d.text(between)
		}
		d.add(w)
		from = w.end
	}
}

// text flushes the words before s and appends s.
func (d *wordDecoder) text(s string) {
	d.flush()
	if s != "" {
		d.out.WriteString(d.h.utf8(s))
	}
}

// word reads the encoded word at s[i:].
func (d *wordDecoder) word(s string, i int) (w encodedWord, ok bool) {
	rest := s[i+2:]
	c := strings.IndexByte(rest[:min(len(rest), 80)], '?')
	if c < 0 || strings.ContainsAny(rest[:c], " \t=") || len(rest) < c+4 || rest[c+2] != '?' {
		return w, false
	}
	w.charset, _, _ = strings.Cut(rest[:c], "*") // RFC 2231 section 5: charset*language
	switch rest[c+1] {
	case 'q', 'Q':
		w.q = true
	case 'b', 'B':
	default:
		return w, false
	}
	start := i + 2 + c + 3
	end := d.endAfter(s, start)
	for w.q && end < len(s) && isEscape(s[end+1:]) {
		// A question mark that was not encoded, and an escape: "?=3D". The word goes on if it can.
		next := d.endAfter(s, end+2)
		if next >= len(s) || strings.ContainsAny(s[end+2:next], " \t?") {
			break
		}
		end = next
	}
	if end >= len(s) {
		return w, false
	}
	w.text, w.end = s[start:end], end+2
	// Another word's beginning before the end: this one was never closed.
	return w, !strings.Contains(w.text, "=?")
}

// endAfter returns the position of the first "?=" at or after start, len(s) if there is none.
func (d *wordDecoder) endAfter(s string, start int) int {
	if d.nextEnd < start {
		d.nextEnd = len(s)
		if n := strings.Index(s[start:], "?="); n >= 0 {
			d.nextEnd = start + n
		}
	}
	return d.nextEnd
}

// isEscape tells whether s begins with = and two hexadecimal digits.
func isEscape(s string) bool {
	return len(s) > 2 && s[0] == '=' && hexValue(s[1]) >= 0 && hexValue(s[2]) >= 0
}

// add decodes w's octets and holds them until it is known whether the next word continues them.
func (d *wordDecoder) add(w encodedWord) {
	if d.held && !continues(d.charset, w.charset) {
		d.flush()
	}
	d.charset = w.charset
	d.bad = d.bad || w.charset == ""
	d.held = true
	if d.octets == nil {
		d.octets = make([]byte, 0, len(w.text))
	}
	var clean bool
	if w.q {
		d.octets, clean = appendQ(d.octets, w.text)
		d.cut = sextets{}
	} else {
		d.octets, clean = d.cut.appendB(d.octets, w.text)
	}
	d.bad = d.bad || !clean
}

// continues tells whether a word in charset b may complete what one in a has begun. Every word of
// UTF-7 begins anew.
func continues(a, b string) bool {
	if strings.EqualFold(a, b) {
		return !strings.EqualFold(a, "utf-7")
	}
	x, ok := lookupCharset(a)
	y, known := lookupCharset(b)
	return ok && known && x.name == y.name && x.name != "utf-7"
}

// flush converts the octets held.
func (d *wordDecoder) flush() {
	if !d.held {
		return
	}
	s, found := decodeString(d.octets, d.charset)
	d.bad = d.bad || found == charsetWrong
	d.lossy = d.lossy || found == charsetLossy
	// A line break in an encoded word would forge a header field downstream; the byte order marks of
	// words that were joined are no text.
	if strings.IndexByte(s, '\n') >= 0 || strings.IndexByte(s, '\r') >= 0 || strings.Contains(s, "\uFEFF") {
		s = strings.NewReplacer("\r", " ", "\n", " ", "\uFEFF", "").Replace(s)
	}
	d.out.WriteString(s)
	d.octets, d.held, d.cut = d.octets[:0], false, sextets{}
}

// appendQ decodes the Q encoding (section 4.2). Raw spaces, question marks and octets over 127, and
// = without two digits, stay as they are, but clean is false then.
func appendQ(dst []byte, s string) (out []byte, clean bool) {
	clean = true
	for i := 0; i < len(s); {
		from := i
		for i < len(s) && s[i] != '_' && s[i] != '=' {
			clean = clean && s[i] > ' ' && s[i] < 0x7f && s[i] != '?'
			i++
		}
		if dst = append(dst, s[from:i]...); i == len(s) {
			break
		}
		switch {
		case s[i] == '_':
			dst = append(dst, ' ')
		case isEscape(s[i:]):
			dst = append(dst, byte(hexValue(s[i+1])<<4|hexValue(s[i+2])))
			i += 2
		default:
			dst, clean = append(dst, '='), false
		}
		i++
	}
	return dst, clean
}

// sextets are the bits that a word in B encoding ends with and that are no octet.
type sextets struct {
	v    uint32
	bits int
}

// appendB decodes the B encoding with too little, too much or no padding, with foreign octets in it
// and with the two other characters that URLs have (RFC 4648 section 5). clean is false if anything
// had to be repaired. Some senders cut the encoded text and not the text: bits that are not zero, as
// those of an encoding that lost its padding are, belong to the next word.
func (x *sextets) appendB(dst []byte, s string) (out []byte, clean bool) {
	v, bits, pad := x.v, x.bits, 0
	if len(s)%4 == 0 || bits < 6 && v&(1<<bits-1) == 0 {
		bits = 0
	}
	clean = len(s)%4 == 0
	for i := range len(s) {
		c := sextet(s[i])
		switch s[i] {
		case '=':
			pad++
			bits = 0 // what begins after padding is a new quantum
			continue
		case '-':
			c, clean = 62, false
		case '_':
			c, clean = 63, false
		}
		if clean = clean && c >= 0 && pad == 0; c < 0 {
			continue
		}
		v = v<<6 | uint32(c)
		if bits += 6; bits >= 8 {
			bits -= 8
			dst = append(dst, byte(v>>bits))
		}
	}
	*x = sextets{v, bits}
	return dst, clean && pad <= 2
}

// quote makes octets of the message fit to be shown: escaped and short.
func quote(s string) string {
	const most = 120
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strconv.Quote(s)
}
