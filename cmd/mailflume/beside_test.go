package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"mailflume/publish"
	"mailflume/publish/natsjs"
)

func TestCommandsBesideAWorkerNeedNoListener(t *testing.T) {
	t.Parallel()
	stage := demoStage(t)
	file := stage.ConfigFile()
	w, end := workBeside(t, file)
	for range w.Conn().Events(t.Context(), natsjs.Filter{FromStart: true, Follow: true}) {
		break // it is at work
	}
	code, out, errOut := call(t, "status", "-c", file)
	if code != 0 || !strings.Contains(out, "support") || !strings.Contains(out, "since the mailbox came") || errOut != "" {
		t.Errorf("status, with port 0: exit %d\n%s%s", code, out, errOut)
	}
	if code, out, errOut := call(t, "check", "--send", "-c", file); code != 0 || strings.Count(out, "ok    probe") != 2 {
		t.Errorf("a probe to each mailbox of the demo: exit %d\n%s%s", code, out, errOut)
	}
	begin := time.Now()
	if code, _, errOut := call(t, "run", "--once", "-c", file); code != exitNATS || !strings.Contains(errOut, "mailflume poll") || time.Since(begin) > 20*time.Second {
		t.Errorf("one pass beside a worker: exit %d after %s: %s", code, time.Since(begin), errOut)
	}
	end()
}

func TestAPauseIsRecordedWhenNoWorkerHasTheMailbox(t *testing.T) {
	t.Parallel()
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true})
	must(t, err)
	srv.Start()
	defer func() { srv.Shutdown(); srv.WaitForShutdown() }()
	if !srv.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server does not start")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "mailflume.yaml")
	must(t, os.WriteFile(filepath.Join(dir, "pw"), []byte("x"), 0o600))
	must(t, os.WriteFile(file, []byte("nats: {url: \""+srv.ClientURL()+"\", data_dir: data}\nhttp: {listen: off}\ncredentials: {p: {type: password, password: \"file:pw\"}}\n"+
		"mailboxes: [{id: m, address: m@example.com, credentials: p, protocol: imap, host: 127.0.0.1, port: 9}]\n"), 0o600))
	conn, err := natsjs.Connect(t.Context(), natsjs.Options{URL: srv.ClientURL(), Worker: "busy"})
	must(t, err)
	defer conn.Close()
	must(t, conn.EnsureStream(t.Context(), natsjs.StreamConfig{Manage: true}))
	service, err := conn.Serve(natsjs.Handler{Has: func(publish.Key) bool { return false }})
	must(t, err)
	defer service.Close()
	for verb, said := range map[string]string{"pause": "recorded", "resume": "recorded", "poll": "MF-CTL-001"} {
		code, out, errOut := call(t, verb, "m", "-c", file)
		if (code == 0) != (verb != "poll") || !strings.Contains(out+errOut, said) {
			t.Errorf("%s: exit %d: %s%s", verb, code, out, errOut)
		}
	}
}
