package parse

import (
	"strings"
	"unicode"
)

// clean makes an addr-spec of s and takes note if that needs more than RFC 5322 allows to leave out.
func (p *addressParser) clean(s string) string {
	if isPlainAddress(s) {
		return s
	}
	plain := dropRoute(compactOutsideQuotes(stripComments(s)))
	out := cleanAddress(s)
	p.repaired = p.repaired || out != plain || joinsWords(stripComments(s))
	return out
}

// isPlainAddress tells whether s has nothing in it that could need cleaning, as nearly all have.
func isPlainAddress(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9', c == '@', c == '.', c == '-', c == '_', c == '+', c == '=':
		default:
			return false
		}
	}
	return true
}

// cleanAddress makes an addr-spec of what stood in brackets or alone: no route (RFC 5322 section
// 4.4), no comments, no white space and no control characters outside and inside of quotes, and not
// what people put around addresses.
func cleanAddress(s string) string {
	s = dropScheme(dropRoute(compactOutsideQuotes(stripComments(s))))
	n := len(s)
	switch {
	case n < 2:
	case s[0] == '\'' && s[n-1] == '\'', strings.LastIndexByte(s, '[') == 0 && strings.IndexByte(s, ']') == n-1, s[0] == '"' && strings.IndexByte(s[1:], '"') == n-2: // <"j@example.org">
		s = s[1 : n-1]
	case s[0] == '"' && strings.IndexByte(s[1:], '"') < 0:
		s = s[1:] // a quote that nothing closes
	}
	return dropScheme(s)
}

// dropScheme removes what some programs put before addresses: mailto:, SMTP:.
func dropScheme(s string) string {
	if scheme, rest, ok := strings.Cut(s, ":"); ok && isScheme(scheme) {
		return rest
	}
	return s
}

// isScheme tells whether w says no more than that an address follows.
func isScheme(w string) bool { return strings.EqualFold(w, "mailto") || strings.EqualFold(w, "smtp") }

// dropRoute removes @a.example,@b.example: from the front of s.
func dropRoute(s string) string {
	t := strings.TrimLeft(s, ",")
	if !strings.HasPrefix(t, "@") {
		return s
	}
	for i := 0; i < len(t); i++ {
		switch t[i] {
		case '[':
			i += literal(t[i:])
		case ':':
			return t[i+1:]
		}
	}
	return s
}

// joinsWords tells whether compactOutsideQuotes joins in s what white space parted, or removes
// controls: RFC 5322 has white space around the dots and the at sign only.
func joinsWords(s string) bool {
	quoted, before, space := false, '.', false
	for _, r := range s {
		switch {
		case r == ' ' || r == '\t':
			space = true
			continue
		case isSpaceOrControl(r):
			return true
		case r == '"':
			quoted = !quoted
		case space && !quoted && !strings.ContainsRune(".@,:", r) && !strings.ContainsRune(".@,:", before):
			return true
		}
		before, space = r, false
	}
	return false
}

// compactOutsideQuotes removes control characters everywhere and spaces outside of quotes.
func compactOutsideQuotes(s string) string {
	if strings.IndexFunc(s, isSpaceOrControl) < 0 {
		return s
	}
	quoted := false
	return strings.Map(func(r rune) rune {
		if r == '"' {
			quoted = !quoted
		}
		if r != ' ' && isSpaceOrControl(r) || r == ' ' && !quoted {
			return -1
		}
		return r
	}, s)
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

// isSpaceOrControl is true of what has no place in ids and addresses, what cannot be seen included.
func isSpaceOrControl(r rune) bool {
	return r <= ' ' || r >= 0x7f && (unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r))
}

// unescape removes the backslashes of quoted pairs (RFC 5322 section 3.2.1).
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
