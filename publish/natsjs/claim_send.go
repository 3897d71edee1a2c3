package natsjs

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
)

// The life of a write:
//
//	publish ── acknowledged ──────────────────────────────▶ stored
//	   │ ├──── refused for now, never sent ── pause ──▶ publish the same bytes
//	   │ ├──── another write in flight ────── 1–5 ms ─▶ publish the same bytes
//	   │ └──── can never be taken ───────────────────────▶ ErrTooLarge
//	   └ no usable answer ▶ read the log's last message
//	         ├ ours, with this id ───────────────────────▶ stored
//	         ├ ours, the one before ──── pause ──▶ publish the same bytes
//	         ├ another owner's ──────────────────────────▶ ErrFenced
//	         └ anything else ────────────────────────────▶ ErrLogMoved
//
// Publishing the same bytes again is safe while an earlier copy may still be on its way: they carry
// the same fence, so only one of them can be stored.

// maxRaces is how often a write that met another in flight on a replicated stream is sent again
// before the log is asked who won.
const maxRaces = 5

// A sending is one message on its way into the log.
type sending struct {
	c     *claim
	w     wait
	m     *nats.Msg
	id    string
	races int
	// doubt: an attempt went out without an answer and may still arrive. Should the caller give up
	// now, only a new claim shuts it out.
	doubt bool
}

// send stores m under the fence, or says why that cannot be. It returns only when m's fate is known
// or ctx has ended; fresh is false if the log had it already.
func (c *claim) send(ctx context.Context, m *nats.Msg) (fresh bool, err error) {
	if err := c.usable(ctx); err != nil {
		return false, err
	}
	s := &sending{c: c, w: wait{c: c.log.c}, m: m, id: m.Header.Get(hdrMsgID)}
	defer s.w.done()
	before := c.seq
	if err := s.run(ctx); err != nil {
		if s.doubt && c.broken == nil {
			c.broken = fmt.Errorf("%w: the outcome of the last write is unknown", publish.ErrLogMoved)
		}
		return false, c.ends(err)
	}
	c.snapshot, c.since = nil, nil // a fleet of ten thousand claims need not keep what their owners hold
	return c.seq != before, nil
}

// run attempts until the message's fate is known.
func (s *sending) run(ctx context.Context) error {
	for {
		woken, begun := s.c.log.c.woken(), s.c.prove()
		ack, out, why := s.c.log.publish(ctx, s.m)
		switch out {
		case stored:
			s.c.seq, s.c.id, s.c.proven = ack.Sequence, s.id, begun // the fence held: what came before is there
			return nil
		case hopeless:
			return why
		case raced:
			if s.races < maxRaces {
				s.races++
				if !soon(ctx) {
					return ended(ctx, why)
				}
				continue
			}
			out = unknown
		}
		if out == unknown {
			landed, err := s.settle(ctx, ack)
			if landed || err != nil {
				return err
			}
		}
		if why == nil {
			why = publish.ErrUnavailable
		}
		if err := s.c.log.pause(ctx, &s.w, woken, why); err != nil {
			return err
		}
	}
}

// settle finds out whether an attempt without a usable answer landed. An answer that calls it a
// duplicate proves nothing: a replicated stream looks for duplicates before it looks at the fence.
func (s *sending) settle(ctx context.Context, ack *jetstream.PubAck) (landed bool, err error) {
	s.doubt = true
	landed, err = s.c.resolve(ctx, &s.w, s.id)
	if landed || err != nil || ack == nil {
		return landed, err
	}
	// Nothing landed, and the server knows the id: an event this very claim appended earlier?
	rec, err := s.c.log.getWaiting(ctx, &s.w, query{Seq: ack.Sequence})
	if err != nil {
		return false, err
	}
	return rec != nil && rec.header.Get(hdrClaim) == s.c.token && rec.header.Get(hdrMsgID) == s.id, nil
}

// resolve reads the log's last message from the leader. True: it is the one with our id. False: it
// is still the one before. Everything else ends the claim.
func (c *claim) resolve(ctx context.Context, w *wait, id string) (landed bool, err error) {
	rec, err := c.log.getWaiting(ctx, w, query{LastFor: c.root + ".>"})
	if err != nil {
		return false, err
	}
	landed, err = c.judge(rec, id)
	if err != nil {
		return false, c.ends(err)
	}
	if landed {
		c.seq, c.id = rec.seq, id
	}
	return landed, nil
}

// judge says what the log's last message means for a claim that may have written id.
func (c *claim) judge(rec *record, id string) (landed bool, err error) {
	if rec == nil {
		return false, fmt.Errorf("%w: it is empty, the last write was number %d", publish.ErrLogMoved, c.seq)
	}
	switch owner := rec.header.Get(hdrClaim); {
	case owner == "":
		return false, fmt.Errorf("%w: its last message, number %d, was not written by mailflume", publish.ErrLogMoved, rec.seq)
	case owner != c.token && owner == c.prior:
		return false, fmt.Errorf("%w: it ends at number %d, before this claim", publish.ErrLogMoved, rec.seq)
	case owner != c.token:
		return false, fmt.Errorf("%w: worker %q", publish.ErrFenced, rec.header.Get(hdrWorker))
	case rec.header.Get(hdrMsgID) == id && rec.seq >= c.seq:
		return true, nil
	case rec.seq == c.seq:
		return false, nil
	}
	return false, fmt.Errorf("%w: it ends at number %d, the last write was number %d", publish.ErrLogMoved, rec.seq, c.seq)
}

// soon waits 1 to 5 ms.
func soon(ctx context.Context) bool {
	timer := time.NewTimer(time.Millisecond + rand.N(4*time.Millisecond))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
