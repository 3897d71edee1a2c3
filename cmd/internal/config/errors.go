package config

import (
	"fmt"
	"slices"
	"strings"
)

// Error is one thing that is wrong with a configuration. Line and Column count from 1, the column
// in characters; both are 0 if the error concerns the file as a whole.
type Error struct {
	File         string
	Line, Column int
	Message      string // what is wrong
	Hint         string // what would be right
	Snippet      string // the line with a caret under the place; secrets in it are masked
	Err          error  `json:"-"` // the cause, if there is one

	at place
}

// Error returns "file:line:column: message", the snippet and the hint.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(printable(e.File))
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	b.WriteString(": " + e.Message)
	if e.Snippet != "" {
		b.WriteString("\n" + e.Snippet)
	}
	if e.Hint != "" {
		if e.Snippet == "" {
			b.WriteString("\n  " + e.Hint)
		} else {
			b.WriteString("\n      = " + e.Hint)
		}
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errors are all things found wrong, in the order of the files and of the lines in them. At most
// twenty are reported; a last one then counts the others.
type Errors []*Error

// Error returns the errors, one below the other.
func (e Errors) Error() string {
	all := make([]string, len(e))
	for i, err := range e {
		all[i] = err.Error()
	}
	return strings.Join(all, "\n")
}

// Unwrap lets errors.Is and errors.As see each of them.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, err := range e {
		all[i] = err
	}
	return all
}

const (
	maxReported  = 20   // errors shown
	maxCollected = 1000 // errors remembered: a file of rubbish costs no more
)

// problems collects errors. The same message at the same place counts once: one wrong default
// concerns every mailbox.
type problems struct {
	list []*Error
	seen map[string]bool
	more int
}

// add remembers an error unless it is known already or there are too many.
func (p *problems) add(e *Error) {
	key := fmt.Sprintf("%s\x00%d\x00%d\x00%s", e.File, e.Line, e.Column, e.Message)
	if p.seen[key] {
		return
	}
	if len(p.list) >= maxCollected {
		p.more++
		return
	}
	if p.seen == nil {
		p.seen = map[string]bool{}
	}
	p.seen[key] = true
	p.list = append(p.list, e)
}

// at adds an error at a place.
func (p *problems) at(at place, message, hint string) {
	p.add(at.problem(message, hint))
}

// err returns the errors in order, with their snippets, or nil.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, func(a, b *Error) int { return a.at.compare(b.at) })
	all := p.list
	if more := len(all) - maxReported + p.more; more > 0 && len(all) > maxReported {
		all = append(slices.Clone(all[:maxReported]), &Error{
			File:    all[0].File,
			Message: fmt.Sprintf("and %d more errors", more),
			Hint:    "correct those above first",
		})
	}
	for _, e := range all {
		e.render()
	}
	return Errors(all)
}

// render fills in the snippet. That waits until everything is read: only then all literal secrets
// are known that must not show.
func (e *Error) render() {
	e.Message, e.Hint = e.at.maskKnown(e.Message), e.at.maskKnown(e.Hint)
	e.Snippet = e.at.snippet()
}

// quote shows a value of the file in a message, shortened and printable.
func quote(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:57]) + "..."
	}
	return fmt.Sprintf("%q", s)
}
