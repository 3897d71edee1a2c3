package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/publish/natsjs"
	"mailflume/publish/natsjs/embed"
)

// reachTime is how long a command waits for NATS, and patience for one that refuses connections or whose name
// nobody knows.
const (
	reachTime = 15 * time.Second
	patience  = 2 * time.Second
)

// reach connects a command to the stream: the configured NATS, the embedded server of a running
// worker, or, unless the command follows, a server of its own while nobody else holds the folder.
func reach(ctx context.Context, cfg *config.Config, follow bool) (*natsjs.Conn, func(), error) {
	s := worker.StreamConfig(cfg)
	s.Manage = false // a reader creates nothing
	return reachStream(ctx, cfg, follow, s)
}

// reachStream is reach with a stream that it may create.
func reachStream(ctx context.Context, cfg *config.Config, follow bool, s natsjs.StreamConfig) (*natsjs.Conn, func(), error) {
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	opt, stop, err := natsFor(ctx, cfg, follow)
	if err != nil {
		return nil, nil, fail(exitNATS, err)
	}
	conn, err := natsjs.Connect(ctx, opt)
	if err != nil {
		stop()
		return nil, nil, fail(exitNATS, err)
	}
	done := func() {
		_ = conn.Close()
		stop()
	}
	if err := conn.EnsureStream(ctx, s); err != nil {
		done()
		if errors.Is(err, natsjs.ErrNoStream) {
			err = coded(ingest.CodeNoWorker, fmt.Errorf("there is no stream %s there, so no worker has run with it yet", s.Name))
		}
		return nil, nil, fail(exitNATS, err)
	}
	return conn, done, nil
}

func natsFor(ctx context.Context, cfg *config.Config, follow bool) (natsjs.Options, func(), error) {
	nothing := func() {}
	if !cfg.NATS.Embedded() {
		opt, err := worker.ExternalNATS(cfg)
		opt.Patience = patience
		return opt, nothing, err
	}
	opt, err := embed.Attach(cfg.NATS.DataDir)
	absent := errors.Is(err, embed.ErrNotRunning)
	if absent && follow {
		err = coded(ingest.CodeNoWorker, err)
	}
	if !absent || follow {
		return opt, nothing, err
	}
	server, err := worker.StartEmbedded(ctx, cfg, 0, nil)
	if err != nil {
		return opt, nothing, err
	}
	return server.Options(), server.Shutdown, nil
}
