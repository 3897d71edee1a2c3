package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/demo"
	"mailflume/cmd/internal/worker"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.(*Server).startGoRoutine.func1"))
}

// lines is a log that can be waited on.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
	new chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.new <- struct{}{}:
	default:
	}
	return l.buf.Write(p)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// await waits until the log says it.
func (l *lines) await(t *testing.T, what string) {
	t.Helper()
	limit := time.After(30 * time.Second)
	for !strings.Contains(l.text(), what) {
		select {
		case <-l.new:
		case <-limit:
			t.Fatalf("the log does not say %q:\n%s", what, l.text())
		}
	}
}

// start runs a worker on the demo's stage until the test ends; more is added to its configuration.
func start(t *testing.T, more ...string) (w *worker.Worker, log *lines, file string) {
	t.Helper()
	stage, err := demo.Start()
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, stage, more...)
}

func startOn(t *testing.T, stage *demo.Stage, more ...string) (w *worker.Worker, log *lines, file string) {
	t.Helper()
	add(t, stage.ConfigFile(), more...)
	cfg, err := config.Load(stage.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	log = &lines{new: make(chan struct{}, 1)}
	w, err = worker.Start(t.Context(), cfg, worker.Options{Log: zerolog.New(log), Version: "test", Watch: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
		if err := stage.Close(); err != nil {
			t.Error(err)
		}
	})
	return w, log, stage.ConfigFile()
}

// add appends to a configuration file.
func add(t *testing.T, file string, more ...string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, append(b, strings.Join(more, "\n")...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, w *worker.Worker, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+w.HTTPAddr()+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestTheListenerTellsHealthMetricsAndTheTable(t *testing.T) {
	w, log, _ := start(t)
	log.await(t, `"mailbox":"invoices","tenant":"default","state":"polling_wait"`)
	log.await(t, `"mailbox":"support","tenant":"default","state":"idle"`)
	for path, want := range map[string]string{"/livez": "ok", "/readyz": "ok", "/": "support"} {
		if code, body := get(t, w, path); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %q", path, code, body)
		}
	}
	if code, _ := get(t, w, "/nothing"); code != http.StatusNotFound {
		t.Errorf("/nothing: %d", code)
	}
	_, metrics := get(t, w, "/metrics")
	for _, name := range []string{
		`mailflume_mailbox_state{mailbox="support",state="fetching"}`, `mailflume_messages_published_total{mailbox="support"}`,
		"mailflume_publish_seconds_count", `mailflume_fetch_bytes_total{mailbox="invoices"}`, "mailflume_attachment_bytes_total",
		`mailflume_token_refresh_total{credential="demo",result="ok"}`, "mailflume_token_expiry_seconds", "mailflume_nats_up 1", `version="test"`,
	} {
		if !strings.Contains(metrics, name) {
			t.Errorf("/metrics lacks %s", name)
		}
	}
	_, table := get(t, w, "/api/v1/mailboxes")
	var answer struct{ Mailboxes []worker.Row }
	if err := json.Unmarshal([]byte(table), &answer); err != nil || len(answer.Mailboxes) != 2 || answer.Mailboxes[0].Address != "invoices@example.com" {
		t.Errorf("%v: %s", err, table)
	}
}

func TestARepairedSecretIsTriedAtOnce(t *testing.T) {
	stage, err := demo.Start()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(filepath.Dir(stage.ConfigFile()), "secret")
	right, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write := func(b []byte) {
		if err := errors.Join(os.WriteFile(file+".new", b, 0o600), os.Rename(file+".new", file)); err != nil {
			t.Fatal(err)
		}
	}
	write([]byte("wrong"))
	_, log, _ := startOn(t, stage)
	log.await(t, `"mailbox":"support","tenant":"default","state":"auth_failed","code":"MF-AUTH-002"`)
	write(right)
	for _, box := range []string{"support", "invoices"} {
		log.await(t, `"mailbox":"`+box+`","tenant":"default","code":"MF-AUTH-002","message":"mailbox recovered"`)
	}
}

func TestAReloadChangesOnlyWhatDiffersAndABadFileNothing(t *testing.T) {
	t.Parallel()
	w, log, file := start(t)
	log.await(t, `"mailbox":"support"`)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Replace(string(b), "poll_every", "pol_every", 1))
	log.await(t, "the old one stays")
	if n := len(w.Board().Rows()); n != 2 {
		t.Errorf("%d mailboxes after a bad file", n)
	}
	without, _, _ := strings.Cut(string(b), "  - {id: invoices")
	write(without + "http: {listen: \"127.0.0.1:0\"}\n")
	log.await(t, "-1 mailbox (invoices)")
	log.await(t, `"mailbox":"invoices","tenant":"default","state":"stopped"`)
	if rows := w.Board().Rows(); len(rows) != 1 || rows[0].Mailbox != "support" {
		t.Errorf("after the reload: %+v", rows)
	}
	if _, metrics := get(t, w, "/metrics"); strings.Contains(metrics, `"invoices"`) || !strings.Contains(metrics, `"support"`) {
		t.Errorf("after the reload /metrics has:\n%s", metrics)
	}
	log.await(t, "needs a restart") // the log section is gone
}
