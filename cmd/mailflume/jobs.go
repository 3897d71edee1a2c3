package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

func backfillCommand() *cobra.Command {
	return spanCommand(worker.VerbBackfill, "Publish what the mailbox received and nobody published",
		"Reads again from the server what was received from --since on and never published: what start passed over, and what\n"+
			"an audit calls missing. The events say late: true; whatever was published is passed over.")
}

func replayCommand() *cobra.Command {
	return spanCommand(worker.VerbReplay, "Publish events again, from the stored octets",
		"Publishes again what was published from --since on, read anew from the stored octets. The events keep their ids and\n"+
			"say replay: true. The mail server is not asked for anything, and no position moves.")
}

// spanCommand is a job over a span of time.
func spanCommand(verb, short, long string) *cobra.Command {
	var tenant, since, until string
	var asJSON bool
	cmd := &cobra.Command{
		Use: verb + " MAILBOX --since TIME", Short: short, Args: named("a mailbox"),
		Long: long + "\nThe mailbox's worker does it, between two looks at new mail; with no worker running, this command does.\n" +
			"TIME is a date (2026-01-31), a time (2026-01-31T08:00:00Z), or how long ago (12h, 30d).",
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := parseSpan(since, until, time.Now())
			if err != nil {
				return fail(exitUsage, err)
			}
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			box, err := findMailbox(cfg, tenant, args[0])
			if err != nil {
				return err
			}
			return runJob(cmd, cfg, box, verb, a, asJSON)
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "from this time on (needed)")
	cmd.Flags().StringVar(&until, "until", "", "and before this time; default: all up to now")
	cmd.Flags().StringVar(&tenant, "tenant", "", "the mailbox's tenant, if more than one has a mailbox of that id")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print progress and outcome as JSON lines")
	return cmd
}

func quarantineRetry() *cobra.Command {
	var tenant string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "retry MAILBOX|ID", Short: "Try again what is set aside: all of a mailbox, or one", Args: named("a mailbox or an id"),
		Long: "Reads the messages from their mailbox once more. What can be read now is published, late: true, and is no longer listed;\n" +
			"the rest stays as it is. ID is the beginning of an id that ls prints.",
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			box, err := findMailbox(cfg, tenant, args[0])
			if err == nil {
				return runJob(cmd, cfg, box, worker.VerbRetry, worker.JobArgs{}, asJSON)
			}
			var one *natsjs.Delivered
			err = withQuarantine(cmd, "", func(_ *config.Config, _ *natsjs.Conn, aside []*natsjs.Delivered) (err error) {
				one, err = pick(aside, args[0])
				return err
			})
			if err != nil {
				return err
			}
			if box, err = findMailbox(cfg, one.Event.Data.Mailbox.Tenant, one.Event.Data.Mailbox.ID); err != nil {
				return err
			}
			return runJob(cmd, cfg, box, worker.VerbRetry, worker.JobArgs{Refs: []publish.Ref{one.Ref}}, asJSON)
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "the mailbox's tenant, if more than one has a mailbox of that id")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print progress and outcome as JSON lines")
	return cmd
}

// parseSpan reads a span of time that holds something.
func parseSpan(since, until string, now time.Time) (a worker.JobArgs, err error) {
	if since == "" {
		return a, errors.New("--since is needed: from when on? A date (2026-01-31), a time (2026-01-31T08:00:00Z) or how long ago (30d)")
	}
	if a.Since, err = parseTime("--since", since, now); err == nil && until != "" {
		a.Until, err = parseTime("--until", until, now)
	}
	switch {
	case err != nil:
	case a.Since.After(now):
		err = fmt.Errorf("--since %s is in the future: nothing is that young", since)
	case until != "" && !a.Since.Before(a.Until):
		err = fmt.Errorf("--until %s is not after --since %s: there is nothing between them", until, since)
	}
	return a, err
}

// parseTime reads a time, or how long ago it was.
func parseTime(flag, s string, now time.Time) (time.Time, error) {
	if d, err := config.ParseDuration(s); err == nil {
		return now.Add(-time.Duration(d)), nil
	}
	if start, ok := config.ParseStart(s); ok && !start.Since.IsZero() {
		return start.Since, nil
	}
	return time.Time{}, fmt.Errorf("%s %q: write a date (2026-01-31), a time (2026-01-31T08:00:00Z) or how long ago (30d)", flag, s)
}

