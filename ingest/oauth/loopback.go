package oauth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// callback waits on the loopback interface for the one answer of an authorization endpoint. It owns the
// goroutine of its server, which close ends and waits for.
type callback struct {
	url    string // the redirect URI
	hosts  []string
	state  string
	server *http.Server
	wg     sync.WaitGroup

	mu   sync.Mutex
	done bool
	got  chan answered
}

// answered is what the browser brought (RFC 6749 section 4.1.2).
type answered struct{ code, failure, words string }

// listenBack opens a port. Everybody on this machine can reach it: only the browser that was sent to
// the issuer knows the state, and only this process the verifier without which a code is worth nothing.
func listenBack(localhost bool) (*callback, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	c := &callback{
		url: fmt.Sprintf("http://127.0.0.1:%d", port), state: rand.Text(), got: make(chan answered, 1),
		hosts: []string{fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("localhost:%d", port)},
	}
	if localhost {
		c.url = fmt.Sprintf("http://localhost:%d", port)
	}
	c.server = &http.Server{
		Handler: http.HandlerFunc(c.serve), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second,
		MaxHeaderBytes: 64 << 10, ErrorLog: log.New(io.Discard, "", 0),
	}
	c.wg.Go(func() { _ = c.server.Serve(l) }) // ErrServerClosed after close; otherwise wait ends with its context
	return c, nil
}

// wait returns the answer.
func (c *callback) wait(ctx context.Context) (answered, error) {
	select {
	case a := <-c.got:
		return a, nil
	case <-ctx.Done():
		return answered{}, context.Cause(ctx)
	}
}

// close lets the page that is being sent reach the browser.
func (c *callback) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if c.server.Shutdown(ctx) != nil {
		_ = c.server.Close() // a browser that does not read; nothing of ours is lost
	}
	c.wg.Wait()
}

// serve takes the answer with the right state, once. Any other request changes nothing: another page
// in the browser may guess the port.
func (c *callback) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("Referrer-Policy", "no-referrer") // the address has the code in it
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Connection", "close")
	q := r.URL.Query()
	a := answered{code: q.Get("code"), failure: q.Get("error"), words: q.Get("error_description")}
	switch {
	case r.Method != http.MethodGet || r.URL.Path != "/" || !slices.Contains(c.hosts, strings.ToLower(r.Host)):
		page(w, http.StatusNotFound, "There is nothing here.")
	case subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(c.state)) != 1 || (a.code == "") == (a.failure == ""):
		page(w, http.StatusBadRequest, "This is not the answer to the sign-in that mailflume waits for. Start again from the address it printed.")
	case !c.take(a):
		page(w, http.StatusGone, "This sign-in is over: you may close this window.")
	case a.failure != "":
		page(w, http.StatusOK, "You were not signed in: you may close this window. mailflume says why.")
	default:
		page(w, http.StatusOK, "mailflume has the answer: you may close this window.")
	}
}

// take hands over the first answer.
func (c *callback) take(a answered) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done {
		return false
	}
	c.done = true
	c.got <- a
	return true
}

// page writes one sentence. None of it comes from the request.
func page(w http.ResponseWriter, status int, text string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<!doctype html><meta charset=utf-8><title>mailflume</title><p>%s</p>\n", text) // a browser that has gone reads nothing
}
