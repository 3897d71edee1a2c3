package natsjs

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// childServer names the folder of a server that runs in a process of its own.
const childServer = "MAILFLUME_TEST_BLOB_SERVER"

// TestBlobServerChild is that process: it serves until its standard input ends.
func TestBlobServerChild(t *testing.T) {
	if os.Getenv(childServer) == "" {
		return // it runs as a child of other tests
	}
	fmt.Printf("\nurl=%s\n", blobServer(t).ClientURL())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// serverProcess starts a server outside of this process, so that its memory is not measured with
// the client's: it caches what was written a few seconds ago.
func serverProcess(t testing.TB) (url string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestBlobServerChild$")
	cmd.Env = append(os.Environ(), childServer+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for url == "" && lines.Scan() {
		url, _ = strings.CutPrefix(lines.Text(), "url=")
		if !strings.HasPrefix(url, "nats://") {
			url = ""
		}
	}
	t.Cleanup(func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	if url == "" {
		t.Fatal("the server did not say where it is")
	}
	return url
}
