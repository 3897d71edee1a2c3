//go:build unix

package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// The program is as good as waiting for its second file once the line of the first one is printed.
func TestOneSignalEndsParseWhateverItWaitsFor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, fifo := mailFile(t, dir, "plain.eml"), filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, second := range []string{"-", fifo} {
		for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			for _, more := range [][]string{nil, {"--attachments", filepath.Join(dir, "kept")}} {
				args := append(append([]string{"parse"}, more...), first, second)
				if code := interrupted(t, sig, args...); code != exitInterrupted {
					t.Errorf("%v, %v: exit %d, want %d", args, sig, code, exitInterrupted)
				}
			}
		}
	}
}

// interrupted runs the program, sends it a signal after its first line, and returns how it ended. Its
// stdin stays open and says nothing.
func interrupted(t *testing.T, sig os.Signal, args ...string) int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Error(err)
	}
	if err := cmd.Process.Signal(sig); err != nil {
		t.Error(err)
	}
	_, _ = io.Copy(io.Discard, stdout)
	err = cmd.Wait()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.ExitCode()
	}
	t.Logf("%v", err)
	return 0
}
