package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"mailflume/cmd/internal/check"
	"mailflume/cmd/internal/config"
	"mailflume/publish/natsjs"
)

type checkFlags struct {
	offline, json, strict, all, send, trace bool
	parallel                                int
}

func checkCommand() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check [MAILBOX...]",
		Short: "Walk everything between the configuration and the first event, and say what to do",
		Long: "Looks at configuration, secrets, NATS, blobs, the token and what it may do, mail servers, sign-in, folders and\n" +
			"rights: a line for each step, and on failure the next step to take. Nothing is changed on a mail server.\n" +
			"Without MAILBOX it looks at all of them. Exit codes: 0 all works, 2 configuration, 3 some mailbox, 4 nothing but\n" +
			"signing in, 5 NATS.",
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadConfig(cmd)
			if err != nil && f.json {
				err = errors.Join(err, check.PrintJSON(cmd.OutOrStdout(), check.Unread(cmd.Flag(configFlag).Value.String(), err)))
			}
			if err != nil {
				return err
			}
			return runCheck(cmd, cfg, args, f)
		},
	}
	cmd.Flags().BoolVar(&f.offline, "offline", false, "only what can be seen without a network: configuration, secrets, certificates")
	cmd.Flags().BoolVar(&f.json, "json", false, "a JSON line for each step")
	cmd.Flags().BoolVar(&f.strict, "strict", false, "exit 3 for warnings too")
	cmd.Flags().BoolVar(&f.all, "all", false, "print every mailbox, not only those that need somebody")
	cmd.Flags().BoolVar(&f.send, "send", false, "send a probe to each mailbox over SMTP, and wait for its event: a worker must be running")
	cmd.Flags().BoolVar(&f.trace, "trace", false, "print the dialogues with mail servers, without what signs in")
	cmd.Flags().IntVar(&f.parallel, "parallel", 16, "mailboxes at a time")
	return cmd
}

func runCheck(cmd *cobra.Command, cfg *config.Config, names []string, f checkFlags) error {
	boxes, err := selectMailboxes(cfg, names)
	if err != nil {
		return fail(exitUsage, err)
	}
	bar := cmd.ErrOrStderr()
	o := check.Options{
		Mailboxes: boxes, Offline: f.offline, Send: f.send, Parallel: f.parallel,
		Reach: func(ctx context.Context) (natsjs.Options, func(), error) { return natsFor(ctx, cfg, false) },
	}
	if isTerminal(bar) && !f.json {
		o.Progress = func(done, all int) {
			_, _ = fmt.Fprintf(bar, "\r\x1b[Kcheck: [%s] %d of %d", progress(done, all), done, all)
		}
	}
	if f.trace {
		var mu sync.Mutex
		o.Progress, o.Trace = nil, func(m *config.Mailbox, line string) {
			mu.Lock()
			defer mu.Unlock()
			_, _ = fmt.Fprintf(bar, "%s %s\n", m.Name(), line)
		}
	}
	report := check.Run(cmd.Context(), cfg, o)
	if o.Progress != nil {
		_, _ = io.WriteString(bar, "\r\x1b[K")
	}
	if f.json {
		err = check.PrintJSON(cmd.OutOrStdout(), report)
	} else {
		err = check.Print(cmd.OutOrStdout(), report, check.Style{
			Color: isTerminal(cmd.OutOrStdout()) && os.Getenv("NO_COLOR") == "", All: f.all,
		})
	}
	if err != nil {
		return err
	}
	return checkVerdict(report, f.strict)
}

// progress is a bar of thirty characters.
func progress(done, all int) string {
	const width = 30
	full := min(done, all) * width / max(all, 1)
	return strings.Repeat("#", full) + strings.Repeat(".", width-full)
}

// checkVerdict is the error that a check ends with.
func checkVerdict(r *check.Report, strict bool) error {
	code := map[check.Cause]int{
		check.OfConfiguration: exitConfig, check.OfNATS: exitNATS, check.OfMailbox: exitFailed, check.Authentication: exitAuth,
	}[r.Cause()]
	switch {
	case code != exitOK:
		return fail(code, fmt.Errorf("steps that failed: %d; the lines above say what to do", r.Count(check.Failed)))
	case r.Count(check.NotDone) > 0:
		return fail(exitFailed, fmt.Errorf("steps that could not be done: %d; the lines above say why", r.Count(check.NotDone)))
	case strict && r.Count(check.Warning) > 0:
		return fail(exitFailed, fmt.Errorf("warnings: %d; the lines above say what to do", r.Count(check.Warning)))
	}
	return nil
}

// selectMailboxes finds those that are named by id, of every tenant that has it; without names all.
func selectMailboxes(cfg *config.Config, names []string) ([]*config.Mailbox, error) {
	if len(names) == 0 {
		return cfg.Mailboxes, nil
	}
	var out []*config.Mailbox
	for _, m := range cfg.Mailboxes {
		if slices.Contains(names, m.ID) || slices.Contains(names, m.Name()) {
			out = append(out, m)
		}
	}
	for _, n := range names {
		if !slices.ContainsFunc(out, func(m *config.Mailbox) bool { return n == m.ID || n == m.Name() }) {
			_, err := cfg.Find(n)
			return nil, fmt.Errorf("%s: %w", cfg.Path, err)
		}
	}
	return out, nil
}
