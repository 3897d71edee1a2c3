package parse

import (
	"slices"
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

	groups    []string // names of the groups around, innermost last
	words     []string // phrase so far; a quoted one is unquoted
	quoted    bool     // the words contain a quoted string
	angle     string   // what stood in <>
	hasAngle  bool
	comment   string
	pending   int  // 1 + index of an entry that may be the first half of a name with a comma in it
	flat      bool // comments do not nest here: an unclosed one was met
	noQuote   bool // there is no closing quote after here
	noComment bool // there is no closing parenthesis after here
	odd       bool // one quote has no other
}

const (
	maxGroups = 3   // how deep groups may nest, which RFC 5322 does not allow at all
	maxBox    = 320 // octets of the longest address (RFC 5321 section 4.5.3.1)
)

// parse reads the whole list.
func (p *addressParser) parse() []Address {
	p.odd = oddQuotes(p.s)
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
				p.endGroup()
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

// oddQuotes tells whether s has a quote that no other closes.
func oddQuotes(s string) bool {
	odd := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			odd = !odd
		}
	}
	return odd
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
			p.i += literal(p.s[p.i:])
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
	switch {
	case p.hasAngle:
		// Text after <…>: a missing comma if another address comes, otherwise noise.
		p.repaired = true
		if strings.IndexByte(w, '@') >= 0 || strings.IndexByte(p.near(), '@') >= 0 {
			p.flush()
		}
	case isAddress(w) && !p.quoted && slices.ContainsFunc(p.words, isAddress) && strings.IndexByte(p.near(), '<') < 0:
		p.repaired = true // a@x.org b@x.org
		p.flush()
	}
	if p.words == nil {
		p.words = make([]string, 0, 4)
	}
	p.words = append(p.words, w)
}

// near returns what comes next, up to the end of the mailbox or not very far.
func (p *addressParser) near() string {
	near := p.s[p.i:min(len(p.s), p.i+200)]
	if i := strings.IndexAny(near, ",;"); i >= 0 {
		near = near[:i]
	}
	return near
}

// isAddress tells whether w has something on both sides of an at sign.
func isAddress(w string) bool {
	at := strings.LastIndexByte(w, '@')
	return at > 0 && at < len(w)-1
}

// quote reads a quoted string. In a local part it stays quoted (RFC 5321 section 4.1.2).
func (p *addressParser) quote() {
	end := p.quoteEnd()
	if end < 0 {
		p.repaired = true
		p.i++
		return
	}
	raw := p.s[p.i:end]
	if box := p.quotedBox(end); box != "" {
		p.i += len(box)
		p.word(box)
		return
	}
	p.i = end
	if p.hasAngle {
		p.flush()
		p.repaired = true
	}
	p.quoted = true
	p.words = append(p.words, unescape(raw[1:len(raw)-1]))
}

// quoteEnd returns the position after the quoted string at p.i, -1 if its quote is a stray one: there
// is no other, or there is an odd number of them and a mailbox ends before the next.
func (p *addressParser) quoteEnd() int {
	if p.noQuote {
		return -1
	}
	for j := p.i + 1; j < len(p.s); j++ {
		switch p.s[j] {
		case '\\':
			j++
		case '"':
			if _, rest, ok := strings.Cut(p.s[p.i:j], ">"); ok && p.odd && strings.IndexAny(strings.TrimLeft(rest, " \t"), ",;") == 0 {
				p.odd = false
				return -1
			}
			return j + 1
		}
	}
	p.noQuote = true
	return -1
}

