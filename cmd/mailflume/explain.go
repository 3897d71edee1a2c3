package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mailflume/ingest"
	"mailflume/parse"
)

func explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CODE]",
		Short: "Say what an error or issue code means and what to do",
		Long: "Explains a code: of an error (MF-AUTH-001) what to do next, of an issue of a message (date-invalid) what was\n" +
			"wrong with it and what was done. Without CODE it lists them all.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var b strings.Builder
			for _, c := range ingest.Codes() {
				if len(args) == 0 || strings.EqualFold(string(c), args[0]) {
					meaning, next := ingest.Explain(c)
					fmt.Fprintf(&b, "%s  %s\n    next: %s\n", c, meaning, next)
				}
			}
			for _, c := range parse.IssueCodes() {
				if len(args) == 0 || strings.EqualFold(c.Code, args[0]) {
					fmt.Fprintf(&b, "%s  %s\n", c.Code, c.Meaning)
				}
			}
			if b.Len() == 0 {
				return fail(exitUsage, fmt.Errorf("no code %s; `mailflume explain` lists them all", args[0]))
			}
			_, err := io.WriteString(cmd.OutOrStdout(), b.String())
			return err
		},
	}
}
