package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mailflume/cmd/internal/support"
	"mailflume/publish/natsjs"
	"mailflume/publish/redact"
)

func supportCommand() *cobra.Command {
	var file string
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "support-bundle",
		Short: "Collect what somebody needs who is asked for help, without secrets",
		Long: "Writes a zip of plain files: configuration (secrets as ***), mailboxes and their errors, metrics twice, the last\n" +
			"lines of the worker's log, its goroutines, what NATS says of its streams, versions. It asks the running worker, if there\n" +
			"is one, and works without one, without NATS and with a broken configuration: a part that cannot be had says why.\n" +
			"Mail itself is not in it, addresses and ids of messages are: read it before you send it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return writeBundle(cmd, file, wait) },
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "the zip to write; default: mailflume-support-TIME.zip")
	cmd.Flags().DurationVar(&wait, "wait", 10*time.Second, "time between the two looks at the metrics, at most 10s")
	return cmd
}

func writeBundle(cmd *cobra.Command, file string, wait time.Duration) error {
	ctx := cmd.Context()
	o := support.Options{Version: version + " " + revision(), Wait: min(max(wait, 0), 10*time.Second)}
	o.Config, o.Problem = loadConfig(cmd)
	var secrets []string
	if o.Config != nil {
		contents := o.Config.SecretContents(ctx)
		if token, err := os.ReadFile(filepath.Join(o.Config.NATS.DataDir, "token")); err == nil {
			contents = append(contents, string(token))
		}
		for _, content := range contents {
			secrets = append(secrets, redact.Words(content)...)
		}
	}
	o.NATS = func(ctx context.Context) (natsjs.Options, error) {
		opt, _, err := natsFor(ctx, o.Config, true) // true: no server is started
		return opt, err
	}
	if file == "" {
		file = "mailflume-support-" + time.Now().UTC().Format("20060102T150405Z") + ".zip"
	}
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fail(exitUsage, fmt.Errorf("%s exists; name another file with -o", file))
	}
	if err != nil {
		return fmt.Errorf("%w: name a file in a folder that is yours with -o", err)
	}
	failed, err := support.Write(ctx, out, redact.New(secrets...), support.Parts(o))
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	if len(failed) > 0 {
		_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "note: not complete, each says why: %s\n", strings.Join(failed, ", "))
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s; read it before you send it\n", file)
	return err
}
