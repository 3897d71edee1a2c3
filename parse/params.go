package parse

import "strings"

// paramParser walks over the parameters of a field. It is linear in the field's length.
type paramParser struct {
	s      string
	i      int
	n, max int
	cur    param
	bad    bool   // something had to be repaired
	over   bool   // there are more than max
	double string // a name that stood twice
}

// head reads what stands before the parameters.
func (p *paramParser) head() string {
	if head, ok := p.plainHead(); ok {
		return head
	}
	return p.anyHead()
}

// anyHead is head for what is not plain.
func (p *paramParser) anyHead() string {
	end := indexOutside(p.s, ";")
	head := p.s[:end]
	p.i = end
	if eq := strings.IndexByte(head, '='); eq >= 0 && !strings.HasPrefix(head, "=?") {
		// Text/plain charset=…: the semicolon is missing. Only white space or a comma can stand for it.
		name := strings.TrimRight(head[:eq], " \t")
		if sp := strings.LastIndexAny(name, " \t,"); sp >= 0 && strings.Trim(name[:sp], " \t,") != "" {
			head, p.i, p.bad = strings.TrimRight(name[:sp], " \t,"), sp+1, true
		} else if isKnownParam(baseName(strings.TrimSpace(name))) {
			head, p.i, p.bad = "", 0, true // the value itself is missing
		}
	}
	head = strings.TrimSpace(stripComments(head))
	p.bad = p.bad || head == "" && strings.TrimSpace(p.s) != ""
	bare := strings.Trim(head, `"'`)
	p.bad = p.bad || bare != head
	return strings.ToLower(bare)
}

// next reads one parameter into cur.
func (p *paramParser) next() bool {
	for {
		p.skip("; \t\r\n,")
		if p.i >= len(p.s) {
			return false
		}
		if p.n == p.max {
			p.over = true
			return false
		}
		if p.plain() || p.sent() {
			return true
		}
	}
}

// sent reads a parameter into cur however it was written; false: there is none before the semicolon.
func (p *paramParser) sent() bool {
	end := p.i + indexOutside(p.s[p.i:], "=;")
	if name, _, ok := strings.Cut(p.s[p.i:end], ":"); ok && isKnownParam(baseName(strings.TrimSpace(name))) {
		end, p.bad = p.i+len(name), true // charset: utf-8
	} else if end == len(p.s) || p.s[end] == ';' {
		p.bad = p.bad || strings.TrimSpace(stripComments(p.s[p.i:end])) != ""
		p.i = end
		return false
	}
	name := strings.TrimSpace(stripComments(p.s[p.i:end]))
	if sp := strings.LastIndexAny(name, " \t,"); sp >= 0 {
		name, p.bad = name[sp+1:], true
	}
	if bare := strings.Trim(name, `"'`); bare != name {
		name, p.bad = bare, true
	}
	p.i = end + 1
	p.n++
	p.cur = param{name: strings.ToLower(name), value: p.value()}
	p.bad = p.bad || name == ""
	return true
}

// indexOutside returns the index in s of the first octet of set that stands outside of comments,
// len(s) if there is none. An unclosed comment is text.
func indexOutside(s, set string) int {
	for i, closed := 0, true; i < len(s); i++ {
		if s[i] == '(' && closed {
			if n := commentEnd(s[i:]); n > 0 {
				i += n - 1
				continue
			}
			closed = false
		}
		if strings.IndexByte(set, s[i]) >= 0 {
			return i
		}
	}
	return len(s)
}

