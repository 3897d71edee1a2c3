package ingest

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"mailflume/publish"
)

// replay is a job that publishes events again. It moves no position and settles nothing.
type replay struct {
	*Job
	journal      Journal
	since, until time.Time
	at           uint64 // the last event that was looked at
}

// NewReplay returns the job that publishes again what was published from since on, and before until (zero:
// up to now), read anew from its stored octets, with the same ids, marked as replay. What has no stored octets
// is published as it was.
func NewReplay(journal Journal, since, until time.Time, tell func(Progress)) *Job {
	p := &replay{Job: &Job{tell: tell}, journal: journal, since: since, until: until}
	if now := time.Now(); until.IsZero() || until.After(now) {
		p.until = now
	}
	p.step = p.slice
	return p.Job
}

func (p *replay) slice(ctx context.Context, r *runner, claim publish.Claim) (done bool, err error) {
	over := r.opt.Now().Add(slice)
	for e, err := range p.journal.Events(ctx, p.at, p.since) {
		if err != nil {
			return false, fmt.Errorf("read what was published: %w", err)
		}
		if !e.Stored.Before(p.until) {
			return true, nil
		}
		if ing := e.Event.Data; ing == nil || ing.Ingest == nil || !ing.Ingest.Replay {
			if err := p.again(ctx, r, claim, &e); err != nil {
				return false, err
			}
		}
		p.at = e.Sequence
		if r.opt.Now().After(over) {
			return false, nil
		}
	}
	return true, ctx.Err()
}

// again publishes one event again, after its blobs were made as young as it is.
func (p *replay) again(ctx context.Context, r *runner, claim publish.Claim, e *Logged) error {
	p.progress.Total++
	ev, err := r.remake(ctx, e.Event)
	if err != nil && ctx.Err() == nil && (FaultOf(err).Class == BadMessage || errors.Is(err, publish.ErrCorrupt)) {
		p.failed(e.Ref, err)
		p.report()
		return nil
	}
	if err != nil {
		return err
	}
	if err := claim.Append(r.hard, ev, e.Ref); err != nil {
		return err // it names the event
	}
	p.progress.Published++
	p.report()
	if r.pos.entries++; r.pos.entries >= saveEntries { // a claim reads past them
		return r.save(claim)
	}
	return nil
}

// remake makes an event anew from the message's stored octets.
func (r *runner) remake(ctx context.Context, old *publish.Event) (ev *publish.Event, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Error{Fault{Class: BadMessage, Code: CodeMessagePanic}, "read message again " + old.ID, fmt.Errorf("%v\n%s", v, debug.Stack())}
		}
	}()
	was := old.Data
	if was == nil {
		was = &publish.Data{}
	}
	data := *was
	stored, ok := r.box.Blobs.(publish.BlobOpener)
	if ok = ok && was.Raw != nil && was.Raw.Ref != ""; ok {
		data = publish.Data{
			Mailbox: was.Mailbox, Folder: was.Folder, UID: was.UID, UIDL: was.UIDL, EmailID: was.EmailID, ThreadID: was.ThreadID, Flags: was.Flags, ReceivedAt: was.ReceivedAt,
		}
	}
	data.Ingest = &publish.Ingest{Attempt: 1}
	if was.Ingest != nil {
		*data.Ingest = *was.Ingest
	}
	data.Ingest.Worker, data.Ingest.Replay = r.opt.Worker, true
	ev = publish.NewEvent(r.box.Key, publish.Received, old.ID, old.Time, &data)
	if !ok {
		ev.Subject, ev.DataRef = old.Subject, old.DataRef
		return ev, nil
	}
	free, err := r.memory.take(ctx, smallMessage)
	if err != nil {
		return nil, err
	}
	defer free()
	raw, err := stored.Open(ctx, was.Raw.SHA256)
	if errors.Is(err, publish.ErrNotFound) {
		return nil, &Error{Fault{Class: BadMessage, Code: CodeMessageMissing}, "replay " + old.ID, err}
	}
	if err != nil {
		return nil, fmt.Errorf("open the octets of %s: %w", old.ID, err)
	}
	defer raw.Close() // it was read to its end, or does not matter
	if err := r.composer.Compose(ctx, raw, nil, &data); err != nil {
		return nil, err
	}
	ev.Subject = data.MessageID
	return fit(ctx, ev, r.opt.Log.MaxEvent(), r.box.Blobs)
}
