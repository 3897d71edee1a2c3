package oauthtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Fault is a way in which the issuer misbehaves. Delay comes first; then Redirect, or Status and
// Body; with none of these the request is answered as usual, only late.
type Fault struct {
	Path        string        // requests whose path ends in this; "": all
	Times       int           // so many requests; 0: until ClearFaults
	Delay       time.Duration // before the answer
	Status      int           // 0 with a Body: 200
	RetryAfter  string        // the header's value: seconds or an HTTP date
	ContentType string        // default application/json, or text/html for a body that starts with <
	Body        string
	Redirect    string        // Location, with Status or 307
	Skew        time.Duration // of the clock in the header Date
	Drip        time.Duration // between two octets of the Body
}

// Fail adds a fault. Faults are tried in the order they were added; the first that fits is used.
func (i *Issuer) Fail(f Fault) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.faults = append(i.faults, &f)
}

// ClearFaults ends all faults.
func (i *Issuer) ClearFaults() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.faults = nil
}

// count notes the request and takes the fault that applies to it.
func (i *Issuer) count(path string) *Fault {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.requests[path]++
	for n, f := range i.faults {
		if !strings.HasSuffix(path, f.Path) {
			continue
		}
		taken := *f
		if f.Times == 1 {
			i.faults = slices.Delete(i.faults, n, n+1)
		} else if f.Times > 1 {
			f.Times--
		}
		return &taken
	}
	return nil
}

// fail plays a fault and reports whether the request is answered. A request that is held when its
// client leaves or the issuer closes gets no answer at all.
func (i *Issuer) fail(w http.ResponseWriter, r *http.Request, f *Fault) bool {
	if f.Delay > 0 {
		body, err := io.ReadAll(r.Body) // the server notices a client that leaves only once the body is read
		if err != nil {
			return true
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		t := time.NewTimer(f.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler) // net/http's way to cut a connection without an answer
		case <-i.ctx.Done():
			panic(http.ErrAbortHandler)
		}
	}
	if f.Status == 0 && f.Body == "" && f.Redirect == "" {
		return false
	}
	f.write(r.Context(), i.ctx, w)
	return true
}

// write answers with the fault's status, headers and body.
func (f *Fault) write(client, server context.Context, w http.ResponseWriter) {
	h := w.Header()
	status := f.Status
	if f.Redirect != "" {
		h.Set("Location", f.Redirect)
		if status == 0 {
			status = http.StatusTemporaryRedirect
		}
	}
	if f.RetryAfter != "" {
		h.Set("Retry-After", f.RetryAfter)
	}
	if f.Skew != 0 {
		h.Set("Date", time.Now().Add(f.Skew).UTC().Format(http.TimeFormat))
	}
	kind := or(f.ContentType, "application/json; charset=utf-8")
	if f.ContentType == "" && strings.HasPrefix(f.Body, "<") {
		kind = "text/html; charset=utf-8"
	}
	h.Set("Content-Type", kind)
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	if f.Drip == 0 {
		_, _ = fmt.Fprint(w, f.Body) // a client that has gone is not our concern
		return
	}
	for n := range len(f.Body) {
		_, _ = io.WriteString(w, f.Body[n:n+1])
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(f.Drip):
		case <-client.Done():
			return
		case <-server.Done():
			return
		}
	}
}

// EntraError is the JSON that Entra answers with when it refuses a request, for Fault.Body.
func EntraError(errorField string, code int, description string) string {
	return string(must(entraError(errorField, code, description, time.Now())))
}
