package natsjs

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
)

// load reads the position: the newest complete snapshot and the Refs after it. Nobody else can write
// from the claim on, so what is read is final; if somebody does, they have claimed since.
func (c *claim) load(ctx context.Context, w *wait, before *record) error {
	var anchor generation
	for i := range c.gens {
		if err := c.loadGeneration(ctx, w, i, before); err != nil {
			return err
		}
		if g := &c.gens[i]; g.pieces > 0 && !g.complete { // trust nothing but the events themselves
			c.end, c.blind = link{last: c.seq - 1}, true
		}
	}
	if g := c.newest(); g != nil {
		c.snapshot, c.through, anchor = g.data, g.through, *g
		for i := range c.gens {
			c.gens[i].data = nil // the position's copy is enough
		}
	}
	if c.end.last <= c.through {
		return nil
	}
	s := &scan{c: c, at: c.through, event: anchor.end.last}
	if err := s.run(ctx, w); err != nil {
		return err
	}
	c.since = s.entries
	if !c.blind && s.event != c.end.last && s.gap == 0 {
		s.gap, s.gapAfter = c.end.last, s.event
	}
	if s.gap != 0 {
		c.log.c.report(fmt.Errorf("the log of %s: %w: number %d does not follow number %d, messages between them may be published again",
			c.box, ErrGap, s.gap, s.gapAfter))
	}
	if c.blind {
		return c.relink(ctx, w, s.event, anchor.end)
	}
	return nil
}

// relink finds the end of the hash chain in the last event itself, or in the snapshot that came after.
func (c *claim) relink(ctx context.Context, w *wait, last uint64, anchor link) error {
	c.end = anchor
	if last == anchor.last {
		return nil
	}
	rec, err := c.log.getWaiting(ctx, w, query{Seq: last})
	if err == nil && rec != nil {
		before, _ := linkOf(rec.header)
		c.end = before.next(last, rec.body)
	}
	return err
}

// A scan walks the log from the snapshot to the claim, headers only.
type scan struct {
	c       *claim
	at      uint64 // everything up to here was seen
	event   uint64 // the last event seen
	entries []publish.Entry

	gap, gapAfter uint64 // first event whose predecessor is missing
}

// run reads until it meets the claim's own message: the only proof that nothing is missing before
// it. What a consumer believes to be pending is no proof, it may be on a replica that lags.
func (s *scan) run(ctx context.Context, w *wait) error {
	for {
		woken := s.c.log.c.woken()
		done, err := s.read(ctx)
		if done || errors.Is(err, publish.ErrFenced) || errors.Is(err, publish.ErrNewerFormat) {
			return err
		}
		if err := s.c.log.pause(ctx, w, woken, err); err != nil {
			return err
		}
		if _, err := s.c.resolve(ctx, w, s.c.id); err != nil {
			return err
		}
	}
}

// read goes on with a new consumer until the claim is met or nothing comes.
func (s *scan) read(ctx context.Context) (done bool, err error) {
	return s.c.log.read(ctx, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{s.c.root + ".>"}, OptStartSeq: s.at + 1, HeadersOnly: true,
	}, s.see)
}

// see takes one message in.
func (s *scan) see(msg jetstream.Msg) (done bool, err error) {
	meta, err := msg.Metadata()
	if err != nil {
		return false, classify(err)
	}
	seq := meta.Sequence.Stream
	switch {
	case seq == s.c.seq:
		return true, nil
	case seq > s.c.seq:
		return false, fmt.Errorf("%w while the position was being read", publish.ErrFenced)
	case seq <= s.at:
		return false, nil
	}
	s.at = seq
	if !isEvent(msg.Subject()) {
		return false, nil
	}
	rec := record{subject: msg.Subject(), seq: seq, header: msg.Headers(), time: meta.Timestamp}
	if err := rec.checkFormat(); err != nil {
		return false, err
	}
	if before, ok := linkOf(rec.header); ok && before.last != s.event && s.gap == 0 {
		s.gap, s.gapAfter = seq, s.event
	}
	s.event = seq
	if e, ok := rec.entry(); ok {
		s.entries = append(s.entries, e)
	}
	return false, nil
}

// entry is the event as a position sees it; ok is false if it moves none. What no claim wrote moves none:
// it was not fenced, and a Ref in it would pass a message over that nobody has published.
func (r *record) entry() (e publish.Entry, ok bool) {
	e = publish.Entry{Ref: publish.Ref(r.header.Get(hdrRef)), Type: publish.EventType(lastToken(r.subject)), Time: r.time}
	e.Content, _ = publish.ParseContent(r.header.Get(hdrRaw))
	moves := e.Type == publish.Received || e.Type == publish.Quarantined || e.Type == publish.Reset
	return e, moves && e.Ref != "" && r.header.Get(hdrClaim) != "" && r.header.Get(hdrReplay) == ""
}
