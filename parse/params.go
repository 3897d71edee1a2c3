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
	end := strings.IndexByte(p.s, ';')
	if end < 0 {
		end = len(p.s)
	}
	head := p.s[:end]
	p.i = end
	if eq := strings.IndexByte(head, '='); eq >= 0 {
		// Text/plain charset=…: the semicolon is missing. Only white space can stand for it.
		if sp := strings.LastIndexAny(head[:eq], " \t"); sp >= 0 && strings.TrimSpace(head[:sp]) != "" {
			head, p.i, p.bad = head[:sp], sp, true
		} else if isKnownParam(strings.ToLower(strings.TrimSpace(head[:eq]))) {
			head, p.i, p.bad = "", 0, true // the value itself is missing
		}
	}
	head = strings.TrimSpace(stripComments(head))
	return strings.ToLower(strings.Trim(head, `"'`))
}

// next reads one parameter into cur.
func (p *paramParser) next() bool {
	for {
		p.skip("; \t\r\n")
		if p.i >= len(p.s) {
			return false
		}
		if p.n == p.max {
			p.over = true
			return false
		}
		end := strings.IndexAny(p.s[p.i:], "=;")
		if end < 0 || p.s[p.i+end] == ';' {
			p.bad = true
			if end < 0 {
				return false
			}
			p.i += end
			continue
		}
		name := strings.TrimSpace(stripComments(p.s[p.i : p.i+end]))
		if sp := strings.LastIndexAny(name, " \t,"); sp >= 0 {
			name, p.bad = name[sp+1:], true
		}
		p.i += end + 1
		p.n++
		p.cur = param{name: strings.ToLower(name), value: p.value()}
		return true
	}
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
	if p.i < len(p.s) && p.s[p.i] == '"' {
		return p.quoted()
	}
	end := strings.IndexByte(p.s[p.i:], ';')
	if end < 0 {
		end = len(p.s) - p.i
	}
	v := p.s[p.i : p.i+end]
	if n := nextParam(v); n >= 0 {
		v, end, p.bad = v[:n], n, true
	}
	p.i += end
	v = strings.TrimRight(v, " \t")
	if strings.ContainsAny(strings.TrimSpace(stripComments(v)), " \t") {
		p.bad = true
	}
	return v
}

// quoted reads a quoted-string (RFC 5322 section 3.2.4). Only \" and \\ are escapes: in
// "C:\temp" the backslash is meant. A quote that nothing separating follows is part of the value.
func (p *paramParser) quoted() string {
	var v strings.Builder
	start := p.i + 1
	for i := start; i < len(p.s); i++ {
		switch c := p.s[i]; {
		case c == '\\' && i+1 < len(p.s) && (p.s[i+1] == '"' || p.s[i+1] == '\\'):
			i++
			v.WriteByte(p.s[i])
		case c == '"' && p.closes(i+1):
			p.i = i + 1
			return v.String()
		case c == '"':
			p.bad = true
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

// closes tells whether what follows a quote separates parameters: a semicolon, the end, a comment,
// or white space and the next parameter.
func (p *paramParser) closes(i int) bool {
	j := i
	for j < len(p.s) && (p.s[j] == ' ' || p.s[j] == '\t') {
		j++
	}
	if j == len(p.s) || p.s[j] == ';' {
		return true
	}
	if p.s[j] == '(' || p.s[j] == ',' {
		return true
	}
	return j > i && nextParam(p.s[i:min(len(p.s), j+40)]) == 0
}

// nextParam returns where in v white space and a well-known parameter follow without a semicolon.
func nextParam(v string) int {
	eq := strings.IndexByte(v, '=')
	if eq <= 0 {
		return -1
	}
	name := strings.TrimRight(v[:eq], " \t")
	sp := strings.LastIndexAny(name, " \t")
	base, _, _ := strings.Cut(strings.ToLower(name[sp+1:]), "*")
	if sp < 0 || !isKnownParam(base) {
		return -1
	}
	return len(strings.TrimRight(v[:sp], " \t"))
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

// compact removes white space and control characters: they have no place in ids and addresses.
func compact(s string) string {
	if strings.IndexFunc(s, isSpaceOrControl) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if isSpaceOrControl(r) {
			return -1
		}
		return r
	}, s)
}

// isSpaceOrControl is true of what has no place in ids and addresses.
func isSpaceOrControl(r rune) bool { return r <= ' ' || r == 0x7f }
