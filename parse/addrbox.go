package parse

import "strings"

// flush ends a mailbox.
func (p *addressParser) flush() {
	a, kind := p.mailbox()
	pending := p.pending
	p.words, p.angle, p.comment = p.words[:0], "", ""
	p.quoted, p.hasAngle, p.pending = false, false, 0
	if kind == boxNone || a.Address == "" && a.Name == "" {
		p.pending = pending
		return
	}
	// Doe, John <j@example.org>: the comma belongs to the name and should have been quoted.
	if kind == boxNamed && pending > 0 {
		last := &p.out[pending-1]
		first := last.Name
		if first == "" {
			first = last.Address
		}
		a.Name = first + ", " + a.Name
		*last = a
		p.repaired = true
		return
	}
	if len(p.out) >= p.max {
		p.over = true
		return
	}
	p.out = append(p.out, a)
	if kind == boxBare {
		p.pending = len(p.out)
	}
}

// boxKind says how an entry was written.
type boxKind int

const (
	boxNone  boxKind = iota // nothing between two commas
	boxBare                 // a phrase without address
	boxPlain                // an address alone
	boxNamed                // a name and an address in brackets
)

// mailbox makes an entry of what was read since the last comma.
func (p *addressParser) mailbox() (Address, boxKind) {
	var a Address
	if n := len(p.groups); n > 0 {
		a.Group = p.groups[n-1]
	}
	phrase := strings.Join(p.words, " ")
	switch {
	case p.hasAngle:
		return p.angleBox(a, phrase)
	case phrase == "":
		return a, boxNone
	}
	last := p.words[len(p.words)-1]
	a.Name = p.displayName(p.comment)
	switch {
	case p.quoted && len(p.words) == 1:
		p.repaired = true // in quotes an address is one only if it is nothing else
		if !isAddress(last) || strings.ContainsAny(last, " \t,;:<>()\"=") {
			a.Name = p.displayName(phrase)
			return a, boxBare
		}
	case !strings.ContainsRune(phrase, '@') || p.quoted && !strings.ContainsRune(last, '@'):
		p.repaired = true
		if len(p.words) > 1 || strings.Contains(phrase, "=?") {
			a.Name = p.displayName(phrase) // a name and no address
		} else {
			a.Address = p.clean(phrase)
		}
		return a, boxBare
	}
	p.bareAddress(&a)
	return a, boxPlain
}

// angleBox makes an entry of an address in brackets.
func (p *addressParser) angleBox(a Address, phrase string) (Address, boxKind) {
	if strings.IndexByte(p.angle, '@') < 0 && isAddress(phrase) && !p.quoted && len(p.words) == 1 && !strings.Contains(phrase, "=?") {
		p.repaired = true // a@example.org <>, a@example.org <John>
		if a.Address = p.clean(phrase); strings.TrimSpace(p.angle) != "" {
			phrase = p.angle
		}
	} else {
		a.Address = p.clean(p.angle)
	}
	if a.Name = p.displayName(phrase); a.Name == "" {
		a.Name = p.displayName(p.comment)
	}
	switch {
	case a.Address == "" && a.Name == "":
		return a, boxNone
	case phrase == "":
		return a, boxPlain
	}
	return a, boxNamed
}

// bareAddress finds the address among words that no brackets part: "j @ example.org" is one
// address in pieces, "John j@example.org" a name and an address.
func (p *addressParser) bareAddress(a *Address) {
	for i, w := range p.words {
		if isAddress(w) && w[0] != '.' && w[len(w)-1] != '.' || len(p.words) == 1 {
			p.repaired = p.repaired || len(p.words) > 1
			a.Address = p.clean(w)
			if name := strings.TrimSpace(strings.Join(p.words[:i], " ") + " " + strings.Join(p.words[i+1:], " ")); name != "" {
				a.Name = p.displayName(name)
			}
			return
		}
	}
	a.Address = p.clean(strings.Join(p.words, " "))
}

// displayName decodes a phrase or comment. Decoding comes after taking the list apart, so an encoded
// word can never make an address (RFC 2047 section 5).
func (p *addressParser) displayName(s string) string {
	if s == "" {
		return ""
	}
	if strings.IndexByte(s, '\\') >= 0 && !p.quoted {
		s = p.unescapeSpecials(s)
	}
	return unquoted(p.h.decode(s))
}

// unquoted removes the quotes around a decoded name.
func unquoted(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && (s[0] == '\'' && s[len(s)-1] == '\'' || s[0] == '"' && s[len(s)-1] == '"') {
		s = strings.TrimSpace(s[1 : len(s)-1])
	}
	return s
}

// unescapeSpecials removes backslashes before what needs one in quotes. Elsewhere they are meant, as
// in DOMAIN\user.
func (p *addressParser) unescapeSpecials(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte("\"\\,;:()<>@[]", s[i+1]) >= 0 {
			p.repaired = true
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
