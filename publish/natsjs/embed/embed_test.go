package embed_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mailflume/publish"
	"mailflume/publish/natsjs"
	"mailflume/publish/natsjs/embed"
)

const childEnv = "MAILFLUME_EMBED_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		child(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// child serves dir, says so, and waits to be killed.
func child(dir string) {
	srv, err := embed.Start(context.Background(), embed.Options{DataDir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	defer srv.Shutdown()
	fmt.Println("ready")
	_, _ = os.Stdin.Read(make([]byte, 1))
}

func start(t *testing.T, o embed.Options) *embed.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	srv, err := embed.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Shutdown)
	return srv
}

func connect(t *testing.T, o natsjs.Options) *natsjs.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := natsjs.Connect(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestASecondProcessIsToldWhoHasTheDirectory(t *testing.T) {
	dir := t.TempDir()
	srv := start(t, embed.Options{DataDir: dir})
	_, err := embed.Start(t.Context(), embed.Options{DataDir: dir})
	if !errors.Is(err, embed.ErrLocked) {
		t.Fatalf("got %v", err)
	}
	t.Log(err)
	done := make(chan error, 1)
	go func() {
		second, err := embed.Start(context.Background(), embed.Options{DataDir: dir, Wait: 20 * time.Second})
		if err == nil {
			second.Shutdown()
		}
		done <- err
	}()
	srv.Shutdown()
	if err := <-done; err != nil {
		t.Errorf("a start that waits for the lock: %v", err)
	}
}

func TestOtherProcessesAttachWithTheToken(t *testing.T) {
	dir := t.TempDir()
	if _, err := embed.Attach(dir); !errors.Is(err, embed.ErrNotRunning) {
		t.Fatalf("got %v", err)
	}
	srv := start(t, embed.Options{DataDir: dir})
	o, err := embed.Attach(dir)
	if err != nil {
		t.Fatal(err)
	}
	connect(t, o)
	o.Token = func() string { return "wrong" }
	if _, err := natsjs.Connect(t.Context(), o); !errors.Is(err, publish.ErrDenied) {
		t.Errorf("wrong token: %v", err)
	}
	for name, want := range map[string]os.FileMode{"": 0o700, "token": 0o600, "address": 0o600, "lock": 0o600} {
		fi, err := os.Stat(filepath.Join(dir, name))
		if err != nil || fi.Mode().Perm() != want {
			t.Errorf("%q: mode %v, err %v", name, fi.Mode().Perm(), err)
		}
	}
	srv.Shutdown()
	if _, err := embed.Attach(dir); !errors.Is(err, embed.ErrNotRunning) {
		t.Errorf("after shutdown: %v", err)
	}
}

func TestAPortInUseIsAnErrorAndNotAHang(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	dir := t.TempDir()
	said := make(chan string, 100)
	_, err = embed.Start(t.Context(), embed.Options{DataDir: dir, Port: l.Addr().(*net.TCPAddr).Port, Log: func(level, text string) {
		if level == "error" {
			said <- text
		}
	}})
	if err == nil || len(said) == 0 {
		t.Fatalf("got %v and %d error lines", err, len(said))
	}
	start(t, embed.Options{DataDir: dir}) // the lock was let go
}

func TestStreamsSurviveAKill(t *testing.T) {
	dir := t.TempDir()
	for round := 1; round <= 3; round++ {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = in.Close() }()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line := make([]byte, 64)
		if n, err := out.Read(line); err != nil || string(line[:n]) != "ready\n" {
			t.Fatalf("child said %q, %v", line[:n], err)
		}
		if _, err := embed.Start(t.Context(), embed.Options{DataDir: dir}); !errors.Is(err, embed.ErrLocked) {
			t.Errorf("beside another process: %v", err)
		}
		work(t, dir, round)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
	}
}

// work claims the log, expects an event of every earlier round, and adds one.
func work(t *testing.T, dir string, round int) {
	t.Helper()
	o, err := embed.Attach(dir)
	if err != nil {
		t.Fatal(err)
	}
	conn := connect(t, o)
	if err := conn.EnsureStream(t.Context(), natsjs.StreamConfig{Manage: true}); err != nil {
		t.Fatal(err)
	}
	box := publish.Key{Tenant: "t", Mailbox: "m"}
	claim, err := conn.Log().Claim(t.Context(), box)
	if err != nil {
		t.Fatal(err)
	}
	if _, since := claim.Position(); len(since) != round-1 {
		t.Fatalf("round %d finds %d events", round, len(since))
	}
	ref := publish.Ref(fmt.Sprintf("r%d", round))
	ev := publish.NewEvent(box, publish.Received, publish.NewID(string(ref)), time.Now(), &publish.Data{})
	if err := claim.Append(t.Context(), ev, ref); err != nil {
		t.Fatal(err)
	}
}
