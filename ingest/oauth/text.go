package oauth

import (
	"strings"
	"unicode"

	"mailflume/publish/redact"
)

// most is how much of a text is looked at: no error shows more.
const most = 4 << 10

// clean makes foreign text fit for an error: one line, printable (no control or bidirectional
// characters), at most limit characters.
func clean(s string, limit int) string {
	var b strings.Builder
	n, gap := 0, false
	for _, r := range s {
		if unicode.IsSpace(r) {
			gap = b.Len() > 0
			continue
		}
		if !unicode.IsPrint(r) {
			continue
		}
		if n >= limit {
			return b.String() + "…"
		}
		if gap {
			b.WriteByte(' ')
			n, gap = n+1, false
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// quote is clean for text of the issuer, which may repeat what it was sent and what it gave: the secrets in
// any form, and whatever looks like one, are blotted out.
func quote(s string, limit int, m *redact.Masker) string {
	s = strings.ToValidUTF8(s[:min(len(s), most)], "")
	return clean(redact.Looks(m.Text(s)), limit)
}
