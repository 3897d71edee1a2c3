package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	lines := flag.String("o", "", "also write the event data to this file, a JSON line for each message")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: corpus [-o FILE] DIR")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, flag.Arg(0), *lines)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
}

// run reads the folder, prints what there is to say and returns why it is not good enough.
func run(ctx context.Context, out io.Writer, dir, lines string) (err error) {
	c, err := load(dir)
	if err != nil {
		return err
	}
	w := io.Discard
	if lines != "" {
		f, err := os.Create(lines)
		if err != nil {
			return err
		}
		defer f.Close()
		w = f
	}
	r := newResult()
	for _, m := range c.messages {
		r.add(read(ctx, m, w), c.expected[m.name])
	}
	r.missing(c)
	r.print(out)
	return r.verdict()
}
