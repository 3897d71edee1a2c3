package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"mailflume/cmd/internal/interop"
	"mailflume/cmd/internal/rig"
	"mailflume/ingest/oauth/oauthtest"
)

const user = "big@rig.test"

// bench is one run.
type bench struct {
	stage     *interop.Stage
	dir       string
	mailflume string
	nats      string
	blobs     string
	filled    rig.Filled
}

func main() {
	messages := flag.Int("messages", 5000, "messages in the mailbox")
	rounds := flag.Int("rounds", 3, "rounds; each measures every contestant once")
	blobs := flag.String("blobs", "nats:", "blobs.url of the worker; file: stores in a folder")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *messages, *rounds, *blobs)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, messages, rounds int, blobs string) (err error) {
	dir, err := os.MkdirTemp("", "mailflume-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{dir: dir, blobs: blobs}
	if b.mailflume, err = interop.Build(ctx, dir, "mailflume/cmd/mailflume", "mailflume"); err != nil {
		return err
	}
	if b.nats, err = interop.Build(ctx, dir, "github.com/nats-io/nats-server/v2", "nats-server"); err != nil {
		return err
	}
	if b.stage, err = interop.NewStage(dir); err != nil {
		return err
	}
	defer b.stage.Close()
	if err := b.stage.Dovecot.AddUser(user, "password"); err != nil {
		return err
	}
	if b.filled, err = b.stage.Dovecot.Fill(rig.FillOptions{User: user, N: messages, Seed: 1}); err != nil {
		return err
	}
	return b.measure(ctx, rounds)
}

// sample is one measurement.
type sample struct {
	wall, cpu time.Duration
	rss       int64
}

// measure runs the rounds and prints the table.
func (b *bench) measure(ctx context.Context, rounds int) error {
	fmt.Printf("%s, %s, %d CPUs: %d messages, %.1f MB, %d rounds, blobs in %s\n", time.Now().UTC().Format(time.DateOnly), runtime.Version(),
		runtime.NumCPU(), b.filled.N, float64(b.filled.Bytes)/1e6, rounds, b.blobs)
	contestants := []struct {
		name string
		run  func(context.Context) (sample, error)
	}{
		{"IMAPS limit", b.limitIMAP}, {"IMAPS mailflume", func(ctx context.Context) (sample, error) { return b.drain(ctx, "imap") }},
		{"POP3S limit", b.limitPOP3}, {"POP3S mailflume", func(ctx context.Context) (sample, error) { return b.drain(ctx, "pop3") }},
	}
	results := make([][]sample, len(contestants))
	for round := range rounds {
		for i, c := range contestants {
			s, err := c.run(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			fmt.Printf("  round %d  %-16s %6.2f s\n", round+1, c.name, s.wall.Seconds())
			results[i] = append(results[i], s)
		}
	}
	fmt.Printf("%-16s %9s %9s %9s %8s %9s %8s %8s\n", "", "median s", "min", "max", "CPU s", "RSS MiB", "MB/s", "x limit")
	var limit float64
	for i, c := range contestants {
		limit = b.row(c.name, results[i], i%2 == 0, limit)
	}
	return nil
}

// row prints one line and returns the limit that the next line is compared with.
func (b *bench) row(name string, s []sample, isLimit bool, limit float64) float64 {
	slices.SortFunc(s, func(x, y sample) int { return cmp.Compare(x.wall, y.wall) })
	m := s[len(s)/2]
	if isLimit {
		limit = m.wall.Seconds()
	}
	rss := "-" // of this process: no limit of anything
	if m.rss > 0 {
		rss = fmt.Sprint(m.rss >> 20)
	}
	fmt.Printf("%-16s %9.2f %9.2f %9.2f %8.2f %9s %8.0f %8.2f\n", name, m.wall.Seconds(), s[0].wall.Seconds(), s[len(s)-1].wall.Seconds(),
		m.cpu.Seconds(), rss, float64(b.filled.Bytes)/1e6/m.wall.Seconds(), m.wall.Seconds()/limit)
	return limit
}

// drain runs the program once against a fresh nats-server and checks that everything arrived.
func (b *bench) drain(ctx context.Context, protocol string) (s sample, err error) {
	store, err := os.MkdirTemp(b.dir, "store-")
	if err != nil {
		return s, err
	}
	defer os.RemoveAll(store)
	n, err := interop.StartNATS(b.nats, store)
	if err != nil {
		return s, err
	}
	defer n.Signal(syscall.SIGKILL)
	blobs := b.blobs
	if blobs == "file:" {
		blobs = "file://" + filepath.Join(store, "blobs")
	}
	cfg, err := b.stage.Config(interop.Setup{
		NATS: n.URL, Blobs: blobs, Boxes: []interop.Box{{ID: "big", User: user, Protocol: protocol}}, Extra: "log: {level: warn}",
	})
	if err != nil {
		return s, err
	}
	begin := time.Now()
	w, err := interop.StartWorker(b.mailflume, cfg, "--once")
	if err != nil {
		return s, err
	}
	err = w.Wait()
	s.wall = time.Since(begin)
	if err != nil {
		return s, fmt.Errorf("run --once: %w\n%s", err, w.Log())
	}
	s.cpu, s.rss = w.CPU(), w.PeakRSS()
	return s, b.complete(ctx, cfg)
}

// complete compares the stream with what was delivered: a fast run that lost mail is no result.
func (b *bench) complete(ctx context.Context, cfg string) error {
	events, err := interop.Tap(ctx, b.mailflume, cfg)
	if err != nil {
		return err
	}
	if len(events) != b.filled.N {
		return fmt.Errorf("%d events for %d messages", len(events), b.filled.N)
	}
	for i, ev := range events {
		if ev.Data.Raw.SHA256 != b.filled.Digests[i] {
			return fmt.Errorf("event %d has the digest %s, want %s", i, ev.Data.Raw.SHA256, b.filled.Digests[i])
		}
	}
	return nil
}

// token is what the limit signs in with.
func (b *bench) token() string { return b.stage.Issuer.Mint(oauthtest.MintOptions{}) }
