package natsjs

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
)

// Reading says how a mailbox's log is read.
type Reading struct {
	// Chain reads the bodies too and verifies the hash chain. Without it only headers are read, which
	// show that an event is missing, inserted or out of place, but not that it was changed.
	Chain bool
	// Pin, with Chain, is the chain's end at an earlier reading, kept where nobody who can write the
	// stream can write. The zero Pin is none.
	Pin Pin
	// Event is told, in order, of every event that stands for a message. Covered: the snapshot knows
	// of it already. It may be nil.
	Event func(e publish.Entry, covered bool)
}

// Pin is the end of a log's chain at some time: the digest stands for every event up to that one.
type Pin struct {
	Sequence uint64
	Digest   string
}

// History is what a mailbox's log holds.
type History struct {
	Snapshot    []byte // the last complete one; nil: none
	Events      int    // all in the stream, of any type, replays too
	Received    int
	Quarantined int
	Replays     int
	// First and Last are the sequences of the oldest and the newest event in the stream; 0: none.
	First, Last uint64
	// Expired: there were older events, which have left the stream by their age. Whatever was stored at
	// KeptSince or later has not.
	Expired   bool
	KeptSince time.Time
	// Begins is the first event that names the one before it: what is older was written before there
	// was a chain. Verified counts the links that hold, of claims and snapshots too.
	Begins   uint64
	Verified int
	End      Pin    // of the chain, if it was verified: to be kept
	Break    *Break // the first place where the log is not what was written; nil: none
}

// Break is a place where a log is not what mailflume wrote.
type Break struct {
	Sequence uint64 // of the message that shows it
	Time     time.Time
	Subject  string
	Missing  uint64 // sequence of the event that is gone, if it is that
	Reason   string
}

// ErrPinExpired: the pinned event has left the stream by its age, so that nothing can be compared
// with it any more.
var ErrPinExpired = errors.New("the pinned event has left the stream by its age: pin again more often than max_age")

// History reads a mailbox's log from its first message to the last one there is at the call, without
// claiming it and in little memory, beside whoever owns it.
func (c *Conn) History(ctx context.Context, box publish.Key, r Reading) (*History, error) {
	l := &mailLog{c: c, stream: c.streamInfo()}
	h := &walk{l: l, root: boxRoot(l.stream.prefix, box), r: r}
	if err := h.run(ctx, box); err != nil {
		return nil, fmt.Errorf("read the log of %s: %w", box, err)
	}
	return &h.History, nil
}

// run reads the position first: what it covers is a part of what is read after it.
func (h *walk) run(ctx context.Context, box publish.Key) error {
	w := wait{c: h.l.c}
	defer w.done()
	short, cancel := context.WithTimeout(ctx, 3*h.l.c.opt.PublishTimeout)
	defer cancel()
	if err := h.position(short, &w, box); err != nil {
		return err
	}
	last, err := h.l.getWaiting(short, &w, query{LastFor: h.root + ".>"})
	if err != nil {
		return err
	}
	if last != nil {
		h.until = last.seq
		if err := h.walk(ctx, &w); err != nil {
			return err
		}
	}
	h.Last = h.place.Sequence
	if h.r.Chain {
		h.End = Pin{h.end.last, h.end.sum}
	}
	if h.Expired {
		info, err := h.l.info(ctx)
		if err != nil {
			return err
		}
		h.KeptSince = keptSince(&info.Config, info.TimeStamp)
	}
	return h.unpinned(ctx)
}

// position reads the snapshot. An owner may be replacing it meanwhile.
func (h *walk) position(ctx context.Context, w *wait, box publish.Key) error {
	for range 3 {
		c := &claim{log: h.l, box: box, root: h.root, seq: math.MaxUint64}
		for place := range c.gens {
			if err := c.loadGeneration(ctx, w, place, nil); err != nil {
				return err
			}
		}
		if g := c.newest(); g != nil {
			h.Snapshot, h.through = g.data, g.through
			return nil
		}
		if c.gens[0].pieces+c.gens[1].pieces == 0 {
			return nil
		}
	}
	return nil
}

// walk goes on with new consumers until the last message was met. That may have been replaced by a
// later one, or be lost.
func (h *walk) walk(ctx context.Context, w *wait) error {
	for stuck := 0; ; {
		before, woken := h.at, h.l.c.woken()
		done, err := h.l.read(ctx, jetstream.OrderedConsumerConfig{
			FilterSubjects: []string{h.root + ".>"}, OptStartSeq: h.at + 1, HeadersOnly: !h.r.Chain,
		}, func(m jetstream.Msg) (bool, error) { return h.see(ctx, m) })
		if done || ctx.Err() != nil || errors.Is(err, publish.ErrNewerFormat) || errors.Is(err, publish.ErrDenied) {
			return errors.Join(err, ctx.Err())
		}
		if stuck++; h.at > before {
			stuck = 0
		}
		last, gone := h.l.get(ctx, query{LastFor: h.root + ".>"})
		if gone == nil && (last == nil || last.seq <= h.at) {
			return nil
		}
		if stuck == 3 {
			return err
		}
		if err := h.l.pause(ctx, w, woken, err); err != nil {
			return err
		}
	}
}

// unpinned says what became of a pin that the walk has not met. What is in the stream under its number has
// not expired, nor has anything of a log whose first event is there.
func (h *walk) unpinned(ctx context.Context) error {
	pin := h.r.Pin
	if !h.r.Chain || pin == (Pin{}) || h.pinned || h.Break != nil {
		return nil
	}
	rec, err := h.l.get(ctx, query{Seq: pin.Sequence})
	if err != nil {
		return err
	}
	var why string
	switch {
	case pin.Sequence > h.end.last:
		why = "the log ends before the pinned event"
	case rec != nil || !h.Expired:
		why = "none of the log's events is the pinned one"
	default:
		return fmt.Errorf("%w (number %d)", ErrPinExpired, pin.Sequence)
	}
	if rec != nil && !strings.HasPrefix(rec.subject, h.root+".") {
		why += fmt.Sprintf("; number %d is %s: was that mailbox's pin meant?", pin.Sequence, rec.subject)
	}
	h.broke(h.place, why, pin.Sequence)
	return nil
}
