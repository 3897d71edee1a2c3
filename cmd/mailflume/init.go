package main

import (
	"github.com/spf13/cobra"

	"mailflume/cmd/internal/config"
)

func initCommand() *cobra.Command {
	var provider string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a minimal commented configuration",
		Long: "Writes mailflume.yaml (or the file that --config names), ready to be filled in. An existing file is left alone;\n" +
			"-c - prints to stdout.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := config.Example(provider)
			if err != nil {
				return fail(exitUsage, err)
			}
			path, err := cmd.Flags().GetString(configFlag)
			if err != nil {
				return err
			}
			if path == "-" {
				_, err = cmd.OutOrStdout().Write(text)
				return err
			}
			return writeNew(cmd, path, text)
		},
	}
	cmd.Flags().StringVar(&provider, "provider", "microsoft365", "microsoft365, google, generic or delegated")
	return cmd
}
