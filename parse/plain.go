package parse

import (
	"strings"
	"time"
)

// Most dates, address lists and parameters are written exactly as RFC 5322 says. They are read here, at a tenth of
// the cost; whatever is not that plain is left to those who know what else is sent. Both must agree:
// see TestPlainReadingsAgree.

// plainDate reads "Tue, 10 Nov 2026 09:00:00 +0100", with or without weekday and comment.
func plainDate(s string) (t time.Time, ok bool) {
	if len(s) > 4 && s[3] == ',' && isWeekday(s[:3]) {
		s = s[4:]
	}
	r := plainReader{s: strings.TrimLeft(s, " "), ok: true}
	day := r.number(1, 2, ' ')
	month := time.Month(monthNumber(r.cut(3)))
	r.want(' ')
	year := r.number(4, 4, ' ')
	hour := r.number(2, 2, ':')
	minute := r.number(2, 2, ':')
	second := r.number(2, 2, ' ')
	sign := r.cut(1)
	zone := r.number(4, 4, ' ')
	if !r.ok || !r.atEnd() || month == 0 || year < 1901 || hour > 23 || minute > 59 || second > 59 || zone%100 > 59 || zone > 1400 {
		return t, false
	}
	offset := (zone/100*60 + zone%100) * 60
	switch sign {
	case "-":
		offset = -offset
	case "+":
	default:
		return t, false
	}
	in := time.UTC
	if offset != 0 {
		in = time.FixedZone("", offset)
	}
	t = time.Date(year, month, day, hour, minute, second, 0, in)
	return t, t.Day() == day && day > 0
}

// plainReader takes a string apart; ok ends at the first thing that is not as it should be.
type plainReader struct {
	s  string
	ok bool
}

// number reads a number of least to most digits and what parts it from what follows.
func (r *plainReader) number(least, most int, end byte) (n int) {
	i := 0
	for i < len(r.s) && i < most && r.s[i] >= '0' && r.s[i] <= '9' {
		n = n*10 + int(r.s[i]-'0')
		i++
	}
	r.ok = r.ok && i >= least
	if r.s = r.s[i:]; r.s != "" {
		r.want(end)
	}
	return n
}

// cut reads n characters.
func (r *plainReader) cut(n int) string {
	if r.ok = r.ok && len(r.s) >= n; !r.ok {
		return ""
	}
	v := r.s[:n]
	r.s = r.s[n:]
	return v
}

// want reads one character.
func (r *plainReader) want(c byte) { r.ok = r.ok && r.cut(1) == string(c) }

