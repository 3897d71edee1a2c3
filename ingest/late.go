package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"time"

	"mailflume/publish"
)

// Journal is what a mailbox's log holds, read beside its owner.
type Journal struct {
	// Entries tells, in order, of every event in the log that stands for a message and is no replay, and
	// what the log has lost by its age.
	Entries func(ctx context.Context, each func(Entry)) (Aged, error)
	// Events yields the received events that were stored after the sequence after and at since or later.
	Events func(ctx context.Context, after uint64, since time.Time) iter.Seq2[Logged, error]
}

// Logged is an event as it lies in the log.
type Logged struct {
	Event    *publish.Event
	Ref      Ref
	Sequence uint64
	Stored   time.Time
}

// late is a job that publishes messages after their turn. It reads the mailbox through a Source of its
// own, whose position holds everything as finished but what is wanted, so that the runner's position
// need not go back: their Refs are behind it already, and stay there.
type late struct {
	*Job
	journal Journal
	start   Start
	until   time.Time // zero: no end
	want    func(m Listed, was told, aged Aged) bool
	retry   bool // a message that fails again has its event already
	former  former

	src    Source
	seed   maphash.Seed
	told   map[uint64]told
	aged   Aged
	gone   map[uint64]bool // those that were published or failed here
	wanted map[uint64]bool // in this slice
	over   time.Time       // of the slice
	count  bool            // the total is known
}

// NewBackfill returns the job that publishes what the server has received from since on, and before until if
// that is not zero, and nobody has published: what the configured start passed over, and what is missing.
func NewBackfill(journal Journal, since, until time.Time, tell func(Progress)) *Job {
	return newLate(journal, Start{Since: since}, until, tell, func(m Listed, was told, aged Aged) bool {
		switch {
		case was != 0 || m.Standing == Waiting || m.Standing == Known:
			return false
		case m.Standing == Skipped:
			return true
		}
		return !aged.Any || !m.Received.Before(aged.Since) // else its event may have expired
	}).Job
}

// NewRetry returns the job that tries messages again that were set aside: those, or all if there are none.
func NewRetry(journal Journal, refs []Ref, tell func(Progress)) *Job {
	only := make(map[Ref]bool, len(refs))
	for _, r := range refs {
		only[r] = true
	}
	l := newLate(journal, Start{All: true}, time.Time{}, tell, nil)
	l.former.only = only
	l.want = func(m Listed, was told, _ Aged) bool {
		return was == toldQuarantined && l.former.asked(m.Ref) || was == 0 && l.former.may(m)
	}
	return l.Job
}

func newLate(journal Journal, start Start, until time.Time, tell func(Progress), want func(Listed, told, Aged) bool) *late {
	l := &late{Job: &Job{tell: tell}, journal: journal, start: start, until: until, want: want, retry: start.All, seed: maphash.MakeSeed(), gone: map[uint64]bool{}}
	l.step = l.slice
	return l
}

func (l *late) key(r Ref) uint64 { return maphash.String(l.seed, string(r)) }

// slice does as much as there is time for.
func (l *late) slice(ctx context.Context, r *runner, claim publish.Claim) (done bool, err error) {
	l.over = r.opt.Now().Add(slice)
	if err := l.prepare(ctx, r); err != nil {
		return false, err
	}
	free, err := r.places.take(ctx, r.box.Host)
	if err != nil {
		return false, err
	}
	defer free()
	s, err := openPatiently(ctx, l.src, 2*tries) // the session before may still hold the maildrop
	if err != nil {
		return false, err
	}
	defer s.Close() // what was published is acknowledged, and nothing else was changed
	from, err := l.position(ctx, r, s)
	if err != nil {
		return true, err
	}
	done = len(l.wanted) == 0
	if !done {
		r.late = true
		defer func() { r.late = false }()
		done, err = l.carry(ctx, &pass{r: r, claim: claim, late: l}, s.Messages(ctx, from, 0))
	}
	if done && err == nil {
		for _, ref := range l.former.missing() {
			l.failed(ref, notThere(ref))
		}
	}
	return done, err
}

// prepare makes the Source and reads what the log tells.
func (l *late) prepare(ctx context.Context, r *runner) (err error) {
	if l.src == nil {
		if r.box.Restart == nil {
			return ErrNoLister
		}
		if l.src, err = r.box.Restart(l.start); err != nil {
			return err
		}
	}
	l.told = map[uint64]told{}
	l.former.begin()
	l.aged, err = l.journal.Entries(ctx, func(e Entry) {
		if l.retry {
			l.former.take(e)
		}
		switch e.Type {
		case publish.Received:
			l.told[l.key(e.Ref)] |= toldReceived
		case publish.Quarantined:
			l.told[l.key(e.Ref)] |= toldQuarantined
		}
	})
	if err != nil {
		return fmt.Errorf("read what was published: %w", err)
	}
	return nil
}

