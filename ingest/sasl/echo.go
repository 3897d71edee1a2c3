package sasl

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
)

// shortestEcho is the least part of a secret that is looked for in what a server says: it may repeat any
// part of the line that it refuses, and what it says is cut.
const shortestEcho = 12

// shortestSecret is the length of the shortest secret that is hidden: without the letters of a shorter
// one the server's words say nothing any more.
const shortestSecret = 4

// Hide takes what a server repeats of a secret out of its words: one star for each run that stems from
// it, as it is or as servers and proxies write it (base64 of the sign-in, URL-encoded, quoted, in hex).
func Hide(text, secret string) string {
	if len(secret) < shortestSecret {
		return text
	}
	b := []byte(secret)
	forms := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), strconv.Quote(secret), hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b))}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for k, skip := range []int{0, 2, 3} { // the secret begins anywhere in the sign-in: the characters that it alone decides
			full := enc.EncodeToString(append(make([]byte, k), b...))
			forms = append(forms, full[skip:max(skip, (k+len(b))*8/6)])
		}
	}
	for _, f := range forms {
		text = hide(text, f)
	}
	return text
}

// hide puts one star for each run of octets in text that stems from form.
func hide(text, form string) string {
	n := min(shortestEcho, len(form))
	if n == 0 {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); {
		j := i
		for j+n <= len(text) && strings.Contains(form, text[j:j+n]) {
			j++
		}
		if j > i {
			out.WriteByte('*')
			i = j + n - 1
			continue
		}
		out.WriteByte(text[i])
		i++
	}
	return out.String()
}
