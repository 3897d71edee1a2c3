package parse

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// media is a value with parameters: Content-Type (RFC 2045 section 5.1) or Content-Disposition (RFC
// 2183), read with all the liberties that senders take.
type media struct {
	head   string // what stands before the parameters, lower case, without comments
	params []param
}

// param is one parameter as sent. RFC 2231 sections are separate until text or raw joins them.
type param struct {
	name    string // lower case, without the asterisks
	value   string // unquoted, otherwise as sent
	section int    // -1: the whole value
	ext     bool   // percent-encoded, perhaps with a charset
}

// parseMedia reads value and reports repairs to h.
func parseMedia(value string, h *Header) media {
	p := paramParser{s: value, max: h.lim.Params}
	if strings.HasPrefix(value, "=?") {
		p.s, p.bad = h.decode(value), true // a whole field in an encoded word
	}
	m := media{head: p.head()}
	for p.next() {
		m.add(p.cur, &p)
	}
	m.sections(&p)
	if p.bad {
		h.issue(IssueParamBad, "", false)
	}
	if p.double != "" {
		h.issue(IssueParamDuplicate, quote(p.double), false)
	}
	if p.over {
		h.issue(IssueParamLimit, strconv.Itoa(p.max), true)
	}
	return m
}

// add takes a parameter in; the first of a name counts, but an encoded section before a plain one.
func (m *media) add(c param, p *paramParser) {
	base, star, found := strings.Cut(c.name, "*")
	c.name, c.section = base, -1
	num, ext := strings.CutSuffix(star, "*")
	if c.ext = ext || found && star == ""; star != "" {
		n, err := strconv.Atoi(num)
		p.bad = p.bad || err != nil || n < 0 || strconv.Itoa(n) != num
		if err != nil || n < 0 {
			return
		}
		c.section = n
	}
	p.bad = p.bad || c.ext && !isExtended(c)
	for i, o := range m.params {
		if o.name != c.name || o.section != c.section || o.ext != c.ext && c.section < 0 {
			continue
		}
		if p.double = c.name; c.ext && !o.ext {
			m.params[i] = c
		}
		return
	}
	if m.params == nil {
		m.params = make([]param, 0, 3)
	}
	m.params = append(m.params, c)
}

// isExtended tells whether c is what RFC 2231 section 7 allows: percent signs with two digits, no
// octets that should have been encoded, and a charset and a language before the first value.
func isExtended(c param) bool {
	for i := range len(c.value) {
		if b := c.value[i]; b <= ' ' || b > '~' || b == '%' && (i+2 >= len(c.value) || hexValue(c.value[i+1]) < 0 || hexValue(c.value[i+2]) < 0) {
			return false
		}
	}
	return c.section > 0 || strings.Count(c.value, "'") >= 2
}

// sections looks for missing sections and for a whole value beside them.
func (m *media) sections(p *paramParser) {
	has := func(name string, section int) bool {
		return slices.ContainsFunc(m.params, func(o param) bool { return o.name == name && o.section == section && (section >= 0 || o.ext) })
	}
	for _, c := range m.params {
		p.bad = p.bad || c.section > 0 && !has(c.name, c.section-1)
		if c.section == 0 && has(c.name, -1) {
			p.double = c.name
		}
	}
}

// raw returns the parameter as sent; for a sectioned one the sections joined.
func (m media) raw(name string) string {
	for _, c := range m.params {
		if c.name == name && c.section < 0 && !c.ext {
			return c.value
		}
	}
	octets, _ := m.extended(name)
	return string(octets)
}

// text returns the decoded parameter. An RFC 2231 value goes before a plain one (RFC 6266 section
// 4.3), and RFC 2047 words are read although they must not stand here: many senders use them.
func (m media) text(name string, h *Header) string {
	octets, charset := m.extended(name)
	if octets == nil {
		v := m.raw(name)
		if strings.IndexByte(v, '%') < 0 {
			return h.decode(h.utf8(v))
		}
		octets = []byte(v)
	}
	// filename=utf-8''a%20b.pdf: the asterisk is missing.
	if c, v := cutCharset(string(octets)); charset == "" && strings.Contains(v, "%") {
		if _, known := lookupCharset(c); known {
			h.issue(IssueParamBad, quote(name), false)
			octets, charset = percentDecode(v), c
		}
	}
	return h.decode(m.charsetText(octets, charset, h))
}

// charsetText converts the octets of an RFC 2231 value.
func (m media) charsetText(octets []byte, charset string, h *Header) string {
	if charset == "" {
		return h.utf8(string(octets))
	}
	if _, ok := lookupCharset(charset); !ok && !isASCIILabel(charset) {
		h.issue(IssueCharsetUnknown, quote(charset), false)
		return h.utf8(string(octets))
	}
	s, found := decodeString(octets, charset)
	switch found {
	case charsetWrong:
		h.issue(IssueCharsetGuessed, quote(charset), false)
	case charsetLossy:
		h.issue(IssueCharsetInvalid, quote(charset), true)
	}
	return s
}

