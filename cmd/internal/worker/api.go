package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// The API has no sign-in: whoever reaches the address is trusted, as whoever reaches NATS is. What keeps web
// pages out that a browser on this machine shows: a request that changes something must not come from another
// site, and on a loopback address nobody may have been led to it by a name that he controls.

// apiError is what a request that failed is answered with.
type apiError struct {
	Code  ingest.Code `json:"code"`
	Error string      `json:"error"`
	Next  string      `json:"next"`
}

// commandTime is how long whoever asks over HTTP waits: less than the listener's WriteTimeout.
const commandTime = 25 * time.Second

// api is what lies below /api/.
func (w *Worker) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v1/mailboxes", only(http.MethodGet, func(rw http.ResponseWriter, _ *http.Request) {
		respond(rw, http.StatusOK, struct {
			Mailboxes []Row `json:"mailboxes"`
		}{w.board.Rows()})
	}))
	mux.HandleFunc("/api/v1/mailboxes/{mailbox}", only(http.MethodGet, func(rw http.ResponseWriter, r *http.Request) {
		if row, err := w.find(r); err != nil {
			refuse(rw, err)
		} else {
			respond(rw, http.StatusOK, row)
		}
	}))
	for _, verb := range []string{VerbPause, VerbResume, VerbPoll} {
		mux.HandleFunc("/api/v1/mailboxes/{mailbox}/"+verb, only(http.MethodPost, func(rw http.ResponseWriter, r *http.Request) { w.command(rw, r, verb) }))
	}
	w.support(mux)
	mux.HandleFunc("/api/", func(rw http.ResponseWriter, r *http.Request) {
		answer(rw, http.StatusNotFound, ingest.CodeNotAsked, "there is no "+r.URL.Path)
	})
	return mux
}

// guard keeps other sites' pages out.
func (w *Worker) guard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		answer(rw, http.StatusForbidden, ingest.CodeCrossSite, "the request comes from another site")
	}))
	safe := cross.Handler(next)
	host, _, _ := net.SplitHostPort(w.cfg.HTTP.Listen)
	if !loopback(host) {
		return safe
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		name, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			name = r.Host
		}
		if !loopback(name) { // DNS rebinding
			answer(rw, http.StatusForbidden, ingest.CodeCrossSite, "the host "+name+" is not this machine's own address")
			return
		}
		safe.ServeHTTP(rw, r)
	})
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// command asks the worker that has the mailbox, which need not be this one.
func (w *Worker) command(rw http.ResponseWriter, r *http.Request, verb string) {
	row, err := w.find(r)
	conn := w.asks.Load()
	if err == nil && conn == nil {
		err = fmt.Errorf("%w: not connected yet", publish.ErrUnavailable)
	}
	worker := ""
	if err == nil {
		box := publish.Key{Tenant: row.Tenant, Mailbox: row.Mailbox}
		late := controlError(ingest.CodeSilent, fmt.Errorf("not done after %s", commandTime))
		ctx, cancel := context.WithTimeoutCause(r.Context(), commandTime, late)
		defer cancel()
		_, err = Ask(ctx, conn, natsjs.Request{Box: box, Verb: verb}, natsjs.Asking{Taken: func(name string) { worker = name }})
	}
	if err != nil {
		refuse(rw, err)
		return
	}
	respond(rw, http.StatusOK, struct {
		Mailbox string `json:"mailbox"`
		Tenant  string `json:"tenant"`
		Done    string `json:"done"`
		Worker  string `json:"worker"`
	}{row.Mailbox, row.Tenant, verb, worker})
}

// find finds the mailbox that a request names, with its tenant if that is needed.
func (w *Worker) find(r *http.Request) (*Row, error) {
	id, tenant := r.PathValue("mailbox"), r.URL.Query().Get("tenant")
	rows := slices.DeleteFunc(w.board.Rows(), func(row Row) bool { return row.Mailbox != id || (tenant != "" && row.Tenant != tenant) })
	switch len(rows) {
	case 0:
		return nil, controlError(ingest.CodeNoMailbox, fmt.Errorf("there is no mailbox %q", id))
	case 1:
		return &rows[0], nil
	}
	return nil, controlError(ingest.CodeNoMailbox, fmt.Errorf("%d tenants have a mailbox %q: add ?tenant=", len(rows), id))
}

// only lets one method through.
func only(method string, f http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == method || (method == http.MethodGet && r.Method == http.MethodHead) {
			f(rw, r)
			return
		}
		rw.Header().Set("Allow", method)
		answer(rw, http.StatusMethodNotAllowed, ingest.CodeNotAsked, r.Method+" is not for "+r.URL.Path)
	}
}

// refuse answers with an error and the status that fits it.
func refuse(rw http.ResponseWriter, err error) {
	code := ingest.FaultOf(err).Code
	status := http.StatusServiceUnavailable
	switch code {
	case ingest.CodeNoMailbox:
		status = http.StatusNotFound
	case ingest.CodePaused:
		status = http.StatusConflict
	case ingest.CodeBusy:
		status = http.StatusTooManyRequests
	case ingest.CodeNotAsked:
		status = http.StatusBadRequest
	}
	text := err.Error()
	if e, ok := errors.AsType[*ingest.Error](err); ok && e.Err != nil {
		text = e.Err.Error()
	}
	answer(rw, status, code, text)
}

func answer(rw http.ResponseWriter, status int, code ingest.Code, text string) {
	_, next := ingest.Explain(code)
	respond(rw, status, apiError{code, text, next})
}

func respond(rw http.ResponseWriter, status int, v any) {
	rw.Header().Set("Content-Type", "application/json")
	rw.Header().Set("Cache-Control", "no-store")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(v)
}