// commentEnd returns the length of the comment that s begins with, 0 if it is not closed.
func commentEnd(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// skip goes over the octets in set.
func (p *paramParser) skip(set string) {
	for p.i < len(p.s) && strings.IndexByte(set, p.s[p.i]) >= 0 {
		p.i++
	}
}

// value reads a parameter's value.
func (p *paramParser) value() string {
	p.skip(" \t\r\n")
	if n := commentEnd(p.s[p.i:min(len(p.s), p.i+200)]); n > 0 && strings.IndexAny(p.s[p.i+n:], " \t\"") == 0 && strings.HasPrefix(p.s[p.i:], "(") {
		p.i += n
		p.skip(" \t\r\n")
	}
	switch {
	case p.i == len(p.s):
		p.bad = true
		return ""
	case p.s[p.i] == '"':
		return p.quoted()
	}
	start := p.i
	if strings.HasPrefix(p.s[p.i:], "=?") {
		d := wordDecoder{nextEnd: -1}
		if w, ok := d.word(p.s[:min(len(p.s), p.i+1000)], p.i); ok {
			start = w.end // a semicolon in an encoded word is its own
		}
	}
	end := len(p.s)
	if i := strings.IndexByte(p.s[start:], ';'); i >= 0 {
		end = start + i
	}
	v := p.s[p.i:end]
	if n := nextParam(v); n >= 0 {
		v, end, p.bad = v[:n], p.i+n, true
	}
	p.i = end
	return p.unquoted(strings.TrimRight(v, " \t"))
}

// unquoted looks at a value without quotes. A comment may follow it (RFC 2045 section 5.1); what no
// token has is kept.
func (p *paramParser) unquoted(v string) string {
	if sp := strings.IndexAny(v, " \t"); sp >= 0 {
		if c := strings.TrimLeft(v[sp:], " \t"); commentEnd(c) == len(c) && len(c) > 0 {
			v = v[:sp]
		}
	}
	v = strings.TrimRight(v, " \t")
	if n := len(v); n > 1 && v[n-1] == '"' && strings.IndexByte(v, '"') == n-1 {
		v, p.bad = v[:n-1], true // the opening quote is missing
	}
	if _, rest := token(v); rest != "" && !strings.HasPrefix(v, "=?") || v == "" {
		p.bad = true
		if n := len(v); n > 1 && v[0] == '\'' && v[n-1] == '\'' {
			v = v[1 : n-1] // 'a b.pdf'
		}
	}
	return v
}

// quoted reads a quoted-string (RFC 5322 section 3.2.4). Only \" and \\ are escapes: in
// "C:\temp" the backslash is meant. A quote that nothing separating follows is part of the value.
func (p *paramParser) quoted() string {
	var v strings.Builder
	start, inner := p.i+1, false
	for i := start; i < len(p.s); i++ {
		switch c := p.s[i]; {
		case c == '\\' && i+1 < len(p.s) && (p.s[i+1] == '"' || p.s[i+1] == '\\'):
			i++
			v.WriteByte(p.s[i])
		case c == '"' && p.closes(i+1):
			p.bad = p.bad || inner
			return p.closed(v.String(), i+1, inner)
		case c == '"':
			inner = true
			v.WriteByte(c)
		default:
			v.WriteByte(c)
		}
	}
	// No closing quote: the value ends at the next semicolon.
	p.bad = true
	end := strings.IndexByte(p.s[start:], ';')
	if end < 0 {
		end = len(p.s) - start
	}
	p.i = start + end
	return strings.TrimSpace(strings.ReplaceAll(p.s[start:p.i], `"`, ""))
}

// closed ends a quoted value v whose closing quote stands before position i. Quotes inside of it may
// be those around it, doubled, or those of the next parameter: then its own closing one is missing.
func (p *paramParser) closed(v string, i int, inner bool) string {
	raw := p.s[p.i+1 : i-1]
	if semi := strings.IndexByte(raw, ';'); inner && semi >= 0 && semi < strings.IndexByte(raw, '"') && strings.ContainsRune(raw[semi:], '=') {
		p.i += 1 + semi
		return strings.TrimSpace(raw[:semi])
	}
	p.i = i
	if inner && len(v) > 1 && v[0] == '"' && v[len(v)-1] == '"' {
		v = strings.Trim(v, `"`)
	}
	return v
}

// closes tells whether what follows a quote separates parameters: a semicolon, the end, a comment,
// a comma, or the next parameter. Words up to the semicolon are junk if they hold no quote.
func (p *paramParser) closes(i int) bool {
	j := i
	for j < len(p.s) && (p.s[j] == ' ' || p.s[j] == '\t') {
		j++
	}
	if j == len(p.s) || p.s[j] == ';' || p.s[j] == '(' {
		return true
	}
	near := p.s[i:min(len(p.s), j+40)]
	if p.s[j] == ',' || nextParam(" "+near) == 0 {
		p.bad = true
		return true
	}
	if near, _, _ = strings.Cut(near, ";"); j > i && len(near) < 40 && strings.IndexByte(near, '"') < 0 {
		p.bad = true
		return true
	}
	return false
}

// nextParam returns where in v white space or a comma and a well-known parameter follow without a
// semicolon.
func nextParam(v string) int {
	eq := strings.IndexByte(v, '=')
	if eq <= 0 {
		return -1
	}
	name := strings.TrimRight(v[:eq], " \t")
	sp := strings.LastIndexAny(name, " \t,")
	if sp < 0 || !isKnownParam(baseName(name[sp+1:])) {
		return -1
	}
	return len(strings.TrimRight(v[:sp+1], " \t,"))
}

// baseName returns a parameter's name without the asterisks of RFC 2231.
func baseName(name string) string {
	base, _, _ := strings.Cut(strings.ToLower(name), "*")
	return base
}

// isKnownParam lists the parameters that mail really has. A name in front of an equals sign is only
// taken for one after a missing semicolon if it is here: "my file=1.pdf" is a name.
func isKnownParam(name string) bool {
	switch name {
	case "boundary", "charset", "creation-date", "delsp", "filename", "format", "method", "micalg", "modification-date",
		"name", "protocol", "read-date", "report-type", "size", "smime-type", "start", "type":
		return true
	}
	return false
}

// stripComments removes the comments of s (RFC 5322 section 3.2.2), nested ones too; a quoted
// string is left alone and an unclosed comment is text.
func stripComments(s string) string {
	if strings.IndexByte(s, '(') < 0 {
		return s
	}
	var out strings.Builder
	depth, from, quoted := 0, 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c == '"' && depth == 0:
			quoted = !quoted
		case quoted:
		case c == '(':
			if depth == 0 {
				out.WriteString(s[from:i])
				from = i
			}
			depth++
		case c == ')' && depth > 0:
			if depth--; depth == 0 {
				from = i + 1
			}
		}
	}
	out.WriteString(s[from:])
	return out.String()
}
