package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"mailflume/cmd/internal/catalogue"
	"mailflume/cmd/internal/check"
	"mailflume/ingest"
)

// listFaults is the value of --fault that prints them all.
const listFaults = "list"

// findFault finds the failures that are meant: those of a number, or of a code.
func findFault(what string) ([]catalogue.Row, error) {
	numbers := catalogue.Of(ingest.Code(strings.ToUpper(what)))
	if n, err := strconv.Atoi(what); err == nil {
		numbers = []int{n}
	}
	var rows []catalogue.Row
	for _, n := range numbers {
		rows = append(rows, catalogue.Find(n)...)
	}
	if len(rows) == 0 {
		return nil, fail(exitUsage, fmt.Errorf("the catalogue has no failure %q: they go from 1 to 70, and mailflume demo --fault %s names them", what, listFaults))
	}
	return rows, nil
}

// printFaults prints the catalogue.
func printFaults(w io.Writer) error {
	var b strings.Builder
	for _, r := range sorted(catalogue.Rows()) {
		codes := make([]string, 0, 1)
		for _, c := range catalogue.Codes(r.N) {
			codes = append(codes, string(c))
		}
		fmt.Fprintf(&b, "%2d  %s  (%s)\n", r.N, r.Name, strings.Join(codes, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func sorted(rows []catalogue.Row) []catalogue.Row {
	slices.SortStableFunc(rows, func(a, b catalogue.Row) int { return a.N - b.N })
	return rows
}

// playFault shows what an operator sees of a failure of the catalogue, once for each of its signals.
func playFault(cmd *cobra.Command, what string) error {
	out := cmd.OutOrStdout()
	if what == listFaults {
		return printFaults(out)
	}
	rows, err := findFault(what)
	if err != nil {
		return err
	}
	for _, r := range rows {
		_, _ = fmt.Fprintf(out, "failure %d: %s\n\n", r.N, r.Name)
		if r.Where != "" {
			_, _ = fmt.Fprintf(out, "not played here: %s\n\n", r.Where)
			continue
		}
		f, err := catalogue.Reproduce(cmd.Context(), r, nil)
		if err := errors.Join(err, cmd.Context().Err()); err != nil { // what was interrupted shows nothing
			return fail(exitFailed, err)
		}
		if err := check.Print(out, f.Report, check.Style{Color: isTerminal(out) && os.Getenv("NO_COLOR") == ""}); err != nil {
			return err
		}
		if f.Later != nil {
			_, _ = fmt.Fprintf(out, "\nlater: %s\n  next: %s\n", f.Later[0], strings.Join(f.Later[1:], "\n        "))
		}
		meaning, next := ingest.Explain(f.Worker.Code)
		_, _ = fmt.Fprintf(out, "\nmailflume run: %s (%s)\n  %s\n  next: %s\n\n", f.Worker.Code, f.Worker.Pace(), meaning, next)
	}
	return nil
}

// serveFault plays the first signal of a failure until Ctrl-C, for commands in other terminals.
func serveFault(ctx context.Context, out io.Writer, what string) (err error) {
	rows, err := findFault(what)
	if err != nil {
		return err
	}
	path, end, err := catalogue.Stand(rows[0], nil)
	if err != nil {
		return fail(exitFailed, err)
	}
	defer func() { err = errors.Join(err, end()) }()
	_, _ = fmt.Fprintf(out, "failure %d: %s\n", rows[0].N, rows[0].Name)
	serving(out, path)
	<-ctx.Done()
	return nil
}

// serving says what to do with servers that wait.
func serving(out io.Writer, path string) {
	_, _ = fmt.Fprintf(out, "configuration: %[2]s\n\nin other terminals, until Ctrl-C here:\n  %[1]s check -c %[2]s\n  %[1]s run -c %[2]s\n"+
		"and beside that one:\n  %[1]s tap --from-start --follow -c %[2]s\n  %[1]s check --send -c %[2]s\n", os.Args[0], path)
}
