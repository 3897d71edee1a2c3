package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// What one message may cost.
const (
	maxCPU    = time.Second
	maxMemory = 64 << 20 // bytes of peak resident memory
	maxGrowth = 2.3      // of the CPU time when the message doubles
	telling   = 100 * time.Millisecond
	hang      = time.Minute // of the clock: then it is killed
)

func main() {
	bin := flag.String("bin", "bin/mailflume", "the program to attack")
	only := flag.String("run", "", "only attacks whose name contains this")
	rounds := flag.Int("rounds", 3, "runs of each message; the least time counts")
	flag.Parse()
	ok, err := run(os.Stdout, *bin, *only, *rounds)
	if err != nil {
		fmt.Fprintln(os.Stderr, "hostile:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// run makes every attack in a temporary folder and prints what it did.
func run(out io.Writer, bin, only string, rounds int) (ok bool, err error) {
	dir, err := os.MkdirTemp("", "hostile")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	fmt.Fprintf(out, "%-20s %8s %8s %8s %7s\n", "attack", "MB", "CPU s", "RSS MiB", "growth")
	ok = true
	for _, a := range attacks() {
		if !strings.Contains(a.name, only) {
			continue
		}
		r, err := a.measure(bin, dir, rounds)
		if err != nil {
			return false, fmt.Errorf("%s: %w", a.name, err)
		}
		fmt.Fprintf(out, "%-20s %8.1f %8.2f %8d %7s %s\n", a.name, float64(r.size)/1e6, r.cpu.Seconds(), r.memory>>20, r.growthText(), strings.Join(r.faults(), ", "))
		ok = ok && len(r.faults()) == 0
	}
	return ok, nil
}

// result is what the largest message of an attack cost.
type result struct {
	size   int64
	cpu    time.Duration
	memory int64
	growth float64 // of the CPU time per doubling, on average; 0 if there was too little to tell
	failed bool
}

func (r result) growthText() string {
	if r.growth == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", r.growth)
}

// faults lists what the attack achieved.
func (r result) faults() (out []string) {
	if r.failed {
		out = append(out, "REFUSED")
	}
	if r.cpu > maxCPU {
		out = append(out, "TOO SLOW")
	}
	if r.memory > maxMemory {
		out = append(out, "TOO LARGE")
	}
	if r.growth > maxGrowth {
		out = append(out, "NOT LINEAR")
	}
	return out
}

// measure reads the attack at a quarter, half and all of its size.
func (a attack) measure(bin, dir string, rounds int) (r result, err error) {
	var cpu [3]time.Duration
	for i, share := range [...]int{4, 2, 1} {
		file := filepath.Join(dir, "message.eml")
		if r.size, err = a.write(file, a.n/share); err != nil {
			return r, err
		}
		for range rounds {
			c, m, failed, err := cost(bin, file)
			if err != nil {
				return r, err
			}
			if cpu[i] == 0 || c < cpu[i] {
				cpu[i] = c
			}
			r.memory, r.failed = max(r.memory, m), r.failed || failed
		}
	}
	r.cpu = cpu[2]
	if cpu[2] > telling {
		r.growth = math.Sqrt(float64(cpu[2]) / float64(cpu[0]))
	}
	return r, nil
}

// cost runs the program on one message.
func cost(bin, file string) (cpu time.Duration, memory int64, failed bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, "parse", file) //nolint:gosec // the program is the one the caller names
	if err := cmd.Run(); cmd.ProcessState == nil {
		return 0, 0, false, err
	}
	usage, _ := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), usage.Maxrss << 10, !cmd.ProcessState.Success(), nil
}
