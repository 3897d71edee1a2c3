package parse

import (
	"strings"
	"time"
)

// MailDate reads a date and time as mail has it: RFC 5322 section 3.3, its obsolete forms (section
// 4.3: named zones, years of two and three digits), and what else is sent: no zone (read as UTC), no
// seconds, no weekday, GMT+0100, asctime, RFC 3339. It keeps the offset it finds. What is no date
// gives false.
func MailDate(s string) (time.Time, bool) {
	t, _, ok := mailDate(s)
	return t, ok
}

// dateParts is a date being read, -1 where nothing has been found yet.
type dateParts struct {
	year, month, day, hour, min, sec int
	nsec                             int
	offset                           int // seconds east
	zone                             bool
	exact                            bool // so far RFC 5322 and not one of its obsolete forms
	pm                               int  // 1: AM, 2: PM
}

// mailDate is MailDate; exact tells whether nothing had to be guessed.
func mailDate(s string) (t time.Time, exact, ok bool) {
	if len(s) > 512 {
		s = s[:512]
	}
	d := dateParts{year: -1, month: -1, day: -1, hour: -1, exact: true}
	for _, tok := range dateTokens(stripComments(s)) {
		if !d.token(tok) {
			d.exact = false
		}
	}
	if d.year < 0 || d.month < 0 || d.day < 0 {
		return time.Time{}, false, false
	}
	return d.time()
}

// time checks the parts and makes a time of them.
func (d *dateParts) time() (time.Time, bool, bool) {
	if d.hour < 0 {
		d.hour, d.exact = 0, false
	}
	if d.pm == 2 && d.hour < 12 {
		d.hour += 12
	} else if d.pm == 1 && d.hour == 12 {
		d.hour = 0
	}
	if d.hour == 24 && d.min == 0 && d.sec == 0 {
		d.hour, d.day = 0, d.day+1
		d.exact = false
	}
	leap := d.sec == 60 // RFC 5322 allows leap seconds; time.Time has none
	if leap {
		d.sec = 59
	}
	if d.hour > 23 || d.min > 59 || d.sec > 59 || d.day < 1 || d.day > 32 {
		return time.Time{}, false, false
	}
	zone := time.UTC
	if d.offset != 0 {
		zone = time.FixedZone("", d.offset)
	}
	t := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.min, d.sec, d.nsec, zone)
	if leap {
		t = t.Add(time.Second)
	}
	if d.day > 28 && t.Month() != time.Month(d.month) && !leap && t.Hour() != 0 {
		return time.Time{}, false, false // 31 February
	}
	// Years that JSON cannot carry or that no mail was sent in are no dates.
	if y := t.UTC().Year(); y < 1900 || y > 9999 {
		return time.Time{}, false, false
	}
	return t, d.exact && d.zone, true
}

// dateTokens splits at white space and commas, and dates such as 10-Nov-2026 at their hyphens.
func dateTokens(s string) []string {
	var out []string
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r == ',' || r == ';' || r == '"' }) {
		if strings.ContainsRune(w, ':') || strings.HasPrefix(w, "-") || strings.HasPrefix(w, "+") || !strings.ContainsAny(w, "-/.") {
			out = append(out, w)
			continue
		}
		if _, named := zoneOffset(w); named {
			out = append(out, w)
			continue
		}
		out = append(out, dateWord(w)...)
	}
	return out
}

// dateWord splits 10-Nov-2026, 10/Nov/2026 and 2026-11-10; the last is turned around. All-number
// dates in other orders mean different days in different countries: they stay one useless token.
func dateWord(w string) []string {
	f := strings.FieldsFunc(w, func(r rune) bool { return r == '-' || r == '/' || r == '.' })
	switch {
	case len(f) == 3 && monthNumber(f[1]) > 0:
		return f
	case len(f) == 3 && len(f[0]) == 4 && monthName(f[1]) != "":
		return []string{f[2], monthName(f[1]), f[0]}
	case len(f) == 1:
		return f
	}
	return []string{w}
}

// monthName returns the short name of a month given in digits, empty if there is none.
func monthName(digits string) string {
	n, ok := number(digits)
	if !ok || n < 1 || n > 12 {
		return ""
	}
	return time.Month(n).String()[:3]
}

