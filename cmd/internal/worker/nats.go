package worker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/natsjs"
	"mailflume/publish/natsjs/embed"
)

// lockWait is how long `run` waits for a command that holds the data directory.
const lockWait = 30 * time.Second

// singlePatience is how long a single pass waits for a NATS that refuses connections, or whose name nobody knows.
const singlePatience = 2 * time.Second

// connect reaches NATS and makes sure of the stream.
func (w *Worker) connect(ctx context.Context) error {
	opt, err := w.natsOptions(ctx)
	if err != nil {
		return err
	}
	opt.Worker, opt.Hooks = w.opt.Name, w.natsHooks()
	silent := time.AfterFunc(3*time.Second, func() { w.natsTrouble(fmt.Errorf("%w: no answer from %s", publish.ErrUnavailable, w.cfg.NATS.URL)) })
	defer silent.Stop()
	waiting := opt.Hooks.Waiting
	opt.Hooks.Waiting = func(why error) { // it knows more
		silent.Stop()
		waiting(why)
	}
	if w.conn, err = natsjs.Connect(ctx, w.crash.NATS(opt)); err != nil {
		return err
	}
	silent.Stop()
	w.setNATS(true)
	if err := w.conn.EnsureStream(ctx, StreamConfig(w.cfg)); err != nil {
		return err
	}
	if s := w.cfg.NATS.Stream; w.conn.Unreplicated() && (!s.Chosen || s.Replicas != 1) {
		_, next := ingest.Explain(ingest.CodeOneCopy)
		w.log.Warn().Str("code", string(ingest.CodeOneCopy)).Str("stream", s.Name).Str("next", next).Msg("one copy of the stream in a cluster")
	}
	return nil
}

// StreamConfig is the stream as the configuration wants it.
func StreamConfig(cfg *config.Config) natsjs.StreamConfig {
	s := cfg.NATS.Stream
	return natsjs.StreamConfig{
		Name: s.Name, Prefix: s.Prefix, Replicas: s.Replicas, MaxAge: time.Duration(s.MaxAge), MaxBytes: int64(s.MaxBytes), Manage: s.Manage,
		AllowDiscardOld: s.AllowDiscardOld,
	}
}

// natsOptions starts the embedded server if there is no URL.
func (w *Worker) natsOptions(ctx context.Context) (natsjs.Options, error) {
	if !w.cfg.NATS.Embedded() {
		opt, err := ExternalNATS(w.cfg)
		if w.opt.Single { // whoever starts one pass wants to know, and starts the next by himself
			opt.Patience = singlePatience
		}
		return opt, err
	}
	if w.opt.Single && served(ctx, w.cfg) {
		err := errors.New("a worker runs with it already and reads its mailboxes: to have it look at one now, mailflume poll MAILBOX")
		return natsjs.Options{}, &ingest.Error{Fault: ingest.Fault{Class: ingest.Config, Code: ingest.CodeDataDir}, Op: w.cfg.NATS.DataDir, Err: err}
	}
	late := time.AfterFunc(time.Second, func() {
		w.log.Info().Str("data_dir", w.cfg.NATS.DataDir).Msg("waiting for the data directory: another mailflume uses it, or its streams are being recovered")
	})
	defer late.Stop()
	server, err := StartEmbedded(ctx, w.cfg, lockWait, w.serverLog)
	if err != nil {
		return natsjs.Options{}, err
	}
	w.server = server
	return server.Options(), nil
}

// served reports whether a worker runs with the embedded server of the data directory.
func served(ctx context.Context, cfg *config.Config) bool {
	ctx, cancel := context.WithTimeout(ctx, surveyTime)
	defer cancel()
	opt, err := embed.Attach(cfg.NATS.DataDir)
	if err != nil {
		return false
	}
	conn, err := natsjs.Connect(ctx, opt)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	_, err = Survey(ctx, conn, cfg.NATS.Stream.Name)
	return err == nil
}

