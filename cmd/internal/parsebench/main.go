package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"slices"

	"mailflume/testdata"
)

func main() {
	corpus := flag.String("corpus", "", "folder of messages; without it those of testdata")
	only := flag.String("row", "", "measure this row only: corpus, 1 MB, 10 MB, 50 MB")
	rounds := flag.Int("rounds", 7, "rounds; in each everybody reads everything once")
	t := task{}
	flag.StringVar(&t.reader, "child", "", "be the child that reads with this contestant")
	flag.StringVar(&t.pack, "pack", "", "what the child reads")
	flag.Int64Var(&t.octets, "octets", 0, "octets of its attachment")
	flag.BoolVar(&t.digests, "digests", true, "whether the child hashes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	if t.reader != "" {
		err = t.serve(os.Stdin, os.Stdout)
	} else {
		err = run(ctx, os.Stdout, *corpus, *only, *rounds)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "parsebench:", err)
		os.Exit(1)
	}
}

// run measures, prints the table and returns what missed its target.
func run(ctx context.Context, out io.Writer, corpus, only string, rounds int) error {
	dir, err := os.MkdirTemp("", "parsebench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	rows, err := prepare(dir, corpus)
	if err != nil {
		return err
	}
	if only != "" {
		rows = slices.DeleteFunc(rows, func(r *row) bool { return r.name != only })
	}
	fmt.Fprintf(out, "%s, %s/%s, %d CPUs, %d rounds: MB per CPU second\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), rounds)
	for _, r := range rows {
		if err := r.compete(ctx, rounds); err != nil {
			return err
		}
		r.report(out)
	}
	explain(out, rows)
	return judge(rows)
}

// prepare writes the mail of every row.
func prepare(dir, corpus string) ([]*row, error) {
	fsys := testdata.Mail()
	if corpus != "" {
		fsys = os.DirFS(corpus)
	}
	p, err := packFolder(dir, "corpus", fsys)
	if err != nil {
		return nil, err
	}
	rows := []*row{newRow("corpus", 0, p, true), newRow("corpus", 0, p, false)}
	for _, mb := range [...]int64{1, 10, 50} {
		p, err := packAttachment(dir, mb*1e6)
		if err != nil {
			return nil, err
		}
		rows = append(rows, newRow(fmt.Sprintf("%d MB", mb), mb, p, true), newRow(fmt.Sprintf("%d MB", mb), mb, p, false))
	}
	return rows, nil
}

// compete runs the rounds of a row: everybody reads all of its mail, in turns of a few milliseconds, so
// that what slows the machine slows all of them.
func (r *row) compete(ctx context.Context, rounds int) (err error) {
	who := r.contestants()
	children := make([]*child, len(who))
	for i, name := range who {
		t := task{reader: name, pack: r.pack.path, digests: r.digests, octets: r.hashed()}
		if children[i], err = t.start(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, children[i].end()) }()
	}
	for range rounds {
		totals := make([]sample, len(who))
		for _, now := range r.pack.turns() {
			for _, k := range rand.Perm(len(who)) {
				s, err := children[k].take(now)
				if err != nil {
					return fmt.Errorf("%s: %w", who[k], err)
				}
				totals[k] = totals[k].plus(s)
			}
		}
		for k, name := range who {
			r.samples[name] = append(r.samples[name], totals[k])
		}
	}
	return nil
}
