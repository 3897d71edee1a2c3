package parse

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxFilename is what common file systems take, in bytes.
const maxFilename = 255

// safeFilename makes of a name from a mail one that is safe to show and to create: one path
// element, without control and direction characters, no device name, not too long. Empty stays empty.
func safeFilename(raw string) string {
	if raw == "" {
		return ""
	}
	s := raw
	if !isPlainFilename(s) {
		s = strings.Map(safeRune, strings.ToValidUTF8(raw, "_"))
	}
	if i := strings.LastIndexAny(s, `/\`); i >= 0 {
		if last := strings.Trim(s[i+1:], ". "); last != "" {
			s = s[i+1:]
		}
		s = strings.Map(func(r rune) rune {
			if r == '/' || r == '\\' {
				return '_'
			}
			return r
		}, s)
	}
	s = strings.TrimRight(strings.TrimLeft(s, " "), " .") // Windows drops them: a.exe. would be a.exe
	s = trimLeadingDots(s)
	if s == "" {
		return "_"
	}
	if isDevice(s) {
		s = "_" + s
	}
	return shorten(s)
}

// isPlainFilename tells whether safeRune has nothing to do: ASCII letters, digits and the like.
func isPlainFilename(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' && c != ' ' {
			return false
		}
	}
	return true
}

// trimLeadingDots turns ..name and .. into something harmless; .profile stays what it is.
func trimLeadingDots(s string) string {
	t := strings.TrimLeft(s, ".")
	if len(s)-len(t) > 1 {
		return "_" + t
	}
	return s
}

// safeRune replaces what hides or changes meaning: control characters, the bidirectional overrides
// that make "gpj.exe" of "exe.jpg", what cannot be seen, and the characters Windows forbids.
func safeRune(r rune) rune {
	switch {
	case r == '<' || r == '>' || r == ':' || r == '"' || r == '|' || r == '?' || r == '*', unicode.IsControl(r):
		return '_'
	case r < 0x00ad:
		return r
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x061c, r == 0xfeff:
		return '_'
	case r == 0x2028 || r == 0x2029, r == 0x00ad, r == 0x180e, r == 0x200b, r >= 0x2060 && r <= 0x2064:
		return '_'
	case r == 0xff0f || r == 0xff3c: // some code pages make / and \ of them
		return '_'
	}
	return r
}

// isDevice recognises the names Windows keeps for devices, whatever their extension.
func isDevice(s string) bool {
	base, _, _ := strings.Cut(s, ".")
	base = strings.TrimRight(base, " ")
	if len(base) < 3 || len(base) > 8 {
		return false
	}
	switch base = strings.ToUpper(base); base {
	case "CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$", "CONOUT$":
		return true
	}
	port := strings.TrimRight(base, "0123456789¹²³")
	return (port == "COM" || port == "LPT") && utf8.RuneCountInString(base) == 4
}

// shorten cuts a long name before its extension, between characters.
func shorten(s string) string {
	if len(s) <= maxFilename {
		return s
	}
	ext := ""
	if i := strings.LastIndexByte(s, '.'); i > 0 && len(s)-i <= 32 {
		s, ext = s[:i], s[i:]
	}
	cut := maxFilename - len(ext)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strings.TrimRight(s[:cut], " .") + ext
}
