package embed

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"mailflume/publish/natsjs"
)

// The errors that callers tell apart.
var (
	// ErrLocked: another process uses the data directory.
	ErrLocked = errors.New("the data directory is in use by another mailflume process")
	// ErrNotRunning: no process serves the data directory.
	ErrNotRunning = errors.New("no mailflume process serves the data directory")
)

// Options say where the streams lie and how careful the server is with them.
type Options struct {
	DataDir    string
	Sync       time.Duration // how often written data is flushed to disk; default 1 s
	SyncAlways bool          // before every acknowledgement instead
	Port       int           // on 127.0.0.1; 0: a free one
	MaxStore   int64         // bytes that all streams together may take; 0: what the disk has
	MaxPayload int32         // bytes of one message; 0: the server's default, 1 MiB
	Wait       time.Duration // how long to wait for another process to let go of DataDir
	// Log is told what the server says: error, warn, notice or debug, and the text.
	Log func(level, text string)
}

// Names of what lies in the data directory.
const (
	fileLock    = "lock"
	fileToken   = "token"
	fileAddress = "address"
	dirStore    = "jetstream"
)

// Server is a running server.
type Server struct {
	srv  *server.Server
	lock *os.File
	opt  Options
	tok  string
}

// Start locks the data directory and returns when the server takes connections. Ctx limits the start,
// recovery of large streams included; the server runs until Shutdown.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.DataDir == "" {
		return nil, errors.New("embedded NATS server: no data directory given")
	}
	dir, err := filepath.Abs(o.DataDir)
	if err != nil {
		return nil, fmt.Errorf("embedded NATS server: %w", err)
	}
	o.DataDir = dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("embedded NATS server: create the data directory: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // a directory needs its x bit
		return nil, fmt.Errorf("embedded NATS server: keep others out of the data directory: %w", err)
	}
	lock, err := waitLock(ctx, dir, o.Wait)
	if err != nil {
		return nil, err
	}
	s := &Server{lock: lock, opt: o}
	if err := s.start(ctx); err != nil {
		s.Shutdown()
		return nil, fmt.Errorf("embedded NATS server in %s: %w", dir, err)
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) error {
	var err error
	if s.tok, err = token(filepath.Join(s.opt.DataDir, fileToken)); err != nil {
		return err
	}
	if s.opt.Port == 0 {
		s.opt.Port = lastPort(s.opt.DataDir)
	}
	log := newLogger(s.opt.Log)
	if s.srv, err = server.NewServer(s.serverOptions()); err != nil {
		return err
	}
	s.srv.SetLoggerV2(log, false, false, false)
	s.srv.Start() // returns once the streams are recovered; connections come next
	if err := s.awaitReady(ctx, log.fatal); err != nil {
		return err
	}
	return writeFile(filepath.Join(s.opt.DataDir, fileAddress), s.srv.Addr().String())
}

// lastPort is the port of the last run, so that those who were connected then find the server again;
// 0 if there was none or somebody else has it now.
func lastPort(dir string) int {
	b, err := os.ReadFile(filepath.Join(dir, fileAddress))
	if err != nil {
		return 0
	}
	addr, err := net.ResolveTCPAddr("tcp", strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	ln, err := net.ListenTCP("tcp", addr)
	if err != nil {
		return 0
	}
	_ = ln.Close()
	return addr.Port
}

// awaitReady waits until connections are taken.
func (s *Server) awaitReady(ctx context.Context, fatal <-chan string) error {
	for !s.srv.ReadyForConnections(50 * time.Millisecond) {
		select {
		case text := <-fatal:
			return errors.New(text)
		case <-ctx.Done():
			return fmt.Errorf("not ready in time: %w", context.Cause(ctx))
		default:
		}
	}
	if !s.srv.JetStreamEnabled() {
		return errors.New("JetStream did not start: is the disk full or not writable?")
	}
	return nil
}

func (s *Server) serverOptions() *server.Options {
	o := &server.Options{
		ServerName: "mailflume-embedded", Host: "127.0.0.1", Port: s.opt.Port,
		Authorization: s.tok, JetStream: true, StoreDir: filepath.Join(s.opt.DataDir, dirStore),
		JetStreamMaxStore: s.opt.MaxStore, MaxPayload: s.opt.MaxPayload,
		SyncInterval: s.opt.Sync, SyncAlways: s.opt.SyncAlways,
		NoSigs: true, NoLog: true, DisableJetStreamBanner: true,
	}
	if o.Port == 0 {
		o.Port = server.RANDOM_PORT
	}
	if o.SyncInterval <= 0 {
		o.SyncInterval = time.Second
	}
	return o
}

// Options connects to the server without a socket.
func (s *Server) Options() natsjs.Options {
	return natsjs.Options{URL: s.URL(), Token: func() string { return s.tok }, InProcess: s.srv, SyncInterval: s.syncInterval()}
}

// URL is the address other processes reach the server at; they also need the token: see Attach.
func (s *Server) URL() string { return "nats://" + s.srv.Addr().String() }

func (s *Server) syncInterval() time.Duration {
	switch {
	case s.opt.SyncAlways:
		return -1
	case s.opt.Sync <= 0:
		return time.Second
	}
	return s.opt.Sync
}

// Shutdown stops the server, waits for it, and lets go of the data directory. Calling it again does
// nothing.
func (s *Server) Shutdown() {
	if s.srv != nil {
		s.srv.Shutdown()
		s.srv.WaitForShutdown()
	}
	if s.lock != nil {
		_ = s.lock.Close()
		s.lock = nil
	}
}

// Attach returns how to connect to the server that another process runs in dataDir. The sync
// interval is that process's own affair: what Attach returns assumes the cautious default.
func Attach(dataDir string) (natsjs.Options, error) {
	address, err := os.ReadFile(filepath.Join(dataDir, fileAddress))
	if errors.Is(err, os.ErrNotExist) {
		return natsjs.Options{}, fmt.Errorf("%w %s: start `mailflume run` with it first", ErrNotRunning, dataDir)
	}
	if err != nil {
		return natsjs.Options{}, fmt.Errorf("find the embedded NATS server: %w", err)
	}
	tok, err := os.ReadFile(filepath.Join(dataDir, fileToken))
	if err != nil {
		return natsjs.Options{}, fmt.Errorf("find the embedded NATS server: run this as the user who owns %s: %w", dataDir, err)
	}
	addr := strings.TrimSpace(string(address))
	conn, err := (&net.Dialer{Timeout: 2 * time.Second}).DialContext(context.Background(), "tcp", addr)
	if err != nil { // the file of a process that was killed
		return natsjs.Options{}, fmt.Errorf("%w %s: start `mailflume run` with it first (%w)", ErrNotRunning, dataDir, err)
	}
	_ = conn.Close()
	return natsjs.Options{URL: "nats://" + addr, Token: func() string { return strings.TrimSpace(string(tok)) }}, nil
}

// token reads the shared token or makes it on the first start.
func token(path string) (string, error) {
	b, err := os.ReadFile(path)
	if t := strings.TrimSpace(string(b)); err == nil && len(t) >= 32 {
		return t, os.Chmod(path, 0o600)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", err
	}
	t := hex.EncodeToString(raw)
	return t, writeFile(path, t)
}

// writeFile replaces path in one step, so that a reader never sees half of it.
func writeFile(path, text string) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = tmp.WriteString(text + "\n")
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}
