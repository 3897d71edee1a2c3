package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"mailflume/cmd/internal/interop"
)

// Exit codes.
const (
	exitLost        = 1 // mail was lost or doubled, or something else is not as it must be
	exitBroken      = 2 // the run could not be made
	exitInterrupted = 130
)

func main() {
	dir := flag.String("dir", "bin/soak", "folder of the run; an interrupted one goes on")
	duration := flag.Duration("duration", 10*time.Minute, "how long all rounds take together")
	var o Options
	flag.IntVar(&o.Rounds, "rounds", 0, "rounds; 0: as many as the duration has at 1.2 s each")
	flag.IntVar(&o.Messages, "messages", 100_000, "messages in all")
	flag.IntVar(&o.Boxes, "mailboxes", 40, "mailboxes; every fourth is POP3")
	flag.IntVar(&o.Workers, "workers", 3, "workers")
	flag.Uint64Var(&o.Seed, "seed", uint64(time.Now().UnixNano()), "of everything that is random here")
	keep := flag.Bool("keep", false, "keep the folder of a run that lost nothing")
	bin := flag.String("bin", "", "the program; empty: built")
	flag.Parse()
	o.fill(*duration)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok, err := run(ctx, os.Stdout, *dir, *bin, *keep, o)
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case err != nil && interrupted:
		fmt.Println("soak: interrupted; the same command goes on with it")
		os.Exit(exitInterrupted)
	case err != nil:
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(exitBroken)
	case !ok:
		os.Exit(exitLost)
	}
}

// run makes a run, or what is left of it, and prints how it went. ok: nothing was lost, doubled or
// otherwise wrong.
func run(ctx context.Context, out io.Writer, dir, bin string, keep bool, o Options) (ok bool, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return false, err
	}
	state, err := openState(dir, o)
	if err != nil {
		return false, err
	}
	binaries := filepath.Join(dir, "bin")
	if bin == "" {
		if bin, err = interop.Build(ctx, binaries, "mailflume/cmd/mailflume", "mailflume"); err != nil {
			return false, err
		}
	}
	server, err := interop.Build(ctx, binaries, "github.com/nats-io/nats-server/v2", "nats-server")
	if err != nil {
		return false, err
	}
	s := &Storm{State: state, out: out, dir: dir, bin: bin}
	if err := s.begin(ctx, server); err != nil {
		return false, errors.Join(err, s.end())
	}
	v, err := s.run(ctx)
	if err = errors.Join(err, s.end()); err != nil {
		return false, err
	}
	fmt.Fprintln(out, s.line(v))
	if !v.good() || s.Trouble > 0 {
		fmt.Fprintln(out, "soak: FAILED; the stream and the logs are in", dir)
		return false, nil
	}
	if keep {
		return true, nil
	}
	return true, state.remove()
}
