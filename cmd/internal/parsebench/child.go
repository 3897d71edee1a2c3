package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// task is what one child is for.
type task struct {
	reader  string
	pack    string
	digests bool
	octets  int64 // what the floor hashes of a message
}

// turn asks a child to read messages of its pack, some times over.
type turn struct{ From, To, Times int }

// sample is what one turn, or a round of them, was measured at.
type sample struct {
	Bytes  int64
	CPU    time.Duration // user and system, of the whole process
	Errors int           // messages for which the reader returned an error
	RSS    int64         // the most memory the process ever had
}

// plus adds a turn to what was measured before.
func (s sample) plus(t sample) sample {
	return sample{Bytes: s.Bytes + t.Bytes, CPU: s.CPU + t.CPU, Errors: s.Errors + t.Errors, RSS: max(s.RSS, t.RSS)}
}

// child is a process that reads with one reader, when it is its turn.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

// start starts the child of a task.
func (t task) start(ctx context.Context) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-child", t.reader, "-pack", t.pack, fmt.Sprintf("-digests=%v", t.digests), "-octets", fmt.Sprint(t.octets)) //nolint:gosec // this very program
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &child{cmd, in, json.NewDecoder(out)}, cmd.Start()
}

// take gives the child its turn.
func (c *child) take(t turn) (s sample, err error) {
	if err := json.NewEncoder(c.in).Encode(t); err != nil {
		return s, fmt.Errorf("ask a child: %w", err)
	}
	if err := c.out.Decode(&s); err != nil {
		return s, fmt.Errorf("hear a child: %w", err)
	}
	return s, nil
}

// end ends the child.
func (c *child) end() error { return errors.Join(c.in.Close(), c.cmd.Wait()) }

// serve is the child's side.
func (t task) serve(in io.Reader, out io.Writer) error {
	read, err := readerOf(t.reader, t.octets)
	if err != nil {
		return err
	}
	p, f, err := openPack(t.pack)
	if err != nil {
		return err
	}
	defer f.Close()
	j, br := newJob(t.digests), bufio.NewReaderSize(nil, 32<<10)
	for asked, answers := json.NewDecoder(in), json.NewEncoder(out); ; {
		var now turn
		if err := asked.Decode(&now); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		s, err := measure(func() sample { return p.read(f, j, br, read, now) })
		if err == nil {
			err = answers.Encode(s)
		}
		if err != nil {
			return err
		}
	}
}

// measure says what work has cost this process.
func measure(work func() sample) (s sample, err error) {
	before, err := cpuTime()
	if err != nil {
		return s, err
	}
	s = work()
	after, err := cpuTime()
	if err != nil {
		return s, err
	}
	s.CPU = after - before
	s.RSS, err = peakRSS()
	return s, err
}

// read reads some messages of a pack.
func (p *pack) read(f io.ReaderAt, j *job, in *bufio.Reader, read reader, now turn) (s sample) {
	for range now.Times {
		at := p.at(now.From)
		for _, size := range p.Sizes[now.From:now.To] {
			in.Reset(io.NewSectionReader(f, at, size))
			j.begin()
			if err := read(j, in); err != nil {
				s.Errors++
			}
			at += size
			s.Bytes += size
		}
	}
	return s
}

// hashing is the contestant that only hashes, and floor the one that also reads the message: the least
// that the job can cost.
const (
	hashing = "SHA-256"
	floor   = "read+SHA-256"
)

// bareHash hashes n octets.
func bareHash(n int64) reader {
	b := make([]byte, 64<<10)
	return func(*job, *bufio.Reader) error {
		h := sha256.New()
		for left := n; left > 0; left -= int64(len(b)) {
			h.Write(b[:min(int64(len(b)), left)])
		}
		return nil
	}
}

// readFloor returns the floor for messages with an attachment of n octets.
func readFloor(n int64) reader {
	return func(j *job, in *bufio.Reader) error {
		if err := j.leaf("", "", io.LimitReader(in, n)); err != nil {
			return err
		}
		_, err := in.Discard(math.MaxInt)
		return unexpectedEnd(err)
	}
}

// cpuTime is what this process has used.
func cpuTime() (time.Duration, error) {
	var used syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), err
}

// peakRSS is the most memory this process had. ru_maxrss would not do: the kernel begins it with that
// of the parent.
func peakRSS() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
	var kib int64
	if _, err := fmt.Sscan(string(after), &kib); err != nil {
		return 0, fmt.Errorf("read the peak RSS: %w", err)
	}
	return kib << 10, nil
}
