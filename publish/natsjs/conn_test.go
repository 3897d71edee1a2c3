package natsjs_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"mailflume/publish"
	"mailflume/publish/logtest"
	"mailflume/publish/natsjs"
	"mailflume/publish/redact"
)

func TestConnectWaitsForAServerThatIsNotThereYet(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	srv.stop()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := natsjs.Connect(ctx, srv.options()); !errors.Is(err, publish.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	o, done, told := srv.options(), make(chan error, 1), make(chan error, 10)
	o.Hooks.Waiting = func(why error) { told <- why }
	go func() {
		c, err := natsjs.Connect(t.Context(), o)
		if err == nil {
			err = c.Close()
		}
		done <- err
	}()
	if why := <-told; !errors.Is(why, publish.ErrUnavailable) || !errors.Is(why, syscall.ECONNREFUSED) {
		t.Errorf("while nothing listens it is told %v", why)
	}
	srv.start(t)
	if why := <-told; why != nil {
		t.Errorf("when it is there it is told %v", why)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestConnectReportsRefusedCredentialsAtOnce(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{configure: func(o *server.Options) { o.Username, o.Password = "mf", "right" }})
	o := srv.options()
	o.User, o.Password = "mf", func() (string, error) { return "wrong", nil }
	if _, err := natsjs.Connect(t.Context(), o); !errors.Is(err, publish.ErrDenied) {
		t.Fatalf("got %v", err)
	}
	srv.stop() // and also when the server comes later
	done := make(chan error, 1)
	go func() {
		_, err := natsjs.Connect(t.Context(), o)
		done <- err
	}()
	srv.start(t)
	if err := <-done; !errors.Is(err, publish.ErrDenied) {
		t.Fatalf("got %v", err)
	}
	o.Password = func() (string, error) { return "right", nil }
	dial(t, o)
}

func TestAMissingPermissionIsToldWhileTheWriteWaits(t *testing.T) {
	t.Parallel()
	users := func(deny ...string) []*server.User {
		u := &server.User{Username: "mf", Password: "pw"}
		if len(deny) > 0 {
			u.Permissions = &server.Permissions{Publish: &server.SubjectPermission{Deny: deny}}
		}
		return []*server.User{u}
	}
	srv := startServer(t, serverOptions{configure: func(o *server.Options) { o.Users = users("mail.v1.*.*.received") }})
	told, errs := make(chan error, 100), make(chan error, 100)
	o := withWaiting(srv.options(), told)
	o.User, o.Password, o.PublishTimeout = "mf", func() (string, error) { return "pw", nil }, 300*time.Millisecond
	o.Hooks.Error = func(err error) { errs <- err }
	conn := dial(t, o)
	if err := conn.EnsureStream(deadline(t), natsjs.StreamConfig{Manage: true}); err != nil {
		t.Fatal(err)
	}
	c := mustClaim(t, conn.Log())
	done := make(chan error, 1)
	go func() { done <- appendOne(t, c, 1) }()
	waitFor(t, told, publish.ErrDenied)
	if err := <-errs; !errors.Is(err, publish.ErrDenied) {
		t.Errorf("the hook heard %v", err)
	}
	srv.stop()
	srv.opts.Users = users()
	srv.start(t)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	waitFor(t, told, nil)
	wantEvents(t, conn, 1)
}

func TestHooksTellOfTheConnection(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{})
	down, up := make(chan error, 10), make(chan string, 10)
	conn := srv.conn(t, func(o *natsjs.Options) {
		o.Hooks.Disconnected = func(err error) { down <- err }
		o.Hooks.Reconnected = func(url string) { up <- url }
	})
	srv.stop()
	if err := <-down; !errors.Is(err, publish.ErrUnavailable) || conn.Connected() {
		t.Errorf("disconnected with %v", err)
	}
	srv.start(t)
	if url := <-up; url == "" || conn.URL() != url {
		t.Errorf("reconnected to %q", url)
	}
}

func TestAClosedConnectionEndsWhatWaits(t *testing.T) {
	srv := startServer(t, serverOptions{})
	conn := srv.conn(t)
	c := mustClaim(t, conn.Log())
	srv.stop()
	done := make(chan error, 1)
	go func() { done <- appendOne(t, c, 1) }()
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, publish.ErrUnavailable) && !errors.Is(err, publish.ErrLogMoved) {
		t.Errorf("got %v", err)
	}
	if _, err := conn.Log().Claim(deadline(t), logtest.Box()); !errors.Is(err, publish.ErrUnavailable) {
		t.Errorf("claim: %v", err)
	}
}

func TestWhatAServerRepeatsOfASignInIsInNoError(t *testing.T) {
	t.Parallel()
	const secret = `Mf8Q~canary/+"q"\&=<%41`
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = fmt.Fprint(c, "INFO {\"server_id\":\"parrot\",\"version\":\"2.15.0\",\"proto\":1,\"max_payload\":1048576,\"auth_required\":true}\r\n")
			said, _ := bufio.NewReader(c).ReadString('\n')
			_, _ = fmt.Fprintf(c, "-ERR 'you said %s'\r\n", strings.TrimSpace(said))
			_ = c.Close()
		}
	})
	defer wg.Wait()
	defer ln.Close()
	for name, o := range map[string]natsjs.Options{
		"a password": {User: "mf", Password: func() (string, error) { return secret, nil }}, "a token": {Token: func() string { return secret }},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		o.URL = "nats://" + ln.Addr().String()
		var mu sync.Mutex
		var heard []string
		o.Hooks.Disconnected = func(err error) { mu.Lock(); heard = append(heard, err.Error()); mu.Unlock() }
		o.Hooks.Error = o.Hooks.Disconnected
		_, err := natsjs.Connect(ctx, o)
		cancel()
		mu.Lock()
		text := fmt.Sprint(err, heard, fmt.Sprintf("%+v %#v", o, o))
		mu.Unlock()
		if found := redact.Find(text, secret); err == nil || len(found) > 0 || !strings.Contains(text, "you said") || !strings.Contains(text, "***") {
			t.Errorf("%s: %v in %s", name, found, text)
		}
	}
}

func TestAServerWithoutNkeysIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	srv := startServer(t, serverOptions{configure: func(o *server.Options) { o.Username, o.Password = "mf", "pw" }})
	user, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := user.Seed()
	if err != nil {
		t.Fatal(err)
	}
	o := srv.options()
	o.NkeySeedFile = filepath.Join(t.TempDir(), "seed")
	if err := os.WriteFile(o.NkeySeedFile, seed, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := natsjs.Connect(deadline(t), o); !errors.Is(err, publish.ErrDenied) || strings.Contains(err.Error(), string(seed)) {
		t.Errorf("got %v", err)
	}
}
