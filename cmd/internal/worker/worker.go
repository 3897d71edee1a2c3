package worker

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
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
	Watch   bool             // reload when a file of the configuration changes
	Alone   bool             // all mailboxes are this worker's, whoever else is there: for a job
	Single  bool             // for Once: beside the workers that are there, and none of them
	Recent  func() []byte    // the last lines of the log, for a support bundle; nil: none are kept
	Name    string           // of this worker; empty: as the configuration says, or one that is its own after every restart
	Now     func() time.Time // the clock of mailboxes and tokens, for tests; nil: time.Now
}

// Worker is a running worker.
type Worker struct {
	cfg      *config.Config
	log      zerolog.Logger
	opt      Options
	id       identity
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
	chorusMu sync.Mutex
	choruses map[string]chorus // by what is said
	warned   sync.Map          // credential or mailbox, and code, to the time it was told last
}

// Start connects to NATS (or starts the embedded server), makes sure of the stream and prepares the
// mailboxes. It waits for a NATS server that is not there yet until ctx ends.
func Start(ctx context.Context, cfg *config.Config, opt Options) (*Worker, error) {
	id, unlocked := identify(cfg.NATS.DataDir, cmp.Or(opt.Name, cfg.Worker.ID))
	if opt.Single && errors.Is(unlocked, embed.ErrLocked) { // by the worker that runs
		id, unlocked = identify(cfg.NATS.DataDir, "")
	}
	opt.Name = id.name
	w := &Worker{id: id, crash: crash.FromEnv(), cfg: cfg, log: opt.Log, opt: opt, seen: stamps(cfg.Files), board: NewBoard(), metrics: newMetrics(opt.Version, len(cfg.Mailboxes)), choruses: map[string]chorus{}}
	if unlocked != nil {
		w.log.Info().Err(unlocked).Str("worker", id.name).Str("data_dir", cfg.NATS.DataDir).
			Msg("without a lock in the data directory: after a crash, the next worker waits for this one's last beat to expire")
	}
	var err error
	if w.http, err = w.listen(); err != nil {
		return nil, errors.Join(err, w.Close())
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
	w.boxes.now = opt.Now
	w.boxes.signIns = signInsOf(cfg, w.conn)
	w.fleet = ingest.New(ingest.Options{
		Log: w.crash.Log(w.conn.Log()), Worker: opt.Name, Members: members, Pauses: pauses, Memory: int64(cfg.Limits.Memory), PerHost: cfg.Limits.ConnectionsPerHost,
		SaveEvery: func() time.Duration { return saveEvery(w.conn.MaxAge()) }, MinGrace: w.syncInterval(), Now: opt.Now, Hooks: w.hooks(),
	})
	w.boxes.onToken = w.tokenRefreshed
	if err := w.checkBlobs(ctx); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// saveEvery keeps the position's Refs well inside the age of the stream as it is: one that others made
// or have edited may keep events for less time than the configuration says.
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

// Once reads every mailbox to its end one time, but for those that running workers have.
func (w *Worker) Once(ctx context.Context) error {
	boxes, err := w.boxes.build(w.cfg)
	if err != nil {
		return err
	}
	w.board.expect(w.cfg)
	err = w.fleet.Once(ctx, boxes, 0)
	left, names := 0, map[string]bool{}
	for _, r := range w.board.Rows() {
		if r.State == string(ingest.StateStandby) {
			left++
			names[cmp.Or(r.Worker, "?")] = true
		}
	}
	if left > 0 {
		w.log.Info().Int("mailboxes", left).Strs("workers", slices.Sorted(maps.Keys(names))).Msg("left to the workers that have them")
	}
	return err
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
	if w.id.lock != nil {
		errs = append(errs, w.id.lock.Close())
		w.id.lock = nil
	}
	return errors.Join(errs...)
}
