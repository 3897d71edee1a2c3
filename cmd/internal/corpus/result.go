package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

const (
	target  = 97.0 // percent of a field, after the classes
	shown   = 60   // unexplained differences
	longest = 160  // characters of a value
)

// result is what all messages came to.
type result struct {
	messages, lines int
	failures        []error
	repairs         map[string]int
	agreement       map[string]*agreement
	classes         map[string][]string // files, by class and field
	open            []*difference
}

// agreement counts one field.
type agreement struct{ have, agree, explained int }

func (a *agreement) raw() float64   { return 100 * float64(a.agree) / float64(a.have) }
func (a *agreement) after() float64 { return 100 * float64(a.agree+a.explained) / float64(a.have) }

func newResult() *result {
	return &result{repairs: map[string]int{}, agreement: map[string]*agreement{}, classes: map[string][]string{}}
}

// add takes in a message.
func (r *result) add(m *reading, want expectation) {
	r.messages++
	if m.err != nil {
		r.failures = append(r.failures, fmt.Errorf("%s: %w", m.name, m.err))
		return
	}
	r.lines++
	for _, i := range m.data.Issues {
		r.repairs[i.Code]++
	}
	for _, f := range fields() {
		values, ok := want[f.name]
		if !ok {
			continue
		}
		a := r.agreement[f.name]
		if a == nil {
			a = &agreement{}
			r.agreement[f.name] = a
		}
		a.have++
		d := compare(f, m, values)
		switch {
		case d == nil:
			a.agree++
		case r.explain(d):
			a.explained++
		default:
			r.open = append(r.open, d)
		}
	}
}

// explain asks the classes. Only if they explain the whole difference do they count.
func (r *result) explain(d *difference) bool {
	var by []string
	for _, c := range classes() {
		before := len(d.extra) + len(d.missing)
		if !slices.Contains(c.fields, d.field) || before == 0 {
			continue
		}
		if c.explain(d); len(d.extra)+len(d.missing) < before {
			by = append(by, c.name)
		}
	}
	if !d.explained() {
		return false
	}
	for _, name := range by {
		r.classes[d.field+" "+name] = append(r.classes[d.field+" "+name], d.name)
	}
	return true
}

// missing takes in that a message is expected and is not there.
func (r *result) missing(c *corpus) {
	for _, name := range c.unread() {
		r.messages++
		r.failures = append(r.failures, fmt.Errorf("%s: %w", name, errNoMessage))
	}
}

var errNoMessage = errors.New("is expected and not there")

// print says it all.
func (r *result) print(out io.Writer) {
	fmt.Fprintf(out, "%d of %d messages read; repairs made, by code:\n", r.lines, r.messages)
	codes := slices.SortedFunc(maps.Keys(r.repairs), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.repairs[b], r.repairs[a]), cmp.Compare(a, b))
	})
	for _, code := range codes {
		fmt.Fprintf(out, "%7d %s\n", r.repairs[code], code)
	}
	for _, err := range r.failures {
		fmt.Fprintf(out, "FAILED %v\n", err)
	}
	if len(r.agreement) > 0 {
		r.printAgreement(out)
	}
}

// printAgreement says how far the expectations are met.
func (r *result) printAgreement(out io.Writer) {
	fmt.Fprintf(out, "\n%-20s %6s %6s %8s %10s %8s\n", "field", "files", "agree", "", "on purpose", "")
	for _, f := range fields() {
		if a := r.agreement[f.name]; a != nil {
			fmt.Fprintf(out, "%-20s %6d %6d %7.2f%% %10d %7.2f%%\n", f.name, a.have, a.agree, a.raw(), a.explained, a.after())
		}
	}
	fmt.Fprintln(out, "\ndifferences on purpose:")
	for _, c := range classes() {
		for _, f := range c.fields {
			if files := r.classes[f+" "+c.name]; len(files) > 0 {
				fmt.Fprintf(out, "%7d %s: %s (%s)\n        %s\n", len(files), f, c.name, files[:min(2, len(files))], c.why)
			}
		}
	}
	if len(r.open) > 0 {
		fmt.Fprintln(out, "\ndifferences nobody has explained:")
	}
	for _, d := range r.open[:min(shown, len(r.open))] {
		fmt.Fprintf(out, "%s %s\n    only ours     %s\n    only expected %s\n", d.name, d.field, short(d.extra), short(d.missing))
	}
}

// short quotes values, which are a stranger's, and cuts them.
func short(values []string) string {
	s := fmt.Sprintf("%+.*q", longest, values)
	return s[:min(len(s), 4*longest)]
}

// verdict returns what is not good enough.
func (r *result) verdict() error {
	var bad []error
	if n := len(r.failures); n > 0 {
		bad = append(bad, fmt.Errorf("%d of %d messages failed, the first: %w", n, r.messages, r.failures[0]))
	}
	for _, f := range fields() {
		if a := r.agreement[f.name]; a != nil && a.after() < target {
			bad = append(bad, fmt.Errorf("%s agrees to %.2f %%, the target is %v %%", f.name, a.after(), target))
		}
	}
	return errors.Join(bad...)
}