// StartEmbedded runs JetStream in this process, as the configuration says.
func StartEmbedded(ctx context.Context, cfg *config.Config, wait time.Duration, log func(level, text string)) (*embed.Server, error) {
	s, err := embed.Start(ctx, embed.Options{
		DataDir: cfg.NATS.DataDir, Sync: time.Duration(cfg.NATS.Sync), SyncAlways: cfg.NATS.Sync == 0, Wait: wait, Log: log,
	})
	if err != nil {
		return nil, &ingest.Error{Fault: ingest.Fault{Class: ingest.Config, Code: ingest.CodeDataDir}, Op: "start the embedded NATS", Err: err}
	}
	return s, err
}

// ExternalNATS is how to reach the server that the configuration names.
func ExternalNATS(cfg *config.Config) (natsjs.Options, error) {
	n := cfg.NATS
	opt := natsjs.Options{
		URL: n.URL, CredentialsFile: n.CredentialsFile.Path(), NkeySeedFile: n.NKeySeedFile.Path(), User: n.User,
	}
	if !n.PasswordFile.IsZero() {
		opt.Password = func() (string, error) { return n.PasswordFile.Read(context.Background()) }
	}
	var err error
	opt.TLS, err = natsTLS(n.TLS)
	return opt, err
}

func natsTLS(t config.NATSTLS) (*tls.Config, error) {
	if t.CAFile == "" && t.CertFile == "" {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		pool, err := certPool(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("nats.tls.ca_file: %w", err)
		}
		c.RootCAs = pool
	}
	if t.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile.Path())
		if err != nil {
			return nil, fmt.Errorf("nats.tls.cert_file: %w", err)
		}
		c.Certificates = []tls.Certificate{cert}
	}
	return c, nil
}

// certPool reads the PEM certificates of a file.
func certPool(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	pool := x509.NewCertPool()
	if err == nil && !pool.AppendCertsFromPEM(pem) {
		err = fmt.Errorf("%s holds no PEM certificate", path)
	}
	if err != nil {
		return nil, &ingest.Error{Fault: ingest.Fault{Class: ingest.Config, Code: ingest.CodeSecretMissing}, Err: err}
	}
	return pool, nil
}

// syncInterval is how long the server may hold acknowledged data before it is on disk: no
// post-action comes sooner. An external server's is not known, so its default is assumed.
func (w *Worker) syncInterval() time.Duration {
	if w.server == nil {
		return 2 * time.Minute
	}
	return time.Duration(w.cfg.NATS.Sync) // 0: before every acknowledgement
}

func (w *Worker) natsHooks() natsjs.Hooks {
	return natsjs.Hooks{
		Disconnected: func(err error) {
			w.setNATS(false)
			w.waitsFor(err)
			w.natsTrouble(err)
		},
		Reconnected: func(url string) {
			w.setNATS(true)
			w.waitsFor(nil)
			w.log.Info().Str("url", url).Msg("NATS is back")
		},
		Error: w.natsTrouble,
		Waiting: func(err error) {
			w.waitsFor(err)
			if err != nil {
				w.natsTrouble(err)
			}
		},
		Resumed: func() { w.log.Info().Msg("publishing goes on") },
	}
}

// waitsFor tells the table and the metrics what publishing waits for; nil when it goes on.
func (w *Worker) waitsFor(err error) {
	w.board.waitsFor(err)
	w.metrics.waiting.Reset()
	if err != nil {
		w.metrics.waiting.WithLabelValues(string(ingest.FaultOf(err).Code)).Set(1)
	}
}

// natsTrouble logs what is wrong with NATS and what to do.
func (w *Worker) natsTrouble(err error) {
	f := ingest.FaultOf(err)
	_, next := ingest.Explain(f.Code)
	w.log.Warn().Str("code", string(f.Code)).Err(err).Str("next", next).Msg("waiting for NATS")
}

func (w *Worker) setNATS(up bool) {
	w.up.Store(up)
	v := 0.0
	if up {
		v = 1
	}
	w.metrics.natsUp.Set(v)
}

func (w *Worker) natsReady() bool { return w.up.Load() }

// serverLog passes on what the embedded server complains about.
func (w *Worker) serverLog(level, text string) {
	switch level {
	case "error", "fatal":
		w.log.Error().Str("from", "embedded nats").Str("text", text).Msg("nats server")
	case "warn":
		w.log.Warn().Str("from", "embedded nats").Str("text", text).Msg("nats server")
	default:
		w.log.Debug().Str("from", "embedded nats").Str("text", text).Msg("nats server")
	}
}
