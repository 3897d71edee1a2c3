package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	o := options{}
	flag.StringVar(&o.bin, "bin", "bin/mailflume", "the program")
	flag.StringVar(&o.only, "run", "", "only these rows, separated by commas")
	flag.DurationVar(&o.lasts, "for", 3*time.Second, "how long a phase lasts")
	flag.IntVar(&o.rounds, "rounds", 7, "phases without and with, for each row")
	flag.IntVar(&o.mailboxes, "mailboxes", 50, "one in ten of them is hostile")
	flag.IntVar(&o.rate, "rate", 45, "messages a second to the healthy ones together")
	flag.StringVar(&o.log, "log", "", "where the worker's log is kept; empty: not")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok, err := run(ctx, os.Stdout, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "hostility:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

type options struct {
	bin, only, log          string
	lasts                   time.Duration
	rounds, mailboxes, rate int
}

// quiet is the row to compare with.
const quiet = "none"

// wanted are the rows to run: the quiet one first.
func (o options) wanted() (out []row) {
	for _, r := range append([]row{{id: quiet, name: "healthy and quiet: what chance does", ways: []way{idling("+ idling\r\n", "", false)}}}, rows()...) {
		if o.only == "" || r.id == quiet || strings.Contains(","+o.only+",", ","+r.id+",") {
			out = append(out, r)
		}
	}
	return out
}

// name is the hostile mailbox i of a row in one round.
func name(r row, round, i int) string {
	return fmt.Sprintf("hostile-%s-%d-%d", strings.ToLower(r.id), round, i)
}

// port returns the port of host:port.
func port(addr string) int {
	_, p, err := net.SplitHostPort(addr)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(p)
	return n
}

// run makes every row and prints what it did.
func run(ctx context.Context, out io.Writer, o options) (ok bool, err error) {
	dir, err := os.MkdirTemp("", "hostility")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	t, err := newTrial(ctx, dir, o)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	return t.run(ctx, out)
}
