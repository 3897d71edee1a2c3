package interop

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"mailflume/publish"
)

// Build builds a main package of this module, or of one it depends on, into dir, with more arguments
// for the go command.
func Build(ctx context.Context, dir, pkg, name string, args ...string) (string, error) {
	out := filepath.Join(dir, name)
	cmd := exec.CommandContext(ctx, "go", slices.Concat([]string{"build", "-o", out}, args, []string{pkg})...)
	if b, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", pkg, err, b)
	}
	return out, nil
}

// listenWait is how long a server may take to recover its store on a busy machine.
const listenWait = 90 * time.Second

// NATS is a nats-server with JetStream in a process of its own. Its address and store outlive a
// restart; what it says is in a file beside the store.
type NATS struct {
	URL  string
	bin  string
	dir  string
	port int
	args []string
	cmd  *exec.Cmd
	done chan struct{}
}

// StartNATS starts bin on a free port with its store in dir.
func StartNATS(bin, dir string) (*NATS, error) {
	n, err := newNATS(bin, dir)
	if err != nil {
		return nil, err
	}
	return n, n.Start()
}

func newNATS(bin, dir string) (*NATS, error) {
	port, err := freePort()
	return &NATS{URL: fmt.Sprintf("nats://127.0.0.1:%d", port), bin: bin, dir: dir, port: port}, err
}

// StartCluster starts so many servers that know each other, with their stores below dir. Every one's
// URL names all of them.
func StartCluster(bin, dir string, size int) (nodes []*NATS, err error) {
	var routes, urls []string
	for i := range size {
		n, err := newNATS(bin, filepath.Join(dir, strconv.Itoa(i)))
		if err != nil {
			return nil, err
		}
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		route := fmt.Sprintf("nats://127.0.0.1:%d", port)
		n.args = []string{"-n", "n" + strconv.Itoa(i), "-cluster_name", "c", "-cluster", route}
		nodes, routes, urls = append(nodes, n), append(routes, route), append(urls, n.URL)
	}
	for _, n := range nodes {
		n.args, n.URL = append(n.args, "-routes", strings.Join(routes, ",")), strings.Join(urls, ",")
		err = errors.Join(err, os.MkdirAll(n.dir, 0o700), n.Start())
	}
	return nodes, err
}

func freePort() (int, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	addr, ok := l.Addr().(*net.TCPAddr)
	if err := l.Close(); err != nil || !ok {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	return addr.Port, nil
}

// Start starts the server again and returns when it takes connections.
func (n *NATS) Start() error {
	if err := n.Launch(); err != nil {
		return err
	}
	return n.await()
}

// Launch starts the server again and does not wait for it: a large store takes a while to be recovered.
func (n *NATS) Launch() error {
	args := append([]string{"-a", "127.0.0.1", "-p", strconv.Itoa(n.port), "-js", "-sd", n.dir, "-l", n.LogFile()}, n.args...)
	n.cmd = exec.Command(n.bin, args...) //nolint:noctx // ended by Signal
	n.cmd.SysProcAttr = withUs()
	n.done = make(chan struct{})
	if err := n.cmd.Start(); err != nil {
		return err
	}
	go func() {
		defer close(n.done)
		_ = n.cmd.Wait()
	}()
	return nil
}

// LogFile is where the server writes what it says.
func (n *NATS) LogFile() string { return n.dir + ".log" }

// Done is closed when the server has ended.
func (n *NATS) Done() <-chan struct{} { return n.done }

// await returns when the server takes connections.
func (n *NATS) await() error {
	for end := time.Now().Add(listenWait); time.Now().Before(end); {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(n.port)))
		if err == nil {
			return c.Close()
		}
		select {
		case <-n.done:
			return fmt.Errorf("nats-server ended at once; see %s", n.LogFile())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("nats-server does not listen after %v; see %s", listenWait, n.LogFile())
}

// Signal sends a signal; one that ends the server is waited for.
func (n *NATS) Signal(s syscall.Signal) {
	_ = n.cmd.Process.Signal(s)
	if s != syscall.SIGSTOP && s != syscall.SIGCONT {
		<-n.done
	}
}

// Worker is the program as a child process.
type Worker struct {
	cmd  *exec.Cmd
	log  *logReader
	peak atomic.Int64 // largest resident size seen, in bytes
}

// StartWorker runs `bin run -c config` with more arguments.
func StartWorker(bin, config string, args ...string) (*Worker, error) {
	return startWorker(bin, config, nil, args)
}

// StartWorkerWith is StartWorker with one more variable in the environment, NAME=value.
func StartWorkerWith(variable, bin, config string, args ...string) (*Worker, error) {
	return startWorker(bin, config, []string{variable}, args)
}

func startWorker(bin, config string, env, args []string) (*Worker, error) {
	w := &Worker{cmd: exec.Command(bin, append([]string{"run", "-c", config}, args...)...), log: newLogReader()} //nolint:noctx // ended by Signal
	w.cmd.Env = append(os.Environ(), env...)
	w.cmd.SysProcAttr = withUs()
	pipe, err := w.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	go w.log.read(pipe)
	go w.watch()
	return w, nil
}

// watch asks the kernel for the process's own high-water mark until it ends. What wait4 reports would
// begin with the size of this process, from before the exec.
func (w *Worker) watch() {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.cmd.Process.Pid))
		if err != nil {
			return
		}
		if _, rest, ok := bytes.Cut(b, []byte("VmHWM:")); ok {
			if f := bytes.Fields(rest); len(f) > 0 {
				kb, _ := strconv.ParseInt(string(f[0]), 10, 64)
				w.peak.Store(max(w.peak.Load(), kb<<10))
			}
		}
		select {
		case <-tick.C:
		case <-w.log.ended:
			return
		}
	}
}

