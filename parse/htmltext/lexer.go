package htmltext

import (
	"bytes"
	"html"
	"io"
	"unicode/utf8"

	"golang.org/x/net/html/atom"
)

// kind is what the lexer found.
type kind int

const (
	kindEOF      kind = iota // the end, or the error of the source
	kindText                 // lexer.text
	kindStart                // lexer.tag, lexer.attr
	kindEnd                  // lexer.tag
	kindVerbatim             // never returned: markup that yields nothing
)

const (
	window    = 8 << 10 // octets of input held
	maxText   = 2 << 10 // octets of one text token: bounds what one step can write
	lookahead = 64      // octets that a decision may need
)

// lexer cuts HTML into tokens as WHATWG HTML section 13.2.5 does, in a fixed window: a long text comes
// in pieces, a long attribute is kept up to its limit, and comments and raw text are passed over.
// No decision depends on how much of the input happens to be in the window.
type lexer struct {
	src  io.Reader
	buf  []byte
	r, w int
	err  error

	text []byte // of kindText; dies with the next token
	tag  atom.Atom
	self bool // the tag ended with "/>"
	attributes
}

func newLexer(src io.Reader) lexer {
	return lexer{src: src, buf: make([]byte, window)}
}

// need reads until n octets are in the window. It returns false if the input ends before.
func (l *lexer) need(n int) bool {
	if l.w-l.r >= n {
		return true
	}
	l.w = copy(l.buf, l.buf[l.r:l.w]) // fewer than n octets
	l.r = 0
	for idle := 0; l.w-l.r < n; idle++ {
		if l.err != nil {
			return false
		}
		if idle == 100 {
			l.err = io.ErrNoProgress
			return false
		}
		var k int
		k, l.err = l.src.Read(l.buf[l.w:])
		l.w += k
		if k > 0 {
			idle = 0
		}
	}
	return true
}

// peek returns the octet at offset i without consuming it; 0 at the end of the input.
func (l *lexer) peek(i int) byte {
	if !l.need(i + 1) {
		return 0
	}
	return l.buf[l.r+i]
}

// next returns the next token.
func (l *lexer) next() kind {
	for l.need(1) {
		k := kindText
		switch l.buf[l.r] {
		case '<':
			k = l.markup()
		case '&':
			l.reference()
		default:
			l.run()
		}
		if k != kindVerbatim {
			return k
		}
	}
	return kindEOF
}

// run takes the text up to the next markup or reference, but not a rune that is not whole yet.
func (l *lexer) run() {
	end := min(l.w, l.r+maxText)
	s := l.buf[l.r:end]
	if i := bytes.IndexAny(s, "<&"); i >= 0 {
		l.take(i)
		return
	}
	n := len(s)
	for i := n - 1; i >= 0 && n-i < utf8.UTFMax; i-- {
		if utf8.RuneStart(s[i]) {
			if !utf8.FullRune(s[i:]) {
				n = i
			}
			break
		}
	}
	if n == 0 && l.need(len(s)+1) {
		l.run() // at most three times
		return
	}
	if n == 0 {
		n = len(s)
	}
	l.take(n)
}

// take makes the next n octets the text.
func (l *lexer) take(n int) {
	l.text = l.buf[l.r : l.r+n]
	l.r += n
}

// reference reads a character reference as text. The longest name has 33 octets; what is longer
// than the lookahead is not one.
func (l *lexer) reference() {
	n := 1
	for n < lookahead-1 && (isAlnum(l.peek(n)) || n == 1 && l.peek(n) == '#') {
		n++
	}
	if n < lookahead-1 && l.peek(n) == ';' {
		n++
	}
	l.take(min(n, l.w-l.r))
	switch string(l.text) {
	case "&nbsp;":
		l.text = append(l.text[:0], "\u00a0"...)
	case "&zwnj;":
		l.text = append(l.text[:0], "\u200c"...)
	case "&":
	default:
		l.text = []byte(html.UnescapeString(string(l.text)))
	}
}

// markup reads what begins with "<".
func (l *lexer) markup() kind {
	c := l.peek(1)
	switch {
	case isLetter(c) && l.isAddress():
		l.take(1)
		return kindText
	case isLetter(c):
		l.r++
		return l.startTag()
	case c == '/' && isLetter(l.peek(2)):
		l.r += 2
		return l.endTag()
	case c == '/' && !l.need(3):
		l.take(2)
		return kindText
	case c == '!' && l.peek(2) == '-' && l.peek(3) == '-':
		l.r += 4
		l.comment()
	case c == '!' || c == '?' || c == '/':
		l.r += 2
		l.skipPast('>')
	default:
		l.take(1)
		return kindText
	}
	return kindVerbatim
}

// isAddress tells whether "<" begins <joe@example.org> or <https://...> in a text that somebody did
// not escape, and not a tag.
func (l *lexer) isAddress() bool {
	for i := 1; i < lookahead; i++ {
		switch c := l.peek(i); {
		case c == '@':
			return true
		case c == ':':
			return l.peek(i+1) == '/' && l.peek(i+2) == '/'
		case !isAlnum(c) && c != '.' && c != '-' && c != '_' && c != '+':
			return false
		}
	}
	return false
}

// comment passes over a comment, whose "<!--" was read. Outlook's <!--[if mso]> is one as a whole,
// and <!--[if !mso]><!--> ends before what it reveals.
func (l *lexer) comment() {
	dashes, bang := 2, 4 // <!--> and <!---> are whole, <!--!> is not
	closing := false     // after "--!"
	for l.need(1) {
		c := l.buf[l.r]
		l.r++
		if c == '>' && (dashes >= 2 || closing) {
			return
		}
		closing = c == '!' && dashes >= bang
		if c == '-' {
			dashes++
			continue
		}
		dashes, bang = 0, 2
	}
}

// skipPast drops everything up to and including c.
func (l *lexer) skipPast(c byte) {
	for l.need(1) {
		if i := bytes.IndexByte(l.buf[l.r:l.w], c); i >= 0 {
			l.r += i + 1
			return
		}
		l.r = l.w
	}
}

// rawText drops the content of an element that holds no markup, up to its end tag. A style or a
// title that nothing closes ends where the body begins, so that it does not swallow it.
func (l *lexer) rawText(tag atom.Atom) {
	closing := "</" + tag.String()
	for l.need(1) {
		i := bytes.IndexByte(l.buf[l.r:l.w], '<')
		if i < 0 {
			l.r = l.w
			continue
		}
		l.r += i
		if l.follows(closing) || tag != atom.Script && (l.follows("</head") || l.follows("<body")) {
			return
		}
		l.r++
	}
}

// follows tells whether the input goes on with this tag.
func (l *lexer) follows(tag string) bool {
	for i := range len(tag) {
		if lower(l.peek(i)) != tag[i] {
			return false
		}
	}
	return !isAlnum(l.peek(len(tag)))
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isAlnum(c byte) bool { return isLetter(c) || c >= '0' && c <= '9' }

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f'
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 0x20
	}
	return c
}
