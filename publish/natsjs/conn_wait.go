package natsjs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"mailflume/publish"
)

// A wait is one write's pauses between attempts: 0.25 s doubling to 30 s with full jitter, cut
// short when the connection comes back. Its owner calls done.
type wait struct {
	c      *Conn
	next   time.Duration
	began  bool
	gaveUp bool // without an answer
}

// pause reports why, waits, and returns false when ctx has ended. woken was taken before the failed
// attempt, so that a reconnect between the two is not missed.
func (w *wait) pause(ctx context.Context, woken <-chan struct{}, why error) bool {
	if !w.began {
		w.began = true
		w.next = min(firstRetry, w.c.opt.RetryMax)
	}
	if !w.c.Connected() {
		why = fmt.Errorf("%w (%s)", why, w.c.where(w.c.nc))
	}
	w.c.updateWaiting(w, why, true)
	w.gaveUp = !w.sleep(ctx, woken)
	return !w.gaveUp
}

// sleep is the pause itself.
func (w *wait) sleep(ctx context.Context, woken <-chan struct{}) bool {
	timer := time.NewTimer(jitter(w.next))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		w.next = min(2*w.next, w.c.opt.RetryMax)
	case <-woken:
		w.next = min(firstRetry, w.c.opt.RetryMax)
		return spread(ctx)
	}
	return ctx.Err() == nil
}

// spread keeps the writes of many mailboxes from hitting a server in the instant it returns.
func spread(ctx context.Context) bool {
	timer := time.NewTimer(jitter(50 * time.Millisecond))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func jitter(d time.Duration) time.Duration {
	return time.Millisecond + time.Duration(rand.Int64N(int64(max(d, time.Millisecond))))
}

// done says that the write got through or gave up.
func (w *wait) done() {
	if w.began {
		w.c.updateWaiting(w, nil, false)
	}
}

// updateWaiting keeps the books and tells the hook what changed. hookMu is held throughout, so
// that the hook hears the changes in their order.
func (c *Conn) updateWaiting(w *wait, why error, on bool) {
	c.hookMu.Lock()
	defer c.hookMu.Unlock()
	c.mu.Lock()
	if on {
		c.waiters[w] = struct{}{}
	} else {
		delete(c.waiters, w)
	}
	kind := c.told
	switch {
	case on:
		kind = waitKind(why)
	case len(c.waiters) == 0:
		kind = nil
	}
	changed := !errors.Is(kind, c.told) || !errors.Is(c.told, kind)
	c.told = kind
	c.mu.Unlock()
	if !changed {
		return
	}
	if kind == nil {
		why = nil
		if c.opt.Hooks.Resumed != nil && !w.gaveUp {
			c.opt.Hooks.Resumed()
		}
	}
	if c.opt.Hooks.Waiting != nil {
		c.opt.Hooks.Waiting(why)
	}
}

// waitKind reduces a reason to its sentinel.
func waitKind(err error) error {
	for _, kind := range []error{publish.ErrDenied, publish.ErrFull, publish.ErrUnsafe} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return publish.ErrUnavailable
}
