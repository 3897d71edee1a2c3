package parse

import (
	"strings"
)

// Address is one mailbox of an address field (RFC 5322 section 3.4, RFC 6532).
type Address struct {
	Name    string // decoded display name, or the comment that stands for it
	Address string // addr-spec as sent, without white space; may lack a domain; empty if only a name was sent
	Group   string // decoded name of the group around it
}

// addressParser reads an address list in one pass. It never gives up on a list: a mailbox that
// cannot be read becomes what it most likely is, and the next comma begins the next one.
type addressParser struct {
	h        *Header
	s        string
	i        int
	max      int
	out      []Address
	repaired bool
	over     bool

	group     string
	words     []string // phrase so far; a quoted one is unquoted
	quoted    bool     // the words contain a quoted string
	angle     string   // what stood in <>
	hasAngle  bool
	comment   string
	pending   int  // 1 + index of an entry that may be the first half of a name with a comma in it
	flat      bool // comments do not nest here: an unclosed one was met
	noQuote   bool // there is no closing quote after here
	noComment bool // there is no closing parenthesis after here
}

// parse reads the whole list.
func (p *addressParser) parse() []Address {
	for p.i < len(p.s) && !p.over {
		switch c := p.s[p.i]; c {
		case ' ', '\t', '\r', '\n', 0:
			p.i++
		case '"':
			p.quote()
		case '(':
			p.parenthesis()
		case '<':
			p.brackets()
		case ',', ';':
			p.i++
			p.flush()
			if c == ';' {
				p.group, p.pending = "", 0
			}
		case ':':
			p.i++
			p.colon()
		case '>', ')':
			p.i++
			p.repaired = true
		default:
			p.atom()
		}
	}
	p.flush()
	return p.out
}

// atom reads up to the next special character; an encoded word is one piece whatever is in it.
func (p *addressParser) atom() {
	start := p.i
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c == '=' && strings.HasPrefix(p.s[p.i:], "=?"):
			d := wordDecoder{nextEnd: -1}
			if w, ok := d.word(p.s[:min(len(p.s), p.i+1000)], p.i); ok {
				p.i = w.end
				continue
			}
		case c == '[':
			// A domain literal: its colons are no group's (RFC 5322 section 3.4.1).
			if n := strings.IndexAny(p.s[p.i:min(len(p.s), p.i+256)], "]>,"); n > 0 && p.s[p.i+n] == ']' {
				p.i += n
			}
		case c == '"' && p.i > start && strings.HasSuffix(p.s[start:p.i], "@"):
		case strings.IndexByte(" \t\r\n,;:<>()\"", c) >= 0:
			p.word(p.s[start:p.i])
			return
		case c == '\\' && p.i+1 < len(p.s):
			p.i++
		}
		p.i++
	}
	p.i = min(p.i, len(p.s))
	p.word(p.s[start:p.i])
}

// word adds a word to the phrase, unless it begins the next mailbox: many lists lack a comma.
func (p *addressParser) word(w string) {
	if w == "" {
		return
	}
	if p.hasAngle {
		// Text after <…>: a missing comma if another address comes, otherwise noise.
		p.repaired = true
		if strings.ContainsRune(w, '@') || strings.ContainsRune(p.s[p.i:min(len(p.s), p.i+200)], '@') {
			p.flush()
		}
	}
	p.words = append(p.words, w)
}

// quote reads a quoted string. In a local part it stays quoted (RFC 5321 section 4.1.2).
func (p *addressParser) quote() {
	end := -1
	if !p.noQuote {
		for j := p.i + 1; j < len(p.s); j++ {
			if p.s[j] == '\\' {
				j++
			} else if p.s[j] == '"' {
				end = j
				break
			}
		}
	}
	if end < 0 {
		p.noQuote, p.repaired = true, true
		p.i++
		return
	}
	raw := p.s[p.i : end+1]
	p.i = end + 1
	if p.i < len(p.s) && p.s[p.i] == '@' {
		start := p.i
		for p.i < len(p.s) && strings.IndexByte(" \t\r\n,;<>()\"", p.s[p.i]) < 0 {
			p.i++
		}
		p.word(raw + p.s[start:p.i])
		return
	}
	if p.hasAngle {
		p.flush()
		p.repaired = true
	}
	p.quoted = true
	p.words = append(p.words, unescape(raw[1:len(raw)-1]))
}

// parenthesis reads a comment; the last one may serve as name.
func (p *addressParser) parenthesis() {
	end, depth := -1, 0
	for j := p.i; j < len(p.s) && !p.noComment; j++ {
		switch c := p.s[j]; {
		case c == '\\':
			j++
		case c == '(' && (depth == 0 || !p.flat):
			depth++
		case c == ')':
			depth--
		}
		if depth == 0 {
			end = j
			break
		}
	}
	switch {
	case end >= 0 && end < len(p.s):
		p.comment = unescape(p.s[p.i+1 : end])
		p.i = end + 1
		return
	case !p.flat:
		p.flat, p.repaired = true, true // again, without nesting
	default:
		p.noComment = true
		p.i++
	}
}

