package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mailflume/cmd/internal/catalogue"
	"mailflume/ingest"
	"mailflume/parse"
)

func explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CODE]",
		Short: "Say what an error or issue code means and what to do",
		Long: "Explains a code: of an error (MF-AUTH-001) what to do next, of an issue of a message (date-invalid) what was\n" +
			"wrong with it, what was done, and what you may do. Without CODE it lists them all.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var b strings.Builder
			known := cobra.Command{SuggestionsMinimumDistance: 2} // it knows how to suggest what was meant
			wanted := func(code string) bool {
				known.AddCommand(&cobra.Command{Use: code, Run: func(*cobra.Command, []string) {}})
				return len(args) == 0 || strings.EqualFold(code, args[0])
			}
			for _, c := range ingest.Codes() {
				if wanted(string(c)) {
					meaning, next := ingest.Explain(c)
					fmt.Fprintf(&b, "%s  %s\n    next: %s\n", c, meaning, next)
					if len(catalogue.Of(c)) > 0 {
						fmt.Fprintf(&b, "    see it: mailflume demo --fault %s\n", c)
					}
				}
			}
			for _, c := range parse.IssueCodes() {
				if wanted(c.Code) {
					fmt.Fprintf(&b, "%s  %s\n    done: %s\n    next: %s\n", c.Code, c.Meaning, c.Done, c.Next)
				}
			}
			if b.Len() == 0 {
				return unknownCode(args[0], known.SuggestionsFor(args[0]))
			}
			_, err := io.WriteString(cmd.OutOrStdout(), b.String())
			return err
		},
	}
}

func unknownCode(code string, near []string) error {
	text := "`mailflume explain` lists them all"
	if len(near) > 0 {
		text = "did you mean " + strings.Join(near[:min(len(near), 5)], ", ") + "?"
	}
	return fail(exitUsage, fmt.Errorf("there is no code %q; %s", code, text))
}
