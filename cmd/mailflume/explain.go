package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"mailflume/ingest"
)

func explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CODE]",
		Short: "Say what an error code means and what to do",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			codes := ingest.Codes()
			if len(args) == 1 {
				codes = []ingest.Code{ingest.Code(strings.ToUpper(args[0]))}
			}
			for _, c := range codes {
				meaning, next := ingest.Explain(c)
				if meaning == "" {
					return fail(exitUsage, fmt.Errorf("no code %s; `mailflume explain` lists them all", c))
				}
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s  %s\n    next: %s\n", c, meaning, next); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
