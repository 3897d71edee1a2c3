package worker

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// The verbs of longer work. Its progress is an ingest.Progress.
const (
	VerbBackfill = "backfill"
	VerbReplay   = "replay"
	VerbRetry    = "retry"
)

// JobArgs say what a job is about.
type JobArgs struct {
	Since time.Time    `json:"since,omitzero"`
	Until time.Time    `json:"until,omitzero"`
	Refs  []ingest.Ref `json:"refs,omitempty"` // to retry; none: all
}

// newJob returns the job of a verb, nil if it is none.
func newJob(conn *natsjs.Conn, box publish.Key, verb string, a JobArgs, tell func(ingest.Progress)) *ingest.Job {
	j := journal(conn, box)
	switch verb {
	case VerbBackfill:
		return ingest.NewBackfill(j, a.Since, a.Until, tell)
	case VerbReplay:
		return ingest.NewReplay(j, a.Since, a.Until, tell)
	case VerbRetry:
		return ingest.NewRetry(j, a.Refs, tell)
	}
	return nil
}

// tellEvery bounds how often a job's progress goes over the wire.
const tellEvery = 200 * time.Millisecond

// job does what is asked, if it is a job.
func (w *Worker) job(ctx context.Context, r natsjs.Request, tell func(any)) (any, error) {
	var a JobArgs
	if len(r.Args) > 0 {
		if err := json.Unmarshal(r.Args, &a); err != nil {
			return nil, controlError(ingest.CodeNotAsked, err)
		}
	}
	var told time.Time
	j := newJob(w.conn, r.Box, r.Verb, a, func(p ingest.Progress) {
		if time.Since(told) > tellEvery {
			told = time.Now()
			p.Failures = nil
			tell(p)
		}
	})
	if j == nil {
		return nil, controlError(ingest.CodeNotAsked, fmt.Errorf("there is no %q", r.Verb))
	}
	done, err := w.fleet.Do(ctx, r.Box, j)
	return done, err
}

// DoAlone does a job on a mailbox that no worker has, without starting one for the others.
func (w *Worker) DoAlone(ctx context.Context, m *config.Mailbox, verb string, a JobArgs, tell func(ingest.Progress)) (ingest.Progress, error) {
	one := *w.cfg
	one.Mailboxes = []*config.Mailbox{m}
	w.board.expect(&one)
	boxes, err := w.boxes.build(&one)
	if err != nil {
		return ingest.Progress{}, err
	}
	return w.fleet.DoAlone(ctx, boxes[0], newJob(w.conn, m.Key(), verb, a, tell))
}

// journal reads a mailbox's log beside its owner.
func journal(conn *natsjs.Conn, box publish.Key) ingest.Journal {
	return ingest.Journal{
		Entries: func(ctx context.Context, each func(ingest.Entry)) (ingest.Aged, error) {
			h, err := conn.History(ctx, box, natsjs.Reading{Event: func(e publish.Entry, _ bool) { each(e) }})
			if err != nil {
				return ingest.Aged{}, err
			}
			return ingest.Aged{Any: h.Expired, Since: h.KeptSince}, nil
		},
		Events: func(ctx context.Context, after uint64, since time.Time) iter.Seq2[ingest.Logged, error] {
			return func(yield func(ingest.Logged, error) bool) {
				f := natsjs.Filter{Tenant: box.Tenant, Mailbox: box.Mailbox, Types: []publish.EventType{publish.Received}, After: after}
				if after == 0 {
					f.Since, f.FromStart = since, since.IsZero()
				}
				for d, err := range conn.Events(ctx, f) {
					if d == nil {
						yield(ingest.Logged{}, cmp.Or(err, publish.ErrUnavailable))
						return
					}
					if err == nil && !yield(ingest.Logged{Event: d.Event, Ref: d.Ref, Sequence: d.Sequence, Stored: d.Time}, nil) {
						return
					}
				}
			}
		},
	}
}