// quotedBox returns the address at p.i whose local part begins with the quoted string that ends
// before end, empty if it is none: "a b"@x.org, "a"."b"@x.org.
func (p *addressParser) quotedBox(end int) string {
	if end == len(p.s) || p.s[end] != '@' && p.s[end] != '.' {
		return ""
	}
	at := false
	for j := end; j < min(len(p.s), p.i+maxBox); j++ {
		c := p.s[j]
		if c == '"' && !at && p.s[j-1] == '.' {
			n := strings.IndexByte(p.s[j+1:min(len(p.s), p.i+maxBox)], '"')
			if j += n + 1; n < 0 {
				return ""
			}
			continue
		}
		at = at || c == '@'
		if strings.IndexByte(" \t\r\n,;<>()\"", c) >= 0 {
			end = j
			break
		}
		end = j + 1
	}
	if !at {
		return ""
	}
	return p.s[p.i:end]
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
	for first := true; p.i < len(p.s) && p.s[p.i] == '<'; first = false {
		p.repaired = p.repaired || !first
		n := len(p.s) - p.i - 1 - len(strings.TrimLeft(p.s[p.i+1:], " \t"))
		if p.i++; strings.HasPrefix(p.s[p.i+n:], "<") {
			p.i += n
		}
	}
	if p.hasAngle {
		p.flush()
		p.repaired = true
	}
	start, quoted := p.i, false
	route := strings.HasPrefix(strings.TrimLeft(p.s[p.i:], " \t,"), "@")
scan:
	for ; p.i < len(p.s); p.i++ {
		switch c := p.s[p.i]; {
		case c == '\\' && quoted:
			p.i++
		case c == '"' && !p.noQuote:
			quoted = !quoted
			if quoted && strings.IndexByte(p.s[p.i+1:], '"') < 0 {
				quoted, p.noQuote, p.repaired = false, true, true
			}
		case quoted:
		case c == '(':
			// A comment may hold what ends the address, but not what begins another.
			if n := strings.IndexAny(p.s[p.i+1:], "(),<"); n >= 0 && p.s[p.i+1+n] == ')' {
				p.i += n + 1
			}
		case c == '[':
			p.i += literal(p.s[p.i:])
		case c == ':':
			route = false
		case c == '>' || c == '<' || c == ';' || c == ',' && !route:
			break scan
		}
	}
	p.i = min(p.i, len(p.s))
	p.angle, p.hasAngle = p.s[start:p.i], true
	if p.i < len(p.s) && p.s[p.i] == '>' {
		p.i++
		p.several()
		return
	}
	p.repaired = true
	// Not closed: the address ends where white space follows its domain.
	if at := strings.LastIndexByte(p.angle, '@'); at >= 0 {
		domain := strings.TrimLeft(p.angle[at+1:], " \t")
		if n := strings.IndexAny(domain, " \t("); n > 0 {
			p.i -= len(domain) - n
			p.angle = p.s[start:p.i]
		}
	}
}

// several makes mailboxes of all addresses but the last in one pair of brackets: <a@x.org b@x.org>.
// What else stands there, <John a@x.org>, is no part of the address.
func (p *addressParser) several() {
	if !joinsWords(stripComments(p.angle)) || strings.IndexByte(p.angle, '"') >= 0 {
		return
	}
	found := slices.DeleteFunc(strings.Fields(p.angle), func(w string) bool { return !isAddress(w) })
	for i, w := range found {
		p.angle, p.hasAngle, p.repaired = w, true, true
		if i < len(found)-1 {
			p.flush()
		}
	}
}

// literal returns how many octets before its closing bracket a domain literal (RFC 5322 section
// 3.4.1) has, 0 if s begins with none: its colons are no group's and no route's.
func literal(s string) int {
	n := strings.IndexAny(s[:min(len(s), 256)], "]>,")
	if n < 0 || s[n] != ']' {
		return 0
	}
	return n
}

// colon makes a group of the phrase before it.
func (p *addressParser) colon() {
	if n := len(p.words); n > 0 && isScheme(p.words[n-1]) {
		p.words, p.repaired = p.words[:n-1], true
		return
	}
	phrase := strings.Join(p.words, " ")
	if phrase == "" || strings.ContainsRune(phrase, '@') || p.hasAngle {
		p.repaired = true
		return
	}
	if len(p.groups) > 0 {
		p.repaired = true
	}
	if len(p.groups) == maxGroups {
		p.groups = p.groups[:maxGroups-1]
	}
	p.groups = append(p.groups, p.h.decode(phrase))
	p.words, p.quoted, p.comment, p.pending = nil, false, "", 0
}

// endGroup leaves the innermost group. A semicolon elsewhere stands for a comma.
func (p *addressParser) endGroup() {
	p.pending = 0
	if n := len(p.groups); n > 0 {
		p.groups = p.groups[:n-1]
	} else if p.i < len(p.s) || len(p.out) == 0 {
		p.repaired = true
	}
}
