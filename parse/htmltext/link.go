package htmltext

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// maxURL is the length of the longest address that is shown, and of the text compared with it.
// A part of an address is of no use to anybody.
const maxURL = 4 << 10

// openLink begins a link, if its address is one to show.
func (r *reader) openLink() bool {
	if r.lex.cut[attrHref] {
		return false
	}
	r.href = append(r.href[:0], cleanURL(r.lex.get(attrHref))...)
	if !isShown(r.href) {
		return false
	}
	r.inks = r.out.inks
	r.out.linking, r.out.link = true, r.out.link[:0]
	return true
}

// closeLink writes where the link leads, if it has a text that does not say so.
func (r *reader) closeLink() {
	r.out.linking = false
	if r.out.inks == r.inks || sameAddress(r.out.link, r.href) {
		return
	}
	url := r.href
	if hasPrefixFold(url, "mailto:") {
		url, _, _ = bytes.Cut(url[len("mailto:"):], []byte("?"))
	}
	r.out.append(" (", url, ")")
}

// cleanURL removes from an address what browsers do not take for a part of it (WHATWG URL section
// 4.1), and everything that is no text. It works in place.
func cleanURL(u []byte) []byte {
	u = bytes.TrimSpace(bytes.ToValidUTF8(u, nil))
	n := 0
	for i := 0; i < len(u); {
		r, size := utf8.DecodeRune(u[i:])
		if c := classify(r); c == classVisible && !isDirection(r) || r == ' ' {
			n += copy(u[n:], u[i:i+size])
		}
		i += size
	}
	return bytes.ReplaceAll(u[:n], []byte(" "), []byte("%20"))
}

// isDirection knows the runes that make an address look like another one.
func isDirection(r rune) bool {
	return r == 0x200e || r == 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// isShown tells whether an address means something outside of the mail.
func isShown(u []byte) bool {
	if bytes.HasPrefix(u, []byte("www.")) || bytes.HasPrefix(u, []byte("//")) {
		return true
	}
	scheme, rest, ok := strings.Cut(string(u), ":")
	if !ok || rest == "" || rest == "//" || scheme == "" || !isLetter(scheme[0]) {
		return false
	}
	scheme = strings.ToLower(scheme)
	switch scheme {
	case "javascript", "vbscript", "data", "about", "cid", "mid", "blob", "blocked", "file":
		return false
	}
	if strings.HasPrefix(scheme, "x-") {
		return false // x-apple-data-detectors and its kind
	}
	return strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyz0123456789+.-") == ""
}

// sameAddress tells whether the text of a link says where it leads.
func sameAddress(text, url []byte) bool {
	t, u := bareAddress(string(text)), bareAddress(string(url))
	if strings.EqualFold(t, u) {
		return true
	}
	return hasPrefixFold(url, "tel:") && digits(t) == digits(u)
}

// bareAddress removes what people leave out when they write an address down.
func bareAddress(s string) string {
	s = strings.Trim(s, " <>()[]\"'\t\u00a0")
	for _, prefix := range []string{"mailto:", "tel:", "sms:", "http:", "https:", "//", "www."} {
		if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
			s = s[len(prefix):]
		}
	}
	if at := strings.IndexByte(s, '@'); at >= 0 {
		s, _, _ = strings.Cut(s, "?") // mailto:joe@example.org?subject=...
	}
	return strings.TrimRight(s, "/")
}

// digits returns the digits of s, without a leading 0 or 00 and the like.
func digits(s string) string {
	d := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
	return strings.TrimLeft(d, "0")
}
