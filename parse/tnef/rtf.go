package tnef

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// rtfGroup is what belongs to a group of RTF and ends with it.
type rtfGroup struct {
	font    int
	uc      int // characters that stand for a \u to readers without Unicode
	dest    rtfDestination
	rtfOnly bool // \htmlrtf: not part of the encapsulated text
}

// rtfDestination is what the text of a group is for.
type rtfDestination uint8

const (
	destText    rtfDestination = iota
	destHTMLTag                // encapsulated HTML, as it is
	destFonts                  // the font table
	destOther                  // nothing that we want
)

const (
	maxGroups = 1000 // groups inside of groups; deeper ones inherit
	maxFonts  = 4096
)

// rtfReader takes out of RTF the HTML or the text that it encapsulates ([MS-OXRTFEX] 2.2.3), or the
// text that it shows. It knows of the code pages of fonts, and nothing of their looks.
type rtfReader struct {
	in       []byte
	text     func(codepage int, octets []byte) string
	kind     Kind
	out      []byte
	run      []byte // 8-bit text that is still to be converted, as a character may have several octets
	runPage  int
	codepage int
	fonts    map[int]int // their code pages
	deff     int
	group    rtfGroup
	outer    []rtfGroup
	deeper   int  // groups inside of maxGroups
	star     bool // \* came: skip the group if its destination is not known
	skip     int  // characters to skip after \u
	high     rune // the first half of a surrogate pair
}

// deencapsulate says what RTF encapsulates, and what that is in UTF-8: HTML, text, or, if it is RTF
// of its own, the text in it.
func (r *Reader) deencapsulate(rtf []byte) (kind Kind, inner []byte) {
	if !bytes.HasPrefix(rtf, []byte(`{\rtf`)) {
		if len(rtf) > 0 {
			r.flaw(FlawInvalid, "the RTF body is not RTF")
		}
		return KindRTF, nil
	}
	p := rtfReader{in: rtf, text: r.text, kind: KindRTF, codepage: codepageWestern, group: rtfGroup{uc: 1}, fonts: make(map[int]int)}
	p.read()
	return p.kind, p.out
}

func (p *rtfReader) read() {
	for len(p.in) > 0 {
		c := p.in[0]
		p.in = p.in[1:]
		switch c {
		case '{':
			p.open()
		case '}':
			if p.close(); len(p.outer) == 0 && p.deeper == 0 {
				p.in = nil // what follows the document is no part of it
			}
		case '\\':
			p.control()
		case '\r', '\n', 0:
		default:
			p.octet(c)
		}
	}
	p.high = 0 // half a character is none
	p.flush()
}

func (p *rtfReader) open() {
	p.skip, p.star = 0, false
	if len(p.outer) == maxGroups {
		p.deeper++
		return
	}
	p.outer = append(p.outer, p.group)
}

func (p *rtfReader) close() {
	p.skip, p.star = 0, false
	if p.deeper > 0 {
		p.deeper--
	} else if n := len(p.outer); n > 0 {
		p.group, p.outer = p.outer[n-1], p.outer[:n-1]
	}
}

// quiet tells whether text is not part of the result.
func (p *rtfReader) quiet() bool { return p.group.dest >= destFonts || p.group.rtfOnly }

// page is the code page of 8-bit text: that of the font, but of the document in an HTML tag.
func (p *rtfReader) page() int {
	if cp := p.fonts[p.group.font]; cp != 0 && p.group.dest != destHTMLTag {
		return cp
	}
	return p.codepage
}

// octet takes an octet of text.
func (p *rtfReader) octet(c byte) {
	if p.star = false; p.skip > 0 {
		p.skip--
		return
	}
	if c == 0 || p.quiet() {
		return
	}
	if cp := p.page(); len(p.run) == 0 || cp != p.runPage || p.high != 0 {
		p.flush()
		p.runPage = cp
	}
	p.run = append(p.run, c)
}

// flush converts the text so far.
func (p *rtfReader) flush() {
	if p.high != 0 {
		p.high = 0
		p.out = utf8.AppendRune(p.out, utf8.RuneError)
	}
	if isASCII(p.run) {
		p.out = append(p.out, p.run...)
	} else {
		p.out = append(p.out, p.text(p.runPage, p.run)...)
	}
	p.run = p.run[:0]
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// show takes text that is not of a code page.
func (p *rtfReader) show(s string) {
	if p.skip > 0 {
		p.skip--
	} else if !p.quiet() {
		p.flush()
		p.out = append(p.out, s...)
	}
}

// unicode takes a \u: a UTF-16 unit as a signed number.
func (p *rtfReader) unicode(n int) {
	p.skip = p.group.uc
	if p.quiet() {
		return
	}
	c := rune(uint16(n))
	if pair := utf16.DecodeRune(p.high, c); pair != utf8.RuneError {
		p.high, c = 0, pair
	}
	p.flush()
	if utf16.IsSurrogate(c) && c < 0xdc00 {
		p.high = c
		return
	}
	p.out = utf8.AppendRune(p.out, c)
}

// control reads a control word or symbol.
func (p *rtfReader) control() {
	if len(p.in) == 0 {
		return
	}
	n := 0
	for n < len(p.in) && p.in[n]|0x20 >= 'a' && p.in[n]|0x20 <= 'z' {
		n++
	}
	if n == 0 {
		c := p.in[0]
		p.in = p.in[1:]
		p.symbol(c)
		return
	}
	word := string(p.in[:min(n, 32)])
	p.in = p.in[n:]
	param, has := p.number()
	if len(p.in) == 0 {
		return // cut off: it may have been another
	}
	if p.in[0] == ' ' {
		p.in = p.in[1:]
	}
	p.word(word, param, has)
}

// number reads a control word's number.
func (p *rtfReader) number() (n int, ok bool) {
	i, sign := 0, 1
	if len(p.in) > 1 && p.in[0] == '-' && isDigit(p.in[1]) {
		i, sign = 1, -1
	}
	for ; i < len(p.in) && isDigit(p.in[i]); i++ {
		n, ok = min(n*10+int(p.in[i]-'0'), 1<<31-1), true
	}
	if ok {
		p.in = p.in[i:]
	}
	return sign * n, ok
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (p *rtfReader) symbol(c byte) {
	switch c {
	case '*':
		p.star = true
		return
	case '\'':
		p.hex()
	case '{', '}', '\\':
		p.octet(c)
	case '~':
		p.show("\u00a0")
	case '_':
		if p.kind == KindHTML {
			p.show("\u00ad") // &shy;
		} else {
			p.show("\u2011")
		}
	case '\r', '\n':
		p.show("\r\n")
	}
	p.star = false
}

// hex reads an octet in two hexadecimal digits.
func (p *rtfReader) hex() {
	var c byte
	for i := range 2 {
		if i >= len(p.in) {
			p.in = nil // cut off
			return
		}
		switch d := p.in[i]; {
		case isDigit(d):
			c = c<<4 | (d - '0')
		case d|0x20 >= 'a' && d|0x20 <= 'f':
			c = c<<4 | ((d | 0x20) - 'a' + 10)
		default:
			return
		}
	}
	p.in = p.in[2:]
	p.octet(c)
}
