package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/demo"
	"mailflume/cmd/internal/worker"
	"mailflume/publish/natsjs"
)

func demoCommand() *cobra.Command {
	var once, asJSON, serve bool
	var fault string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run the whole product on this machine, with nothing to set up",
		Long: "Starts an OAuth2 issuer, an IMAP and a POP3 server with TLS that hold the same mail, a submission server, JetStream\n" +
			"in a temporary folder, and the real worker with app-only XOAUTH2, all on loopback. Prints a line per event, then\n" +
			"delivers a new message now and then until Ctrl-C; --once ends after the last event. Meanwhile all other commands work\n" +
			"with the configuration that it names.\n" +
			"--serve starts the servers without a worker: a tenant to try your own configuration against.\n" +
			"--fault N plays failure N of the catalogue (1 to 70), or those of a code, at an issuer and a mail server instead, and shows\n" +
			"what you would see; with --serve it waits for your own commands. --fault list names the failures.",
		Example: "  mailflume demo --once --json\n  mailflume demo --fault 47\n  mailflume demo --serve",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case fault != "" && fault != listFaults && serve:
				return serveFault(cmd.Context(), cmd.OutOrStdout(), fault)
			case cmd.Flags().Changed("fault"):
				return playFault(cmd, fault)
			case serve:
				return serveDemo(cmd)
			}
			return runDemo(cmd, once, asJSON)
		},
	}
	cmd.Flags().StringVar(&fault, "fault", "", "play this failure of the catalogue (1 to 70, or a code) and show what an operator sees; list: name them all")
	cmd.Flags().BoolVar(&serve, "serve", false, "only the servers, for commands in other terminals")
	cmd.Flags().BoolVar(&once, "once", false, "end after the last event")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print whole events, one JSON line each")
	return cmd
}

// serveDemo is a tenant without a worker.
func serveDemo(cmd *cobra.Command) (err error) {
	stage, err := demo.Start()
	if err != nil {
		return fail(exitFailed, err)
	}
	defer func() { err = errors.Join(err, stage.Close()) }()
	stage.Introduce(cmd.OutOrStdout())
	serving(cmd.OutOrStdout(), stage.ConfigFile())
	stage.KeepMailing(cmd.Context(), mailEvery)
	return nil
}

// mailEvery is how often new mail comes to the demo.
const mailEvery = 10 * time.Second

func runDemo(cmd *cobra.Command, once, asJSON bool) (err error) {
	ctx := cmd.Context()
	stage, err := demo.Start()
	if err != nil {
		return fail(exitFailed, err)
	}
	defer func() { err = errors.Join(err, stage.Close()) }()
	cfg, err := config.Load(stage.ConfigFile())
	if err != nil {
		return fail(exitConfig, err)
	}
	stage.Introduce(cmd.ErrOrStderr())
	if !once {
		_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "configuration: %[2]s\nin another terminal: %[1]s check --send -c %[2]s; status, tap, audit and all others work too\n", os.Args[0], stage.ConfigFile())
	}
	_, _ = fmt.Fprintln(cmd.ErrOrStderr())
	cfg.Log.Level = "warn" // events are on this terminal, too
	log := newLogger(cmd.ErrOrStderr(), cfg.Log)
	w, err := worker.Start(ctx, cfg, worker.Options{Log: log, Version: version})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if once {
		if err := w.Once(ctx); err != nil {
			return fail(exitFailed, err)
		}
		return printEvents(ctx, w.Conn(), cmd.OutOrStdout(), asJSON, natsjs.Filter{FromStart: true})
	}
	return liveDemo(ctx, cmd, stage, w, asJSON)
}

// liveDemo runs the worker until Ctrl-C, which is how a demo ends: it is no error.
func liveDemo(ctx context.Context, cmd *cobra.Command, stage *demo.Stage, w *worker.Worker, asJSON bool) error {
	ran := make(chan error, 1)
	go func() { ran <- w.Run(ctx) }()
	mailed := make(chan struct{})
	go func() {
		defer close(mailed)
		stage.KeepMailing(ctx, mailEvery)
	}()
	err := printEvents(ctx, w.Conn(), cmd.OutOrStdout(), asJSON, natsjs.Filter{FromStart: true, Follow: true})
	if ctx.Err() != nil {
		err = nil
	}
	if err != nil {
		// Without events there is nothing to show; the worker ends with the command.
		return fail(exitNATS, err)
	}
	<-mailed
	_, _ = fmt.Fprintln(cmd.ErrOrStderr(), "\nstopping")
	return <-ran
}

func printEvents(ctx context.Context, conn *natsjs.Conn, out io.Writer, asJSON bool, f natsjs.Filter) error {
	for d, err := range conn.Events(ctx, f) {
		if err != nil {
			return err
		}
		if err := printEvent(out, d, asJSON); err != nil {
			return err
		}
	}
	return nil
}
