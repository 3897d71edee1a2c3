package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"mailflume/cmd/internal/catalogue"
	"mailflume/cmd/internal/check"
	"mailflume/ingest"
)

// playFault shows what an operator sees of a failure of the catalogue, once for each of its signals.
func playFault(cmd *cobra.Command, n int) error {
	rows := catalogue.Find(n)
	if len(rows) == 0 {
		return fail(exitUsage, fmt.Errorf("the catalogue has no failure %d: it goes from 1 to 70", n))
	}
	out := cmd.OutOrStdout()
	for _, r := range rows {
		_, _ = fmt.Fprintf(out, "failure %d: %s\n\n", r.N, r.Name)
		if r.Where != "" {
			_, _ = fmt.Fprintf(out, "not played here: %s\n\n", r.Where)
			continue
		}
		f, err := catalogue.Reproduce(cmd.Context(), r, nil)
		if err != nil {
			return fail(exitFailed, err)
		}
		if err := check.Print(out, f.Report, check.Style{Color: isTerminal(out) && os.Getenv("NO_COLOR") == ""}); err != nil {
			return err
		}
		if f.Later != nil {
			_, _ = fmt.Fprintf(out, "\nlater: %s\n  next: %s\n", f.Later[0], strings.Join(f.Later[1:], "\n        "))
		}
		meaning, next := ingest.Explain(f.Fault.Code)
		_, _ = fmt.Fprintf(out, "\nmailflume run: %s (%s)\n  %s\n  next: %s\n\n", f.Fault.Code, f.Fault.Pace(), meaning, next)
	}
	return nil
}
