package parse

import (
	"strings"
	"time"
	"unicode"
)

// MailDate reads a date and time as mail has it: RFC 5322 section 3.3, its obsolete forms (section
// 4.3: named zones, years of two and three digits), and what else is sent: no zone (read as UTC), no
// seconds, no weekday, GMT+0100, asctime, ISO 8601, names of months in other languages. It keeps the
// offset it finds. What is no date, or could be two, gives false.
func MailDate(s string) (time.Time, bool) {
	t, _, ok := mailDate(s)
	return t, ok
}

// dateParts is a date being read, -1 where nothing has been found yet.
type dateParts struct {
	year, month, day, hour, min, sec int

	offset int // seconds east
	zone   bool
	named  bool // the zone is a name and nothing else
	early  bool // the month came before the day: it may have been a weekday, as mar. is
	pm     int  // 1: AM, 2: PM
	sign   byte // of an offset that a space parts from it
}

// mailDate is MailDate; exact tells whether nothing had to be guessed.
func mailDate(s string) (t time.Time, exact, ok bool) {
	if t, ok = plainDate(s); ok {
		return t, true, true
	}
	return anyDate(s)
}

// anyDate reads dates however they are written.
func anyDate(s string) (t time.Time, exact, ok bool) {
	s = s[:min(len(s), 512)]
	d := dateParts{year: -1, month: -1, day: -1, hour: -1, sign: '+'}
	text := stripComments(s)
	for _, tok := range dateTokens(text) {
		d.token(tok)
	}
	if i := strings.LastIndexByte(s, '('); i >= 0 && !d.zone {
		for _, tok := range dateTokens(s[i:]) {
			d.setZone(tok) // the comment knows what the field does not
		}
	}
	t, ok = d.time()
	return t, ok && isExactDate(text), ok
}

// time checks the parts and makes a time of them.
func (d *dateParts) time() (time.Time, bool) {
	if d.year < 0 || d.month < 0 || d.day < 1 || d.day > time.Date(d.year, time.Month(d.month)+1, 0, 0, 0, 0, 0, time.UTC).Day() {
		return time.Time{}, false
	}
	switch {
	case d.pm == 2 && d.hour < 12:
		d.hour += 12
	case d.pm == 1 && d.hour == 12, d.hour < 0:
		d.hour = 0
	}
	leap := d.sec == 60 // RFC 5322 allows leap seconds; time.Time has none
	midnight := d.hour == 24 && d.min == 0 && d.sec == 0
	if d.hour > 23 && !midnight || d.min > 59 || d.sec > 59 && !leap {
		return time.Time{}, false
	}
	zone := time.UTC
	if d.offset != 0 {
		zone = time.FixedZone("", d.offset)
	}
	// time.Date carries 24:00 and the leap second over into what follows.
	t := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.min, d.sec, 0, zone)
	// Years that JSON cannot carry or that no mail was sent in are no dates.
	y := t.UTC().Year()
	return t, y >= 1900 && y <= 9999
}

// dateTokens splits at white space and what may stand around the pieces.
func dateTokens(s string) []string {
	if telling([]byte(s)) < len(s) {
		s = strings.NewReplacer("年", "-", "月", "-", "日", " ", "\u2212", "-", "\u2013", "-", "\u2011", "-").Replace(s)
	}
	var out []string
	for _, tok := range strings.FieldsFunc(s, func(r rune) bool {
		return r <= ' ' || strings.ContainsRune(`,;"'()[]<>`, r) || r >= 0x80 && (unicode.IsSpace(r) || unicode.Is(unicode.Cf, r))
	}) {
		// White space may stand around colons: 09 : 30.
		if n := len(out) - 1; n >= 0 && (tok[0] == ':' && isDigit(out[n][len(out[n])-1]) || isDigit(tok[0]) && isDigit(out[n][0]) && strings.HasSuffix(out[n], ":")) {
			out[n] += tok
			continue
		}
		out = append(out, tok)
	}
	return out
}

// isDigit tells whether c is one of 0 to 9.
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// token takes one word of a date.
func (d *dateParts) token(tok string) {
	tok = strings.Trim(tok, ".")
	n, digits := number(tok)
	switch {
	case tok == "":
	case tok == "-" || tok == "+":
		d.sign = tok[0]
	case tok[0] == '+' || tok[0] == '-':
		d.setZone(tok)
	case digits:
		d.number(n, len(tok))
	case strings.ContainsRune(tok, ':'):
		d.clock(tok)
	case isDigit(tok[0]):
		d.figures(tok)
	default:
		d.word(tok)
	}
}

// word takes the name of a month or zone, or AM and PM.
func (d *dateParts) word(tok string) {
	if m := monthNumber(tok); m > 0 && (d.month < 0 || d.early) {
		d.month, d.early = m, d.day < 0
		return
	}
	i := strings.IndexAny(tok, "0123456789")
	switch strings.ToUpper(strings.ReplaceAll(tok, ".", "")) {
	case "AM":
		d.pm = 1
	case "PM":
		d.pm = 2
	case "DST":
		if d.named { // MET DST
			d.offset, d.named = d.offset+3600, false
		}
	default:
		switch {
		case i > 0 && monthNumber(tok[:i]) > 0: // Nov2026
			d.word(tok[:i])
			d.token(tok[i:])
		case i > 0 && !strings.ContainsAny(tok, "+-"): // PST8PDT
			d.setZone(tok[:i])
		default:
			d.setZone(tok)
		}
	}
}

