package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/support"
	"mailflume/cmd/internal/worker"
)

func runCommand() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the worker",
		Long: "Runs the worker until SIGTERM or SIGINT, then drains. SIGHUP or a changed file reloads the configuration.\n" +
			"--once reads every mailbox to its end one time and exits: 0 if all went well, 3 if some mailbox failed.\n" +
			"Mailboxes that a running worker has are left to it; the table calls them standby.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			return runWorker(cmd, cfg, once)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "one pass over every mailbox, then exit")
	return cmd
}

// onceWait is how long a single pass waits for NATS: whoever starts it by the clock wants to know.
const onceWait = 30 * time.Second

func runWorker(cmd *cobra.Command, cfg *config.Config, once bool) (err error) {
	ctx := cmd.Context()
	signal.Ignore(syscall.SIGHUP) // until the worker takes it: a reload has nothing to do before that
	starting := ctx
	if once {
		var cancel context.CancelFunc
		starting, cancel = context.WithTimeout(ctx, onceWait)
		defer cancel()
		pass := *cfg
		pass.HTTP.Listen = "off" // nobody asks one pass, and the address is that of a worker beside it
		cfg = &pass
	}
	recent := support.NewTail(keptLog)
	w, err := worker.Start(starting, cfg, worker.Options{
		Log: newLogger(cmd.ErrOrStderr(), cfg.Log, recent), Recent: recent.Bytes, Version: version, Watch: !once, Single: once,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if !once {
		return w.Run(ctx)
	}
	err = w.Once(ctx)
	worker.WriteTable(cmd.OutOrStdout(), w.Board().Rows(), false)
	if err != nil {
		code := exitFailed
		if w.Board().OnlyAuth() {
			code = exitAuth
		}
		return fail(code, fmt.Errorf("%d of %d mailboxes were not read to their end; the lines above and the table say why and what to do", w.Board().Troubled(), len(cfg.Mailboxes)))
	}
	return nil
}

// keptLog is how much of the log a worker remembers, whatever it prints: a support bundle is wanted after
// the fact, when it is too late to raise the level.
const keptLog = 1 << 20

// newLogger logs to w as the configuration says, and to recent all of it. Messages are constants and
// what came from outside is in fields: the console format does not escape messages.
func newLogger(w io.Writer, c config.Log, recent ...io.Writer) zerolog.Logger {
	if c.Format == "console" {
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly, NoColor: os.Getenv("NO_COLOR") != "" || !isTerminal(w)}
	}
	level, err := zerolog.ParseLevel(c.Level)
	if err != nil {
		level = zerolog.InfoLevel
	}
	if len(recent) == 0 {
		return zerolog.New(zerolog.SyncWriter(w)).Level(level).With().Timestamp().Logger()
	}
	shown := &zerolog.FilteredLevelWriter{Writer: zerolog.LevelWriterAdapter{Writer: zerolog.SyncWriter(w)}, Level: level}
	return zerolog.New(zerolog.MultiLevelWriter(append(recent, shown)...)).Level(zerolog.DebugLevel).With().Timestamp().Logger()
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
