package main

import (
	"context"
	"testing"

	"github.com/rs/zerolog"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/demo"
	"mailflume/cmd/internal/worker"
)

// demoStage is the demo's issuer and servers, as long as the test runs.
func demoStage(t *testing.T) *demo.Stage {
	t.Helper()
	stage, err := demo.Start()
	must(t, err)
	t.Cleanup(func() { _ = stage.Close() })
	return stage
}

// workBeside runs a worker named here; end drains it.
func workBeside(t *testing.T, file string) (w *worker.Worker, end func()) {
	t.Helper()
	cfg, err := config.Load(file)
	must(t, err)
	w, err = worker.Start(t.Context(), cfg, worker.Options{Log: zerolog.Nop(), Version: "test", Name: "here"})
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- w.Run(ctx) }()
	return w, func() {
		t.Helper()
		stop()
		must(t, <-ran)
		must(t, w.Close())
	}
}
