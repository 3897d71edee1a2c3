package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// audited is what `audit -o json` prints.
type audited struct {
	Mailbox string `json:"mailbox"`
	Tenant  string `json:"tenant"`
	*ingest.AuditReport
	NotListed string     `json:"not_listed,omitempty"` // why the mailbox could not be compared with its log
	Log       auditedLog `json:"log"`

	unlisted error
}

// auditedLog is what was found of the mailbox's log.
type auditedLog struct {
	Events  int         `json:"events"` // in the stream
	Replays int         `json:"replays"`
	First   uint64      `json:"first,omitempty"` // sequences
	Last    uint64      `json:"last,omitempty"`
	Chain   *auditChain `json:"chain,omitempty"` // with --chain
	Break   *auditBreak `json:"break,omitempty"`
}

// auditChain is what the chain proves, and the pin to keep.
type auditChain struct {
	Begins   uint64 `json:"begins"`
	Expired  bool   `json:"earlier_events_expired"`
	Verified int    `json:"links_verified"`
	Pin      string `json:"pin,omitempty"`
}

// auditBreak is the first place where the log is not what was written.
type auditBreak struct {
	Sequence uint64    `json:"sequence"`
	Time     time.Time `json:"time"`
	Subject  string    `json:"subject"`
	Missing  uint64    `json:"missing,omitempty"`
	Reason   string    `json:"reason"`
}

// auditRow is a line of the table.
type auditRow struct {
	name string
	n    int
	note string
}

func auditCommand() *cobra.Command {
	var tenant, pin, format string
	var chain bool
	cmd := &cobra.Command{
		Use:   "audit MAILBOX",
		Short: "Compare what the mailbox holds with what was published",
		Long: "Lists the mailbox and says what became of every message in it. It only reads, beside a running worker or without\n" +
			"one. --chain also verifies the hash chain of the events and prints its end; --pin proves that nothing up to an\n" +
			"earlier end was changed since. Exit 3 if a message is missing or doubled, or the log is not what was written.",
		Args: named("a mailbox"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r := natsjs.Reading{Chain: chain || pin != ""}
			var err error
			if r.Pin, err = parsePin(pin); err != nil {
				return fail(exitUsage, err)
			}
			if format != "table" && format != "json" {
				return fail(exitUsage, fmt.Errorf("output format %q: write table or json", format))
			}
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			box, err := findMailbox(cfg, tenant, args[0])
			if err != nil {
				return err
			}
			found, err := audit(cmd.Context(), cfg, box, r)
			if err != nil {
				return err
			}
			if err := found.print(cmd.OutOrStdout(), format); err != nil {
				return err
			}
			return found.verdict()
		},
	}
	cmd.Flags().BoolVar(&chain, "chain", false, "verify the hash chain too")
	cmd.Flags().StringVar(&pin, "pin", "", "the chain's end at an earlier audit, SEQUENCE:DIGEST; implies --chain")
	cmd.Flags().StringVar(&tenant, "tenant", "", "the mailbox's tenant, if more than one has a mailbox of that id")
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table or json")
	return cmd
}

// parsePin reads SEQUENCE:DIGEST; nothing is no pin.
func parsePin(s string) (natsjs.Pin, error) {
	if s == "" {
		return natsjs.Pin{}, nil
	}
	seq, sum, _ := strings.Cut(s, ":")
	n, err := strconv.ParseUint(seq, 10, 64)
	if err != nil || n == 0 || !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(sum) {
		return natsjs.Pin{}, fmt.Errorf("--pin %s: write SEQUENCE:DIGEST, as audit --chain prints it", s)
	}
	return natsjs.Pin{Sequence: n, Digest: sum}, nil
}

// findMailbox finds the mailbox that people mean, in one tenant if they say which.
func findMailbox(cfg *config.Config, tenant, name string) (*config.Mailbox, error) {
	if tenant != "" {
		name = publish.Key{Tenant: tenant, Mailbox: name}.String()
	}
	if cfg.Partial { // the worker knows whether there is one
		t, id, ok := strings.Cut(name, "/")
		if !ok {
			t, id = config.DefaultTenant, name
		}
		box := &config.Mailbox{ID: id}
		box.Tenant = t
		return box, nil
	}
	box, err := cfg.Find(name)
	if err != nil {
		return nil, fail(exitUsage, fmt.Errorf("%s: %w", cfg.Path, err))
	}
	return box, nil
}

