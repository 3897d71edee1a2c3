package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"time"

	"mailflume/testdata"
)

func main() {
	corpus := flag.String("corpus", "", "folder of messages; without it those of testdata")
	rounds := flag.Int("rounds", 7, "rounds; each measures every contestant once on every row, in random order")
	t := task{}
	flag.StringVar(&t.reader, "child", "", "be the child that reads with this contestant")
	flag.StringVar(&t.pack, "pack", "", "what the child reads")
	flag.Int64Var(&t.octets, "octets", 0, "octets of its attachment")
	flag.BoolVar(&t.digests, "digests", true, "whether the child hashes")
	flag.DurationVar(&t.atLeast, "cpu", 300*time.Millisecond, "CPU time of one measurement")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	if t.reader != "" {
		err = t.run(os.Stdout)
	} else {
		err = run(ctx, os.Stdout, *corpus, *rounds, t.atLeast)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "parsebench:", err)
		os.Exit(1)
	}
}

// run measures, prints the table and returns what missed its target.
func run(ctx context.Context, out io.Writer, corpus string, rounds int, atLeast time.Duration) error {
	dir, err := os.MkdirTemp("", "parsebench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	rows, err := prepare(dir, corpus)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s, %s/%s, %d CPUs, %d rounds of %v: MB per CPU second\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), rounds, atLeast)
	if err := compete(ctx, rows, rounds, atLeast); err != nil {
		return err
	}
	report(out, rows)
	return judge(rows)
}

// prepare writes the mail of every row.
func prepare(dir, corpus string) ([]*row, error) {
	var fsys fs.FS = testdata.Mail()
	if corpus != "" {
		fsys = os.DirFS(corpus)
	}
	p, err := packFolder(dir, "corpus", fsys)
	if err != nil {
		return nil, err
	}
	rows := []*row{newRow("corpus", 0, p, true)}
	for _, mb := range [...]int64{1, 10, 50} {
		p, err := packAttachment(dir, mb*1e6)
		if err != nil {
			return nil, err
		}
		rows = append(rows, newRow(fmt.Sprintf("%d MB", mb), mb, p, true), newRow(fmt.Sprintf("%d MB", mb), mb, p, false))
	}
	return rows, nil
}

// compete runs all rounds. The contestants of a row run one right after the other, so that what slows
// the machine slows all of them, and what is compared is always one round.
func compete(ctx context.Context, rows []*row, rounds int, atLeast time.Duration) error {
	for range rounds {
		for _, i := range rand.Perm(len(rows)) {
			r := rows[i]
			who := r.contestants()
			for _, k := range rand.Perm(len(who)) {
				s, err := task{reader: who[k], pack: r.pack.path, digests: r.digests, octets: r.mb * 1e6, atLeast: atLeast}.measure(ctx)
				if err != nil {
					return err
				}
				r.samples[who[k]] = append(r.samples[who[k]], s)
			}
		}
	}
	return nil
}
