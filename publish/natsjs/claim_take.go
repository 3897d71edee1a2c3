package natsjs

import (
	"context"
	"fmt"
	"time"

	"mailflume/publish"
)

// Claim implements publish.Log. Besides its documented errors it returns ErrFenced when somebody else
// claimed while this claim was still reading its position.
func (l *mailLog) Claim(ctx context.Context, box publish.Key) (publish.Claim, error) {
	c := &claim{log: l, box: box, root: boxRoot(l.stream.prefix, box)}
	w := wait{c: l.c}
	defer w.done()
	before, err := c.take(ctx, &w)
	if err == nil {
		err = c.load(ctx, &w, before)
	}
	if err != nil {
		return nil, fmt.Errorf("claim the log of %s: %w", box, err)
	}
	return c, nil
}

// take writes the claim message. Each attempt has a token of its own: one that arrives late, after
// its outcome was judged, is just another owner to be claimed over.
func (c *claim) take(ctx context.Context, w *wait) (before *record, err error) {
	if ctx.Err() != nil {
		return nil, ended(ctx, nil)
	}
	for {
		woken := c.log.c.woken()
		before, err = c.log.getWaiting(ctx, w, query{LastFor: c.root + ".>"})
		if err != nil {
			return nil, err
		}
		if err := before.checkFormat(); err != nil {
			return nil, err
		}
		c.follow(before)
		if err := c.inherit(ctx, w, before); err != nil {
			return nil, err
		}
		c.id = msgID(typeClaim, c.token)
		m := c.message(typeClaim, c.id, c.left)
		keep(m)
		sent := time.Now()
		_, out, why := c.log.publish(ctx, m)
		switch out {
		case hopeless:
			return nil, why
		case stored, unknown, raced:
			mine, err := c.tookIt(ctx, w, sent)
			if !mine && err == nil && out == stored {
				err = fmt.Errorf("%w in the same moment", publish.ErrFenced)
			}
			if mine || err != nil {
				return before, err
			}
		}
		if outran(why) { // somebody wrote in between: no reason to wait long
			if !soon(ctx) {
				return nil, ended(ctx, why)
			}
			continue
		}
		if err := c.log.pause(ctx, w, woken, why); err != nil {
			return nil, err
		}
	}
}

// inherit reads the word that the owner before left.
func (c *claim) inherit(ctx context.Context, w *wait, before *record) (err error) {
	c.left, c.owned = nil, before != nil
	if before != nil && lastToken(before.subject) != typeClaim {
		before, err = c.log.getWaiting(ctx, w, query{LastFor: c.root + "." + typeClaim})
	}
	if before != nil {
		c.left = before.body
	}
	return err
}

// tookIt reports whether the log's last message is this attempt's claim, which tells the time then.
func (c *claim) tookIt(ctx context.Context, w *wait, sent time.Time) (bool, error) {
	rec, err := c.log.getWaiting(ctx, w, query{LastFor: c.root + ".>"})
	if err != nil || rec == nil || rec.header.Get(hdrClaim) != c.token {
		return false, err
	}
	c.seq, c.clock = rec.seq, clock{sent: sent, stored: rec.time, seen: time.Now()}
	return true, nil
}

// follow sets up a claim right behind the message that is the log's last: its fence, and what is
// known about the chain of events. Every message says which event came before it, so the last one
// is enough.
func (c *claim) follow(before *record) {
	c.token, c.prior = newToken(), ""
	c.seq, c.end, c.blind = 0, link{}, false
	if before == nil {
		return
	}
	c.seq, c.prior = before.seq, before.header.Get(hdrClaim)
	end, ok := linkOf(before.header)
	switch {
	case isEvent(before.subject):
		c.end = end.next(before.seq, before.body)
	case ok:
		c.end = end
	default: // written by somebody else: look at everything
		c.end, c.blind = link{last: before.seq}, true
	}
}
