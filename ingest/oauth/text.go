package oauth

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"strings"
	"unicode"
)

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

// quote is clean for text of the issuer, which may repeat what it was sent: the secrets in any of
// their forms, and everything that looks like a signed token, are blotted out before and after.
func quote(s string, limit int, secrets ...string) string {
	blot := blotter(secrets)
	s = blotTokens(blot.Replace(s))
	return clean(blot.Replace(clean(s, len(s))), limit)
}

// blotter replaces every form in which a server could echo the secrets.
func blotter(secrets []string) *strings.Replacer {
	var pairs []string
	for _, secret := range secrets {
		for _, f := range echoes(secret) {
			pairs = append(pairs, f, "***")
			if f != secret {
				pairs = append(pairs, strings.ToLower(f), "***", strings.ToUpper(f), "***")
			}
		}
	}
	return strings.NewReplacer(pairs...)
}

// echoes are the forms that servers and proxies really produce: error pages (HTML), logs of forms
// (URL), JSON, and base64 as it stands in an Authorization header.
func echoes(secret string) []string {
	if secret == "" {
		return nil
	}
	quoted, _ := json.Marshal(secret) // a string always marshals
	forms := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), html.EscapeString(secret),
		strings.Trim(string(quoted), `"`), hex.EncodeToString([]byte(secret)),
	}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
		forms = append(forms, enc.EncodeToString([]byte(secret)))
		forms = append(forms, insideBase64(enc, secret)...)
	}
	return forms
}

// insideBase64 are the characters that the secret alone decides when it stands somewhere inside a
// base64 text, for each of the three alignments.
func insideBase64(enc *base64.Encoding, secret string) []string {
	var out []string
	for k, skip := range []int{0, 2, 3} {
		full := enc.EncodeToString([]byte(strings.Repeat("x", k) + secret))
		if end := (k + len(secret)) * 8 / 6; end-skip >= 8 {
			out = append(out, full[skip:end])
		}
	}
	return out
}

// blotTokens blots out everything that looks like a JWT: "eyJ" is how the base64 of {" begins.
func blotTokens(s string) string {
	var b strings.Builder
	for {
		at := strings.Index(s, "eyJ")
		if at < 0 {
			b.WriteString(s)
			return blotFields(b.String())
		}
		end := at
		for end < len(s) && (!notNameRune(rune(s[end])) || s[end] == '=' || s[end] == '+' || s[end] == '/') {
			end++
		}
		b.WriteString(s[:at])
		if end-at >= 16 {
			b.WriteString("***")
		} else {
			b.WriteString(s[at:end])
		}
		s = s[end:]
	}
}
