package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
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
	var which choice
	cmd := &cobra.Command{
		Use: verb + " MAILBOX|--credentials NAME|--all", Short: short, Long: short + ".\n" + long, Args: which.args,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadReach(cmd)
			if err != nil {
				return err
			}
			boxes, wrong := which.of(cfg, args)
			if wrong != nil && !cfg.Partial {
				return wrong
			}
			conn, end, err := reach(cmd.Context(), cfg, false)
			if err != nil {
				return err
			}
			defer end()
			if wrong != nil {
				if boxes, err = which.served(cmd.Context(), conn, cfg); err != nil {
					return err
				}
			}
			var failed []error
			for box, answer := range controlAll(cmd.Context(), conn, cfg, boxes, verb) {
				if answer.err != nil {
					failed = append(failed, answer.err)
					continue
				}
				_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s %s (%s)\n", box.Name(), done, answer.by) // what is asked for is done, whoever reads it
			}
			return errors.Join(failed...)
		},
	}
	cmd.Flags().StringVar(&which.tenant, "tenant", "", "the mailbox's tenant, if more than one has a mailbox of that id")
	cmd.Flags().StringVar(&which.credentials, "credentials", "", "all mailboxes that sign in with these credentials")
	cmd.Flags().BoolVar(&which.all, "all", false, "all mailboxes of the configuration")
	return cmd
}

// choice is which mailboxes are meant.
type choice struct {
	tenant, credentials string
	all                 bool
}

// args wants one mailbox, unless the flags mean others.
func (c *choice) args(cmd *cobra.Command, args []string) error {
	if c.all || c.credentials != "" {
		return cobra.NoArgs(cmd, args)
	}
	return named("a mailbox")(cmd, args)
}

func (c *choice) of(cfg *config.Config, args []string) ([]*config.Mailbox, error) {
	if len(args) > 0 {
		box, err := findMailbox(cfg, c.tenant, args[0])
		return []*config.Mailbox{box}, err
	}
	var boxes []*config.Mailbox
	for _, m := range cfg.Mailboxes {
		if (c.credentials == "" || m.Credential != nil && m.Credential.Name == c.credentials) && (c.tenant == "" || m.Tenant == c.tenant) {
			boxes = append(boxes, m)
		}
	}
	if len(boxes) == 0 {
		return nil, fail(exitUsage, fmt.Errorf("no mailbox is meant: there are the credentials %s", strings.Join(cfg.CredentialNames(), ", ")))
	}
	return boxes, nil
}

// served are the mailboxes that workers have, where the configuration cannot be read.
func (c *choice) served(ctx context.Context, conn *natsjs.Conn, cfg *config.Config) (boxes []*config.Mailbox, err error) {
	if c.credentials != "" {
		return nil, fail(exitConfig, errors.New("--credentials needs a configuration that is valid: name the mailboxes, or write --all"))
	}
	o, err := worker.Survey(ctx, conn, cfg.NATS.Stream.Name)
	for _, row := range o.Rows {
		if c.tenant == "" || row.Tenant == c.tenant {
			m := &config.Mailbox{ID: row.Mailbox}
			m.Tenant = row.Tenant
			boxes = append(boxes, m)
		}
	}
	return boxes, err
}

// controlled is what became of one mailbox.
type controlled struct {
	by  string
	err error
}

// controlAll asks for many mailboxes at once and yields them in their order.
func controlAll(ctx context.Context, conn *natsjs.Conn, cfg *config.Config, boxes []*config.Mailbox, verb string) iter.Seq2[*config.Mailbox, controlled] {
	const atOnce = 16
	return func(yield func(*config.Mailbox, controlled) bool) {
		var wg sync.WaitGroup
		defer wg.Wait()
		turns, answers := make(chan struct{}, atOnce), make([]chan controlled, len(boxes))
		for i, box := range boxes {
			answers[i] = make(chan controlled, 1)
			wg.Go(func() {
				turns <- struct{}{}
				by, err := control(ctx, conn, cfg, box, verb)
				answers[i] <- controlled{by, err}
				<-turns
			})
		}
		for i, box := range boxes {
			if !yield(box, <-answers[i]) {
				return
			}
		}
	}
}

// control asks the mailbox's worker, and says who did it. What outlives workers needs none: it is recorded for
// the one that has the mailbox next, or that wakes up.
func control(ctx context.Context, conn *natsjs.Conn, cfg *config.Config, box *config.Mailbox, verb string) (by string, err error) {
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
