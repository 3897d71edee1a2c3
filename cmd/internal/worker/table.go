package worker

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"mailflume/ingest"
)

// WriteTable prints the table of mailboxes for people; wide adds columns. A mailbox in trouble has
// its error and what to do below it, those with the same together.
func WriteTable(w io.Writer, rows []Row, wide bool) {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	t.SetStyle(style)
	head := table.Row{"MAILBOX", "PROTOCOL", "STATE", "LAST POLL", "NEXT", "PUBLISHED", "QUARANTINED", "CODE"}
	if wide {
		head = append(head, "TENANT", "ADDRESS", "SETTLED", "LAST EVENT", "IN STATE", "COUNTED SINCE", "WORKER", "WEIGHT")
	}
	t.AppendHeader(head)
	for _, r := range rows {
		row := table.Row{r.Mailbox, r.Protocol, r.State, ago(r.LastPoll), until(r.NextTry), r.count(r.Published), r.count(r.Quarantined), or(r.Code)}
		if wide {
			row = append(row, r.Tenant, r.Address, r.count(r.Settled), ago(r.LastEvent), ago(&r.Since), ago(r.Counted), or(r.Worker), weight(r.Weight))
		}
		t.AppendRow(row)
	}
	t.Render()
	var notes notes
	for _, r := range rows {
		if r.Error != "" {
			notes.add(r.Mailbox, r.Code, Visible(r.Error), r.Next)
		}
		if r.Unsettled != "" {
			notes.add(r.Mailbox, "post-action", "post-action refused: "+Visible(r.Unsettled), "")
		}
		if r.Probe != "" {
			_, _ = fmt.Fprintf(w, "\n%s: the last probe: %s\n", r.Mailbox, Visible(r.Probe))
		}
		if len(r.Differing) > 0 {
			_, next := ingest.Explain(ingest.CodeDiffers)
			notes.add(r.Mailbox, "", fmt.Sprintf("%s: defined otherwise at %s", ingest.CodeDiffers, strings.Join(r.Differing, ", ")), next)
		}
		if r.Skipped > 0 {
			notes.add(r.Mailbox, "", fmt.Sprintf("%d folders cannot be read; the log names them", r.Skipped), "")
		}
	}
	notes.write(w)
	if slices.ContainsFunc(rows, func(r Row) bool { return r.Published+r.Quarantined > 0 }) {
		_, _ = fmt.Fprintln(w, "\nPUBLISHED and QUARANTINED count since the mailbox came to its worker, or that was started.")
	}
}

// WriteWorkers prints what is wrong with workers.
func WriteWorkers(w io.Writer, peers []Peer) {
	for _, p := range peers {
		if p.Code != "" {
			_, _ = fmt.Fprintf(w, "\nworker %s: %s: %s\n  next: %s\n", p.Worker, p.Code, Visible(p.Error), p.Next)
		}
	}
}

// notes are what stands below the table, each with the mailboxes that it is about.
type notes []note

type note struct {
	kind, text, next string
	of               []string
}

// add joins what is the same. Of one kind a few wordings are enough: servers put times and names into theirs.
func (n *notes) add(of, kind, text, next string) {
	const wordings = 5
	others := kind + ", in other words"
	alike := 0
	for i := range *n {
		old := &(*n)[i]
		if old.text == text && old.next == next {
			old.of = append(old.of, of)
			return
		}
		if old.kind == kind && old.next == next {
			alike++
		}
	}
	if kind != "" && alike >= wordings && text != others {
		n.add(of, kind, others, next)
		return
	}
	*n = append(*n, note{kind, text, next, []string{of}})
}

func (n notes) write(w io.Writer) {
	const named = 5
	for _, x := range n {
		of := strings.Join(x.of[:min(len(x.of), named)], ", ")
		if len(x.of) > named {
			of = fmt.Sprintf("%d mailboxes (%s, …)", len(x.of), of)
		}
		_, _ = fmt.Fprintf(w, "\n%s: %s\n", of, x.text)
		if x.next != "" {
			_, _ = fmt.Fprintf(w, "  next: %s\n", x.next)
		}
	}
}

// count is a number of a mailbox that somebody counts.
func (r Row) count(n int64) string {
	if r.Counted == nil && n == 0 {
		return "–"
	}
	return strconv.FormatInt(n, 10)
}

func weight(n int) string {
	if n == 0 {
		return "–"
	}
	return strconv.Itoa(n)
}

func or(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func ago(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "–"
	}
	return short(time.Since(*t)) + " ago"
}

func until(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "–"
	}
	if d := time.Until(*t); d > 0 {
		return "in " + short(d)
	}
	return "now"
}

func short(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
}

// Visible keeps what servers and mail say from writing to the terminal.
func Visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || (r >= 0x7f && r < 0xa0) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			return '·'
		}
		return r
	}, s)
}
