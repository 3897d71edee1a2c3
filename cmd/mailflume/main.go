package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // calendars name zones, and not every machine knows them

	"github.com/spf13/cobra"
)

// version is set by the linker.
var version = "dev" //nolint:gochecknoglobals // the only way -ldflags -X can reach it

// gcPercent lets the heap grow to four times what is live before it is collected: what is live is
// bounded and small (tens of MiB), and collecting it at every doubling cost a tenth of the work.
const gcPercent = 300

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its surroundings as arguments.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := interruptible(stderr)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	began := false
	root.PersistentPreRun = func(*cobra.Command, []string) { began = true }
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return exitOK
	case began && ctx.Err() != nil:
		return exitInterrupted
	case !began || exitCode(err) == exitUsage: // flags, arguments or the command's name were wrong
		_, _ = fmt.Fprintf(stderr, "mailflume: %s\n  next: %s --help\n", strings.TrimSpace(err.Error()), cmd.CommandPath())
		return exitUsage
	}
	explain(stderr, err)
	return exitCode(err)
}

// settle is how close two signals are that mean one wish: some programs send theirs twice.
const settle = time.Second

// interruptible returns a context that the first signal ends; a later one ends the process at once,
// for the commands that have something to bring to its end first.
func interruptible(stderr io.Writer) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
			return
		}
		for first := time.Now(); time.Since(first) < settle; {
			<-signals
		}
		_, _ = fmt.Fprintln(stderr, "interrupted again: leaving at once; unfinished work resumes from the log")
		os.Exit(exitInterrupted)
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel()
	}
}
