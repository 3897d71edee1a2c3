package worker

import (
	"context"
	"fmt"
	"mailflume/ingest"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// listener is the HTTP side: metrics, health and the table of mailboxes. It changes nothing but what api.go says.
type listener struct {
	ln   net.Listener
	srv  *http.Server
	done chan struct{}
}

// listen starts the HTTP listener; nil if the configuration switches it off.
func (w *Worker) listen() (*listener, error) {
	if !w.cfg.HTTP.Enabled() {
		return nil, nil
	}
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", w.cfg.HTTP.Listen)
	if err != nil {
		return nil, &ingest.Error{Fault: ingest.Fault{Class: ingest.Transient, Code: ingest.CodeListen}, Op: "http.listen " + w.cfg.HTTP.Listen, Err: err}
	}
	l := &listener{ln: ln, done: make(chan struct{}), srv: &http.Server{
		Handler: w.routes(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}}
	go func() {
		defer close(l.done)
		_ = l.srv.Serve(ln) // ends with ErrServerClosed
	}()
	return l, nil
}

func (l *listener) addr() string {
	if l == nil {
		return ""
	}
	return l.ln.Addr().String()
}

func (l *listener) close() error {
	if l == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := l.srv.Shutdown(ctx)
	<-l.done
	return err
}

// HTTPAddr is where the HTTP listener answers; empty if it is off.
func (w *Worker) HTTPAddr() string { return w.http.addr() }

func (w *Worker) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(w.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /livez", func(rw http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(rw, "ok") })
	mux.HandleFunc("GET /readyz", w.readyz)
	mux.Handle("/api/", w.guard(w.api()))
	mux.Handle("GET /{$}", w.guard(http.HandlerFunc(w.index)))
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("X-Content-Type-Options", "nosniff")
		rw.Header().Set("Content-Security-Policy", "default-src 'none'")
		mux.ServeHTTP(rw, r)
	})
}

// readyz: NATS is there and takes what is published. Whether mail servers and issuers of tokens answer does not matter: without them no
// worker would be ready, and a rollout that waits for one would wait for them.
func (w *Worker) readyz(rw http.ResponseWriter, _ *http.Request) {
	switch err := w.board.waiting(); {
	case !w.natsReady():
		http.Error(rw, "not ready: NATS is not connected", http.StatusServiceUnavailable)
	case err != nil:
		http.Error(rw, "not ready: publishing waits: "+Visible(err.Error()), http.StatusServiceUnavailable)
	default:
		_, _ = fmt.Fprintln(rw, "ok")
	}
}

// index is the table as plain text.
func (w *Worker) index(rw http.ResponseWriter, _ *http.Request) {
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	WriteTable(rw, w.board.Rows(), false)
	_, _ = fmt.Fprintln(rw, "\n/api/v1/mailboxes  /metrics  /livez  /readyz")
}
