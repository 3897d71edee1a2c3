package htmltext

import (
	"bytes"
	"html"
	"strings"

	"golang.org/x/net/html/atom"
)

// attr is an attribute that matters here.
type attr int

const (
	attrStyle attr = iota
	attrHref
	attrAlt
	attrClass
	attrID
	attrName
	attrType
	attrValue
	attrStart
	attrWidth
	attrHeight
	attrBorder
	attrRole
	attrHidden
	attrChecked
	attrSelected
	attrCount
)

// attrOf returns the attribute of a lower-case name; attrCount if it does not matter.
func attrOf(name []byte) attr {
	switch string(name) {
	case "style":
		return attrStyle
	case "href":
		return attrHref
	case "alt":
		return attrAlt
	case "class":
		return attrClass
	case "id":
		return attrID
	case "name":
		return attrName
	case "type":
		return attrType
	case "value":
		return attrValue
	case "start":
		return attrStart
	case "width":
		return attrWidth
	case "height":
		return attrHeight
	case "border":
		return attrBorder
	case "role":
		return attrRole
	case "hidden":
		return attrHidden
	case "checked":
		return attrChecked
	case "selected":
		return attrSelected
	}
	return attrCount
}

// limit returns how many octets of the attribute are kept.
func (a attr) limit() int {
	switch a {
	case attrHref:
		return maxURL
	case attrStyle:
		return 2 << 10
	case attrAlt, attrValue:
		return 1 << 10
	}
	return 128
}

// attributes are those of the current start tag: the first one of each name, up to its limit.
type attributes struct {
	has  [attrCount]bool
	cut  [attrCount]bool // longer than its limit
	span [attrCount][2]int
	vals []byte
	name [16]byte // of the attribute that is read; no name that matters is longer
}

// get returns the value of an attribute. It dies with the tag.
func (a *attributes) get(i attr) []byte {
	return a.vals[a.span[i][0]:a.span[i][1]]
}

// is compares the value of an attribute, without case.
func (a *attributes) is(i attr, value string) bool {
	return strings.EqualFold(string(a.get(i)), value)
}

// startTag reads a start tag, whose "<" was read, and passes over the content of elements that are
// never shown.
func (l *lexer) startTag() kind {
	l.tagName()
	l.has = [attrCount]bool{}
	l.cut = [attrCount]bool{}
	l.span = [attrCount][2]int{}
	l.vals = l.vals[:0]
	if !l.attrs() {
		return kindEOF
	}
	switch l.tag {
	case atom.Script, atom.Style, atom.Title, atom.Iframe, atom.Noembed, atom.Noframes:
		if !l.self { // <title/> is none to a browser, but its writer meant it so
			l.rawText(l.tag)
		}
		return kindVerbatim
	}
	return kindStart
}

// endTag reads an end tag, whose "</" was read.
func (l *lexer) endTag() kind {
	l.tagName()
	if !l.attrs() {
		return kindEOF
	}
	return kindEnd
}

// tagName reads the name of a tag. Names that HTML does not know get a number from their hash, so
// that their end tags find them.
func (l *lexer) tagName() {
	var name [24]byte
	n, hash := 0, uint32(hashSeed)
	for l.need(1) {
		c := lower(l.buf[l.r])
		if isSpace(c) || c == '/' || c == '>' {
			break
		}
		if n < len(name) {
			name[n] = c
			n++
		}
		hash = hashByte(hash, c)
		l.r++
	}
	if l.tag = atom.Lookup(name[:n]); l.tag == 0 || n == len(name) {
		l.tag = unknownTag(hash)
	}
}

// attrs reads the attributes of a tag and its ">". It returns false if the input ends before.
func (l *lexer) attrs() bool {
	l.self = false
	for l.need(1) {
		switch c := l.buf[l.r]; {
		case c == '>':
			l.r++
			return true
		case c == '/':
			l.self = true
			l.r++
		case isSpace(c):
			l.r++
		default:
			l.self = false
			l.attr()
		}
	}
	return false
}

// attr reads one attribute. An end tag has attributes too; nobody asks for them.
func (l *lexer) attr() {
	n := 0
	for first := true; l.need(1); first = false {
		c := lower(l.buf[l.r])
		if isSpace(c) || c == '/' || c == '>' || c == '=' && !first {
			break
		}
		if n < len(l.name) {
			l.name[n] = c
		}
		n++
		l.r++
	}
	a := attrCount
	if n <= len(l.name) {
		a = attrOf(l.name[:n])
	}
	if a < attrCount && l.has[a] {
		a = attrCount
	}
	if a < attrCount {
		l.has[a] = true
	}
	l.spaces()
	if l.peek(0) == '=' {
		l.r++
		l.spaces()
		l.value(a)
	}
}

func (l *lexer) spaces() {
	for l.need(1) && isSpace(l.buf[l.r]) {
		l.r++
	}
}

// value reads the value of an attribute and keeps it if it matters.
func (l *lexer) value(a attr) {
	stops := " \n\t\r\f>"
	if q := l.peek(0); q == '"' || q == '\'' {
		stops = string(q)
		l.r++
	}
	begin := len(l.vals)
	for l.need(1) {
		s := l.buf[l.r:l.w]
		i := bytes.IndexAny(s, stops)
		if i >= 0 {
			s = s[:i]
		}
		l.keep(a, begin, s)
		l.r += len(s)
		if i >= 0 {
			break
		}
	}
	if len(stops) == 1 && l.need(1) {
		l.r++
	}
	if a < attrCount {
		l.unescape(begin)
		l.span[a] = [2]int{begin, len(l.vals)}
	}
}

// keep appends a piece of a value up to the limit of its attribute.
func (l *lexer) keep(a attr, begin int, s []byte) {
	if a == attrCount {
		return
	}
	room := a.limit() - (len(l.vals) - begin)
	if len(s) > room {
		l.cut[a] = true
		s = s[:room]
	}
	l.vals = append(l.vals, s...)
}

// unescape resolves the character references of the value at begin. In attributes those without a
// semicolon count only if nothing follows that a query string could have there: "?a=1&copy=2".
func (l *lexer) unescape(begin int) {
	if bytes.IndexByte(l.vals[begin:], '&') < 0 {
		return
	}
	v := append([]byte(nil), l.vals[begin:]...)
	l.vals = l.vals[:begin]
	for len(v) > 0 {
		i := bytes.IndexByte(v, '&')
		if i < 0 {
			i = len(v)
		}
		l.vals = append(l.vals, v[:i]...)
		v = v[i:]
		n := referenceLen(v)
		s := string(v[:n])
		if t := html.UnescapeString(s); wholeReference(s, t) {
			s = t
		}
		l.vals = append(l.vals, s...)
		v = v[n:]
	}
}

// wholeReference tells whether all of s became t, and not just a name that s begins with.
func wholeReference(s, t string) bool {
	last := t[max(len(t)-1, 0):]
	switch {
	case strings.HasPrefix(s, "&#"):
		return true
	case strings.HasSuffix(s, ";"):
		return len(t) == 1 || last != ";"
	}
	return last != "" && !isAlnum(last[0])
}

// referenceLen returns the length of the reference at the start of v; that of "&" alone if it is none.
func referenceLen(v []byte) int {
	n := min(1, len(v))
	for n < len(v) && n < lookahead && (isAlnum(v[n]) || n == 1 && v[n] == '#') {
		n++
	}
	switch {
	case n < len(v) && v[n] == ';':
		return n + 1
	case n < len(v) && v[n] == '=' && v[1] != '#':
		return 1
	}
	return n
}
