package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"mailflume/cmd/internal/config"
)

const configFlag = "config"

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "mailflume",
		Short: "Moves mail into NATS JetStream: every message once, in order, whole",
		Long: "mailflume watches mailboxes over IMAP or POP3 with app-only OAuth2 and publishes one event per message\n" +
			"to NATS JetStream, with the attachments beside it: once, in order, whole.\n\n" +
			"New here? Run: mailflume demo",
		SilenceUsage: true, SilenceErrors: true, Version: version,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
	}
	root.PersistentFlags().StringP(configFlag, "c", "mailflume.yaml", "configuration file")
	root.AddCommand(demoCommand(), initCommand(), runCommand(), checkCommand(), parseCommand(), tapCommand(), statusCommand(), quarantineCommand(), auditCommand(),
		blobCommand(), configCommand(), explainCommand(), supportCommand(), versionCommand())
	root.AddCommand(backfillCommand(), replayCommand(), loginCommand())
	root.AddCommand(controlCommands()...)
	return root
}

// loadReach reads it for a command that only asks running workers: of a file that is being edited what says where
// they are is enough.
func loadReach(cmd *cobra.Command) (*config.Config, error) {
	cfg, err := loadConfig(cmd)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return cfg, err
	}
	rest, unknown := config.LoadRest(cmd.Flag(configFlag).Value.String())
	if unknown != nil {
		return nil, err
	}
	explain(cmd.ErrOrStderr(), err)
	_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "mailflume: %s goes on all the same, with the sections nats: and http: of the file\n", cmd.Name())
	return rest, nil
}

// loadConfig reads the file that --config names.
func loadConfig(cmd *cobra.Command) (*config.Config, error) {
	path, err := cmd.Flags().GetString(configFlag)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(path)
	return cfg, fail(exitConfig, err)
}