// Signal sends a signal.
func (w *Worker) Signal(s syscall.Signal) { _ = w.cmd.Process.Signal(s) }

// Done is closed when the process has ended.
func (w *Worker) Done() <-chan struct{} { return w.log.ended }

// Wait waits for the end; the error is that of the exit code.
func (w *Worker) Wait() error {
	<-w.log.ended
	return w.cmd.Wait()
}

// PeakRSS is the largest resident size of the process so far, in bytes (Linux; 0 elsewhere).
func (w *Worker) PeakRSS() int64 { return w.peak.Load() }

// CPU is what the ended process used, user and system.
func (w *Worker) CPU() time.Duration {
	return w.cmd.ProcessState.UserTime() + w.cmd.ProcessState.SystemTime()
}

// AwaitPublished returns when the worker's log has shown n published messages, or at its end.
func (w *Worker) AwaitPublished(ctx context.Context, n int) error { return w.log.await(ctx, n) }

// Log is everything that the worker has logged so far.
func (w *Worker) Log() string { return w.log.text() }

// logReader counts the lines of published messages.
type logReader struct {
	mu      sync.Mutex
	all     bytes.Buffer
	count   int
	changed chan struct{}
	ended   chan struct{}
}

func newLogReader() *logReader {
	return &logReader{changed: make(chan struct{}), ended: make(chan struct{})}
}

func (l *logReader) read(r io.Reader) {
	defer close(l.ended)
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		l.mu.Lock()
		l.all.Write(s.Bytes())
		l.all.WriteByte('\n')
		if bytes.Contains(s.Bytes(), []byte(`"message":"received"`)) {
			l.count++
		}
		close(l.changed)
		l.changed = make(chan struct{})
		l.mu.Unlock()
	}
}

func (l *logReader) await(ctx context.Context, n int) error {
	for {
		l.mu.Lock()
		count, changed := l.count, l.changed
		l.mu.Unlock()
		if count >= n {
			return nil
		}
		select {
		case <-changed:
		case <-l.ended:
			return fmt.Errorf("the worker ended after %d messages:\n%s", count, l.text())
		case <-ctx.Done():
			return fmt.Errorf("%d of %d messages: %w", count, n, ctx.Err())
		}
	}
}

func (l *logReader) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// Tap reads all events of the stream with `bin tap`.
func Tap(ctx context.Context, bin, config string) ([]publish.Event, error) {
	var errOut bytes.Buffer
	cmd := exec.CommandContext(ctx, bin, "tap", "-c", config, "--from-start", "--json")
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("tap: %w: %s", err, errOut.String())
	}
	var events []publish.Event
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var ev publish.Event
		if err := dec.Decode(&ev); errors.Is(err, io.EOF) {
			return events, nil
		} else if err != nil {
			return nil, fmt.Errorf("tap: %w", err)
		}
		events = append(events, ev)
	}
}
