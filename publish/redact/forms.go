package redact

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	// shortest is the length of the shortest secret that has forms: a shorter one stands in every other word.
	shortest = 5
	// shortestBase64 is how many characters of base64 make a form: fewer come about by chance.
	shortestBase64 = 8
)

// Form is one way to write a secret.
type Form struct{ Name, Text string }

// Forms lists common ways to write a secret, the longest first. A Masker does without: so one can tell of
// what the other has overlooked.
func Forms(secret string) []Form {
	b := []byte(secret)
	if len(b) < shortest {
		return nil
	}
	quoted := strconv.Quote(secret)
	forms := []Form{
		{"plain", secret}, {"URL-encoded", url.QueryEscape(secret)}, {"URL path", url.PathEscape(secret)},
		{"Go string", quoted[1 : len(quoted)-1]}, {"HTML", html.EscapeString(secret)},
		{"hex", hex.EncodeToString(b)}, {"HEX", strings.ToUpper(hex.EncodeToString(b))},
		{"list of octets", strings.Trim(fmt.Sprintf("%d", b), "[]")}, {"octets in Go", strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", b), "[]byte{"), "}")},
	}
	for _, escapeHTML := range []bool{false, true} {
		var s strings.Builder
		enc := json.NewEncoder(&s)
		enc.SetEscapeHTML(escapeHTML)
		_ = enc.Encode(secret) // a string always encodes
		forms = append(forms, Form{"JSON", strings.TrimSuffix(strings.TrimPrefix(s.String(), `"`), "\"\n")})
	}
	for _, lower := range forms[1:3] {
		forms = append(forms, Form{lower.Name, strings.ToLower(lower.Text)})
	}
	for k := range 3 {
		if in := insideBase64(secret, k); len(in) >= shortestBase64 {
			forms = append(forms, Form{"base64 at " + strconv.Itoa(k), in}, Form{"base64url at " + strconv.Itoa(k), strings.NewReplacer("+", "-", "/", "_").Replace(in)})
		}
	}
	slices.SortStableFunc(forms, func(x, y Form) int { return cmp.Or(len(y.Text)-len(x.Text), cmp.Compare(x.Text, y.Text)) })
	return slices.CompactFunc(forms, func(x, y Form) bool { return x.Text == y.Text })
}

// Find names the forms of a secret that stand in text.
func Find(text, secret string) []string {
	var found []string
	for _, f := range Forms(secret) {
		if strings.Contains(text, f.Text) && !slices.Contains(found, f.Name) {
			found = append(found, f.Name)
		}
	}
	return found
}

// insideBase64 is what a secret alone decides of a base64 text in which it begins at octet k of a group.
func insideBase64(secret string, k int) string {
	full := base64.RawStdEncoding.EncodeToString(append(make([]byte, k), secret...))
	return full[[]int{0, 2, 3}[k]:max((k+len(secret))*8/6, []int{0, 2, 3}[k])]
}