// runJob has the mailbox's worker do a job, or does it itself if there is none.
func runJob(cmd *cobra.Command, cfg *config.Config, box *config.Mailbox, verb string, a worker.JobArgs, asJSON bool) error {
	show := &meter{name: box.Name(), verb: verb, begin: time.Now(), json: asJSON, out: cmd.OutOrStdout(), bar: cmd.ErrOrStderr()}
	p, err := askJob(cmd.Context(), cfg, box, verb, a, show.tell)
	if errors.Is(err, natsjs.ErrNoWorker) {
		p, err = doAlone(cmd, cfg, box, verb, a, show.tell)
	}
	if err != nil && p.Total == 0 {
		return err // nothing was begun, so there is nothing to sum up
	}
	show.end(p)
	if err != nil {
		return err
	}
	if len(a.Refs) > 0 && p.Total == 0 {
		return fail(exitFailed, fmt.Errorf("nothing to try: the message is no longer in %s, or was published meanwhile (mailflume quarantine ls)\n"+
			"  next: mailflume quarantine export writes its octets, if they were kept", box.Name()))
	}
	if len(p.Failures) > 0 {
		could := "messages could"
		if verb == worker.VerbRetry {
			could = "messages could still"
		}
		return coded(p.Failures[0].Code, fmt.Errorf("%d %s not be published: %s: %s", p.Failed, could, p.Failures[0].Ref, p.Failures[0].Error))
	}
	return nil
}

func askJob(ctx context.Context, cfg *config.Config, box *config.Mailbox, verb string, a worker.JobArgs, tell func(ingest.Progress)) (p ingest.Progress, err error) {
	conn, done, err := reach(ctx, cfg, false)
	if err != nil {
		return p, err
	}
	defer done()
	args, err := json.Marshal(a)
	if err != nil {
		return p, err
	}
	b, err := worker.Ask(ctx, conn, natsjs.Request{Box: box.Key(), Verb: verb, Args: args}, natsjs.Asking{
		Progress: func(_ string, b json.RawMessage) {
			if json.Unmarshal(b, &p) == nil {
				tell(p)
			}
		},
	})
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	return p, err
}

// doAlone does the job in this process.
func doAlone(cmd *cobra.Command, cfg *config.Config, box *config.Mailbox, verb string, a worker.JobArgs, tell func(ingest.Progress)) (p ingest.Progress, err error) {
	alone := *cfg
	alone.HTTP.Listen = "off"
	w, err := worker.Start(cmd.Context(), &alone, worker.Options{Log: newLogger(cmd.ErrOrStderr(), cfg.Log), Version: version, Alone: true})
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	return w.DoAlone(cmd.Context(), box, verb, a, tell)
}

// meter shows how far a job is.
type meter struct {
	name, verb string
	begin      time.Time
	json       bool
	out, bar   io.Writer
	drawn      bool
}

// metered is a line of --json.
type metered struct {
	Type string `json:"message_type"` // progress or summary
	ingest.Progress
}

func (m *meter) tell(p ingest.Progress) {
	switch {
	case m.json:
		_ = json.NewEncoder(m.out).Encode(metered{"progress", p})
	case isTerminal(m.bar):
		m.drawn = true
		_, _ = fmt.Fprintf(m.bar, "\r\x1b[K%s %s: %s", m.verb, m.name, m.line(p))
	}
}

// line says how far it is and, where the total is known, when it will be done.
func (m *meter) line(p ingest.Progress) string {
	done := p.Published + p.Aside + p.Failed
	line := fmt.Sprintf("%d of %d", done, p.Total)
	if took := time.Since(m.begin); done > 0 && p.Total > done {
		line += fmt.Sprintf(", about %s more", (took / time.Duration(done) * time.Duration(p.Total-done)).Round(time.Second))
	}
	return line
}

func (m *meter) end(p ingest.Progress) {
	if m.drawn {
		_, _ = fmt.Fprintln(m.bar)
	}
	if m.json {
		_ = json.NewEncoder(m.out).Encode(metered{"summary", p})
		return
	}
	_, _ = fmt.Fprintf(m.out, "%s %s: %d published, %d set aside, %d failed\n", m.verb, m.name, p.Published, p.Aside, p.Failed)
}
