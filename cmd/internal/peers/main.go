package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"mailflume/cmd/internal/interop"
)

// peer is a program that reads the mailbox of a stage, and the place that it delivers to.
type peer interface {
	command() *exec.Cmd
	copies() (int, error) // so many, roughly and at once
	read() ([]received, error)
	close() error
}

// contestant is a column of the table.
type contestant struct {
	name    string
	missing string // why it is not there
	own     string // what it says in a trouble that it has with itself
	pop3    bool   // it reads POP3 too
	make    func(s *stage, trial string) (peer, error)
}

type options struct {
	bin, run, only, keep string
	quiet                time.Duration
	parallel             int
}

func main() {
	o := options{}
	flag.StringVar(&o.bin, "bin", "bin/mailflume", "the program")
	flag.StringVar(&o.run, "run", "", "only these faults, separated by commas")
	flag.StringVar(&o.only, "only", "", "only these programs, separated by commas")
	flag.StringVar(&o.keep, "keep", "", "a folder for what the programs said and delivered; empty: nothing is kept")
	flag.DurationVar(&o.quiet, "quiet", 100*time.Second, "nothing new for so long ends a trial")
	flag.IntVar(&o.parallel, "parallel", 8, "trials at once")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := compare(ctx, os.Stdout, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// compare runs every trial and prints the table.
func compare(ctx context.Context, out io.Writer, o options) (err error) {
	dir := o.keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "peers"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	nats, err := interop.Build(ctx, dir, "github.com/nats-io/nats-server/v2", "nats-server")
	if err != nil {
		return err
	}
	loop, err := interop.Build(ctx, dir, "mailflume/cmd/internal/peers/loop", "loop")
	if err != nil {
		return err
	}
	server, err := interop.StartNATS(nats, filepath.Join(dir, "store"))
	if err != nil {
		return err
	}
	defer server.Signal(syscall.SIGKILL)
	if o.bin, err = filepath.Abs(o.bin); err != nil {
		return err
	}
	programs := contestants(o.bin, loop, server.URL)
	cells, err := o.trials(ctx, dir, programs)
	print(out, cells, programs, o)
	return err
}

func contestants(bin, loop, url string) []contestant {
	installed := func(program string) (path, missing string) {
		path, err := exec.LookPath(program)
		if err != nil {
			return "", program + " is not installed"
		}
		return path, ""
	}
	getmail, noGetmail := installed("getmail")
	fetchmail, noFetchmail := installed("fetchmail")
	return []contestant{
		{"mailflume", "", "", true, func(s *stage, trial string) (peer, error) { return newMailflume(s, bin, url, trial) }},
		{"go-imap loop, collected", "", "", false, func(s *stage, trial string) (peer, error) { return newLoop(s, loop, url, trial) }},
		{"go-imap loop, streamed", "", "", false, func(s *stage, trial string) (peer, error) { return newLoop(s, loop, url, trial, "-stream") }},
		// It can miss the end of its own delivery process, waits for it for a minute, and forgets what it has delivered.
		{"getmail6", noGetmail, "waiting child pid", true, func(s *stage, _ string) (peer, error) { return newGetmail(s, getmail) }},
		{"fetchmail", noFetchmail, "", true, func(s *stage, _ string) (peer, error) { return newFetchmail(s, fetchmail) }},
	}
}

// chosen reports whether a list names something; an empty one names everything.
func chosen(list, name string) bool {
	return list == "" || strings.Contains(","+list+",", ","+name+",")
}

// trials runs every fault against every program, several at once.
func (o options) trials(ctx context.Context, dir string, programs []contestant) (map[string]string, error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	cells := map[string]string{}
	turn := make(chan struct{}, o.parallel)
	for i, f := range faults() {
		for j, c := range programs {
			if c.missing != "" || f.protocol == pop3 && !c.pop3 || !chosen(o.run, f.key) || !chosen(o.only, c.name) {
				continue
			}
			wg.Go(func() {
				turn <- struct{}{}
				defer func() { <-turn }()
				cell, err := o.cell(ctx, filepath.Join(dir, fmt.Sprintf("%s-%d", f.key, j)), f, c, fmt.Sprintf("trial%d-%d", i, j))
				mu.Lock()
				defer mu.Unlock()
				cells[f.key+c.name] = cell
				if err != nil {
					errs = append(errs, fmt.Errorf("%s, %s: %w", f.name, c.name, err))
				}
			})
		}
	}
	wg.Wait()
	return cells, errors.Join(errs...)
}

// cell is one trial, made again if the program had a trouble of its own in it that the fault did not make.
func (o options) cell(ctx context.Context, dir string, f fault, c contestant, name string) (cell string, err error) {
	for try := range tries {
		at := fmt.Sprintf("%s-%d", dir, try)
		if cell, err = o.trial(ctx, at, f, c, fmt.Sprintf("%s-%d", name, try)); err != nil || c.own == "" {
			return cell, err
		}
		said, err := os.ReadFile(filepath.Join(at, "output"))
		if err != nil || !strings.Contains(string(said), c.own) {
			return cell, err
		}
	}
	return cell + " †", nil
}

const tries = 3

// trial runs one program with one fault.
func (o options) trial(ctx context.Context, dir string, f fault, c contestant, name string) (cell string, err error) {
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil { // nothing of an earlier run may count
		return "", err
	}
	s, err := newStage(dir, f.protocol, func(s *stage) (peer, error) { return c.make(s, name) })
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if s.quiet = f.quiet; s.quiet == 0 {
		s.quiet = o.quiet
	}
	if err := f.run(ctx, s); err != nil {
		return "", err
	}
	t, err := s.finish(ctx)
	return t.String(), err
}

// print writes a table in Markdown for each protocol.
func print(out io.Writer, cells map[string]string, programs []contestant, o options) {
	for _, protocol := range []string{imap, pop3} {
		columns := slices.DeleteFunc(slices.Clone(programs), func(c contestant) bool { return protocol == pop3 && !c.pop3 })
		rows := slices.DeleteFunc(faults(), func(f fault) bool { return f.protocol != protocol || !chosen(o.run, f.key) })
		if len(rows) == 0 {
			continue
		}
		fmt.Fprintf(out, "\n| %s |", strings.ToUpper(protocol))
		for _, c := range columns {
			fmt.Fprintf(out, " %s |", c.name)
		}
		fmt.Fprint(out, "\n|---|"+strings.Repeat("---|", len(columns))+"\n")
		for _, f := range rows {
			fmt.Fprintf(out, "| %s |", f.name)
			for _, c := range columns {
				fmt.Fprintf(out, " %s |", cmp.Or(c.missing, cells[f.key+c.name]))
			}
			fmt.Fprintln(out)
		}
	}
}

// port returns the port of host:port.
func port(addr string) int {
	_, p, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(p) // the address is one that we listen on
	return n
}