// brackets reads <…>. A comma, a semicolon or another bracket ends one that was not closed.
func (p *addressParser) brackets() {
	for p.i < len(p.s) && p.s[p.i] == '<' {
		p.i++
	}
	if p.hasAngle {
		p.flush()
		p.repaired = true
	}
	start, quoted := p.i, false
	route := strings.HasPrefix(strings.TrimLeft(p.s[p.i:], " \t"), "@")
	for ; p.i < len(p.s); p.i++ {
		c := p.s[p.i]
		if c == '\\' && quoted {
			p.i++
			continue
		}
		if c == '"' && !p.noQuote {
			quoted = !quoted
			if quoted && strings.IndexByte(p.s[p.i+1:], '"') < 0 {
				quoted, p.noQuote = false, true
			}
		}
		if !quoted && (c == '>' || c == '<' || (c == ',' || c == ';') && !route) {
			break
		}
	}
	p.i = min(p.i, len(p.s))
	p.angle, p.hasAngle = p.s[start:p.i], true
	if p.i < len(p.s) && p.s[p.i] == '>' {
		p.i++
	} else {
		p.repaired = true
	}
}

// colon makes a group of the phrase before it; nested groups are flattened to the innermost.
func (p *addressParser) colon() {
	phrase := strings.Join(p.words, " ")
	if phrase == "" || strings.ContainsRune(phrase, '@') || p.hasAngle {
		p.repaired = true
		return
	}
	if strings.EqualFold(phrase, "mailto") {
		p.words = nil
		return
	}
	p.group, p.words, p.quoted, p.comment, p.pending = p.h.decode(phrase), nil, false, "", 0
}

// flush ends a mailbox.
func (p *addressParser) flush() {
	a, kind := p.mailbox()
	pending := p.pending
	p.words, p.angle, p.comment = nil, "", ""
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
	a := Address{Group: p.group}
	phrase := strings.Join(p.words, " ")
	if p.hasAngle {
		a.Address = cleanAddress(p.angle)
		a.Name = p.displayName(phrase)
		if a.Name == "" {
			a.Name = p.displayName(p.comment)
		}
		switch {
		case a.Address == "" && strings.ContainsRune(a.Name, '@') && !strings.ContainsAny(a.Name, " \t"):
			a.Address, p.repaired = a.Name, true // a@example.org <>
		case a.Address == "" && a.Name == "":
			return a, boxNone
		}
		if phrase == "" {
			return a, boxPlain
		}
		return a, boxNamed
	}
	if phrase == "" {
		return a, boxNone
	}
	a.Name = p.displayName(p.comment)
	if !strings.ContainsRune(phrase, '@') || p.quoted && !strings.ContainsRune(strings.Join(p.words[len(p.words)-1:], ""), '@') {
		p.repaired = true
		if len(p.words) > 1 || p.quoted || strings.Contains(phrase, "=?") {
			a.Name = p.displayName(phrase) // a name and no address
		} else {
			a.Address = cleanAddress(phrase)
		}
		return a, boxBare
	}
	p.bareAddress(&a)
	return a, boxPlain
}

// bareAddress finds the address among words that no brackets part: "j @ example.org" is one
// address in pieces, "John j@example.org" a name and an address.
func (p *addressParser) bareAddress(a *Address) {
	if len(p.words) == 1 {
		a.Address = cleanAddress(p.words[0])
		return
	}
	p.repaired = true
	for i, w := range p.words {
		at := strings.IndexByte(w, '@')
		if at > 0 && at < len(w)-1 {
			a.Address = cleanAddress(w)
			a.Name = p.displayName(strings.TrimSpace(strings.Join(p.words[:i], " ") + " " + strings.Join(p.words[i+1:], " ")))
			return
		}
	}
	a.Address = cleanAddress(strings.Join(p.words, ""))
}

// displayName decodes a phrase or comment. Decoding comes after taking the list apart, so an encoded
// word can never make an address (RFC 2047 section 5).
func (p *addressParser) displayName(s string) string {
	if s == "" {
		return ""
	}
	s = strings.TrimSpace(p.h.decode(s))
	if len(s) >= 2 && (s[0] == '\'' && s[len(s)-1] == '\'' || s[0] == '"' && s[len(s)-1] == '"') {
		s = strings.TrimSpace(s[1 : len(s)-1])
	}
	return s
}

// cleanAddress makes an addr-spec of what stood in brackets or alone: no route (RFC 5322 section
// 4.4), no comments, no white space and no control characters outside and inside of quotes.
func cleanAddress(s string) string {
	s = compactOutsideQuotes(stripComments(s))
	if strings.HasPrefix(s, "@") {
		if i := strings.IndexByte(s, ':'); i >= 0 {
			s = s[i+1:]
		}
	}
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	if len(s) > 1 && s[0] == '\'' && s[len(s)-1] == '\'' {
		s = s[1 : len(s)-1]
	}
	if len(s) > 1 && s[0] == '"' && strings.IndexByte(s[1:], '"') == len(s)-2 {
		s = s[1 : len(s)-1] // <"j@example.org">
	}
	return s
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
