package pop3

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
)

// shortestEcho is the least part of a secret that is looked for in what the server says. A server
// may echo any part of the line it refuses, and what it says is cut.
const shortestEcho = 12

// hide takes secrets out of what the server echoed.
func (e *Error) hide(secrets ...string) *Error {
	for _, s := range secrets {
		for _, f := range echoes(s) {
			e.Line, e.Text, e.Challenge = mask(e.Line, f), mask(e.Text, f), []byte(mask(string(e.Challenge), f))
		}
	}
	return e
}

// echoes are the ways in which servers and proxies write what they were sent.
func echoes(secret string) []string {
	b := []byte(secret)
	forms := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), strconv.Quote(secret), hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b))}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for k, skip := range []int{0, 2, 3} { // wherever it begins in what is encoded: the characters that it alone decides
			full := enc.EncodeToString(append(make([]byte, k), b...))
			forms = append(forms, full[skip:max(skip, (k+len(b))*8/6)])
		}
	}
	return forms
}

// mask puts one star for each run of octets in text that stems from secret.
func mask(text, secret string) string {
	n := min(shortestEcho, len(secret))
	if n == 0 {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); {
		j := i
		for j+n <= len(text) && strings.Contains(secret, text[j:j+n]) {
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
