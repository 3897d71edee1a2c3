package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

func quarantineCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "quarantine", Short: "Look at the messages that were set aside, and try them again", Args: cobra.NoArgs, RunE: needsCommand,
		Long: "A message that cannot be read, stored or fetched is set aside with the reason, and its mailbox goes on. Its octets are\n" +
			"kept where they could be had; the message itself stays in its mailbox, whatever the post-action is.",
	}
	cmd.AddCommand(quarantineLs(), quarantineShow(), quarantineRetry(), quarantineExport())
	return cmd
}

func quarantineLs() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ls [MAILBOX]",
		Short: "List what is set aside",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withQuarantine(cmd, strings.Join(args, ""), func(_ *config.Config, _ *natsjs.Conn, aside []*natsjs.Delivered) error {
				if asJSON {
					for _, d := range aside {
						if err := printEvent(cmd.OutOrStdout(), d, true); err != nil {
							return err
						}
					}
					return nil
				}
				return printQuarantine(cmd.OutOrStdout(), aside)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print whole events, one JSON line each")
	return cmd
}

func quarantineShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Print all that is known of one: ID is the beginning of an id that ls prints",
		Args:  named("an id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withQuarantine(cmd, "", func(_ *config.Config, _ *natsjs.Conn, aside []*natsjs.Delivered) error {
				d, err := pick(aside, args[0])
				if err != nil {
					return err
				}
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				return enc.Encode(d.Event)
			})
		},
	}
}

func quarantineExport() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "export ID",
		Short: "Write the octets of one, as the server sent them",
		Args:  named("an id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withQuarantine(cmd, "", func(cfg *config.Config, conn *natsjs.Conn, aside []*natsjs.Delivered) error {
				d, err := pick(aside, args[0])
				if err != nil {
					return err
				}
				raw := d.Event.Data.Raw
				if raw == nil || raw.Ref == "" {
					return fail(exitFailed, fmt.Errorf("the octets of %s were not kept (%s): it is still in its mailbox, at %s", short(d), d.Event.Data.Quarantine.Code, place(d.Event.Data)))
				}
				store, err := worker.ReadBlobs(cfg, conn, cmp.Or(d.Event.Data.Mailbox.Tenant, config.DefaultTenant))
				if err != nil {
					return err
				}
				r, err := store.Open(cmd.Context(), raw.SHA256)
				if err != nil {
					return fmt.Errorf("the octets of %s: %w", short(d), err)
				}
				return errors.Join(copyBlob(cmd.OutOrStdout(), out, r), r.Close())
			})
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "write to this file instead of stdout")
	return cmd
}

// withQuarantine calls use with the events of the messages that are set aside, oldest first: all, or those of
// a mailbox, which need not be configured any more.
func withQuarantine(cmd *cobra.Command, mailbox string, use func(*config.Config, *natsjs.Conn, []*natsjs.Delivered) error) error {
	cfg, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	key, unknown := publish.Key{Mailbox: mailbox}, error(nil)
	if mailbox != "" {
		var box *config.Mailbox
		if box, unknown = findMailbox(cfg, "", mailbox); unknown == nil {
			key = box.Key()
		}
	}
	conn, done, err := reach(cmd.Context(), cfg, false)
	if err != nil {
		return err
	}
	defer done()
	aside, err := setAside(cmd.Context(), conn, key)
	if err != nil {
		return fail(exitNATS, err)
	}
	if len(aside) == 0 && unknown != nil {
		return unknown
	}
	return use(cfg, conn, aside)
}

// setAside reads the quarantined events whose messages have not been received since.
func setAside(ctx context.Context, conn *natsjs.Conn, box publish.Key) ([]*natsjs.Delivered, error) {
	var aside []*natsjs.Delivered
	logs := map[string]publish.MailboxInfo{}
	for d, err := range conn.Events(ctx, natsjs.Filter{Tenant: box.Tenant, Mailbox: box.Mailbox, Types: []publish.EventType{publish.Quarantined}, FromStart: true}) {
		if d == nil {
			return nil, err
		}
		if err != nil || d.Event.Data == nil || d.Event.Data.Quarantine == nil {
			continue // nobody of us wrote it
		}
		aside = append(aside, d)
		logs[log(d)] = d.Event.Data.Mailbox
	}
	for at, box := range logs {
		received := map[publish.Ref]uint64{}
		f := natsjs.Filter{Tenant: box.Tenant, Mailbox: box.ID, Types: []publish.EventType{publish.Received}, FromStart: true, RefsOnly: true}
		for d, err := range conn.Events(ctx, f) {
			if err != nil {
				return nil, err
			}
			received[d.Ref] = d.Sequence
		}
		aside = slices.DeleteFunc(aside, func(d *natsjs.Delivered) bool { return log(d) == at && received[d.Ref] > d.Sequence })
	}
	return aside, nil
}

// log is the subject of a mailbox's log.
func log(d *natsjs.Delivered) string { return d.Subject[:strings.LastIndexByte(d.Subject, '.')] }

// pick finds the one whose id begins with what was asked for.
func pick(aside []*natsjs.Delivered, id string) (*natsjs.Delivered, error) {
	found := slices.DeleteFunc(slices.Clone(aside), func(d *natsjs.Delivered) bool { return !strings.HasPrefix(d.Event.ID, strings.ToLower(id)) })
	switch len(found) {
	case 0:
		return nil, fail(exitFailed, fmt.Errorf("nothing is set aside under an id that begins with %q: mailflume quarantine ls", id))
	case 1:
		return found[0], nil
	}
	return nil, fail(exitUsage, fmt.Errorf("%d ids begin with %q: write more of the one you mean", len(found), id))
}

// short is enough of an id to tell it from others.
func short(d *natsjs.Delivered) string { return d.Event.ID[:min(len(d.Event.ID), 10)] }

// place says where a message lies on its server.
func place(data *publish.Data) string {
	if data.Folder != nil {
		return fmt.Sprintf("%s UID %d", worker.Visible(data.Folder.Path), data.UID)
	}
	return "UIDL " + worker.Visible(data.UIDL)
}

func printQuarantine(w io.Writer, aside []*natsjs.Delivered) error {
	if len(aside) == 0 {
		_, err := fmt.Fprintln(w, "nothing is set aside")
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(tw, "ID\tSINCE\tMAILBOX\tMESSAGE\tCODE\tTRIES\tOCTETS\tREASON")
	for _, d := range aside {
		data := d.Event.Data
		octets := "-"
		if data.Raw != nil && data.Raw.Ref != "" {
			octets = fmt.Sprint(data.Raw.Size)
		}
		reason, _, _ := strings.Cut(data.Quarantine.Reason, "\n")
		_, _ = fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%.100s\n", short(d), d.Time.Format(time.DateTime), data.Mailbox.ID, place(data),
			data.Quarantine.Code, data.Quarantine.Attempts, octets, worker.Visible(reason))
	}
	return tw.Flush()
}
