package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"mailflume/cmd/internal/config"
)

func configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Check, show and describe the configuration", Args: cobra.NoArgs, RunE: needsCommand}
	cmd.AddCommand(
		&cobra.Command{
			Use: "validate", Short: "Check the configuration and that every secret can be read", Args: cobra.NoArgs, RunE: validateConfig,
		},
		&cobra.Command{
			Use: "show", Short: "Print the configuration as it takes effect; secrets as ***", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				cfg, err := loadConfig(cmd)
				if err != nil {
					return err
				}
				return cfg.Show(cmd.OutOrStdout())
			},
		},
		&cobra.Command{
			Use: "schema", Short: "Print the configuration's JSON Schema, for editors", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				b, err := config.Schema()
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", b)
				return err
			},
		})
	return cmd
}

// needsCommand answers a group of commands without one of them.
func needsCommand(cmd *cobra.Command, _ []string) error {
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return fail(exitUsage, fmt.Errorf("%s needs one of: %s", cmd.CommandPath(), strings.Join(names, ", ")))
}

// named wants one argument and says what.
func named(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		usage := strings.TrimSuffix(cmd.UseLine(), " [flags]")
		switch len(args) {
		case 0:
			return fmt.Errorf("name %s: %s", what, usage)
		case 1:
			return nil
		}
		return fmt.Errorf("name %s, and one only: %s", what, usage)
	}
}

func validateConfig(cmd *cobra.Command, _ []string) error {
	cfg, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	if err := cfg.CheckSecrets(cmd.Context()); err != nil {
		return fail(exitConfig, err)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is valid: %d mailboxes\n", cfg.Path, len(cfg.Mailboxes))
	return err
}
