package parse

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/transform"
)

// knownCharset is one we can read: its name and a decoder's maker (nil: UTF-8).
type knownCharset struct {
	name  string
	make  func() transform.Transformer
	ascii bool // ASCII octets mean themselves between whole characters
}

// utf8Charset needs no decoder: validation does its work.
func utf8Charset() knownCharset { return knownCharset{name: "utf-8"} }

// lookupCharset finds the charset that a label means. Labels are read as browsers do (WHATWG: latin1
// is windows-1252, gb2312 is GBK), and where that table has no decoder or an unsafe reading for
// mail, ours comes first. ok is false for labels that nobody knows.
func lookupCharset(label string) (c knownCharset, ok bool) {
	label = cleanLabel(label)
	switch label {
	case "utf-8", "utf8":
		return utf8Charset(), true
	case "":
		return c, false
	}
	if c, ok := mailCharset(label); ok {
		return c, true
	}
	if e, name := charset.Lookup(label); e != nil && name != "replacement" {
		return encodingCharset(name, e), true
	}
	if e, err := ianaindex.MIME.Encoding(label); err == nil && e != nil {
		return encodingCharset(label, e), true
	}
	return c, false
}

// encodingCharset makes a charset of an encoding. The stateful ones and those of wider units give
// ASCII octets another meaning, so they get no short cut for ASCII text.
func encodingCharset(name string, e encoding.Encoding) knownCharset {
	if name == "utf-8" {
		return utf8Charset()
	}
	ascii := true
	for _, p := range [...]string{"utf-16", "utf-32", "iso-2022", "hz"} {
		ascii = ascii && !strings.HasPrefix(name, p)
	}
	return knownCharset{name: name, make: func() transform.Transformer { return e.NewDecoder() }, ascii: ascii}
}

// mailCharset knows what mail uses and the WHATWG table lacks.
func mailCharset(label string) (knownCharset, bool) {
	enc := func(name string, e encoding.Encoding) (knownCharset, bool) { return encodingCharset(name, e), true }
	switch label {
	case "uft-8", "utf_8", "utf8-8", "utf-8n", "utf-8-sig", "utf-8mb4", "utf8mb4", "unicode-utf-8", "unicode":
		return utf8Charset(), true
	case "utf-7", "utf7", "unicode-1-1-utf-7", "csunicode11utf7", "unicode-2-0-utf-7", "x-unicode-2-0-utf-7":
		return ownCharset("utf-7", func() transform.Transformer { return new(utf7Decoder) }), true
	case "utf-16", "utf16", "ucs-2", "iso-10646-ucs-2", "csunicode":
		return ownCharset("utf-16", func() transform.Transformer { return new(utf16Decoder) }), true
	case "utf-32", "utf32", "ucs-4":
		return enc("utf-32", utf32.UTF32(utf32.BigEndian, utf32.UseBOM))
	case "utf-32be":
		return enc("utf-32be", utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM))
	case "utf-32le":
		return enc("utf-32le", utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM))
	case "cp932", "cp-932", "windows-932", "ms932", "sjis-win", "cp943", "cp943c":
		return enc("shift_jis", japanese.ShiftJIS)
	case "cp50220", "cp50221", "cp50222", "iso-2022-jp-1", "iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-ms", "jis":
		return enc("iso-2022-jp", japanese.ISO2022JP)
	case "cp51932", "eucjp", "eucjp-win", "eucjp-ms":
		return enc("euc-jp", japanese.EUCJP)
	case "cp936", "ms936", "windows-936", "gb-2312", "gb_2312", "euc-cn", "euccn":
		return enc("gbk", simplifiedchinese.GBK)
	case "hz", "hz-gb-2312", "hz-gb2312":
		return enc("hz-gb-2312", simplifiedchinese.HZGB2312)
	case "cp949", "uhc", "ms949", "x-windows-949", "ks_c_5601", "ksc5601", "ks_c_5861-1992":
		return namedCharset("euc-kr")
	case "iso-2022-kr", "csiso2022kr":
		return ownCharset("iso-2022-kr", func() transform.Transformer { return new(iso2022krDecoder) }), true
	case "cp950", "ms950", "big5-eten", "x-big5":
		return namedCharset("big5")
	case "cp437", "ibm437", "cp-437", "437":
		return enc("ibm437", charmap.CodePage437)
	case "cp850", "ibm850", "cp-850", "850":
		return enc("ibm850", charmap.CodePage850)
	case "cp852", "ibm852":
		return enc("ibm852", charmap.CodePage852)
	case "cp858", "ibm00858":
		return enc("ibm00858", charmap.CodePage858)
	case "gb18030-2000", "gb18030-2005", "gb18030-2022", "cp54936":
		return namedCharset("gb18030")
	case "koi8r", "koi8-ru", "cp20866":
		return namedCharset("koi8-r")
	case "cp21866":
		return namedCharset("koi8-u")
	case "x-roman8", "hp-roman8":
		return enc("windows-1252", charmap.Windows1252)
	}
	return codepageLabel(label)
}

