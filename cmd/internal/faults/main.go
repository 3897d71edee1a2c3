package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mailflume/publish/logtest/fault"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "faults: name the packages that have the tests: make faults")
		os.Exit(2)
	}
	rows, tests := measure(context.Background(), os.Args[1:])
	err := errors.Join(tests, table(os.Stdout, rows))
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

// withoutMail is the fault that only sessions suffer. Any other that struck no message proves nothing.
const withoutMail = "P9"

// matrix lists the faults that must have a test.
func matrix() (ids []string) {
	for _, family := range []struct {
		letter string
		count  int
	}{{"P", 9}, {"N", 17}, {"D", 2}} {
		for n := range family.count {
			ids = append(ids, fmt.Sprint(family.letter, n+1))
		}
	}
	return ids
}

// measure runs the tests and reads their notes.
func measure(ctx context.Context, packages []string) ([]fault.Row, error) {
	dir, err := os.MkdirTemp("", "mailflume-faults-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	notes := filepath.Join(dir, "notes")
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-tags", "interop", "-count=1", "-timeout", "20m", "-run", "^TestFault_"}, packages...)...)
	cmd.Env = append(os.Environ(), fault.Env+"="+notes)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	failed := cmd.Run()
	b, err := os.ReadFile(notes)
	rows, bad := parse(b)
	return rows, errors.Join(failed, err, bad)
}

// parse reads one row from each line.
func parse(notes []byte) (rows []fault.Row, err error) {
	for dec := json.NewDecoder(bytes.NewReader(notes)); ; {
		var r fault.Row
		if err := dec.Decode(&r); errors.Is(err, io.EOF) {
			return rows, nil
		} else if err != nil {
			return rows, fmt.Errorf("read what the tests noted: %w", err)
		}
		rows = append(rows, r)
	}
}

// table prints the rows in the order of the matrix, and says what is wrong with them.
func table(out io.Writer, rows []fault.Row) error {
	fmt.Fprint(out, "| | fault | what happens | messages | lost | doubled | recovery |\n|---|---|---|---|---|---|---|\n")
	var errs []error
	for _, id := range matrix() {
		at := slices.IndexFunc(rows, func(r fault.Row) bool { return r.ID == id })
		if at < 0 {
			errs = append(errs, fmt.Errorf("no test noted fault %s", id))
			continue
		}
		for _, r := range rows {
			if r.ID != id {
				continue
			}
			if r.Failed || r.Lost != 0 || r.Doubled != 0 || r.Messages <= 0 && id != withoutMail {
				errs = append(errs, fmt.Errorf("fault %s: failed %v, lost %d, doubled %d of %d", id, r.Failed, r.Lost, r.Doubled, r.Messages))
			}
			fmt.Fprintf(out, "| %s | %s | %s | %d | %d | %d | %s |\n", id, cell(r.Fault), cell(r.Outcome), r.Messages, r.Lost, r.Doubled, recovery(r.Recovery))
		}
	}
	return errors.Join(errs...)
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

func recovery(d time.Duration) string {
	switch {
	case d == 0:
		return "none needed"
	case d < 100*time.Millisecond:
		return "< 0.1 s"
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
