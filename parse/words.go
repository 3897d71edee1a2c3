package parse

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// wordDecoder decodes RFC 2047 encoded words wherever they stand: alone, glued to text, inside
// quotes. It is linear in the value's length.
type wordDecoder struct {
	max   int
	plain func(string) string // makes UTF-8 of what is no encoded word
	bad   bool                // a word was repaired or left alone
	over  bool                // there were more than max

	out     strings.Builder
	octets  []byte // decoded octets of adjacent words, not yet converted
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
		return d.plain(s)
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
		if between := s[from:i]; d.octets == nil || strings.Trim(between, " \t\r\n") != "" {
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
		d.out.WriteString(d.plain(s))
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
	if d.nextEnd < start {
		n := strings.Index(s[start:], "?=")
		if n < 0 {
			d.nextEnd = len(s)
		} else {
			d.nextEnd = start + n
		}
	}
	if d.nextEnd >= len(s) {
		return w, false
	}
	w.text, w.end = s[start:d.nextEnd], d.nextEnd+2
	// Another word's beginning before the end: this one was never closed.
	return w, !strings.Contains(w.text, "=?")
}

// add decodes w's octets and holds them until it is known whether the next word continues them.
func (d *wordDecoder) add(w encodedWord) {
	if d.octets != nil && (!strings.EqualFold(w.charset, d.charset) || strings.EqualFold(w.charset, "utf-7")) {
		d.flush()
	}
	d.charset = w.charset
	if d.octets == nil {
		d.octets = make([]byte, 0, len(w.text))
	}
	if w.q {
		d.octets = appendQ(d.octets, w.text)
		return
	}
	var clean bool
	d.octets, clean = appendB(d.octets, w.text)
	d.bad = d.bad || !clean
}

// flush converts the octets held.
func (d *wordDecoder) flush() {
	if d.octets == nil {
		return
	}
	s, ok := decodeString(d.octets, d.charset)
	if !ok {
		d.bad = true
		if utf8.Valid(d.octets) {
			s = string(d.octets)
		} else {
			s, _ = decodeUndeclared(d.octets, "")
		}
	}
	// A line break in an encoded word would forge a header field downstream.
	d.out.WriteString(strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' {
			return ' '
		}
		return r
	}, s))
	d.octets = nil
}

// appendQ decodes the Q encoding (section 4.2); raw spaces and = without two digits stay.
func appendQ(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '_':
			dst = append(dst, ' ')
		case s[i] == '=' && i+2 < len(s) && hexValue(s[i+1]) >= 0 && hexValue(s[i+2]) >= 0:
			dst = append(dst, byte(hexValue(s[i+1])<<4|hexValue(s[i+2])))
			i += 2
		default:
			dst = append(dst, s[i])
		}
	}
	return dst
}

// appendB decodes the B encoding with too little, too much or no padding and with foreign octets
// in it. clean is false if anything had to be repaired.
func appendB(dst []byte, s string) (out []byte, clean bool) {
	var v uint32
	bits, pad := 0, 0
	clean = len(s)%4 == 0
	for i := range len(s) {
		c := sextet(s[i])
		switch {
		case s[i] == '=':
			pad++
			bits = 0 // what begins after padding is a new quantum
			continue
		case c < 0:
			clean = false
			continue
		}
		v = v<<6 | uint32(c)
		if bits += 6; bits >= 8 {
			bits -= 8
			dst = append(dst, byte(v>>bits))
		}
	}
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
