package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/publish/natsjs"
)

// controlCommands ask the worker that has a mailbox, wherever it runs.
func controlCommands() []*cobra.Command {
	return []*cobra.Command{
		controlCommand(worker.VerbPause, "Stop reading a mailbox until it is resumed",
			"Returns when the mailbox's last write is resolved. The pause holds for every worker, after a restart too. With no\n"+
				"worker running it holds for the next one.", "is paused"),
		controlCommand(worker.VerbResume, "Let a paused mailbox go on", "", "goes on"),
		controlCommand(worker.VerbPoll, "Look at a mailbox's server now", "Ends the wait for the next poll, or for the next try after a failure.", "is being looked at"),
	}
}

func controlCommand(verb, short, long, done string) *cobra.Command {
	var tenant string
	cmd := &cobra.Command{
		Use: verb + " MAILBOX", Short: short, Long: short + ".\n" + long, Args: named("a mailbox"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadReach(cmd)
			if err != nil {
				return err
			}
			box, err := findMailbox(cfg, tenant, args[0])
			if err != nil {
				return err
			}
			by, err := control(cmd.Context(), cfg, box, verb)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s %s (%s)\n", box.Name(), done, by)
			return err
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "the mailbox's tenant, if more than one has a mailbox of that id")
	return cmd
}

// control asks the mailbox's worker, and says who did it. What outlives workers needs none: it is recorded for
// the one that has the mailbox next, or that wakes up.
func control(ctx context.Context, cfg *config.Config, box *config.Mailbox, verb string) (by string, err error) {
	conn, done, err := reach(ctx, cfg, false)
	if err != nil {
		return "", err
	}
	defer done()
	_, err = worker.Ask(ctx, conn, natsjs.Request{Box: box.Key(), Verb: verb}, natsjs.Asking{Taken: func(name string) { by = "worker " + name }})
	for is, text := range map[error]string{
		natsjs.ErrNoWorker:  "no worker is running",
		natsjs.ErrNotServed: "recorded; no worker has it at the moment",
		natsjs.ErrSilent:    "recorded; its worker does not answer at the moment",
	} {
		if errors.Is(err, is) && verb != worker.VerbPoll && !cfg.Partial { // else nobody knows whether there is such a mailbox
			return text, record(ctx, conn, cfg, box, verb)
		}
	}
	return by, err
}

// record notes a pause, or its end, where all workers see it.
func record(ctx context.Context, conn *natsjs.Conn, cfg *config.Config, box *config.Mailbox, verb string) error {
	m, err := conn.Members(ctx, natsjs.MemberOptions{Worker: "command", Replicas: cfg.NATS.Stream.Replicas})
	if err != nil {
		return fail(exitNATS, err)
	}
	var pauses ingest.Pauses = m.Pauses()
	if verb == worker.VerbPause {
		err = pauses.Pause(ctx, box.Key(), time.Now())
	} else {
		err = pauses.Resume(ctx, box.Key())
	}
	return fail(exitNATS, err)
}
