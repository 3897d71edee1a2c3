package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/publish"
)

// The exit codes of the contract.
const (
	exitOK          = 0
	exitUsage       = 1
	exitConfig      = 2
	exitFailed      = 3
	exitAuth        = 4
	exitNATS        = 5
	exitInterrupted = 130
)

// failure is an error with the exit code it means.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

func fail(code int, err error) error {
	if err == nil {
		return nil
	}
	return &failure{code, err}
}

// exitCode maps any error to its exit code.
func exitCode(err error) int {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.code
	}
	if isConfig(err) {
		return exitConfig
	}
	if errors.Is(err, publish.ErrBlobs) { // a folder or a bucket, which is not NATS
		return exitFailed
	}
	for _, e := range []error{publish.ErrUnavailable, publish.ErrFull, publish.ErrDenied, publish.ErrUnsafe, publish.ErrNewerFormat} {
		if errors.Is(err, e) {
			return exitNATS
		}
	}
	if e, ok := errors.AsType[*ingest.Error](err); ok {
		if e.Fault.Code == ingest.CodeDataDir {
			return exitNATS
		}
		switch e.Fault.Class {
		case ingest.Auth:
			return exitAuth
		case ingest.Config, ingest.Permanent:
			return exitConfig
		}
		return exitFailed
	}
	return exitFailed
}

func isConfig(err error) bool {
	_, many := errors.AsType[config.Errors](err)
	_, one := errors.AsType[*config.Error](err)
	return many || one
}

// explain prints an error and, where its code knows one, the next step.
func explain(w io.Writer, err error) {
	if isConfig(err) {
		_, _ = fmt.Fprintf(w, "mailflume: [%s] the configuration is not valid\n%v\n", ingest.CodeConfigInvalid, err)
		if place, ok := errors.AsType[*config.Error](err); !ok || place.Line > 0 { // else it is about the file, and its hint says all
			_, next := ingest.Explain(ingest.CodeConfigInvalid)
			_, _ = fmt.Fprintf(w, "  next: %s\n", next)
		}
		return
	}
	f := ingest.FaultOf(err)
	said := visibleLines(err.Error())
	if f.Code == ingest.CodeUnknown {
		_, _ = fmt.Fprintf(w, "mailflume: %s\n", said)
		return
	}
	_, next := ingest.Explain(f.Code)
	text := strings.TrimLeft(strings.TrimPrefix(said, string(f.Code)), ": ") // an ingest.Error begins with its code
	_, _ = fmt.Fprintf(w, "mailflume: [%s] %s\n  next: %s\n", f.Code, text, next)
}

// visibleLines is worker.Visible for a text of several lines: servers speak in errors.
func visibleLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = worker.Visible(l)
	}
	return strings.Join(lines, "\n")
}