// atEnd tells whether nothing is left, or a comment that holds no other.
func (r *plainReader) atEnd() bool {
	n := len(r.s)
	return n == 0 || n > 1 && r.s[0] == '(' && r.s[n-1] == ')' && !strings.ContainsAny(r.s[1:n-1], `()\`)
}

// plainAddresses reads "J. Doe <j@example.org>, \"Doe, K\" <k@example.org>, l@example.org" up to the first that is not
// that plain, and returns how many octets of s those before it take, with their commas.
func (h *Header) plainAddresses(s string, limit int) (list []Address, n int) {
	commas := strings.Count(s, ",")
	if limit <= 0 || commas >= limit {
		return nil, 0
	}
	for rest := s; n < len(s); rest = s[n:] {
		from := len(rest) - len(strings.TrimLeft(rest, " "))
		if from < len(rest) && rest[from] == '"' { // a comma in quotes parts nothing
			from += 2 + strings.IndexByte(rest[from+1:], '"')
		}
		one, step := rest, len(rest)
		if i := strings.IndexByte(rest[from:], ','); i >= 0 {
			one, step = rest[:from+i], from+i+1
		}
		a, ok := h.plainAddress(strings.Trim(one, " "))
		if !ok || step > len(one) && n+step == len(s) {
			break // a comma is the last: there is one missing
		}
		if list == nil {
			list = make([]Address, 0, commas+1)
		}
		list = append(list, a)
		n += step
	}
	return list, n
}

// plainAddress reads one of them.
func (h *Header) plainAddress(s string) (a Address, ok bool) {
	a.Address = s
	if i := strings.LastIndexByte(s, '<'); i >= 0 && s[len(s)-1] == '>' {
		a.Address, a.Name = s[i+1:len(s)-1], strings.TrimRight(s[:i], " ")
		if a.Name, ok = h.plainName(a.Name); !ok {
			return a, false
		}
	}
	at := strings.IndexByte(a.Address, '@')
	return a, at > 0 && at < len(a.Address)-1 && strings.LastIndexByte(a.Address, '@') == at && isPlainAddress(a.Address)
}

// plainName reads a name of words of ASCII with one space between them, in quotes or not, encoded or not.
func (h *Header) plainName(s string) (name string, ok bool) {
	switch n := len(s); {
	case n > 2 && s[0] == '"' && s[n-1] == '"':
		s = s[1 : n-1]
		ok = isPlainText(s, "")
	case strings.Contains(s, "=?"):
		ok = arePlainWords(s)
	default:
		ok = s == "" || isPlainText(s, "(),:;<>@[]")
	}
	if !ok || strings.HasPrefix(s, "'") {
		return "", false
	}
	return unquoted(h.decode(s)), true
}

// isPlainText tells whether s is words of ASCII without a backslash, a quote and what is in not.
func isPlainText(s, not string) bool {
	before := byte(' ')
	for i := range len(s) {
		c := s[i]
		if c == ' ' && before == ' ' || c < ' ' || c > '~' || c == '"' || c == '\\' || strings.IndexByte(not, c) >= 0 {
			return false
		}
		before = c
	}
	return before != ' '
}

// arePlainWords tells whether s is words, and those that are encoded are encoded whole.
func arePlainWords(s string) bool {
	for one := range strings.SplitSeq(s, " ") {
		not := "(),:;<>@[]"
		if d := (wordDecoder{nextEnd: -1}); strings.Contains(one, "=?") {
			if w, ok := d.word(one, 0); !ok || !strings.HasPrefix(one, "=?") || w.end != len(one) || w.end >= 1000 {
				return false
			}
			not = ""
		}
		if !isPlainText(one, not) {
			return false
		}
	}
	return true
}

// plainHead reads what stands before the parameters: "text/plain".
func (p *paramParser) plainHead() (head string, ok bool) {
	n := tokenLen(p.s)
	if n < len(p.s) && p.s[n] == '/' {
		n += 1 + tokenLen(p.s[n+1:])
	}
	if n == 0 || n < len(p.s) && p.s[n] != ';' || p.s[0] == '\'' || p.s[n-1] == '\'' {
		return "", false
	}
	p.i = n
	return strings.ToLower(p.s[:n]), true
}

// plain reads a parameter into cur: name=value, name="a value". It moves only if it can.
func (p *paramParser) plain() bool {
	s := p.s[p.i:]
	n := tokenLen(s)
	if n == 0 || n == len(s) || s[n] != '=' || s[0] == '\'' || s[n-1] == '\'' {
		return false
	}
	var v, rest string
	if inner, quoted := strings.CutPrefix(s[n+1:], `"`); quoted {
		if v, rest, quoted = strings.Cut(inner, `"`); !quoted || strings.IndexByte(v, '\\') >= 0 {
			return false
		}
	} else {
		end := n + 1 + tokenLen(s[n+1:])
		v, rest = s[n+1:end], s[end:]
	}
	if v == "" || rest != "" && rest[0] != ';' {
		return false
	}
	p.n++
	p.cur = param{name: strings.ToLower(s[:n]), value: v}
	p.i = len(p.s) - len(rest)
	return true
}

// tokenLen returns the length of the token that s begins with.
func tokenLen(s string) (n int) {
	for n < len(s) && isTokenChar(s[n]) {
		n++
	}
	return n
}
