package config

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"
)

// source is the text of one file, kept while its errors may still have to be shown.
type source struct {
	name  string
	order int // in which it was read: errors are sorted by it
	lines []string
	hide  []string // literal secrets found in it: never shown
	veils []veil   // places where a secret may stand: not shown there
}

// veil hides a value that may be a secret, for all that is known of it.
type veil struct{ line, from, to int } // from 1; the last character is not in it

// newSource splits a file into lines. CR at their ends is not shown and a byte order mark is no column.
func newSource(name string, order int, text []byte) *source {
	lines := strings.Split(strings.TrimPrefix(string(text), "\ufeff"), "\n")
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	return &source{name: name, order: order, lines: lines}
}

// beside resolves a path that stands in this file: relative paths start at the file's folder.
func (s *source) beside(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(s.name), path)
}

// abs resolves a path once for all, whatever becomes of the working directory.
func (s *source) abs(path string) string {
	if path == "" {
		return ""
	}
	p := s.beside(path)
	if a, err := filepath.Abs(p); err == nil {
		return a
	}
	return p
}

// conceal masks a secret from now on, each of its lines by itself: snippets show single lines.
func (s *source) conceal(secret string) {
	for _, line := range strings.Split(secret, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			s.hide = append(s.hide, line)
		}
	}
}

// veil hides so many characters from a place on, and the quotes around them.
func (p place) veil(text string) {
	if p.known() {
		p.src.veils = append(p.src.veils, veil{p.line, p.col, p.col + utf8.RuneCountInString(text) + 2})
	}
}

// veiled is a part of the place's line, which begins at a column, without what is veiled in it.
func (p place) veiled(part []rune, begin int) string {
	var out strings.Builder
	under := false
	for i, r := range part {
		before, at := under, begin+i
		under = slices.ContainsFunc(p.src.veils, func(v veil) bool {
			return v.line == p.line && v.from <= at && at < v.to && !strings.ContainsRune(" ,;}]", r)
		})
		switch {
		case !under:
			out.WriteRune(r)
		case !before:
			out.WriteString(hidden)
		}
	}
	return out.String()
}

// column turns an octet of a line, counted from 1, into a character.
func (s *source) column(line, octet int) int {
	if line < 1 || line > len(s.lines) {
		return octet
	}
	text := s.lines[line-1]
	return utf8.RuneCountInString(text[:min(max(octet-1, 0), len(text))]) + 1
}

// at is the place of a token.
func (s *source) at(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{src: s}
	}
	p := place{src: s, line: max(t.Position.Line, 1), col: max(t.Position.Column, 1)}
	if p.line > len(s.lines) {
		return p
	}
	// The library counts a tab before a value as part of it.
	line := []rune(s.lines[p.line-1])
	for i := p.col - 1; i < len(line); i++ {
		if line[i] != ' ' && line[i] != '\t' {
			p.col = i + 1
			break
		}
	}
	return p
}

// place is a position in a source. The zero place is nowhere.
type place struct {
	src       *source
	line, col int
}

// known says whether there is a line to show.
func (p place) known() bool { return p.src != nil && p.line > 0 }

// from names the place for a reader of another one.
func (p place) from(at place) string {
	if p.src == at.src || p.src == nil {
		return "line " + itoa(p.line)
	}
	return p.src.name + ", line " + itoa(p.line)
}

// problem makes an error here.
func (p place) problem(message, hint string) *Error {
	e := &Error{Line: p.line, Column: p.col, Message: message, Hint: hint, at: p}
	if p.src != nil {
		e.File = p.src.name
	}
	return e
}

// compare orders places by file, line and column.
func (p place) compare(q place) int {
	order := func(s *source) int {
		if s == nil {
			return -1
		}
		return s.order
	}
	return cmp.Or(cmp.Compare(order(p.src), order(q.src)), cmp.Compare(p.line, q.line), cmp.Compare(p.col, q.col))
}

const (
	snippetWidth = 100
	maskWidth    = 16 << 10 // before the caret: a key in PEM on one line has some four thousand characters
)

// snippet shows the line with a caret under the column. A long line is cut around it.
func (p place) snippet() string {
	if !p.known() || p.line > len(p.src.lines) {
		return ""
	}
	line, col, begin := []rune(p.src.lines[p.line-1]), p.col, 1
	col = min(col, len(line)+1)
	if over := col - maskWidth; over > 0 {
		line, col, begin = line[over:], col-over, 1+over
	}
	line = []rune(printable(string(line[:min(len(line), col+snippetWidth)])))
	// Secrets are masked before and after the caret by themselves, so that the caret stays right.
	before, after := p.veiled(line[:col-1], begin), p.veiled(line[col-1:], begin+col-1)
	line = []rune(before + after)
	before = p.mask(before)
	if whole := p.mask(string(line)); whole != string(line) {
		after = strings.TrimPrefix(whole, before)
		if !strings.HasPrefix(whole, before) {
			before, after = whole, ""
		}
	}
	// Of a long line only what is near the caret is shown.
	b, a := []rune(before), []rune(after)
	if len(b)+len(a) > snippetWidth && len(b) > snippetWidth/2 {
		b = append([]rune("..."), b[len(b)-snippetWidth/2:]...)
	}
	if len(a) > snippetWidth-len(b) {
		a = append(a[:snippetWidth-len(b)], []rune("...")...)
	}
	number := fmt.Sprintf("%5d", p.line)
	return fmt.Sprintf("%s | %s\n%s | %s^", number, strings.TrimRight(string(b)+string(a), " "), strings.Repeat(" ", len(number)), strings.Repeat(" ", len(b)))
}