// position notes what is wanted and returns the position that holds all else as finished.
func (l *late) position(ctx context.Context, r *runner, s Session) (Cursor, error) {
	lister, ok := s.(Lister)
	if !ok {
		return nil, ErrNoLister
	}
	if err := r.pos.fold(); err != nil {
		return nil, err
	}
	if len(r.pos.cursor) == 0 {
		return nil, &Error{Fault{Class: Transient, Code: CodeNotServed}, "", errors.New("the mailbox could not be read yet")}
	}
	if heir, ok := s.(Heir); ok {
		if err := heir.Inherit(r.pos.cursor); err != nil {
			return nil, err
		}
	}
	from, err := s.Sync(ctx, nil)
	if err != nil {
		return nil, err
	}
	in := map[uint64]bool{} // in the span of time
	for m, err := range lister.List(ctx, nil, from) {
		if err != nil {
			return nil, fmt.Errorf("list the mailbox: %w", err)
		}
		if m.Standing == Waiting && (l.until.IsZero() || m.Received.Before(l.until)) {
			in[l.key(m.Ref)] = true
		}
	}
	l.wanted = map[uint64]bool{}
	var rest []Entry
	for m, err := range lister.List(ctx, r.pos.base, r.pos.cursor) {
		if err != nil {
			return nil, fmt.Errorf("list the mailbox: %w", err)
		}
		l.former.here(m.Ref)
		if k := l.key(m.Ref); in[k] && !l.gone[k] && l.want(m, l.told[k], l.aged) {
			l.wanted[k] = true
		} else {
			rest = append(rest, Entry{Ref: m.Ref, Type: publish.Received})
		}
	}
	if !l.count {
		l.count, l.progress.Total = true, len(l.wanted)
	}
	return l.src.Fold(from, func(yield func(Entry) bool) {
		for _, e := range rest {
			if !yield(e) {
				return
			}
		}
	})
}

// carry publishes messages until the slice is over.
func (l *late) carry(ctx context.Context, p *pass, messages iter.Seq2[*Message, error]) (done bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer p.busy.Wait()
	defer cancel()
	before := len(l.gone)
	for m, err := range messages {
		if m == nil {
			if failed := p.flush(ctx); failed != nil || len(l.gone) == before || ctx.Err() != nil || !passing(err) {
				return false, errors.Join(err, failed)
			}
			return false, nil // the rest comes in another session
		}
		if !l.wanted[l.key(m.Ref)] {
			continue // it came while the mailbox was listed: its turn comes
		}
		if err := p.fetch(ctx, m, err); err != nil {
			return false, err
		}
		if p.r.opt.Now().After(l.over) {
			return false, p.flush(ctx)
		}
	}
	return true, errors.Join(p.flush(ctx), ctx.Err())
}

// judge decides whether a message's event is appended. One that fails again is left as it is: it has its
// quarantined event, or the next request comes to it.
func (l *late) judge(ctx context.Context, j *job) (take bool, err error) {
	f := FaultOf(j.err)
	if l.told[l.key(j.msg.Ref)] == 0 && l.retry && (j.err == nil || j.event != nil) {
		if j.former = l.former.match(publish.ContentOf(j.event.Data)); j.former == "" {
			l.gone[l.key(j.msg.Ref)] = true
			l.progress.Total--
			return false, nil
		}
	}
	switch {
	case j.err != nil && (f.Class != BadMessage || ctx.Err() != nil):
		return false, j.err
	case j.err != nil && (l.retry || j.event == nil):
		l.failed(cmp.Or(j.former, j.msg.Ref), j.err)
	case j.err == nil && !l.until.IsZero() && !j.event.Time.Before(l.until): // over POP3 that is known only now
		l.progress.Total--
	default:
		return true, nil // it counts once the log has it
	}
	l.passed(j.msg.Ref)
	return false, nil
}

// settled counts a message that has its event, or needs none.
func (l *late) settled(j *job) {
	switch {
	case j.verdict != "":
		l.progress.Total--
	case j.err != nil:
		l.progress.Aside++
	default:
		l.progress.Published++
	}
	l.passed(j.msg.Ref)
}

func (l *late) passed(ref Ref) {
	l.gone[l.key(ref)] = true
	l.report()
}
