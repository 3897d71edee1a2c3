package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/crash"
	"mailflume/ingest"
	"mailflume/publish/natsjs"
	"mailflume/publish/natsjs/embed"
)

// Options are what the command line adds to the configuration.
type Options struct {
	Log     zerolog.Logger
	Version string
	Watch   bool   // reload when a file of the configuration changes
	Alone   bool   // all mailboxes are this worker's, whoever else is there: for a single pass
	Name    string // of this worker; empty: WorkerName()
}

// Worker is a running worker.
type Worker struct {
	cfg      *config.Config
	log      zerolog.Logger
	opt      Options
	board    *Board
	metrics  *metrics
	http     *listener
	server   *embed.Server // nil with an external NATS
	conn     *natsjs.Conn
	asks     atomic.Pointer[natsjs.Conn] // conn, once it is there: for the HTTP listener, which is there before
	fleet    *ingest.Fleet
	up       atomic.Bool
	stopping atomic.Bool
	boxes    *builder
	crash    crash.Plan // for tests; empty without the build tag crashpoints
	seen     []stamp    // the configuration's files as they were read
}

// Start connects to NATS (or starts the embedded server), makes sure of the stream and prepares the
// mailboxes. It waits for a NATS server that is not there yet until ctx ends.
func Start(ctx context.Context, cfg *config.Config, opt Options) (*Worker, error) {
	opt.Name = cmp.Or(opt.Name, WorkerName())
	w := &Worker{crash: crash.FromEnv(), cfg: cfg, log: opt.Log, opt: opt, seen: stamps(cfg.Files), board: NewBoard(), metrics: newMetrics(opt.Version, len(cfg.Mailboxes))}
	var err error
	if w.http, err = w.listen(); err != nil {
		return nil, err
	}
	if err := w.connect(ctx); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	w.asks.Store(w.conn)
	members, pauses, err := w.meet(ctx)
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	w.boxes = newBuilder(w)
	w.fleet = ingest.New(ingest.Options{
		Log: w.crash.Log(w.conn.Log()), Worker: opt.Name, Members: members, Pauses: pauses, Memory: int64(cfg.Limits.Memory), PerHost: cfg.Limits.ConnectionsPerHost,
		SaveEvery: saveEvery(w.conn.MaxAge()), MinGrace: w.syncInterval(), Hooks: w.hooks(),
	})
	w.boxes.onToken = w.tokenRefreshed
	if err := w.checkBlobs(ctx); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// WorkerName names this process in events: the host and the process id.
func WorkerName() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "worker"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}

// saveEvery keeps the position's Refs well inside the age of the stream as it is: one that others made
// may keep events for less time than the configuration says.
func saveEvery(age time.Duration) time.Duration {
	const most = 6 * time.Hour
	if age > 0 {
		return min(most, age/4)
	}
	return most
}

// Run works until ctx ends, then drains: every last write is resolved, in under 25 seconds.
func (w *Worker) Run(ctx context.Context) error {
	boxes, err := w.boxes.build(w.cfg)
	if err != nil {
		return err
	}
	w.board.expect(w.cfg)
	if err := w.fleet.Apply(boxes); err != nil {
		return err
	}
	requests, err := w.serve()
	if err != nil {
		return err
	}
	w.log.Info().Int("mailboxes", len(boxes)).Str("nats", w.conn.URL()).Bool("embedded", w.server != nil).Str("http", w.http.addr()).
		Str("worker", w.opt.Name).Msg("started")
	swept := make(chan struct{})
	go func() {
		defer close(swept)
		w.sweep(ctx)
	}()
	w.watch(ctx)
	<-swept
	w.stopping.Store(true)
	if err := requests.Close(); err != nil {
		w.log.Warn().Err(err).Msg("requests are still being served")
	}
	w.log.Info().Msg("draining: last writes are being resolved")
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 22*time.Second)
	defer cancel()
	if err := w.fleet.Stop(stop); err != nil {
		w.log.Warn().Err(err).Msg("some mailboxes did not finish in time; they resume from the log")
	}
	w.log.Info().Msg("stopped")
	return nil
}

// Once reads every mailbox to its end one time.
func (w *Worker) Once(ctx context.Context) error {
	boxes, err := w.boxes.build(w.cfg)
	if err != nil {
		return err
	}
	w.board.expect(w.cfg)
	return w.fleet.Once(ctx, boxes, 0)
}

// Conn is the connection to NATS, for reading what was published.
func (w *Worker) Conn() *natsjs.Conn { return w.conn }

// Board is the table of mailboxes.
func (w *Worker) Board() *Board { return w.board }

// Close ends everything that Start began, in reverse order.
func (w *Worker) Close() error {
	var errs []error
	if w.fleet != nil {
		done, cancel := context.WithCancel(context.Background())
		cancel() // Run has drained; what is left is cut off
		_ = w.fleet.Stop(done)
	}
	if w.boxes != nil {
		errs = append(errs, w.boxes.close())
	}
	if w.conn != nil {
		errs = append(errs, w.conn.Close())
	}
	if w.server != nil {
		w.server.Shutdown()
	}
	if w.http != nil {
		errs = append(errs, w.http.close())
	}
	return errors.Join(errs...)
}
