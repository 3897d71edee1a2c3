package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"mailflume/ingest"
	"mailflume/publish/natsjs"
)

// What can be asked of a mailbox's worker.
const (
	VerbPause  = "pause"
	VerbResume = "resume"
	VerbPoll   = "poll"
)

// serve answers requests to the mailboxes that this worker has.
func (w *Worker) serve() (*natsjs.Service, error) {
	return w.conn.Serve(natsjs.Handler{
		Has: w.fleet.Has, Do: w.do, Report: w.report, Busy: string(ingest.CodeBusy), Unknown: string(ingest.CodeNotAsked),
		Code: func(err error) string {
			if errors.Is(err, context.Canceled) { // it is about to stop
				return string(ingest.CodeNotServed)
			}
			return string(ingest.FaultOf(err).Code)
		},
	})
}

// do does what is asked.
func (w *Worker) do(ctx context.Context, r natsjs.Request, tell func(any)) (result any, err error) {
	switch r.Verb {
	case VerbPause:
		err = w.fleet.Pause(ctx, r.Box)
	case VerbResume:
		w.boxes.reread() // as for a poll
		err = w.fleet.Resume(ctx, r.Box)
	case VerbPoll:
		w.boxes.reread() // somebody may have repaired something, or signed in
		err = w.fleet.Poll(r.Box)
	default:
		result, err = w.job(ctx, r, tell)
	}
	l := w.log.With().Str("mailbox", r.Box.Mailbox).Str("tenant", r.Box.Tenant).Str("request", r.Verb).Logger()
	l.Info().AnErr("error", err).Msg("request served")
	return result, err
}

// Ask asks the worker that has a mailbox, from any machine. Its errors have codes.
func Ask(ctx context.Context, conn *natsjs.Conn, r natsjs.Request, a natsjs.Asking) (json.RawMessage, error) {
	result, err := conn.Ask(ctx, r, a)
	if told, ok := errors.AsType[*natsjs.ControlError](err); ok {
		text := strings.TrimLeft(strings.TrimPrefix(told.Text, told.Code), ": ") // an ingest.Error begins with its code
		return nil, controlError(ingest.Code(told.Code), fmt.Errorf("%s %s: %s", r.Verb, r.Box, text))
	}
	for is, code := range map[error]ingest.Code{
		natsjs.ErrNoWorker: ingest.CodeNoWorker, natsjs.ErrNotServed: ingest.CodeNotServed, natsjs.ErrSilent: ingest.CodeSilent,
	} {
		if errors.Is(err, is) {
			return nil, controlError(code, err)
		}
	}
	return result, err
}

func controlError(code ingest.Code, err error) error {
	return &ingest.Error{Fault: ingest.Fault{Class: ingest.Transient, Code: code}, Err: err}
}