// extended joins the RFC 2231 forms of a parameter: sections in their numbers' order whatever order
// they came in, missing ones left out, encoded and plain ones mixed.
func (m media) extended(name string) (octets []byte, charset string) {
	var parts []param
	for _, c := range m.params {
		if c.name == name && (c.section >= 0 || c.ext) {
			parts = append(parts, c)
		}
	}
	slices.SortStableFunc(parts, func(a, b param) int { return cmp.Compare(a.section, b.section) })
	if len(parts) > 0 && parts[0].section < 0 && (len(parts) == 1 || parts[1].section == 0) {
		parts = parts[:1] // name*=… is whole; sections beside it are a copy, unless section 0 lacks its number
	}
	for i, c := range parts {
		v := c.value
		if c.ext && i == 0 {
			charset, v = cutCharset(v)
			v = strings.Trim(v, `"`)
		}
		if c.ext {
			octets = append(octets, percentDecode(v)...)
		} else {
			octets = append(octets, v...)
		}
	}
	return octets, charset
}

// cutCharset splits charset'language'value.
func cutCharset(v string) (charset, rest string) {
	c, r, ok := strings.Cut(v, "'")
	if !ok {
		return "", v
	}
	_, value, ok := strings.Cut(r, "'")
	if ok {
		return c, value
	}
	if _, known := lookupCharset(c); known {
		return c, r // charset'value
	}
	return "", v
}

// percentDecode decodes %HH and keeps what is no such thing.
func percentDecode(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && hexValue(s[i+1]) >= 0 && hexValue(s[i+2]) >= 0 {
			out = append(out, byte(hexValue(s[i+1])<<4|hexValue(s[i+2])))
			i += 2
		} else {
			out = append(out, s[i])
		}
	}
	return out
}

// hexValue returns the value of a hexadecimal digit, -1 if c is none.
func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// boundary returns the usable boundary of a multipart, empty if there is none (RFC 2046 section
// 5.1.1: at most 70 characters, no space at its end; ours: Limits.Boundary).
func (m media) boundary(h *Header) string {
	b := m.raw("boundary")
	if i := strings.Index(b, " ("); i >= 0 && strings.HasSuffix(b, ")") {
		b = b[:i]
	}
	b = strings.TrimRight(b, " \t\r\n")
	if len(b) > h.lim.Boundary {
		return ""
	}
	return b
}

// mediaType makes a type/subtype of a Content-Type's head; ok is false when it had to guess.
func mediaType(head, def string) (typ string, ok bool) {
	if head == "" {
		return def, true
	}
	if n := tokenLen(head); n > 0 && n+1 < len(head) && head[n] == '/' && n+1+tokenLen(head[n+1:]) == len(head) {
		return head, true
	}
	main, sub, ok := cutType(head)
	if again, other, more := strings.Cut(sub, "/"); more && (again == "" || strings.TrimSpace(again) == main) {
		sub, ok = other, false // multipart/multipart/mixed, text//html
	}
	sub, rest := token(sub)
	if main != "" && sub != "" {
		return main + "/" + sub, ok && rest == ""
	}
	switch main {
	case "text", "plain":
		return "text/plain", false
	case "html":
		return "text/html", false
	case "multipart":
		return "multipart/mixed", false
	}
	return "application/octet-stream", false
}

// cutType splits a media type at its slash. Words before it are not part of the type; where there is
// none another character may stand for it. ok is false when that was needed.
func cutType(head string) (main, sub string, ok bool) {
	main, sub, ok = strings.Cut(head, "/")
	if i := strings.IndexAny(head, "\\ -:."); !ok && i > 0 {
		switch head[:i] {
		case "text", "image", "audio", "video", "application", "multipart", "message":
			return head[:i], head[i+1:], false
		}
	}
	main = strings.TrimSpace(main)
	if i := strings.LastIndexFunc(main, func(r rune) bool { return r <= ' ' || r == ':' || r == ';' }); i >= 0 {
		return main[i+1:], sub, false
	}
	tok, rest := token(main)
	return tok, sub, ok && rest == ""
}

// token cuts the RFC 2045 token at the start of s.
func token(s string) (tok, rest string) {
	s = strings.TrimSpace(s)
	i := 0
	for i < len(s) && isTokenChar(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

// isTokenChar tells the characters of RFC 2045 tokens.
func isTokenChar(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '@', ',', ';', ':', '\\', '"', '/', '[', ']', '?', '=':
		return false
	}
	return c > ' ' && c <= '~'
}

// isMultipart tells whether typ is a type whose body is parts.
func isMultipart(typ string) bool { return strings.HasPrefix(typ, "multipart/") }

// lowerToken returns the first word of a field that is one word.
func lowerToken(v string) string {
	return strings.ToLower(strings.TrimSpace(stripComments(v)))
}
