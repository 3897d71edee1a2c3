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

// task is what one child does: read a pack again and again until it has used enough CPU time.
type task struct {
	reader  string
	pack    string
	digests bool
	octets  int64 // what the floor hashes of a message
	atLeast time.Duration
}

// sample is what a child was measured at.
type sample struct {
	Bytes  int64 // that it went through
	Errors int   // messages per pass for which the reader returned an error
	RSS    int64 // its peak
	cpu    time.Duration
}

// measure runs a task in a child process.
func (t task) measure(ctx context.Context) (s sample, err error) {
	self, err := os.Executable()
	if err != nil {
		return s, err
	}
	cmd := exec.CommandContext(ctx, self, "-child", t.reader, "-pack", t.pack, fmt.Sprintf("-digests=%v", t.digests), "-octets", fmt.Sprint(t.octets), "-cpu", t.atLeast.String())
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return s, fmt.Errorf("measure %s: %w", t.reader, err)
	}
	if err := json.Unmarshal(out, &s); err != nil {
		return s, fmt.Errorf("read what the child printed: %w", err)
	}
	used, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return s, errors.New("this system does not tell what a child has used")
	}
	s.cpu = time.Duration(used.Utime.Nano() + used.Stime.Nano())
	return s, nil
}

// run is the child's side of measure.
func (t task) run(out io.Writer) error {
	pass := bareHash
	if t.reader != hashing {
		read, err := readerOf(t.reader, t.octets)
		if err != nil {
			return err
		}
		p, f, err := openPack(t.pack)
		if err != nil {
			return err
		}
		defer f.Close()
		j, in := newJob(t.digests), bufio.NewReaderSize(nil, 32<<10)
		pass = func() sample { return p.read(f, j, in, read) }
	}
	var total sample
	for {
		s := pass()
		total.Bytes += s.Bytes
		total.Errors = s.Errors
		if used, err := cpuTime(); err != nil {
			return err
		} else if used >= t.atLeast {
			break
		}
	}
	var err error
	if total.RSS, err = peakRSS(); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(total)
}

// read goes through a pack once.
func (p *pack) read(f io.ReaderAt, j *job, in *bufio.Reader, read reader) (s sample) {
	at := int64(0)
	for _, size := range p.Sizes {
		in.Reset(io.NewSectionReader(f, at, size))
		j.begin()
		if err := read(j, in); err != nil {
			s.Errors++
		}
		at += size
		s.Bytes += size
	}
	return s
}

// hashing is the contestant that only hashes, and floor the one that also reads the message: the least
// that the job can cost.
const (
	hashing = "SHA-256"
	floor   = "read+SHA-256"
)

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

// bareHash hashes 16 MB.
func bareHash() (s sample) {
	h, b := sha256.New(), make([]byte, 64<<10)
	for s.Bytes < 16e6 {
		h.Write(b)
		s.Bytes += int64(len(b))
	}
	return s
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