// maskKnown removes the literal secrets that were recognised while reading.
func (p place) maskKnown(text string) string {
	if p.src == nil {
		return text
	}
	// The longest first: of a secret that begins like another one nothing must be left.
	longest := func(a, b string) int { return cmp.Compare(len(b), len(a)) }
	if !slices.IsSortedFunc(p.src.hide, longest) {
		slices.SortFunc(p.src.hide, longest)
	}
	for _, s := range p.src.hide {
		text = strings.ReplaceAll(text, s, hidden)
	}
	return urlSecret().ReplaceAllString(text, "://"+hidden+"@")
}

// mask removes secrets from the line that is about to be shown: those that were recognised, and,
// since a file that cannot be parsed has none, whatever looks like one.
func (p place) mask(text string) string {
	if p.src == nil {
		return text
	}
	text = p.maskKnown(text)
	if p.line > 0 && p.line <= len(p.src.lines) && p.src.insideSecret(p.line-1) {
		return leadingSpace().FindString(text) + hidden
	}
	return secretValue().ReplaceAllStringFunc(text, func(m string) string {
		parts := secretValue().FindStringSubmatch(m)
		// References and paths are no secrets, and are what the reader looks for.
		if reference().MatchString(parts[2]) || plain(parts[1]) {
			return m
		}
		return parts[1] + hidden
	})
}

// insideSecret says whether line i belongs to a value that stands under a secret's key: it is
// indented more deeply, or, in a file that is not YAML, it is no key itself and follows such a key.
func (s *source) insideSecret(i int) bool {
	const far = 400 // lines; a key in PEM has some fifty
	width := func(j int) int { return len(leadingSpace().FindString(s.lines[j])) }
	indent, loose := width(i), !keyLine().MatchString(s.lines[i])
	stray := loose && strings.ContainsFunc(s.lines[i], unicode.IsLetter) // what stands among credentials without a key may be one
	for j := i - 1; j >= 0 && i-j < far; j-- {
		line := s.lines[j]
		if stray && strings.HasPrefix(line, "credentials:") {
			return true
		}
		stray = stray && (width(j) > 0 || strings.TrimSpace(line) == "")
		if loose && keyLine().MatchString(line) {
			if secretLine(line) {
				return true
			}
			loose = false
		}
		if strings.TrimSpace(line) != "" && width(j) < indent {
			if secretLine(line) || !stray {
				return secretLine(line)
			}
		}
	}
	return false
}

// urlSecret is what stands between :// and the last @ of a URL.
func urlSecret() *regexp.Regexp { return regexp.MustCompile(`://[^\s"',]*@`) }

// leadingSpace is the indentation of a line.
func leadingSpace() *regexp.Regexp { return regexp.MustCompile(`^[ \t]*`) }

// reference is how a reference to a secret begins.
func reference() *regexp.Regexp { return regexp.MustCompile(`^["']?(file|env|credential):`) }

// keyLine is a line that begins with a key.
func keyLine() *regexp.Regexp { return regexp.MustCompile(`^[\s-]*["']?[\w.-]+["']?\s*:(\s|$)`) }

// secretLine says whether a line ends in a secret's key, or in the beginning of a literal secret.
func secretLine(line string) bool {
	m := regexp.MustCompile(`(?i)((?:secret|passw|token|certificate|seed|service_account)[\w"'-]*)\s*:\s*(.*)$`).FindStringSubmatch(line)
	return m != nil && !reference().MatchString(m[2]) && !plain(m[1])
}

// plain says whether a key only sounds like a secret.
func plain(key string) bool {
	return strings.Contains(key, "_file") || strings.Contains(key, "token_url") || strings.Contains(key, "_expires")
}

// secretValue is a key whose name sounds like a secret, with the value after it.
func secretValue() *regexp.Regexp {
	return regexp.MustCompile(`(?i)([\w-]*(?:(?:secret|passw|certificate|federated_tok|nkey|seed)[\w-]*|token(?:_key\w*)?|service_account)["']?\s*[:=]\s*)([^,}\s]+[^,}]*)`)
}

// secretish says whether a key may have been meant to hold a secret, although nobody knows it.
func secretish(key string) bool {
	return regexp.MustCompile(`(?i)(se?cr|pas?s|pwd|token|key|seed|cert|auth)`).MatchString(key)
}

// printable replaces what could disturb a terminal, and tabs, each by one character.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == utf8.RuneError, !unicode.IsPrint(r) && r != ' ':
			return '\uFFFD'
		}
		return r
	}, s)
}
