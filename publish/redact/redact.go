package redact

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// shortestWord is what in a file of several words counts as a secret of its own.
const shortestWord = 16

// Words are the secrets of a file: its whole content; or, of a file with lines or fields (PEM, JSON, the files
// of AWS and NATS), each long word of it that is no address.
func Words(content string) []string {
	content = strings.TrimRight(content, "\r\n")
	var fields map[string]any
	if json.Unmarshal([]byte(content), &fields) == nil {
		content = secretFields(fields)
	}
	var out []string
	for _, w := range strings.FieldsFunc(strings.ReplaceAll(content, `\n`, "\n"), func(r rune) bool { return strings.ContainsRune(" \t\r\n=:,\"'{}", r) }) {
		if w = strings.Trim(w, "-"); len(w) >= shortestWord && !strings.HasPrefix(w, "//") && !strings.Contains(w, "@") {
			out = append(out, w)
		}
	}
	if len(out) == 0 || !strings.Contains(content, "\n") {
		return []string{content}
	}
	return out
}

// secretFields are the values of a JSON object that are secret by their names, each on its line: the key of a
// service account also names its owner and where it is used.
func secretFields(fields map[string]any) string {
	var b strings.Builder
	for name, v := range fields {
		if s, ok := v.(string); ok && regexp.MustCompile(`(?i)key|secret|token|pass|code|assertion`).MatchString(name) && !strings.HasPrefix(s, "https://") {
			b.WriteString(s + "\n")
		}
	}
	return b.String()
}

// Looks returns text with *** for what must be a secret by its looks, whoever made it.
func Looks(text string) string {
	lower := strings.ToLower(text)
	for _, l := range []struct{ hint, re string }{ // what stays is the first group
		{"eyj", `()eyJ[A-Za-z0-9_+/=-]{13,}(?:\.[A-Za-z0-9_=-]+)*`}, // JSON in base64: tokens, challenges
		{"bearer", `(?i)(\bbearer\s+)[A-Za-z0-9._~+/=-]{16,}`},      // RFC 6750 section 2.1
		{"basic", `(?i)(\bbasic\s+)[A-Za-z0-9+/=-]{12,}`},           // RFC 7617 section 2
		{"private key", `(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?:-----END|\z)`},
		{"secret", field(`client_secret`)}, {"assertion", field(`(?:client_)?assertion`)}, {"token", field(`(?:refresh|access|id)_token`)},
		{"code", field(`device_code|code_verifier`)}, {"password", field(`password`)},
		{"@", `(//[^\s/@:"]*:)[^\s/@"*]+@`},     // user:password in URLs
		{"su", `()\bSU[AC-Z2-7][A-Z2-7]{55}\b`}, // nkey seeds
	} {
		if strings.Contains(lower, l.hint) {
			text = regexp.MustCompile(l.re).ReplaceAllString(text, "${1}"+hidden)
		}
	}
	return text
}

// field is a field with a value, in a form, JSON or YAML.
func field(name string) string {
	return `(?i)(\b(?:` + name + `)\\?["']?\s*[=:]\s*\\?["']?)[^"'&\s,}\\*]{4,}`
}

// Mask returns text with *** for the secrets and for what looks like one, and how many places that were.
func (m *Masker) Mask(text string) (masked string, found int) {
	masked = Looks(m.Text(text))
	return masked, max(0, strings.Count(masked, hidden)-strings.Count(text, hidden))
}

// Memory knows the secrets that were given to a server last: it may repeat them at any time. The zero Memory
// knows none. It is safe for concurrent use.
type Memory struct {
	mu   sync.Mutex
	last []string
}

// remembered is how many secrets a Memory keeps.
const remembered = 4

// Keep remembers a secret as the last one.
func (m *Memory) Keep(secret string) {
	if secret == "" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.Index(m.last, secret); i >= 0 {
		m.last = slices.Delete(m.last, i, i+1)
	}
	m.last = append(m.last, secret)
	m.last = slices.Delete(m.last, 0, max(0, len(m.last)-remembered))
}

// Masker returns a Masker for what is remembered. That costs more than to keep one, and errors are few. Of a
// nil Memory it knows no secrets.
func (m *Memory) Masker() *Masker {
	if m == nil {
		return New()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return New(m.last...)
}
