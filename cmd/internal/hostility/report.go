package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What hostile servers may do to others.
const (
	mayGrow  = 1.10      // each latency
	mayTake  = 256 << 20 // bytes of peak resident memory; the unit in deploy/ stops a worker at 768 MiB
	tries    = 3
	lastWait = time.Minute
)

// measure is one column: which latencies of an arm, and what share of them.
type measure struct {
	name  string
	of    func(arm) []time.Duration
	share float64
}

// Over POP3 the median is that of a poll each second, which so few messages do not tell well enough.
func measures() []measure {
	imap, pop3 := func(a arm) []time.Duration { return a.imap }, func(a arm) []time.Duration { return a.pop3 }
	return []measure{{"IMAP median", imap, 0.5}, {"IMAP p99", imap, 0.99}, {"POP3 p99", pop3, 0.99}}
}

// run goes through the rows and prints what each did.
func (t *trial) run(ctx context.Context, out io.Writer) (ok bool, err error) {
	fmt.Fprintf(out, "%s, %s, %d CPUs: %d mailboxes, %d of them on hostile servers, %d messages a second to the others; %d phases of %v on each side\n\n",
		time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.NumCPU(), t.mailboxes, t.mailboxes/10, t.rate, t.rounds, t.lasts)
	fmt.Fprint(out, "| row | the hostile servers |")
	for _, m := range measures() {
		fmt.Fprintf(out, " %s, ms | |", m.name)
	}
	fmt.Fprint(out, " measured | peak MiB | connections | reported |\n"+strings.Repeat("|---", 12)+"|\n")
	ok = true
	for _, r := range t.wanted() {
		c, measured, faults, err := t.judge(ctx, r)
		if err != nil {
			return false, err
		}
		fmt.Fprintf(out, "| %s | %s |", r.id, r.name)
		for _, m := range measures() {
			before, after, grown := c.of(m)
			fmt.Fprintf(out, " %.0f → %.0f | × %.2f |", before, after, grown)
		}
		fmt.Fprintf(out, " %d | %d | %d | %s |%s\n", measured, c.peak>>20, c.met, strings.Join(slices.Sorted(maps.Keys(c.codes)), " "), faults)
		ok = ok && (faults == "" || r.id == quiet)
	}
	return t.conclude(ctx, out) && ok, ctx.Err()
}

// judge compares, and again if a row looks bad: what hostile servers do they do each time, what other
// programs on this machine do they do not. The last comparison counts; measured is how many there were.
func (t *trial) judge(ctx context.Context, r row) (c *comparison, measured int, faults string, err error) {
	for measured = 1; measured <= tries; measured++ {
		if c, err = t.compare(ctx, r); err != nil {
			return nil, measured, "", err
		}
		if faults = c.faults(); faults == "" || r.id == quiet {
			return c, measured, faults, nil
		}
	}
	return c, tries, faults, nil
}

// faults lists what a row must not do.
func (c *comparison) faults() (out string) {
	for _, m := range measures() {
		if _, _, grown := c.of(m); grown > mayGrow {
			out += " SLOWER: " + m.name
		}
	}
	if c.peak > mayTake {
		out += " TOO LARGE"
	}
	return out
}

// of returns the medians over the rounds of a measure without and with hostile servers, in
// milliseconds, and that of the growth in each round: another program that runs for a while spoils
// a round, not the result.
func (c *comparison) of(m measure) (without, with, grown float64) {
	var a, b, g []float64
	for i := range c.calm {
		x := float64(quantile(m.of(c.calm[i]), m.share)) / float64(time.Millisecond)
		y := float64(quantile(m.of(c.hostile[i]), m.share)) / float64(time.Millisecond)
		a, b, g = append(a, x), append(b, y), append(g, y/x)
	}
	return median(a), median(b), median(g)
}

func median(l []float64) float64 {
	slices.Sort(l)
	return l[len(l)/2]
}

// conclude waits for the last messages and says what was lost.
func (t *trial) conclude(ctx context.Context, out io.Writer) bool {
	t.hush()
	ctx, cancel := context.WithTimeout(ctx, lastWait)
	defer cancel()
	t.crowd.book.settled(ctx)
	sent, lost, doubled := t.crowd.book.account()
	fmt.Fprintf(out, "\n%d messages to the healthy mailboxes: %d lost, %d doubled\n", sent, lost, doubled)
	return lost == 0 && doubled == 0
}

// forgetPeak makes the kernel count the worker's largest size anew (Linux).
func (t *trial) forgetPeak() {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", t.cmd.Process.Pid), []byte("5"), 0o200) // else the peak is that of the whole run
}

// peak is the worker's largest resident size, in bytes (Linux).
func (t *trial) peak() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", t.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kb, _ := strconv.ParseInt(string(fields[0]), 10, 64)
	return kb << 10
}
