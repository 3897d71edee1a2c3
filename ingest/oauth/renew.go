package oauth

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"mailflume/ingest"
)

const (
	renewAhead  = 10 * time.Minute // a token with less left is renewed, or with less than a fifth of its life
	forceEvery  = time.Minute      // between two renewals that a refused token forces
	lastMoments = 20 * time.Second // of a token: a new one is waited for
	holdOffMin  = 5 * time.Second
	holdOffMax  = 5 * time.Minute
	believed    = 3 // times in a row that a moment is kept to
	momentEnds  = 20 * time.Second
	maxObeyed   = 24 * time.Hour // the longest Retry-After that is believed
	maxLifetime = 30 * 24 * time.Hour
)

var errClosed = errors.New("the token source is closed")

// minted is what one real token request brought.
type minted struct {
	value    string
	life     time.Duration // counted from the request's start: clocks of others do not matter
	began    time.Time     // of the request, if it had to wait first
	certEnds time.Time
	rotated  bool // the refresh token was replaced
	shared   bool // nothing was asked: the failure is what another request has found
}

// renewer keeps one token alive. It owns the goroutine of the request that is under way (at most
// one) and the timer that starts the next.
//
// Ends of tokens are kept with Go's monotonic reading, so a clock that jumps back never makes an
// old token look fresh; a wall clock that jumps ahead (or a machine that slept, where the monotonic
// clock stood still) makes it renew early.
type renewer struct {
	mint    func(context.Context) (minted, *ingest.Error)
	now     func() time.Time
	timeout time.Duration
	report  func(RefreshInfo)

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	token    ingest.Token
	life     time.Duration
	used     bool // somebody asked for the token since it was minted
	flight   *flight
	timer    *time.Timer
	failure  *ingest.Error // the last request's, nil after a success
	failures int
	retryAt  time.Time
	named    bool // the issuer has named that time
	forcedAt time.Time
	rereadAt time.Time
}

// flight is one token request that callers wait for. Its fields are read after done is closed.
type flight struct {
	done  chan struct{}
	asked bool // by a caller that waits, not ahead of time
	token ingest.Token
	err   error
}

