package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

func tapCommand() *cobra.Command {
	var mailbox, tenant string
	var fromStart, follow, asJSON bool
	cmd := &cobra.Command{
		Use:   "tap",
		Short: "Read events from the stream",
		Long: "Prints a line per event, or with --json the event itself. Without --from-start it begins with what comes next\n" +
			"and follows; with it, it ends after the last event unless --follow is given too.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			var unknown error
			if mailbox != "" && !slices.ContainsFunc(cfg.Mailboxes, func(m *config.Mailbox) bool { return m.ID == mailbox }) {
				_, err := cfg.Find(mailbox)
				if err == nil {
					err = fmt.Errorf("%q is a tenant and an id: write --tenant and --mailbox", mailbox)
				}
				unknown = fail(exitUsage, fmt.Errorf("%s: %w", cfg.Path, err))
			}
			if unknown != nil && !fromStart {
				return unknown
			}
			follow = follow || !fromStart
			conn, done, err := reach(cmd.Context(), cfg, follow)
			if err != nil {
				return err
			}
			defer done()
			filter := natsjs.Filter{Tenant: tenant, Mailbox: mailbox, FromStart: fromStart, Follow: follow}
			for d, err := range conn.Events(cmd.Context(), filter) {
				if err != nil {
					return fail(exitNATS, err)
				}
				unknown = nil
				if err := printEvent(cmd.OutOrStdout(), d, asJSON); err != nil {
					return err
				}
			}
			return unknown
		},
	}
	cmd.Flags().StringVar(&mailbox, "mailbox", "", "only this mailbox (its id)")
	cmd.Flags().StringVar(&tenant, "tenant", "", "only this tenant")
	cmd.Flags().BoolVar(&fromStart, "from-start", false, "begin with the oldest event")
	cmd.Flags().BoolVar(&follow, "follow", false, "wait for more after the last event")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print whole events, one JSON line each")
	return cmd
}

// printEvent prints one event: as it is, or as a line for people.
func printEvent(w io.Writer, d *natsjs.Delivered, asJSON bool) error {
	if asJSON {
		_, err := fmt.Fprintf(w, "%s\n", d.Raw)
		return err
	}
	_, err := fmt.Fprintln(w, eventLine(d.Event))
	return err
}

func eventLine(ev *publish.Event) string {
	data := ev.Data
	if data == nil {
		data = &publish.Data{}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %-11s %-16s", ev.Time.Format(time.DateTime), ev.Kind, data.Mailbox.ID)
	switch {
	case data.Quarantine != nil:
		fmt.Fprintf(&b, " %s %s", data.Quarantine.Code, worker.Visible(data.Quarantine.Reason))
	case data.Problem != nil:
		fmt.Fprintf(&b, " %s %s", data.Problem.Code, worker.Visible(data.Problem.Message))
	case ev.Kind == publish.Recovered:
	default:
		from := ""
		if len(data.From) > 0 {
			from = data.From[0].Address
		}
		fmt.Fprintf(&b, " %-28s %q", worker.Visible(from), worker.Visible(data.Subject))
		for _, a := range data.Attachments {
			fmt.Fprintf(&b, "  +%s (%d bytes, sha256 %.12s…)", worker.Visible(name(a)), a.Size, a.SHA256)
		}
	}
	return b.String()
}

func name(a publish.Attachment) string {
	if a.Filename != "" {
		return a.Filename
	}
	return a.ContentType
}