// ownCharset makes a charset of a decoder of this package.
func ownCharset(name string, make func() transform.Transformer) knownCharset {
	return knownCharset{name: name, make: make}
}

// codepageLabel reads windows1252, win-1251, iso8859-15, iso_8859_1, 8859-1, latin-1 and the like.
func codepageLabel(label string) (knownCharset, bool) {
	for _, p := range [...]string{"windows", "win", "cp", "x-cp", "ms-cp", "ms-ansi-cp"} {
		if n, ok := strings.CutPrefix(label, p); ok && len(strings.Trim(n, "-_")) == 4 {
			return namedCharset("windows-" + strings.Trim(n, "-_"))
		}
	}
	for _, p := range [...]string{"iso8859", "iso-8859", "iso_8859", "8859", "latin"} {
		n, ok := strings.CutPrefix(label, p)
		n = strings.Trim(n, "-_")
		if ok && len(n) > 0 && len(n) <= 2 {
			if p == "latin" {
				return namedCharset("latin" + n)
			}
			return namedCharset("iso-8859-" + n)
		}
	}
	return knownCharset{}, false
}

// namedCharset looks a canonical name up in the WHATWG table.
func namedCharset(name string) (knownCharset, bool) {
	e, canonical := charset.Lookup(name)
	if e == nil || canonical == "replacement" {
		return knownCharset{}, false
	}
	return encodingCharset(canonical, e), true
}

// cleanLabel removes what senders put around a charset's name.
func cleanLabel(label string) string {
	if label == "UTF-8" {
		return "utf-8"
	}
	if label = strings.ToLower(strings.TrimSpace(label)); isBareLabel(label) {
		return label
	}
	if strings.HasPrefix(label, "=?") {
		label = strings.TrimSuffix(label[strings.LastIndexByte(strings.TrimSuffix(label, "?="), '?')+1:], "?=")
	}
	if i := strings.IndexAny(label, ";, (\t$*"); i > 0 {
		label = label[:i]
	}
	label = strings.Trim(label, "\"'`_<>()[]{}=:.$")
	label = strings.TrimPrefix(label, "charset=")
	label = strings.TrimPrefix(label, "cs=")
	if i := strings.LastIndexByte(label, '.'); i == 5 && label[2] == '_' {
		label = label[i+1:] // the locale en_US.UTF-8
	}
	return label
}

