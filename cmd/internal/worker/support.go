package worker

import (
	"net/http"
	"runtime/pprof"

	"mailflume/ingest"
)

// support is what only the process itself can tell, for `mailflume support-bundle`: the last lines of the
// log, and what its goroutines are at. Like the rest of the API it shows addresses and ids, and no secrets.
func (w *Worker) support(mux *http.ServeMux) {
	text := func(rw http.ResponseWriter) {
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		rw.Header().Set("Cache-Control", "no-store")
	}
	mux.HandleFunc("/api/v1/support/log", only(http.MethodGet, func(rw http.ResponseWriter, _ *http.Request) {
		if w.opt.Recent == nil {
			answer(rw, http.StatusNotFound, ingest.CodeNotAsked, "this worker keeps no log")
			return
		}
		text(rw)
		_, _ = rw.Write(w.opt.Recent())
	}))
	mux.HandleFunc("/api/v1/support/goroutines", only(http.MethodGet, func(rw http.ResponseWriter, _ *http.Request) {
		text(rw)
		_ = pprof.Lookup("goroutine").WriteTo(rw, 2)
	}))
}
