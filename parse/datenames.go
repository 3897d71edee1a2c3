package parse

import "strings"

// monthNumber reads an English month, short or long; 0 if it is none.
func monthNumber(s string) int {
	if len(s) < 3 {
		return 0
	}
	const months = "janfebmaraprmayjunjulaugsepoctnovdec"
	i := strings.Index(months, strings.ToLower(s[:3]))
	if i < 0 || i%3 != 0 || !isLetters(s) {
		return 0
	}
	return i/3 + 1
}

// isWeekday recognises English weekdays, short or long. They carry no information that counts.
func isWeekday(s string) bool {
	if len(s) < 3 {
		return false
	}
	i := strings.Index("sunmontuewedthufrisat", strings.ToLower(s[:3]))
	return i >= 0 && i%3 == 0 && isLetters(strings.TrimRight(s, "."))
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
	case "EDT", "AST":
		return -4 * hour, true
	case "EST", "CDT":
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
	case "ADT", "BRT":
		return -3 * hour, true
	case "NST":
		return -3*hour - hour/2, true
	case "NDT":
		return -2*hour - hour/2, true
	case "BST", "CET", "MET", "MEZ", "WEST":
		return hour, true
	case "CEST", "MEST", "MESZ", "EET", "SAST", "IDT":
		return 2 * hour, true
	case "EEST", "MSK":
		return 3 * hour, true
	case "MSD":
		return 4 * hour, true
	case "HKT", "SGT", "AWST":
		return 8 * hour, true
	case "JST", "KST":
		return 9 * hour, true
	case "AEST":
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
