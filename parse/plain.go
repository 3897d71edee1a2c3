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

// plainAddresses reads "J. Doe <j@example.org>, \"Doe\" <d@example.org>, k@example.org", at most limit.
func plainAddresses(s string, limit int) (list []Address, ok bool) {
	if limit <= 0 || strings.Count(s, ",") >= limit {
		return nil, false
	}
	list = make([]Address, 0, strings.Count(s, ",")+1)
	for one := range strings.SplitSeq(s, ",") {
		a, ok := plainAddress(strings.Trim(one, " "))
		if !ok {
			return nil, false
		}
		list = append(list, a)
	}
	return list, true
}

// plainAddress reads one of them.
func plainAddress(s string) (a Address, ok bool) {
	a.Address = s
	if i := strings.IndexByte(s, '<'); i > 0 && s[len(s)-1] == '>' {
		a.Address, a.Name = s[i+1:len(s)-1], strings.TrimRight(s[:i], " ")
		if n := len(a.Name); n > 2 && a.Name[0] == '"' && a.Name[n-1] == '"' {
			a.Name = a.Name[1 : n-1]
		}
		if !isPlainName(a.Name) {
			return a, false
		}
	}
	at := strings.IndexByte(a.Address, '@')
	return a, at > 0 && at < len(a.Address)-1 && strings.LastIndexByte(a.Address, '@') == at && isPlainAddress(a.Address)
}

// isPlainName tells whether s is words of letters and digits with one space between them.
func isPlainName(s string) bool {
	before := byte(' ')
	for i := range len(s) {
		c := s[i]
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9':
		case c == ' ' && before != ' ':
		default:
			return false
		}
		before = c
	}
	return before != ' '
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
	v, rest := s[n+1:], ""
	if inner, quoted := strings.CutPrefix(v, `"`); quoted {
		if v, rest, quoted = strings.Cut(inner, `"`); !quoted || strings.IndexByte(v, '\\') >= 0 {
			return false
		}
	} else {
		end := tokenLen(v)
		v, rest = v[:end], v[end:]
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