// number takes a number without sign: the day, the year, a time without colons, a zone.
func (d *dateParts) number(n, digits int) {
	switch {
	case digits <= 2 && d.day < 0:
		d.day = n
	case d.year < 0 && digits <= 4:
		d.year = fullYear(n, digits)
	case d.year < 0 && digits == 5 && n/1000 == 19: // "19" and the years since 1900, 126
		d.year = 1900 + n%1000
	case d.year >= 0 && d.hour < 0 && digits <= 2: // 9 AM
		d.hour = n
	case d.year < 0 && digits == 8 && d.day < 0:
		d.year, d.month, d.day = n/10000, monthOrNone(n/100%100), n%100
	case d.hour < 0 && digits == 4:
		d.hour, d.min = n/100, n%100
	case d.hour >= 0 && !d.zone && digits == 4:
		d.setZone(string([]byte{d.sign, byte('0' + n/1000), byte('0' + n/100%10), byte('0' + n/10%10), byte('0' + n%10)}))
	}
}

// figures takes what begins with a digit and has more than digits: 10-Nov-2026, 2026-11-10, 10th,
// 09.30.
func (d *dateParts) figures(tok string) {
	if i := strings.IndexAny(tok, "Tt"); i == 8 && strings.Trim(tok[:8], "0123456789") == "" && len(tok) >= 15 {
		d.token(tok[:8])
		d.clock(tok[9:11] + ":" + tok[11:13] + ":" + tok[13:])
		return
	}
	f := strings.FieldsFunc(tok, func(r rune) bool { return r == '-' || r == '/' || r == '.' })
	switch {
	case len(f) == 3 && monthNumber(f[1]) > 0:
		d.token(f[0])
		d.token(f[1])
		d.token(f[2])
	case len(f) == 3 && len(f[0]) == 4:
		d.numbers(f[0], f[1], f[2])
	case len(f) == 3 && len(f[2]) == 4:
		d.dayAndMonth(f, strings.ContainsRune(tok, '.'))
	case strings.Trim(tok, "0123456789.") == "" && d.day >= 0 && d.month >= 0 && d.hour < 0:
		d.clock(strings.ReplaceAll(tok, ".", ":"))
	default:
		d.glued(tok)
	}
}

// glued takes a number and letters: 10th, 10Nov2026, 9h30.
func (d *dateParts) glued(tok string) {
	n, rest := leadingNumber(tok)
	letters := strings.TrimRight(rest, "0123456789")
	switch {
	case d.day < 0 && monthNumber(letters) > 0:
		d.day = n
		d.token(rest)
	case d.day < 0 && len(rest) == 2:
		d.day = n
	case strings.EqualFold(letters, "h") && d.hour < 0:
		d.clock(strings.Replace(strings.ToLower(tok), "h", ":", 1))
	}
}

// dayAndMonth takes a date with the year at its end. With dots between the day comes first
// everywhere; otherwise the order differs between countries, and unless one of the numbers can only
// be the day the date stays unread.
func (d *dateParts) dayAndMonth(f []string, dots bool) {
	a, _ := number(f[0])
	b, _ := number(f[1])
	switch {
	case dots || a > 12 || a == b:
		d.numbers(f[2], f[1], f[0])
	case b > 12:
		d.numbers(f[2], f[0], f[1])
	}
}

// numbers takes year, month and day in digits.
func (d *dateParts) numbers(year, month, day string) {
	y, ok := number(year)
	m, known := number(month)
	n, good := number(day)
	if ok && known && good {
		d.year, d.month, d.day = y, monthOrNone(m), n
	}
}

// monthOrNone returns n if it is a month's number, -1 otherwise.
func monthOrNone(n int) int {
	if n < 1 || n > 12 {
		return -1
	}
	return n
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

// clock takes hh:mm[:ss[.frac]], perhaps with a zone glued to it, or a whole ISO 8601 time.
func (d *dateParts) clock(tok string) {
	if i := strings.IndexAny(tok, "Tt"); i == 8 || i == 10 && tok[4] == '-' {
		d.token(tok[:i])
		tok = tok[i+1:]
	}
	if d.hour >= 0 { // a second clock: a zone as GMT+01:00
		d.setZone(tok)
		return
	}
	if i := strings.IndexFunc(tok, func(r rune) bool { return (r < '0' || r > '9') && r != ':' && r != '.' }); i > 0 {
		d.token(tok[i:])
		tok = tok[:i]
	}
	f := strings.Split(tok, ":")
	if len(f) > 3 || len(f) < 2 {
		return
	}
	var vals [3]int
	for i, s := range f {
		s, _, _ = strings.Cut(s, ".")
		n, ok := number(s)
		if !ok || len(s) > 2 {
			return
		}
		vals[i] = n
	}
	d.hour, d.min, d.sec = vals[0], vals[1], vals[2]
}

// setZone takes a zone: +hhmm, +hh:mm, a name, or both as GMT+0100. The first counts, except in
// GMT +0100.
func (d *dateParts) setZone(tok string) {
	if tok == "" || d.zone && (d.offset != 0 || tok[0] != '+' && tok[0] != '-') {
		return
	}
	offset, ok := zoneOffset(strings.TrimRight(tok, "."))
	d.named = ok
	if i := strings.IndexAny(tok, "+-"); i >= 0 {
		offset, ok = numericZone(tok[i:])
	}
	if ok {
		d.offset, d.zone = offset, true
	}
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
