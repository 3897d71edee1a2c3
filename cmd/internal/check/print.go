package check

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"mailflume/ingest"
)

// Style says how a report is printed.
type Style struct {
	Color bool
	All   bool // every mailbox, however many are fine
}

const (
	manyBoxes = 20 // so many mailboxes are printed even if they are fine
	alike     = 5  // so many with the same failure are printed in full
	named     = 20 // and so many more are named
)

// Print writes the report for people: a heading for each section, a line for each step, and of many
// mailboxes those that need somebody.
func Print(w io.Writer, r *Report, style Style) error {
	p := &printer{style: style}
	var boxes []*Section
	for _, s := range r.Sections {
		if s.Kind == Mailbox {
			boxes = append(boxes, s)
			continue
		}
		p.section(s)
	}
	p.mailboxes(boxes)
	p.end(r, boxes)
	_, err := io.WriteString(w, p.String())
	return err
}

type printer struct {
	strings.Builder
	style Style
}

// mailboxes prints all of a few, and of many those that are not fine, with those alike together.
func (p *printer) mailboxes(boxes []*Section) {
	few := p.style.All || len(boxes) <= manyBoxes
	var order []string
	groups := map[string][]*Section{}
	good := 0
	for _, s := range boxes {
		why := s.trouble()
		switch {
		case few:
			p.section(s)
			continue
		case why == "":
			good++
			continue
		}
		if groups[why] == nil {
			order = append(order, why)
		}
		groups[why] = append(groups[why], s)
	}
	for _, why := range order {
		p.group(why, groups[why])
	}
	if good > 0 {
		p.heading(string(Mailbox), fmt.Sprintf("%d that are fine", good), "")
	}
}

// group prints the first of those that have the same trouble, and the names of others.
func (p *printer) group(why string, all []*Section) {
	full := alike
	if l := all[0].level(); l == NotDone { // what it waits for is told elsewhere
		full = 1
	}
	for _, s := range all[:min(len(all), full)] {
		p.section(s)
	}
	rest := all[min(len(all), full):]
	if len(rest) == 0 {
		return
	}
	var names []string
	for _, s := range rest[:min(len(rest), named)] {
		names = append(names, s.Name)
	}
	more := ""
	if len(rest) > named {
		more = ", …"
	}
	p.heading(string(Mailbox), fmt.Sprintf("%d more with the same (%s)", len(rest), why), strings.Join(names, ", ")+more)
}

// trouble names what is not fine with a section, the same for those that are alike.
func (s *Section) trouble() string {
	var out []string
	for _, st := range s.Steps {
		if st.Level == Failed || st.Level == Warning || st.Level == NotDone && len(out) == 0 {
			out = append(out, strings.TrimSpace(strings.Join([]string{st.Name, strings.ReplaceAll(st.Level.String(), "_", " "), string(st.Code)}, " ")))
		}
	}
	return strings.Join(out, ", ")
}

func (p *printer) heading(kind, name, about string) {
	line := kind + "  " + visible(name)
	if about != "" {
		line += "  (" + visible(about) + ")"
	}
	p.WriteString(p.paint("1", line) + "\n")
}

// section prints one heading with its steps.
func (p *printer) section(s *Section) {
	p.heading(string(s.Kind), s.Name, s.About)
	for _, st := range s.Steps {
		word, color := "  -   ", "2"
		switch st.Level {
		case OK:
			word, color = "  ok  ", "32"
		case Warning:
			word, color = "  warn", "33"
		case Failed:
			word, color = "  FAIL", "31"
		}
		took := ""
		if st.Level != NotDone {
			took = spent(st.Took)
		}
		fmt.Fprintf(p, "%s  %-11s %8s  %s\n", p.paint(color, word), st.Name, took, visible(st.Text))
		p.advice(st)
	}
}

// advice prints what a step means and what to do.
func (p *printer) advice(st *Step) {
	const indent = "                             "
	if st.Code != "" {
		meaning, _ := ingest.Explain(st.Code)
		fmt.Fprintf(p, "%s%s: %s\n", indent, st.Code, meaning)
	}
	for i, line := range st.Next {
		lead := "next: "
		if i > 0 {
			lead = "      "
		}
		fmt.Fprintf(p, "%s%s%s\n", indent, lead, visible(line))
	}
}

// end sums up.
func (p *printer) end(r *Report, boxes []*Section) {
	bad := 0
	for _, s := range boxes {
		if l := s.level(); l == Failed || l == NotDone {
			bad++
		}
	}
	p.WriteByte('\n')
	if len(boxes) > 0 {
		fmt.Fprintf(p, "%s, %d of them not fine; ", count(len(boxes), "mailbox", "mailboxes"), bad)
	}
	fmt.Fprintf(p, "steps: %d ok, %d warnings, %d failed, %d not done; %s\n",
		r.Count(OK), r.Count(Warning), r.Count(Failed), r.Count(NotDone), spent(r.Took))
}

func (p *printer) paint(color, s string) string {
	if !p.style.Color {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

// spent shows a time so that the columns stay.
func spent(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// visible keeps what servers and issuers say on one line, without anything that a terminal acts on.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) && r != ' ' {
			return ' '
		}
		return r
	}, s)
}

// line is one step in JSON.
type line struct {
	Kind   Kind        `json:"kind"`
	Name   string      `json:"name"`
	Step   string      `json:"step"`
	Status string      `json:"status"` // ok, warning, failed, not_done
	Millis float64     `json:"ms"`
	Text   string      `json:"text"`
	Code   ingest.Code `json:"code,omitempty"`
	Next   []string    `json:"next,omitempty"`
}

// PrintJSON writes a line of JSON for each step of each section.
func PrintJSON(w io.Writer, r *Report) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, s := range r.Sections {
		for _, st := range s.Steps {
			ms := float64(st.Took.Round(time.Microsecond)) / float64(time.Millisecond)
			if err := e.Encode(line{s.Kind, s.Name, st.Name, st.Level.String(), ms, st.Text, st.Code, slices.Clone(st.Next)}); err != nil {
				return err
			}
		}
	}
	return nil
}