func newRenewer(mint func(context.Context) (minted, *ingest.Error), now func() time.Time, timeout time.Duration, report func(RefreshInfo)) *renewer {
	r := &renewer{mint: mint, now: now, timeout: timeout, report: report}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// Token answers from the cache or from the one request under way.
func (r *renewer) Token(ctx context.Context, refused string) (ingest.Token, error) {
	t, f, err := r.look(ctx, refused)
	if f == nil {
		return t, err
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return ingest.Token{}, fmt.Errorf("waiting for a token: %w", context.Cause(ctx))
	}
	if f.err == nil && f.token.Value != refused {
		return f.token, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.usable(refused) {
		return r.token, nil
	}
	if f.err == nil { // an issuer that answers with the same token again
		return ingest.Token{}, r.stillRefused(r.now())
	}
	return ingest.Token{}, f.err
}

// look decides under the lock what a caller gets: a token, or an error, or the flight to wait for.
// A caller whose refused token is not the cached one has missed the renewal and gets the cached one.
func (r *renewer) look(ctx context.Context, refused string) (ingest.Token, *flight, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ingest.Token{}, nil, closedError()
	}
	now := r.now()
	r.used = true
	force := refused != "" && refused == r.token.Value
	if !force && r.left(now) > 0 {
		soon := r.left(now) <= min(lastMoments, r.life/4)
		if r.flight == nil && r.left(now) <= r.ahead() && r.held(now) <= 0 {
			r.start(soon)
		}
		if soon && r.flight != nil { // a sign-in would come too late; if nothing comes, this token is all there is
			return ingest.Token{}, r.flight, nil
		}
		return r.token, nil, nil
	}
	if r.flight != nil {
		return ingest.Token{}, r.flight, nil
	}
	if err := r.mayAsk(ctx, now, force); err != nil {
		if r.usable(refused) {
			return r.token, nil, nil
		}
		return ingest.Token{}, nil, err
	}
	if force {
		r.forcedAt = now
	}
	return ingest.Token{}, r.start(true), nil
}

// mayAsk says why the issuer must not be asked now.
func (r *renewer) mayAsk(ctx context.Context, now time.Time, force bool) error {
	if ctx.Err() != nil {
		return fmt.Errorf("token: %w", context.Cause(ctx))
	}
	if wait := r.held(now); wait > 0 {
		e := *r.failure
		e.Fault.Wait = wait
		return &e
	}
	if force && r.forceWait(now) > 0 {
		return r.stillRefused(now)
	}
	return nil
}

// held is how long the issuer is still left alone.
func (r *renewer) held(now time.Time) time.Duration {
	if r.failure == nil {
		return 0
	}
	return r.retryAt.Sub(now)
}

// forceWait is what is left of the minute in which no refused token forces another request. Without
// it one mailbox that refuses everything would make the issuer mint tokens as fast as it can.
func (r *renewer) forceWait(now time.Time) time.Duration {
	if r.forcedAt.IsZero() {
		return 0
	}
	return r.forcedAt.Add(forceEvery).Sub(now)
}

// stillRefused answers a mailbox whose fresh token is refused too. Others keep the token: it may
// well be this one mailbox that the application has no right to.
func (r *renewer) stillRefused(now time.Time) error {
	return refusedAgain(max(r.forceWait(now), time.Second))
}

// left is what remains of the token's life, by the more pessimistic of the two clocks.
func (r *renewer) left(now time.Time) time.Duration {
	if r.token.Value == "" {
		return 0
	}
	return min(r.token.Expires.Sub(now), r.token.Expires.Round(0).Sub(now.Round(0)))
}

// usable reports whether the token can be served in place of an answer from the issuer.
func (r *renewer) usable(refused string) bool {
	return !r.closed && r.token.Value != "" && r.token.Value != refused && r.token.Expires.Sub(r.now()) > 0
}

// ahead is how long before its end the token is renewed. Half of a short life is kept for use, and
// however short it is, the issuer has its rest.
func (r *renewer) ahead() time.Duration {
	return min(max(renewAhead, r.life/5), r.life/2, r.life-holdOffMin)
}

// start begins the one request. The caller holds the lock.
func (r *renewer) start(asked bool) *flight {
	f := &flight{done: make(chan struct{}), asked: asked}
	r.flight = f
	r.unschedule()
	r.wg.Go(func() { r.run(f) })
	return f
}

// run is the goroutine of one flight. The state is brought up to date before the hook hears of it,
// and the hook before the callers, so logs are in order.
func (r *renewer) run(f *flight) {
	ctx, cancel := context.WithTimeout(r.ctx, r.timeout)
	defer cancel()
	began := r.now()
	m, failure := r.mint(ctx)

	r.mu.Lock()
	now := r.now()
	if !m.began.IsZero() {
		began = m.began
	}
	info := RefreshInfo{Took: now.Sub(began), CertExpires: m.certEnds, Rotated: m.rotated}
	switch {
	case r.closed:
		f.err = closedError()
	case failure != nil:
		f.err = r.fail(failure, now, m.shared)
		info.Err = f.err
	default:
		f.token = r.succeed(m, began, f.asked)
		info.Expires = f.token.Expires
	}
	r.flight = nil
	report := r.report != nil && !r.closed && !m.shared
	r.mu.Unlock()

	if report {
		r.report(info)
	}
	close(f.done)
}

// succeed takes the new token. Its life counts from before the request, which is never too late.
func (r *renewer) succeed(m minted, began time.Time, asked bool) ingest.Token {
	r.life = min(max(m.life, holdOffMin), maxLifetime)
	r.token = ingest.Token{Value: m.value, Expires: began.Add(r.life)}
	r.failure, r.failures = nil, 0
	r.used = asked
	r.schedule(r.life - r.ahead())
	return r.token
}

// fail notes a failure and the time until which the issuer is left alone.
func (r *renewer) fail(e *ingest.Error, now time.Time, shared bool) error {
	r.failures++
	r.named = !shared && named(e.Fault)
	held := *e
	held.Fault.Wait = holdOff(e.Fault.Wait, r.failures)
	r.failure = &held
	r.retryAt = now.Add(held.Fault.Wait)
	if r.left(now) > 0 {
		r.schedule(held.Fault.Wait)
	}
	return &held
}

// named reports whether the issuer itself said how long it wants to be left alone. A refusal is of the
// credential: a new one may be tried.
func named(f ingest.Fault) bool {
	return f.Wait > 0 && (f.Class == ingest.Throttled || f.Class == ingest.Transient)
}

// holdOff is the wait that the issuer asked for, or the next step of the backoff. Jitter only ever
// lengthens it: many workers that were refused together must not come back together. An issuer that goes on
// asking for a moment is not asked each moment.
func holdOff(asked time.Duration, failures int) time.Duration {
	if asked = min(asked, maxObeyed); asked > 0 {
		asked += rand.N(time.Second) // to the second
		if failures <= believed {
			return asked
		}
		return max(asked, min(backOff(failures-believed), momentEnds))
	}
	return backOff(failures)
}

func backOff(failures int) time.Duration {
	d := holdOffMax
	if failures < 7 {
		d = holdOffMin << (failures - 1)
	}
	return min(d+rand.N(d/5), holdOffMax)
}

// schedule plans the next renewal ahead of time. The caller holds the lock.
func (r *renewer) schedule(d time.Duration) {
	r.unschedule()
	if r.closed {
		return
	}
	r.wg.Add(1)
	r.timer = time.AfterFunc(d, r.tick)
}

// unschedule stops the timer. One that has fired already runs tick, which then owes wg.Done itself.
func (r *renewer) unschedule() {
	if r.timer != nil && r.timer.Stop() {
		r.wg.Done()
	}
	r.timer = nil
}

// tick renews ahead of time, unless nobody has wanted this token: the next caller is then served
// from the cache and starts the renewal itself.
func (r *renewer) tick() {
	defer r.wg.Done()
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if r.closed || r.flight != nil || !r.used || r.left(now) <= 0 {
		return
	}
	if wait := r.held(now); wait > 0 {
		r.schedule(wait)
		return
	}
	r.start(false)
}

// reread ends the hold-off: it was for what the credential was before. A time that the issuer named stays.
// Once a minute, for the sake of the issuer: a program may write the same file again and again.
func (r *renewer) reread() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.now(); now.Sub(r.rereadAt) >= forceEvery && (!r.named || r.held(now) <= 0) {
		r.failure, r.failures, r.forcedAt, r.rereadAt = nil, 0, time.Time{}, now
	}
}

// close ends everything and waits: after it no goroutine, timer or hook of this source runs.
func (r *renewer) close() {
	r.mu.Lock()
	r.closed = true
	r.cancel()
	r.unschedule()
	r.mu.Unlock()
	r.wg.Wait()
}
