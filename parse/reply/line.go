package reply

import (
	"strings"
	"unicode/utf8"
)

// lookAt bounds how much of a line is looked at. No line that means something here is longer.
const lookAt = 1000

// A line is what is known of one line of the text.
type line struct {
	at   int    // where it starts
	text string // without blanks and invisible marks around it, at most lookAt octets
	long bool   // there is more of it than text
}

// cut reads the line at octet at, and tells where the next one starts.
func cut(text string, at int) (l line, next int) {
	rest := text[at:]
	next = len(text)
	if i := strings.IndexByte(rest, '\n'); i >= 0 {
		rest, next = rest[:i], at+i+1
	}
	l = line{at: at, long: len(rest) > lookAt}
	if l.long {
		rest = rest[:lookAt]
	}
	l.text = trimEnd(trimStart(rest))
	return l, next
}

// blankAt is the size of the blank or invisible character that s starts with: spaces of all sorts,
// the marks that mailers put around right-to-left text, and the byte order mark.
func blankAt(s string) int {
	switch c := s[0]; {
	case c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f':
		return 1
	case c < 0xC2:
		return 0
	}
	if r, n := utf8.DecodeRuneInString(s); isBlank(r) {
		return n
	}
	return 0
}

func isBlank(r rune) bool {
	return r == 0xA0 || r >= 0x2000 && r <= 0x200F || r >= 0x202A && r <= 0x202F ||
		r >= 0x2060 && r <= 0x206F || r == 0x3000 || r == 0xFEFF || r == 0x61C
}

func trimStart(s string) string {
	for s != "" {
		n := blankAt(s)
		if n == 0 {
			break
		}
		s = s[n:]
	}
	return s
}

func trimEnd(s string) string {
	for s != "" {
		switch c := s[len(s)-1]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f':
			s = s[:len(s)-1]
			continue
		case c < 0x80:
			return s
		}
		r, n := utf8.DecodeLastRuneInString(s)
		if !isBlank(r) {
			return s
		}
		s = s[:len(s)-n]
	}
	return s
}

// The marks that a quoted line may begin with.
type mark byte

const (
	unmarked mark = iota
	angle         // "> text", the usual one
	bar           // "| text"
	name          // "PM> text"
)

// quoteMark tells how a line is marked as quoted, and how deeply.
func quoteMark(s string) (m mark, depth int) {
	switch c := s[0]; {
	case c == '>':
		return angle, angles(s)
	case c == '|':
		if barred(s) {
			return bar, 1
		}
	case c >= 'A' && c <= 'Z':
		if n := initials(s); n > 0 {
			return name, angles(s[n:])
		}
	case c >= 0xC2 && (strings.HasPrefix(s, "»") || strings.HasPrefix(s, "＞")):
		return angle, 1
	}
	return unmarked, 0
}

// angles counts the ">" at the start of s, with or without blanks between them.
func angles(s string) (depth int) {
	for i := 0; i < len(s) && i < 2*maxDepth; i++ {
		switch s[i] {
		case '>':
			depth++
		case ' ':
		default:
			return depth
		}
	}
	return depth
}

// maxDepth is deeper than it matters how deep a quote is.
const maxDepth = 20

// barred recognises "| text". A further bar makes it a row of a table.
func barred(s string) bool {
	s = strings.TrimLeft(s, "| ")
	return s == "" || !strings.ContainsAny(s, "|") && s[0] != '-' && s[0] != '='
}

// initials measures the name in "PM> text" or "Peter> text"; 0 if there is none, or if it is one
// that programs ask for commands with.
func initials(s string) int {
	const longest = 12
	n := 1
	for n < len(s) && n < longest && s[n]|0x20 >= 'a' && s[n]|0x20 <= 'z' {
		n++
	}
	if n >= len(s) || s[n] != '>' || n+1 < len(s) && s[n+1] != ' ' && s[n+1] != '>' {
		return 0
	}
	switch s[:n] {
	case "SQL", "PS", "IOS", "DOS", "CMD", "C", "A", "GHCI", "Prelude", "Router", "Switch", "Firefox", "KVM":
		return 0
	}
	return n
}

// isRule recognises a line drawn across the page, such as mailers and list servers draw.
func isRule(s string) bool {
	const short = 5
	if s == "__" || s == "---" {
		return true // Mailman once; htmltext for <hr>
	}
	n := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if isDash(r) || r == '_' || r == '=' || r == '*' || r == '~' || r == '#' || r == '─' || r == '━' {
			n++
		} else if r != ' ' {
			return false
		}
		i += size
	}
	return n >= short
}

// isDash knows the dashes that separators are drawn with; Proton's are U+2010.
func isDash(r rune) bool { return r == '-' || r >= 0x2010 && r <= 0x2015 || r == 0x2212 }

func isDashOrBlank(r rune) bool { return isDash(r) || isBlank(r) || r == ' ' }

// isFrame knows what separators are framed with.
func isFrame(r rune) bool {
	return isDashOrBlank(r) || r == '_' || r == '=' || r == '*' || r == '#' || r == '~' || r == '<' || r == '>' || r == '+'
}
