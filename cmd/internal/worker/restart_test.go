package worker_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/demo"
	"mailflume/cmd/internal/worker"
)

// TestAWorkerThatIsRestartedGoesOnWaiting: what a server refuses is in the log of the mailbox, on a real NATS.
func TestAWorkerThatIsRestartedGoesOnWaiting(t *testing.T) {
	stage, err := demo.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stage.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(filepath.Dir(stage.ConfigFile()), "secret"), []byte("wrong"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(stage.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	for start := range 5 {
		log := &lines{new: make(chan struct{}, 1)}
		w, err := worker.Start(t.Context(), cfg, worker.Options{Log: zerolog.New(log), Version: "test"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		log.await(t, `"mailbox":"support","tenant":"default","state":"auth_failed","code":"MF-AUTH-002"`)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if waits := strings.Contains(log.text(), "asked the worker before to wait"); waits != (start >= 3) {
			t.Errorf("start %d waits: %v\n%s", start+1, waits, log.text())
		}
	}
}
