package natsjs

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
)

// A walk goes through a log from its beginning. Every message that mailflume wrote says which event
// came before it and what the chain was up to there; claims and snapshots do too, so that a log whose
// last events were taken away shows it.
type walk struct {
	History
	l    *mailLog
	root string
	r    Reading

	through   uint64 // covered by the snapshot
	at, until uint64 // seen up to, and to be seen
	before    link   // of the event before the last one
	end       link   // of the last event
	place     Break  // where that is
	pinned    bool
}

// see takes one message in.
func (h *walk) see(ctx context.Context, msg jetstream.Msg) (done bool, err error) {
	meta, err := msg.Metadata()
	if err != nil {
		return false, classify(err)
	}
	seq := meta.Sequence.Stream
	switch {
	case seq > h.until: // which was replaced since
		return true, nil
	case seq <= h.at:
		return false, nil
	}
	h.at = seq
	rec := &record{subject: msg.Subject(), seq: seq, header: msg.Headers(), body: msg.Data(), time: meta.Timestamp}
	if err := rec.checkFormat(); err != nil {
		return false, err
	}
	if err := h.link(ctx, rec); err != nil {
		return false, err
	}
	if isEvent(rec.subject) {
		h.event(rec)
	}
	return seq == h.until, nil
}

// event counts an event and makes it the last one.
func (h *walk) event(rec *record) {
	kind := publish.EventType(lastToken(rec.subject))
	h.Events++
	if h.First == 0 {
		h.First = rec.seq
	}
	switch {
	case rec.header.Get(hdrReplay) != "":
		h.Replays++
	case kind == publish.Received:
		h.Received++
	case kind == publish.Quarantined:
		h.Quarantined++
	}
	if e, ok := rec.entry(); ok && h.r.Event != nil {
		h.r.Event(e, rec.seq <= h.through)
	}
	h.place = Break{Sequence: rec.seq, Time: rec.time, Subject: rec.subject}
	h.before, _ = linkOf(rec.header)
	if !h.r.Chain {
		h.end = link{last: rec.seq}
		return
	}
	h.end = h.before.next(rec.seq, rec.body)
	h.pin(h.end, h.place)
}

// link compares what a message says of the event before it with what came before it.
func (h *walk) link(ctx context.Context, rec *record) error {
	here := Break{Sequence: rec.seq, Time: rec.time, Subject: rec.subject}
	before, told := linkOf(rec.header)
	switch {
	case rec.header.Get(hdrClaim) == "":
		h.broke(here, "mailflume did not write it", 0)
		return nil
	case !told && h.Begins == 0:
		return nil // from before there was a chain
	case !told:
		h.broke(here, "it does not say which event came before it", 0)
		return nil
	}
	if h.Begins == 0 && isEvent(rec.subject) {
		h.Begins = rec.seq
	}
	var held bool
	switch {
	case before.last == h.end.last:
		held = h.same(here, before)
	case before.last > h.end.last && before.last < rec.seq:
		removed, err := h.removed(ctx, before.last)
		if err != nil {
			return err
		}
		if held = !removed; removed {
			h.broke(here, fmt.Sprintf("event %d, which came before it, is gone", before.last), before.last)
		}
		h.Expired = h.Expired || !removed
		h.pin(before, here)
	default:
		held = false
		h.outOfPlace(here, before)
	}
	if held {
		h.Verified++
	}
	h.end = before
	return nil
}

// same compares two accounts of one event. Which of the two was changed, the sums tell: they are
// made of the headers alone.
func (h *walk) same(here Break, before link) bool {
	if !h.r.Chain || before.last == 0 || (before.head == h.end.head && (before.sum == h.end.sum || before.sum == "")) {
		return true
	}
	whole := before.sum == "" || before.sum == digest([]byte(h.before.sum+before.head))
	if whole && before.head != h.end.head && h.place.Sequence == before.last {
		h.broke(h.place, fmt.Sprintf("it is not what was written: number %d knows another digest of it", here.Sequence), 0)
	} else {
		h.broke(here, "its headers are not what was written", 0)
	}
	return false
}

// outOfPlace: a message that does not know the event before it.
func (h *walk) outOfPlace(here Break, before link) {
	switch {
	case !isEvent(here.Subject):
		h.broke(h.place, fmt.Sprintf("it was inserted: number %d, after it, does not know it", here.Sequence), 0)
	case before.last == h.before.last:
		h.broke(here, fmt.Sprintf("it says that it came after number %d, and so does number %d: one of the two was inserted", before.last, h.end.last), 0)
	default:
		h.broke(here, fmt.Sprintf("it was written after number %d and stands after number %d", before.last, h.end.last), 0)
	}
}

// pin compares a link with the pinned one.
func (h *walk) pin(l link, where Break) {
	if p := h.r.Pin; h.r.Chain && p != (Pin{}) && l.last == p.Sequence {
		h.pinned = true
		if l.sum != p.Digest {
			h.broke(where, fmt.Sprintf("the history up to event %d is not the one that was pinned", p.Sequence), 0)
		}
	}
}

// broke notes the first break.
func (h *walk) broke(where Break, why string, missing uint64) {
	if h.Break == nil {
		where.Reason, where.Missing = why, missing
		h.Break = &where
	}
}

// removed says whether an event that is not there was taken away, rather than left by its age: events
// leave in the order they came, over all mailboxes of the stream. Whatever is asked is asked after
// the event was missed.
func (h *walk) removed(ctx context.Context, seq uint64) (bool, error) {
	info, err := h.l.info(ctx)
	if err != nil {
		return false, err
	}
	if !keptSince(&info.Config, info.TimeStamp).After(info.Created) {
		return true, nil
	}
	// Only received events: what never expires says nothing.
	oldest, err := h.l.get(ctx, query{Seq: 1, NextFor: h.l.stream.prefix + ".*.*." + string(publish.Received)})
	return err == nil && oldest != nil && seq > oldest.seq, err
}

// info asks for the stream's settings and the server's clock.
func (l *mailLog) info(ctx context.Context) (*jetstream.StreamInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, l.c.opt.PublishTimeout)
	defer cancel()
	started := time.Now()
	s, err := l.c.js.Stream(ctx, l.stream.name)
	if err != nil {
		return nil, l.cause(err, started)
	}
	return s.CachedInfo(), nil
}
