package redact

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	hidden = "***"
	// shortest is the length of the shortest secret that is masked: a shorter one stands in every
	// other word, and a text without its words helps nobody.
	shortest = 5
	// shortestWord is what in a file of several words counts as a secret of its own.
	shortestWord = 16
	// certain is how many characters of base64 make a find: fewer come about by chance.
	certain = 8
)

// Form is one way to write a secret.
type Form struct{ Name, Text string }

// Forms lists the ways to write a secret, the longest first.
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
	for name, enc := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
		for k, skip := range []int{0, 2, 3} { // the characters that the secret alone decides, for each alignment
			full := enc.EncodeToString(append(make([]byte, k), b...))
			if end := (k + len(b)) * 8 / 6; end-skip >= certain {
				forms = append(forms, Form{name + " at " + strconv.Itoa(k), full[skip:end]})
			}
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

// Words are the secrets of a file: its whole content, and of several words (PEM, JSON, the files of AWS
// and NATS) each that is long.
func Words(content string) []string {
	content = strings.TrimRight(content, "\r\n")
	out := []string{content}
	for _, w := range strings.FieldsFunc(strings.ReplaceAll(content, `\n`, "\n"), func(r rune) bool { return strings.ContainsRune(" \t\r\n=:,\"'{}", r) }) {
		if len(w) >= shortestWord && w != content {
			out = append(out, w)
		}
	}
	return out
}

// Masker masks secrets that it was given, and whatever looks like one.
type Masker struct {
	known   *strings.Replacer
	looking []look
}

// look is how something looks that must be a secret: what stays is the first group.
type look struct {
	hint string // stands in every text that the expression fits; in lower case
	re   *regexp.Regexp
}

// New returns a Masker for these secrets.
func New(secrets ...string) *Masker {
	var pairs []string
	var forms []Form
	for _, s := range secrets {
		forms = append(forms, Forms(s)...)
	}
	slices.SortStableFunc(forms, func(x, y Form) int { return len(y.Text) - len(x.Text) })
	for _, f := range forms {
		pairs = append(pairs, f.Text, hidden)
	}
	m := &Masker{known: strings.NewReplacer(pairs...)}
	for _, p := range [][2]string{
		{"eyj", `()eyJ[A-Za-z0-9_+/=-]{13,}(?:\.[A-Za-z0-9_=-]+)*`}, // JSON in base64: tokens, challenges
		{"bearer", `(?i)(\bbearer\s+)[A-Za-z0-9._~+/=-]{16,}`},      // RFC 6750 section 2.1
		{"basic", `(?i)(\bbasic\s+)[A-Za-z0-9+/=-]{12,}`},           // RFC 7617 section 2
		{"private key", `(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?:-----END|\z)`},
		{"secret", `(?i)(client_secret"?\s*[=:]\s*"?)[^\s"&,*]{4,}`},
		{"assertion", `(?i)(client_assertion"?\s*[=:]\s*"?)[^\s"&,*]{4,}`},
		{"token", `(?i)((?:refresh|access|id)_token"?\s*[=:]\s*"?)[^\s"&,*]{4,}`},
		{"password", `(?i)(password"?\s*[=:]\s*"?)[^\s"&,*]{4,}`},
		{"@", `(//[^\s/@:"]*:)[^\s/@"*]+@`},     // user:password in URLs
		{"su", `()\bSU[AC-Z2-7][A-Z2-7]{55}\b`}, // nkey seeds
	} {
		m.looking = append(m.looking, look{p[0], regexp.MustCompile(p[1])})
	}
	return m
}

// Mask returns text with *** for each secret, and how many it found.
func (m *Masker) Mask(text string) (masked string, found int) {
	before := strings.Count(text, hidden)
	masked = m.known.Replace(text)
	lower := strings.ToLower(masked)
	for _, l := range m.looking {
		if strings.Contains(lower, l.hint) {
			masked = l.re.ReplaceAllString(masked, "${1}"+hidden)
		}
	}
	return masked, max(0, strings.Count(masked, hidden)-before)
}
