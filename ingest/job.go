package ingest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"mailflume/publish"
)

// Job is work that somebody asks a mailbox's owner for: [NewBackfill], [NewRetry], [NewReplay]. It is done
// once, in slices between two looks at the mailbox, so that new mail does not wait for its end.
type Job struct {
	tell func(Progress)
	step func(ctx context.Context, r *runner, claim publish.Claim) (done bool, err error)

	progress Progress
	ctx      context.Context //nolint:containedctx // ends when nobody wants it any more
	end      chan error
}

// Progress is how far a job is.
type Progress struct {
	Total     int `json:"total"` // messages that it is about
	Published int `json:"published"`
	Aside     int `json:"quarantined"`
	Failed    int `json:"failed"` // not published; asking again tries them again
	// Failures are the first of those.
	Failures []Failure `json:"failures,omitempty"`
}

// Failure is a message that a job could not publish.
type Failure struct {
	Ref   Ref    `json:"ref"`
	Code  Code   `json:"code"`
	Error string `json:"error"`
}

func (j *Job) failed(ref Ref, err error) {
	j.progress.Failed++
	if len(j.progress.Failures) < namedRefs {
		j.progress.Failures = append(j.progress.Failures, Failure{ref, FaultOf(err).Code, clip(err.Error(), 300)})
	}
}

func (j *Job) report() {
	if j.tell != nil {
		j.tell(j.progress)
	}
}

// slice is how long new mail waits for a job.
const slice = time.Minute

// Do has the mailbox's runner do a job and returns how far it came. One job of a mailbox runs at a time.
func (f *Fleet) Do(ctx context.Context, box publish.Key, j *Job) (Progress, error) {
	f.mu.Lock()
	m := f.active[box]
	_, paused := f.paused[box]
	f.mu.Unlock()
	switch {
	case paused && f.Has(box):
		return Progress{}, errPaused()
	case m == nil || !f.Has(box):
		return Progress{}, notServed(box)
	}
	j.ctx, j.end = ctx, make(chan error, 1)
	if !m.job.CompareAndSwap(nil, j) {
		return Progress{}, &Error{Fault{Class: Transient, Code: CodeBusy}, "", errors.New("another request works on the mailbox")}
	}
	poke(m.look)
	select {
	case err := <-j.end:
		return j.progress, err
	case <-ctx.Done():
		m.job.CompareAndSwap(j, nil)
		return Progress{}, context.Cause(ctx)
	case <-m.gone:
	}
	select {
	case err := <-j.end:
		return j.progress, err
	default:
		return Progress{}, notServed(box)
	}
}

// DoAlone reads one mailbox to its end and does a job: for a mailbox that no worker has. The Fleet must not
// run anything else.
func (f *Fleet) DoAlone(ctx context.Context, b Mailbox, j *Job) (Progress, error) {
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(drainTime, f.cut) })
	defer stop()
	j.ctx, j.end = ctx, make(chan error, 1)
	var job atomic.Pointer[Job]
	job.Store(j)
	r := newRunner(b, f)
	r.once, r.job = true, &job
	err := r.run(ctx)
	select {
	case err = <-j.end: // what else became of the mailbox, its state tells
	default:
		err = errors.Join(err, ctx.Err())
	}
	return j.progress, err
}

// asked reports whether somebody waits for a job.
func (r *runner) asked() bool { return r.job != nil && r.job.Load() != nil }

// work does a slice of what somebody asks for; all of it in a single pass. Its error is one that ends the
// claim: others are for whoever asked.
func (r *runner) work(ctx context.Context, claim publish.Claim) error {
	if !r.asked() {
		return nil
	}
	j := r.job.Load()
	if j == nil { // whoever asked has just left
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(j.ctx, cancel)
	defer stop()
	r.set(StateFetching, nil)
	done, err := false, error(nil)
	if r.pos.mustSave {
		err = r.save(claim)
	}
	for more := true; more && err == nil; more = r.once && !done {
		done, err = j.step(ctx, r, claim)
		j.report()
	}
	if done || err != nil {
		r.job.CompareAndSwap(j, nil)
		j.end <- err
	}
	r.hurry = err == nil && !done
	if lost(err) {
		return err
	}
	return nil
}

func errPaused() error { return pausedFault(Config) }

func pausedFault(c Class) error {
	return &Error{Fault{Class: c, Code: CodePaused}, "", errors.New("the mailbox is paused")}
}