// token takes one word of a date. It reports false for what is not part of RFC 5322's form.
func (d *dateParts) token(tok string) bool {
	switch {
	case tok[0] == '+' || tok[0] == '-':
		return d.setZone(tok)
	case strings.ContainsRune(tok, ':'):
		return d.clock(tok)
	}
	if n, ok := number(tok); ok {
		return d.number(n, len(tok))
	}
	if m := monthNumber(tok); m > 0 && d.month < 0 {
		d.month = m
		return d.day >= 0
	}
	if isWeekday(tok) {
		return d.day < 0 && d.month < 0
	}
	switch strings.ToUpper(tok) {
	case "AM":
		d.pm = 1
		return false
	case "PM":
		d.pm = 2
		return false
	}
	if day, rest := leadingNumber(tok); day > 0 && d.day < 0 && len(rest) == 2 { // 10th
		d.day = day
		return false
	}
	return d.setZone(tok)
}

// number takes a number without sign: the day, the year, or a time without colons.
func (d *dateParts) number(n, digits int) bool {
	switch {
	case digits <= 2 && d.day < 0 && n >= 1:
		d.day = n
		return true
	case d.year < 0 && digits <= 4:
		d.year = fullYear(n, digits)
		return digits == 4
	case d.hour < 0 && digits == 4:
		d.hour, d.min = n/100, n%100
		return false
	case d.hour >= 0 && !d.zone && digits == 4:
		return d.setZone("+" + twoDigits(n/100) + twoDigits(n%100))
	}
	return false
}

// fullYear applies RFC 5322 section 4.3 to years of two and three digits.
func fullYear(n, digits int) int {
	switch {
	case digits == 3:
		return 1900 + n
	case digits > 3:
		return n
	case n < 50:
		return 2000 + n
	}
	return 1900 + n
}

// clock takes hh:mm[:ss[.frac]], perhaps with a zone glued to it, or a whole RFC 3339 time.
func (d *dateParts) clock(tok string) bool {
	good := true
	if date, rest, ok := strings.Cut(tok, "T"); ok && len(date) == 10 {
		for _, w := range dateWord(date) {
			d.token(w)
		}
		tok, good = rest, false
	}
	if d.hour >= 0 { // a second clock: a zone as GMT+01:00
		return d.setZone(tok) && false
	}
	if i := strings.IndexFunc(tok, func(r rune) bool { return (r < '0' || r > '9') && r != ':' && r != '.' }); i > 0 {
		d.token(tok[i:])
		tok, good = tok[:i], false
	}
	f := strings.Split(tok, ":")
	if len(f) > 3 || len(f) < 2 {
		return false
	}
	vals := [3]int{}
	for i, s := range f {
		s, frac, _ := strings.Cut(s, ".")
		n, ok := number(s)
		if !ok || len(s) > 2 {
			return false
		}
		good = good && len(s) == 2 && frac == ""
		vals[i] = n
	}
	d.hour, d.min, d.sec = vals[0], vals[1], vals[2]
	return good
}

// setZone takes a zone: +hhmm, +hh:mm, a name, or both as GMT+0100.
func (d *dateParts) setZone(tok string) bool {
	if tok == "" {
		return false
	}
	if d.zone && (d.offset != 0 || tok[0] != '+' && tok[0] != '-') {
		return false // the first counts, except in GMT +0100
	}
	name := strings.TrimRight(tok, ".")
	if i := strings.IndexAny(tok, "+-"); i >= 0 {
		off, ok := numericZone(tok[i:])
		if !ok {
			return false
		}
		again := d.zone
		d.offset, d.zone = off, true
		return i == 0 && len(tok) == 5 && !again
	}
	off, ok := zoneOffset(name)
	if !ok {
		return false
	}
	d.offset, d.zone = off, true
	return true
}

// numericZone reads ±hhmm, ±hh:mm, ±hh and ±hmm.
func numericZone(tok string) (seconds int, ok bool) {
	digits := strings.ReplaceAll(tok[1:], ":", "")
	n, ok := number(digits)
	if !ok || len(digits) > 4 {
		return 0, false
	}
	h, m := n/100, n%100
	if len(digits) <= 2 {
		h, m = n, 0
	}
	if h > 24 || m > 59 {
		return 0, false
	}
	seconds = h*3600 + m*60
	if tok[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// number reads a word that has nothing but digits.
func number(s string) (int, bool) {
	n, rest := leadingNumber(s)
	return n, s != "" && rest == ""
}

// leadingNumber reads the digits that s begins with, at most nine: no int overflows.
func leadingNumber(s string) (n int, rest string) {
	i := 0
	for i < len(s) && i < 9 && s[i] >= '0' && s[i] <= '9' {
		n = n*10 + int(s[i]-'0')
		i++
	}
	return n, s[i:]
}

// twoDigits spells n as part of a zone.
func twoDigits(n int) string { return string([]byte{byte('0' + n/10%10), byte('0' + n%10)}) }
