package ingest

import (
	"context"
	"io"
	"strconv"

	"mailflume/publish"
)

// tries is how often a message may fail by its own fault before it is set aside. When maxInRow
// messages in a row were, it is rather the server that is ill: each further one gets manyTries, with
// the long pauses of a server that is away, so that an outage does not empty a mailbox into the
// quarantine, and a mailbox of nothing but bad messages still comes to its end.
const (
	tries     = 3
	maxInRow  = 3
	manyTries = 10
)

// givenByServer tells failures to get a message from failures to read it.
func givenByServer(c Code) bool {
	return c == CodeMessageRefused || c == CodeMessageMissing || c == CodeMessageTruncated
}

// rawRoom is what the name of its octets adds to a quarantined event.
const rawRoom = 1 << 10

// failure is what a message has to answer for.
type failure struct {
	times  int
	unread error // what reading it ended in, if it was there to be read
}

// blame decides what a failed message means: its own fault often enough makes its quarantined event
// (returned in j, with a nil error), anything else ends the session.
func (r *runner) blame(ctx context.Context, j *job) error {
	f := FaultOf(j.err)
	if f.Class != BadMessage || ctx.Err() != nil {
		return j.err
	}
	if j.event != nil {
		return nil // set aside with its octets
	}
	own := r.failures[j.msg.Ref]
	if own.times++; !givenByServer(f.Code) {
		own.unread = j.err
	}
	r.failures[j.msg.Ref] = own
	if own.times < tries && f.Code != CodeMessageTooLarge {
		return j.err // end the loop and ask for it again
	}
	if r.inRow >= maxInRow && own.times < manyTries && givenByServer(f.Code) {
		return &Error{Fault{Class: Transient, Code: f.Code}, strconv.Itoa(r.inRow+1) + " messages in a row failed", j.err}
	}
	j.event = r.quarantined(j, f, own.times)
	return nil
}

// buildLarge makes the event of a message that is not held in memory. The last of its tries is not for
// reading it: a message that could not be read twice is stored as it is, for people to look at.
func (r *runner) buildLarge(ctx context.Context, j *job, body io.Reader) {
	own := r.failures[j.msg.Ref]
	if own.unread == nil || own.times < tries-1 {
		j.event, j.err = r.build(ctx, &j.msg, body, nil)
		return
	}
	j.err = own.unread
	if err := r.setAside(ctx, j, own.times, body); err != nil {
		j.err = err
	}
}

// setAside makes the quarantined event of the message that failed with j.err, and stores its octets. A
// store that refuses them for what they are does not keep it from that; any other error is returned.
func (r *runner) setAside(ctx context.Context, j *job, attempts int, raw io.Reader) error {
	ev := r.quarantined(j, FaultOf(j.err), attempts)
	store := r.box.Blobs
	if store == nil {
		store = hashOnly{}
	}
	blob, err := put(ctx, store, "message/rfc822", raw)
	switch {
	case err == nil:
		ev.Data.Raw = stored(blob)
	case FaultOf(err).Class != BadMessage:
		return err
	}
	j.event = ev
	return nil
}

// quarantined makes the event that takes a message's place in the order.
func (r *runner) quarantined(j *job, f Fault, attempts int) *publish.Event {
	m := &j.msg
	data := r.envelope(m, j.started)
	at := receivedAt(m, nil, j.started)
	data.ReceivedAt = &at
	meaning, _ := Explain(f.Code)
	data.Ingest.Attempt = attempts
	data.Quarantine = &publish.Quarantine{Code: string(f.Code), Reason: meaning + ": " + clip(j.err.Error(), 1000), Attempts: attempts}
	id := publish.NewID(r.eventID(m), string(publish.Quarantined), strconv.Itoa(attempts))
	ev := publish.NewEvent(r.box.Key, publish.Quarantined, id, at, data)
	// What is too long here, a server's flags, is nothing that has to be kept; an event that the log never takes
	// would stop the mailbox for ever.
	if slim, err := fit(context.Background(), ev, r.opt.Log.MaxEvent()-rawRoom, hashOnly{}); err == nil {
		return slim
	}
	return ev
}

// clip shortens s to n bytes, on a character's border.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return string(wholeRunes([]byte(s[:n]))) + "…"
}
