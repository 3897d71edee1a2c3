package ical

import (
	"strings"
)

// property is one content line (RFC 5545 section 3.1): NAME;PARAM=value:value.
type property struct {
	name   string // upper case
	params []param
	value  string
}

// param is one parameter; its name is in upper case and empty where vCalendar 1.0 leaves it out.
type param struct{ name, value string }

// maxParams bounds the parameters of one property.
const maxParams = 64

// parseProperty takes a logical line apart. ok is false if it is none.
func parseProperty(line string) (p property, ok bool) {
	line = strings.TrimPrefix(line, "\uFEFF")
	end := strings.IndexAny(line, ";:")
	if end <= 0 {
		return p, false
	}
	p.name = strings.ToUpper(strings.TrimSpace(line[:end]))
	rest := line[end:]
	for strings.HasPrefix(rest, ";") {
		var q param
		q, rest = parseParam(rest[1:])
		if len(p.params) < maxParams {
			p.params = append(p.params, q)
		}
	}
	p.value, ok = strings.CutPrefix(rest, ":")
	return p, ok && p.name != ""
}

// parseParam reads one parameter. Its values may be quoted, each for itself (section 3.2); a quote
// that is never closed is a character like others.
func parseParam(s string) (q param, rest string) {
	i, quotes := 0, true
	for ; i < len(s) && s[i] != ';' && s[i] != ':'; i++ {
		if s[i] != '"' || !quotes {
			continue
		}
		n := strings.IndexByte(s[i+1:], '"')
		if quotes = n >= 0; quotes {
			i += 1 + n
		}
	}
	name, value, found := strings.Cut(s[:i], "=")
	if !found {
		name, value = "", name
	}
	q.name = strings.ToUpper(strings.TrimSpace(name))
	q.value = strings.TrimSpace(caret(strings.ReplaceAll(value, `"`, "")))
	return q, s[i:]
}

// caret decodes what a parameter's value cannot hold as it is (RFC 6868 section 3).
func caret(s string) string {
	if !strings.Contains(s, "^") {
		return s
	}
	return strings.NewReplacer("^^", "^", "^n", "\n", "^N", "\n", "^'", `"`).Replace(s)
}

// param returns the value of the first parameter called name.
func (p *property) param(name string) string {
	for _, q := range p.params {
		if q.name == name {
			return q.value
		}
	}
	return ""
}

// encoded tells whether the value is quoted-printable; vCalendar 1.0 may leave ENCODING= out.
func (p *property) encoded() bool {
	for _, q := range p.params {
		if (q.name == "ENCODING" || q.name == "") && strings.EqualFold(q.value, "QUOTED-PRINTABLE") {
			return true
		}
	}
	return false
}

// text returns the decoded value of a text property (section 3.3.11).
func (f *fileReader) textOf(p *property) string {
	return strings.TrimSpace(unescape(f.plain(p)))
}

// plain returns the value with the encoding of vCalendar 1.0 undone.
func (f *fileReader) plain(p *property) string {
	if !p.encoded() {
		return p.value
	}
	return f.text(quotedPrintable(p.value), p.param("CHARSET"))
}

// unescape undoes the escapes of text values: backslash and one of \ ; , n N. vCalendar 1.0 escapes the
// semicolon alone, the same way.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\;`, ";", `\,`, ",", `\n`, "\n", `\N`, "\n").Replace(s)
}

// quotedPrintable decodes =HH (RFC 2045 section 6.7); what is no such thing stays.
func quotedPrintable(s string) []byte {
	return unhex(s, '=')
}

// unhex decodes two hexadecimal digits after each mark, and keeps marks that have none.
func unhex(s string, mark byte) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == mark && i+2 < len(s) {
			hi, lo := hexValue(s[i+1]), hexValue(s[i+2])
			if hi >= 0 && lo >= 0 {
				out = append(out, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return out
}

// hexValue returns the value of a hexadecimal digit, -1 if c is none.
func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// person reads the value of ORGANIZER and ATTENDEE: a mailto URI (section 3.3.3), or in vCalendar 1.0 an
// address as mail writes it. An EMAIL parameter (RFC 7986 section 6.2) stands for URIs of other kinds.
func (f *fileReader) person(p *property) Person {
	v := strings.TrimSpace(f.plain(p))
	name := unescape(p.param("CN"))
	lower := strings.ToLower(v)
	if i := strings.LastIndex(lower, "mailto:"); i >= 0 && len(lower) == len(v) {
		v, _, _ = strings.Cut(v[i+len("mailto:"):], "?")
		v = f.text(unhex(v, '%'), "UTF-8")
	} else if before, inner, ok := strings.Cut(v, "<"); ok {
		v, _, _ = strings.Cut(inner, ">")
		if name == "" {
			name = strings.Trim(strings.TrimSpace(before), `"`)
		}
	}
	v = address(v)
	if v == "" {
		v = address(p.param("EMAIL"))
	}
	return Person{Address: f.keep(v), Name: f.keep(oneLine(name))}
}

// address returns s if it is a mail address: no white space and no control character is ever in it.
func address(s string) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f || r == '<' || r == '>' {
			return -1
		}
		return r
	}, s)
	if strings.Contains(s, "://") || !strings.Contains(s, "@") {
		return ""
	}
	return s
}

// oneLine makes a name of s: one line, without the quotes that some put around it.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 1 && s[0] == '\'' && s[len(s)-1] == '\'' {
		s = s[1 : len(s)-1]
	}
	return s
}
