package parse

import (
	"strings"
	"unicode"
)

// monthNumber reads a month, short or long, in English or in a language whose mail programs write
// their own; 0 if it is none.
func monthNumber(s string) int {
	if len(s) < 3 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) }) {
		return 0
	}
	if n := indexName("janfebmaraprmayjunjulaugsepoctnovdec", s); n >= 0 {
		return n + 1
	}
	return foreignMonth(strings.ToLower(s))
}

// indexName returns which of the names of three letters s begins with, or -1.
func indexName(names, s string) int {
	three := [3]byte{s[0] | 0x20, s[1] | 0x20, s[2] | 0x20}
	i := strings.Index(names, string(three[:]))
	if i%3 != 0 {
		return -1
	}
	return i / 3
}

// foreignMonth knows the months of German, French, Spanish, Italian, Portuguese, Dutch, Russian and
// the Scandinavian languages, as far as they do not begin like the English ones.
func foreignMonth(s string) int {
	if strings.HasPrefix(s, "juil") {
		return 7
	}
	r := []rune(s)
	prefix := string(r[:min(len(r), 3)])
	if i := strings.Index("янвфевмарапрмайиюниюлавгсеноктноядек", prefix); i >= 0 && i%6 == 0 {
		return i/6 + 1
	}
	switch prefix {
	case "jän", "gen", "ene":
		return 1
	case "fév", "fev":
		return 2
	case "mär", "mrz", "mrt", "maa":
		return 3
	case "avr", "abr":
		return 4
	case "mai", "mei", "maj", "mag", "мая":
		return 5
	case "giu", "jui":
		return 6
	case "lug":
		return 7
	case "aoû", "aou", "ago":
		return 8
	case "set":
		return 9
	case "okt", "ott", "out":
		return 10
	case "dez", "dic", "déc", "des":
		return 12
	}
	return 0
}

// isExactDate tells whether s, without comments, is a date-time of RFC 5322 section 3.3, a named
// zone of section 4.3 allowed.
func isExactDate(s string) bool {
	if name, rest, ok := strings.Cut(s, ","); ok {
		if name = strings.TrimSpace(name); len(name) != 3 || !isWeekday(name) {
			return false
		}
		s = rest
	}
	f := strings.Fields(s)
	if len(f) != 5 || len(f[1]) != 3 || monthNumber(f[1]) == 0 || foreignMonth(f[1]) > 0 || len(f[0]) > 2 || len(f[2]) != 4 ||
		strings.HasPrefix(f[3], "24") {
		return false
	}
	clock := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return '0'
		}
		return r
	}, f[0]+" "+f[2]+" "+f[3])
	clock = strings.TrimPrefix(clock, "0")
	return (clock == "0 0000 00:00" || clock == "0 0000 00:00:00" || clock == " 0000 00:00" || clock == " 0000 00:00:00") && isExactZone(f[4])
}

// isExactZone tells whether s is a zone of RFC 5322. UTC is none, but there is nothing to guess.
func isExactZone(s string) bool {
	if s[0] == '+' || s[0] == '-' {
		seconds, ok := numericZone(s)
		return ok && len(s) == 5 && !strings.ContainsRune(s, ':') && seconds <= 15*3600 && seconds >= -15*3600
	}
	switch s = strings.ToUpper(s); s {
	case "UT", "GMT", "UTC", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT":
		return true
	}
	_, ok := zoneOffset(s)
	return ok && len(s) == 1
}

// isWeekday recognises English weekdays, short or long. They carry no information that counts.
func isWeekday(s string) bool {
	if len(s) < 3 {
		return false
	}
	return indexName("sunmontuewedthufrisat", s) >= 0 && isLetters(strings.TrimRight(s, "."))
}

// isLetters tells whether s is ASCII letters only.
func isLetters(s string) bool {
	for _, c := range []byte(s) {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return false
		}
	}
	return true
}

// zoneOffset knows the named zones: those of RFC 5322 section 4.3, where military letters mean
// nothing more than UTC because they were used with both signs, and the unambiguous ones that mail
// is full of. Seconds east of UTC.
func zoneOffset(name string) (seconds int, ok bool) {
	const hour = 3600
	name = strings.ToUpper(name)
	if len(name) == 1 && name[0] >= 'A' && name[0] <= 'Z' && name != "J" {
		return 0, true
	}
	switch name {
	case "UT", "UTC", "GMT", "WET", "UCT":
		return 0, true
	case "NDT":
		return -2*hour - hour/2, true
	case "NST":
		return -3*hour - hour/2, true
	case "EDT", "AST", "CLT", "VET", "BOT":
		return -4 * hour, true
	case "EST", "CDT", "COT", "PET":
		return -5 * hour, true
	case "CST", "MDT":
		return -6 * hour, true
	case "MST", "PDT":
		return -7 * hour, true
	case "PST", "AKDT":
		return -8 * hour, true
	case "AKST":
		return -9 * hour, true
	case "HST":
		return -10 * hour, true
	case "ADT", "BRT", "ART", "UYT", "CLST":
		return -3 * hour, true
	case "BST", "CET", "MET", "MEZ", "WEST", "WAT":
		return hour, true
	case "CEST", "MEST", "MESZ", "EET", "SAST", "CAT":
		return 2 * hour, true
	case "EEST", "IDT", "MSK", "EAT", "TRT":
		return 3 * hour, true
	case "MSD":
		return 4 * hour, true
	case "PKT", "YEKT":
		return 5 * hour, true
	case "ICT", "WIB", "NOVT":
		return 7 * hour, true
	case "HKT", "SGT", "AWST", "MYT", "PHT":
		return 8 * hour, true
	case "JST", "KST":
		return 9 * hour, true
	case "ACST":
		return 9*hour + hour/2, true
	case "ACDT":
		return 10*hour + hour/2, true
	case "AEST", "CHST", "VLAT":
		return 10 * hour, true
	case "AEDT":
		return 11 * hour, true
	case "NZST":
		return 12 * hour, true
	case "NZDT":
		return 13 * hour, true
	}
	return 0, false
}
