package natsjs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
)

const (
	// lookFor bounds one look: a stream without a leader does not answer, and writes wait meanwhile.
	lookFor = 2 * time.Second
	// lookAgain is how soon after a look there may be another one, however many writes ask for it.
	lookAgain = time.Second
)

// A watch is what is known of the stream since EnsureStream. It may be edited or deleted while workers
// run, and the next server of the URL list may have another one: so writes look at it again after every
// reconnect, when nobody stores them, and every few minutes.
type watch struct {
	turn    chan struct{} // one looks, the others wait for what it sees
	sc      StreamConfig  // what EnsureStream was asked for; without a name: not yet
	visit   int           // of the server that it was looked at on, see Conn.visit
	last    time.Time     // look
	next    time.Time     // look, if nothing happens before
	doubted bool          // something has happened
	unfit   error         // why nothing may be written
}

// doubt has the next write look at the stream.
func (c *Conn) doubt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watch.doubted = true
}

// watched notes what a look has seen.
func (c *Conn) watched(sc StreamConfig, visit int, unfit error, next time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, now := &c.watch, time.Now()
	w.sc, w.visit, w.unfit, w.last, w.next = sc, visit, unfit, now, now.Add(next)
}

// adopt remembers the stream as it is.
func (c *Conn) adopt(sc StreamConfig, cfg jetstream.StreamConfig) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stream = streamInfo{name: sc.Name, prefix: sc.Prefix, maxAge: cfg.MaxAge, maxMsgSize: cfg.MaxMsgSize, replicas: cfg.Replicas}
}

// fitness says whether the stream may be written, as far as that is known.
func (c *Conn) fitness(stream string) (known bool, unfit error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, now := &c.watch, time.Now()
	if w.sc.Name != stream {
		return true, nil // a bucket, or nobody has said what the stream must be like
	}
	due := !now.Before(w.next) || w.visit != c.visits || (w.doubted && now.Sub(w.last) >= lookAgain)
	return !due, w.unfit
}

// fit says why the stream must not be written at the moment, if so. It makes a managed stream that is gone.
func (l *mailLog) fit(ctx context.Context) error {
	if err := l.c.roomy(); err != nil {
		return err
	}
	if known, unfit := l.c.fitness(l.stream.name); known || !l.c.Connected() {
		return unfit
	}
	select {
	case l.c.watch.turn <- struct{}{}:
	case <-ctx.Done():
		return ended(ctx, nil)
	}
	defer func() { <-l.c.watch.turn }()
	if known, unfit := l.c.fitness(l.stream.name); known {
		return unfit
	}
	return l.c.look(ctx)
}

// look compares the stream with what a log needs. A server that does not answer is no reason to hold
// a write back, which will find out for itself.
func (c *Conn) look(ctx context.Context) error {
	c.mu.Lock()
	sc, visit, started := c.watch.sc, c.visits, time.Now()
	c.watch.doubted = false
	c.mu.Unlock()
	short, cancel := context.WithTimeout(ctx, min(lookFor, c.opt.PublishTimeout))
	defer cancel()
	_, err := c.js.Stream(short, sc.Name)
	gone := errors.Is(err, jetstream.ErrStreamNotFound)
	var cfg jetstream.StreamConfig
	if err == nil || gone {
		cfg, err = c.ensureOnce(ctx, sc)
	}
	next := c.opt.LookEvery
	switch denied := c.deniedSince(started); {
	case err == nil:
		c.adopt(sc, cfg)
	case ctx.Err() != nil:
		return ended(ctx, err)
	case gone && denied != nil:
		err, next = fmt.Errorf("stream %s: %w: %w", sc.Name, publish.ErrDenied, denied), lookAgain
	case gone || errors.Is(err, publish.ErrUnsafe):
		err, next = fmt.Errorf("stream %s: %w", sc.Name, classify(err)), lookAgain
	default:
		c.report(fmt.Errorf("look at the stream %s again: %w", sc.Name, classify(err)))
		err, next = nil, next/6
	}
	c.watched(sc, visit, err, next)
	return err
}

// roomy says so if the server takes too little for an event beside its headers.
func (c *Conn) roomy() error {
	if m := c.nc.MaxPayload(); m > 0 && m < leastMsgSize {
		return unsafeSetting(fmt.Sprintf("max_payload of the server is %d bytes", m), fmt.Sprintf("an event needs at least %d: raise it in the server's configuration", leastMsgSize))
	}
	return nil
}
