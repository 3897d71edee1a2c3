package worker

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
)

// WriteTable prints the table of mailboxes for people; wide adds columns. A mailbox in trouble has
// its error and what to do below it.
func WriteTable(w io.Writer, rows []Row, wide bool) {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	t.SetStyle(style)
	head := table.Row{"MAILBOX", "PROTOCOL", "STATE", "LAST POLL", "NEXT", "PUBLISHED", "QUARANTINED", "CODE"}
	if wide {
		head = append(head, "TENANT", "ADDRESS", "SETTLED", "LAST EVENT", "IN STATE", "WORKER", "WEIGHT")
	}
	t.AppendHeader(head)
	for _, r := range rows {
		row := table.Row{r.Mailbox, r.Protocol, r.State, ago(r.LastPoll), until(r.NextTry), r.Published, r.Quarantined, or(r.Code)}
		if wide {
			row = append(row, r.Tenant, r.Address, r.Settled, ago(r.LastEvent), ago(&r.Since), or(r.Worker), weight(r.Weight))
		}
		t.AppendRow(row)
	}
	t.Render()
	for _, r := range rows {
		if r.Error != "" {
			_, _ = fmt.Fprintf(w, "\n%s: %s\n  next: %s\n", r.Mailbox, Visible(r.Error), r.Next)
		}
		if r.Unsettled != "" {
			_, _ = fmt.Fprintf(w, "\n%s: post-action refused: %s\n", r.Mailbox, Visible(r.Unsettled))
		}
		if r.Probe != "" {
			_, _ = fmt.Fprintf(w, "\n%s: the last probe: %s\n", r.Mailbox, Visible(r.Probe))
		}
		if len(r.Differing) > 0 {
			_, _ = fmt.Fprintf(w, "\n%s: defined otherwise at %s\n", r.Mailbox, strings.Join(r.Differing, ", "))
		}
		if r.Skipped > 0 {
			_, _ = fmt.Fprintf(w, "\n%s: %d folders cannot be read; the log names them\n", r.Mailbox, r.Skipped)
		}
	}
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