// audit reads the log first: what is published meanwhile then counts as waiting, not as missing.
func audit(ctx context.Context, cfg *config.Config, box *config.Mailbox, r natsjs.Reading) (*audited, error) {
	conn, done, err := reach(ctx, cfg, false)
	if err != nil {
		return nil, err
	}
	defer done()
	src, closed, err := worker.OpenSource(cfg, conn, box)
	if err != nil {
		return nil, err
	}
	defer closed()
	a := ingest.NewAudit(src)
	r.Event = a.Event
	h, err := conn.History(ctx, box.Key(), r)
	if errors.Is(err, natsjs.ErrPinExpired) {
		return nil, coded(ingest.CodePinExpired, err)
	}
	if err != nil {
		return nil, fail(exitNATS, err)
	}
	report, err := a.Compare(ctx, h.Snapshot, ingest.Aged{Any: h.Expired, Since: h.KeptSince})
	if report == nil || ctx.Err() != nil {
		return nil, err
	}
	found := &audited{Mailbox: box.ID, Tenant: box.Tenant, AuditReport: report, unlisted: err, Log: auditedLog{Events: h.Events, Replays: h.Replays, First: h.First, Last: h.Last}}
	if err != nil {
		found.NotListed = err.Error()
	}
	if r.Chain {
		found.Log.Chain = &auditChain{Begins: h.Begins, Expired: h.Expired, Verified: h.Verified}
		if h.End.Digest != "" && h.Break == nil { // nobody shall pin what is broken
			found.Log.Chain.Pin = fmt.Sprintf("%d:%s", h.End.Sequence, h.End.Digest)
		}
	}
	if b := h.Break; b != nil {
		found.Log.Break = &auditBreak{b.Sequence, b.Time, b.Subject, b.Missing, b.Reason}
	}
	return found, nil
}

// verdict is the error that an audit ends with.
func (a *audited) verdict() error {
	if b := a.Log.Break; b != nil {
		return coded(ingest.CodeLogBroken, fmt.Errorf("number %d: %s", b.Sequence, b.Reason))
	}
	if a.unlisted != nil {
		return fmt.Errorf("the log was read, but not the mailbox: %w", a.unlisted)
	}
	if !a.Clean() {
		return coded(ingest.CodeAuditFailed, fmt.Errorf("%d missing, %d duplicate, %d folders that could not be listed", a.Missing, a.Duplicate, len(a.Unread)))
	}
	return nil
}

func (a *audited) print(w io.Writer, format string) error {
	if format == "json" {
		return json.NewEncoder(w).Encode(a)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	rows := []auditRow{
		{"in mailbox", a.InMailbox, ""},
		{"published", a.Published, ""},
		{"published under another id", a.Recognised, ""},
		{"quarantined", a.Quarantined, ""},
		{"skipped by start", a.Skipped, ""},
		{"expired from the stream", a.Expired, ""},
		{"waiting", a.Waiting, "not published yet"},
		{"missing", a.Missing, refs(a.MissingRefs)},
		{"duplicate", a.Duplicate, refs(a.DuplicateRefs)},
	}
	if a.unlisted != nil {
		rows = rows[len(rows)-1:] // the one that the log alone tells
		_, _ = fmt.Fprintf(t, "not listed\t\t%s\n", worker.Visible(a.NotListed))
	}
	for _, row := range rows {
		_, _ = fmt.Fprintf(t, "%s\t%d\t%s\n", row.name, row.n, row.note)
	}
	for _, f := range a.Unread {
		_, _ = fmt.Fprintf(t, "not listed\t\t%s\n", worker.Visible(f))
	}
	a.Log.print(t)
	return t.Flush()
}

// print writes the rows about the log.
func (l *auditedLog) print(w io.Writer) {
	_, _ = fmt.Fprintf(w, "events in the stream\t%d\t%s\n", l.Events, l.span())
	if c := l.Chain; c != nil {
		before := ""
		if c.Expired {
			before = ", earlier events have expired"
		}
		_, _ = fmt.Fprintf(w, "links verified\t%d\tbegins at number %d%s\n", c.Verified, c.Begins, before)
		_, _ = fmt.Fprintf(w, "pin\t\t%s\n", c.Pin)
	}
	if b := l.Break; b != nil {
		_, _ = fmt.Fprintf(w, "BROKEN\t\tnumber %d, %s, %s: %s\n", b.Sequence, b.Time.UTC().Format(time.RFC3339), worker.Visible(b.Subject), b.Reason)
	}
}

func (l *auditedLog) span() string {
	if l.Events == 0 {
		return ""
	}
	return fmt.Sprintf("number %d to %d, %d of them replays", l.First, l.Last, l.Replays)
}

// refs names a few messages.
func refs(some []ingest.Ref) string {
	var names []string
	for _, r := range some {
		names = append(names, worker.Visible(string(r)))
	}
	return strings.Join(names, " ")
}
