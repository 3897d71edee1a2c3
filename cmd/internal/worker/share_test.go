package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rs/zerolog"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/demo"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/publish/natsjs"
)

// colleague is a worker with an external NATS that can be stopped.
type colleague struct {
	w    *worker.Worker
	log  *lines
	stop func()
}

func startColleague(t *testing.T, file, url, name string, change ...func(*config.Config)) *colleague {
	t.Helper()
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	cfg.NATS.URL = url
	for _, f := range change {
		f(cfg)
	}
	log := &lines{new: make(chan struct{}, 1)}
	w, err := worker.Start(t.Context(), cfg, worker.Options{Log: zerolog.New(log), Version: "test", Name: name})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	c := &colleague{w: w, log: log}
	c.stop = func() {
		if c.w == nil {
			return
		}
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		c.w = nil
	}
	t.Cleanup(c.stop)
	return c
}

// demoStage is the demo's issuer and servers, as long as the test runs.
func demoStage(t *testing.T) *demo.Stage {
	t.Helper()
	stage, err := demo.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stage.Close() })
	return stage
}

// sharedServer runs a server until the test ends.
func sharedServer(t *testing.T) (url string) {
	t.Helper()
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	if !srv.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server does not start")
	}
	return srv.ClientURL()
}

func TestTwoWorkersShareTheMailboxesAndSayWhoHasWhat(t *testing.T) {
	t.Parallel()
	url := sharedServer(t)
	stage := demoStage(t)
	one := startColleague(t, stage.ConfigFile(), url, "one", func(c *config.Config) { c.Worker.Weight = 3 })
	two := startColleague(t, stage.ConfigFile(), url, "two")
	for _, c := range []*colleague{one, two} {
		c.log.await(t, `"workers":2`)
	}
	rows := two.w.Board().Rows()
	for i, r := range one.w.Board().Rows() {
		if weight := map[string]int{"one": 3, "two": 1}[r.Worker]; r.Weight != weight || rows[i].Weight != weight {
			t.Errorf("%s: one says its worker %s has weight %d, two says %d", r.Mailbox, r.Worker, r.Weight, rows[i].Weight)
		}
		if r.Worker == "" || r.Worker != rows[i].Worker {
			t.Errorf("%s: one says %q has it, two says %q", r.Mailbox, r.Worker, rows[i].Worker)
		}
		if other := rows[i]; r.Worker == "one" && other.State != string(ingest.StateStandby) && other.State != string(ingest.StateStopped) {
			t.Errorf("%s is %s at two", r.Mailbox, other.State)
		}
	}
	working := map[string]string{"support": "idle", "invoices": "polling_wait"}
	awaitWork := func(c *colleague, mailbox string) {
		c.log.await(t, `"mailbox":"`+mailbox+`","tenant":"default","state":"`+working[mailbox]+`"`)
	}
	for _, r := range rows {
		awaitWork(map[string]*colleague{"one": one, "two": two}[r.Worker], r.Mailbox)
	}
	one.stop()
	two.log.await(t, `"names":["two"],"mailboxes_here":2`)
	for _, r := range two.w.Board().Rows() {
		if r.Worker != "two" {
			t.Errorf("%s is with %q", r.Mailbox, r.Worker)
		}
	}
	awaitWork(two, "support")
	awaitWork(two, "invoices")
	events, all := map[string]bool{}, 0
	for d, err := range two.w.Conn().Events(t.Context(), natsjs.Filter{FromStart: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if events[d.Event.ID] {
			t.Errorf("%s is there twice", d.Event.ID)
		}
		events[d.Event.ID] = true
		all++
	}
	if all < 10 || strings.Contains(two.log.text(), "MF-NATS-005") {
		t.Errorf("%d events; the log: %s", all, two.log.text())
	}
}

func TestTwoWorkersOfOneNameAreToldAndTheSecondGetsNothing(t *testing.T) {
	t.Parallel()
	url := sharedServer(t)
	stage := demoStage(t)
	one := startColleague(t, stage.ConfigFile(), url, "mail")
	one.log.await(t, `"mailbox":"support","tenant":"default","state":"idle"`)
	two := startColleague(t, stage.ConfigFile(), url, "mail")
	two.log.await(t, "MF-NATS-013")
	two.stop()
	if strings.Contains(one.log.text()+two.log.text(), "MF-NATS-005") || strings.Contains(two.log.text(), `"state":"claiming"`) {
		t.Errorf("one's log: %s\ntwo's log: %s", one.log.text(), two.log.text())
	}
}

func TestASinglePassBesideAWorkerLeavesItsMailboxesAlone(t *testing.T) {
	t.Parallel()
	url := sharedServer(t)
	stage := demoStage(t)
	one := startColleague(t, stage.ConfigFile(), url, "")
	one.log.await(t, `"mailbox":"support","tenant":"default","state":"idle"`)
	cfg, err := config.Load(stage.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	cfg.NATS.URL = url
	log := &lines{new: make(chan struct{}, 1)}
	w, err := worker.Start(t.Context(), cfg, worker.Options{Log: zerolog.New(log), Version: "test", Single: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Once(t.Context()), w.Close()); err != nil {
		t.Error(err)
	}
	for _, r := range w.Board().Rows() {
		if r.State != string(ingest.StateStandby) || r.Worker == "" || r.Worker != one.w.Board().Rows()[0].Worker {
			t.Errorf("%+v", r)
		}
	}
	if !strings.Contains(log.text(), "left to the workers that have them") || strings.Contains(one.log.text(), "MF-NATS-005") {
		t.Errorf("the pass says %s, the worker %s", log.text(), one.log.text())
	}
}
