package redact

import (
	"fmt"
	"io"
	"strings"
)

const (
	hidden = "***"
	// certain is how many characters of a secret make a find, if it is that long: fewer come about by
	// chance, and servers and logs cut what they show.
	certain = 12
	// whole is the length up to which only the whole secret is looked for.
	whole = 8
	// loose is the length from which on a secret is found inside of words, too: a shorter one stands in
	// every other word.
	loose = 4
	// levels is how many ways of writing may lie one in the other: base64 of JSON, for example.
	levels = 2
	// large is the length from which on a text is read line by line, so that it costs no more memory.
	large = 16 << 10
)

// Masker takes secrets out of texts, in whatever form they stand there. A nil Masker knows none. It is safe for
// concurrent use.
type Masker struct {
	parts  [certain + 1]map[string]bool // of secrets as fold leaves them, by length
	begins [1 << 16]bool                // their first two octets: most of a text is not asked for in a map
	least  int                          // length
	some   bool
}

// New returns a Masker for these secrets.
func New(secrets ...string) *Masker {
	m := &Masker{least: certain}
	for _, s := range secrets {
		m.learn(fold([]byte(s)), 1)
		for k := range 3 { // base64 in one case of letters cannot be read back
			if in := insideBase64(s, k); len(in) >= certain {
				m.learn(fold([]byte(in)), certain/2)
			}
		}
	}
	return m
}

// learn remembers the parts of a secret that make a find, one in each so many octets.
func (m *Masker) learn(secret string, step int) {
	n := len(secret)
	if n > whole {
		n = max(whole, min(certain, n/2))
	}
	if n == 0 {
		return
	}
	if m.parts[n] == nil {
		m.parts[n] = map[string]bool{}
	}
	for i := 0; i+n <= len(secret); i += step {
		m.parts[n][secret[i:i+n]] = true
		m.begins[begin(secret[i:i+min(n, 2)])] = true
	}
	m.least, m.some = min(m.least, n), true
}

// Text returns text with *** for whatever stems from the secrets.
func (m *Masker) Text(text string) string {
	masked, _ := m.mask(text)
	return masked
}

func (m *Masker) mask(text string) (masked string, some bool) {
	if len(text) <= large {
		return m.piece(text)
	}
	var out strings.Builder
	for line := range strings.Lines(text) {
		for len(line) > 0 {
			n := min(len(line), large) // what is cut in two is still found in its parts
			masked, found := m.piece(line[:n])
			out.WriteString(masked)
			line, some = line[n:], some || found
		}
	}
	return out.String(), some
}

func (m *Masker) piece(text string) (masked string, some bool) {
	if m == nil || !m.some || len(text) < m.least {
		return text, false
	}
	found := make([]bool, len(text))
	if !m.search(plain(text), levels, found) {
		return text, false
	}
	var out strings.Builder
	for i := range len(text) {
		switch {
		case !found[i]:
			out.WriteByte(text[i])
		case i == 0 || !found[i-1]:
			out.WriteString(hidden)
		}
	}
	return out.String(), true
}

// search marks what is found in a view, and in those up to so many levels below it.
func (m *Masker) search(v *view, below int, found []bool) bool {
	some := m.find(v, found)
	if below > 0 {
		for w := range v.deeper(m.least) {
			some = m.search(w, below-1, found) || some
		}
	}
	return some
}

// find marks in the text what of a view stems from a secret.
func (m *Masker) find(v *view, found []bool) (some bool) {
	folded, at := v.fold()
	for n, parts := range m.parts {
		if parts == nil {
			continue
		}
		for i := range len(folded) - n + 1 {
			if !m.begins[begin(folded[i:i+min(n, 2)])] || !parts[string(folded[i:i+n])] || n < loose && !v.word(at[i], at[i+n-1]) {
				continue
			}
			some = true
			for k := v.from[at[i]]; k < v.to[at[i+n-1]]; k++ {
				found[k] = true
			}
		}
	}
	return some
}

// begin is the number of the first two octets; of one alone it is its own.
func begin[T string | []byte](part T) int {
	if len(part) == 1 {
		return int(part[0])
	}
	return int(part[0])<<8 | int(part[1])
}

// fold leaves what counts: no white space, nothing that is not seen (text in UTF-16 is full of NUL), and
// lower case. at tells where each octet stands in the view.
func (v *view) fold() (folded []byte, at []int32) {
	folded, at = make([]byte, 0, len(v.octets)), make([]int32, 0, len(v.octets))
	for i, c := range v.octets {
		switch {
		case c <= ' ' || c == 0x7f:
			continue
		case c >= 'A' && c <= 'Z':
			c |= 0x20
		}
		folded, at = append(folded, c), append(at, int32(i))
	}
	return folded, at
}

func fold(secret []byte) string {
	folded, _ := (&view{octets: secret}).fold()
	return string(folded)
}

// word reports whether the octets from i to j stand alone.
func (v *view) word(i, j int32) bool {
	is := func(k int32) bool {
		return k >= 0 && int(k) < len(v.octets) && (base64Digit(v.octets[k]) >= 0 || v.octets[k] > 0x7f && v.octets[k] != 0xff)
	}
	return !is(i-1) && !is(j+1)
}

// Error returns err with what stems from the secrets taken out of its text. errors.Is and errors.As find
// what they found.
func (m *Masker) Error(err error) error {
	if err == nil {
		return nil
	}
	if masked, some := m.mask(err.Error()); some {
		return &maskedError{err, masked}
	}
	return err
}

type maskedError struct {
	err  error
	text string
}

// Error implements error.
func (e *maskedError) Error() string { return e.text }

// Unwrap returns the error as it was.
func (e *maskedError) Unwrap() error { return e.err }

// Format keeps fmt from printing the error as it was, under every verb.
func (e *maskedError) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.text) }
