package ingest

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"mailflume/publish"
)

// rest waits after a session: until the next poll if all went well, else as the fault says.
func (r *runner) rest(ctx context.Context, err error) bool {
	if r.hurry {
		r.hurry = false
		if err != nil {
			r.trouble(err, FaultOf(err), 0)
		}
		return ctx.Err() == nil
	}
	if err == nil {
		wait := r.untilNext()
		r.setUntil(StatePollingWait, wait)
		return r.sleep(ctx, wait)
	}
	f := FaultOf(err)
	if errors.Is(err, publish.ErrFenced) {
		return r.stepBack(ctx, err, f)
	}
	wait, failed := r.backoff.next(f), r.opt.Now()
	if r.backoff.tries == 1 && (f.Class == SessionOver || f.Code == CodeConnLost && !r.worked.IsZero()) {
		// Every session ends once, with its token if nothing else ends it. Only one that ends again before the
		// mailbox was read is trouble.
		r.opt.Hooks.state(r.box.Key, Status{State: StateConnecting, At: failed, Until: failed.Add(wait), Err: err, Fault: f})
	} else {
		r.trouble(err, r.doubted(f), wait)
	}
	if _, stored := publishFault(err); !stored { // the log itself is in trouble
		r.restFor(f)
	}
	ok := r.sleep(ctx, wait)
	if f.parked() > 0 && r.opt.Now().Sub(failed) < refusalPause {
		r.backoff.refused-- // somebody has it tried again: those that count are a minute apart
	}
	return ok
}

// progress notes that the mailbox works: the next trouble is a new one.
func (r *runner) progress() {
	r.backoff.reset()
	r.worked = r.opt.Now()
	r.health.lively = r.worked
}

// trusted is how long ago a mailbox may have worked for a refusal to be doubted.
const trusted = 24 * time.Hour

// doubted is the fault of a mailbox as people are told it: Exchange refuses in the same words for a
// missing right and for a busy back end, so where it worked within a day nobody is called before the
// breaker opens.
func (r *runner) doubted(f Fault) Fault {
	switch f.Code {
	case CodeAuthRefused, CodeNotConnected, CodePasswordRefused, CodeAlert:
		if r.backoff.refused < refusals && !r.worked.IsZero() && r.opt.Now().Sub(r.worked) < trusted {
			f.Class = Transient
		}
	}
	return f
}

// longTenure is how long a claim has to last to be no quarrel between two workers.
const longTenure = 10 * time.Minute

// stepBack waits after another worker took the mailbox: two beats at least, in which it is taken from
// this Fleet if it is the other one's by right, longer when that happens again, and until it is known
// whose it is. News of the configuration do not shorten it.
func (r *runner) stepBack(ctx context.Context, err error, f Fault) bool {
	if r.opt.Now().Sub(r.claimed) > longTenure {
		r.ousted.reset()
	}
	wait := r.ousted.next(f)
	r.trouble(err, f, wait)
	return sleep(ctx, wait) && (r.certain == nil || r.certain(ctx))
}

// sleep is sleep that can be ended by a wake-up.
func (r *runner) sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.wake:
	case <-r.look:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// untilNext is the time to the next poll, or to the next post-action or save if that is sooner. A tenth of
// jitter keeps mailboxes that were started together apart.
func (r *runner) untilNext() time.Duration {
	wait := r.box.PollEvery - rand.N(r.box.PollEvery/10+1)
	if _, next := r.pos.ripe(r.grace()); next > max(0, r.held.Sub(r.opt.Now())) {
		wait = min(wait, max(next, time.Second))
	}
	if r.pos.dirty > 0 {
		wait = min(wait, max(r.opt.SaveEvery()-r.pos.since(r.pos.oldest), time.Second))
	}
	return wait
}