// isBareLabel tells whether a label is lower-case letters, digits and hyphens: there is nothing around it.
func isBareLabel(label string) bool {
	for i := range len(label) {
		if c := label[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// isASCIILabel tells whether a label promises nothing but US-ASCII, or nothing at all: then octets
// over 127 decide for themselves.
func isASCIILabel(label string) bool {
	switch cleanLabel(label) {
	case "", "us-ascii", "ascii", "usascii", "us_ascii", "us", "ansi_x3.4-1968", "iso646-us", "iso-ir-6", "646", "7bit", "8bit",
		"binary", "unknown-8bit", "unknown", "x-unknown", "default", "default_charset", "none", "iso-8859-1-unknown", "x-user-defined":
		return true
	}
	return false
}

// charsetFound says what octets showed about the charset they were labelled with.
type charsetFound int

const (
	charsetTrue  charsetFound = iota
	charsetWrong              // nobody knows it, or it cannot be true: the octets decided
	charsetLossy              // some octets mean nothing in it and became U+FFFD
)

// decodeString converts octets from the labelled charset.
func decodeString(octets []byte, label string) (string, charsetFound) {
	label = cleanLabel(label)
	ascii := isASCIILabel(label)
	c, ok := lookupCharset(label)
	if !ok || ascii {
		found := charsetWrong
		if ascii && telling(octets) == len(octets) {
			found = charsetTrue
		}
		s, _ := decodeUndeclared(octets, "")
		return s, found
	}
	if c.untrue(octets, true) {
		s, _ := decodeUndeclared(octets, "")
		return s, charsetWrong
	}
	if c.make == nil && utf8.Valid(octets) {
		return string(octets), charsetTrue
	}
	s := c.decodeAll(octets)
	if strings.Contains(s, string(utf8.RuneError)) {
		return s, charsetLossy
	}
	return s, charsetTrue
}

// untrue tells whether octets are not written in c: where c is UTF-8, in an older charset; where it is
// not, in UTF-8 or, where c has no octets over 127, in something that has: they are not valid in it, or
// there are so many that chance does not make them UTF-8. Unless whole is set the last character may be cut.
func (c knownCharset) untrue(b []byte, whole bool) bool {
	if c.name == "iso-2022-jp" && wide(b) && !isISO2022JP(b) {
		return true // one of seven bits
	}
	if c.make == nil {
		return legacyForUTF8(b, whole)
	}
	if telling(b) == len(b) || isISO2022JP(b) || !validUTF8(b, whole) {
		return false
	}
	if c.doubtful() && wideRunes(b) >= 8 {
		return true
	}
	s := c.decodeAll(b)
	if !whole {
		s = strings.TrimRight(s, "\uFFFD")
	}
	return strings.ContainsRune(s, utf8.RuneError)
}

// wideRunes counts the characters of b that are not ASCII.
func wideRunes(b []byte) (n int) {
	for _, c := range b {
		if c >= 0xc0 {
			n++
		}
	}
	return n
}

// decodeAll converts octets; each that means nothing becomes U+FFFD.
func (c knownCharset) decodeAll(octets []byte) string {
	if c.make != nil {
		if out, _, err := transform.Bytes(c.make(), octets); err == nil {
			return string(out)
		}
	}
	if utf8.Valid(octets) {
		return string(octets)
	}
	return string([]rune(string(octets)))
}

// decodeUndeclared converts octets nobody named a charset for; hint is the likely one.
func decodeUndeclared(octets []byte, hint string) (s, used string) {
	c := guessCharset(octets, hint, true)
	return c.decodeAll(octets), c.name
}

// guessCharset says what octets without a true label are: a byte order mark or an escape sequence
// names them; otherwise they are UTF-8 if they can be, what the hint says, or windows-1252. Unless
// whole is set the last character may be cut.
func guessCharset(b []byte, hint string, whole bool) knownCharset {
	name := hint
	switch {
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}), bytes.HasPrefix(b, []byte{0xff, 0xfe}):
		name = "utf-16"
	case bytes.Contains(b, []byte("\x1b$)C")):
		name = "iso-2022-kr"
	case isISO2022JP(b):
		name = "iso-2022-jp"
	case validUTF8(b, whole), nearlyUTF8(b):
		return utf8Charset()
	}
	if c, ok := lookupCharset(name); ok && c.make != nil && !isASCIILabel(name) {
		return c
	}
	c, _ := namedCharset(guessLegacy(b, whole))
	return c
}

// isISO2022JP looks for the shifts of RFC 1468 in octets of 7 bits.
func isISO2022JP(b []byte) bool {
	return bytes.Contains(b, []byte("\x1b$B")) || bytes.Contains(b, []byte("\x1b$@")) || bytes.Contains(b, []byte("\x1b(J"))
}

// validUTF8 tells whether b is UTF-8, apart from a last character cut short if b is not whole.
func validUTF8(b []byte, whole bool) bool {
	if !whole {
		for i := 1; i <= 3 && i <= len(b); i++ {
			if c := b[len(b)-i]; utf8.RuneStart(c) {
				if !utf8.FullRune(b[len(b)-i:]) {
					b = b[:len(b)-i]
				}
				break
			}
		}
	}
	return utf8.Valid(b)
}

// nearlyUTF8 tells whether b is UTF-8 with a few errors: characters of several octets do not come about
// by chance, but texts are cut in the middle of one.
func nearlyUTF8(b []byte) bool {
	good, bad, last := 0, 0, 0
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		_, n := utf8.DecodeRune(b[i:])
		if n > 1 {
			good++
		} else {
			bad++
			last = i
		}
		i += n
	}
	return good > 8*bad || good > 0 && bad == 1 && !utf8.FullRune(b[last:])
}
