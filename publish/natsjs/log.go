package natsjs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
)

// Log returns the logs of all mailboxes in the connection's stream. Call EnsureStream first: it says
// which stream that is and that it is fit.
func (c *Conn) Log() publish.Log {
	return &mailLog{c: c, stream: c.streamInfo()}
}

// mailLog implements publish.Log.
type mailLog struct {
	c      *Conn
	stream streamInfo
}

// MaxEvent implements publish.Log: what the server and the stream take, less the largest headers.
func (l *mailLog) MaxEvent() int {
	limit := l.c.nc.MaxPayload()
	if m := int64(l.c.streamInfo().maxMsgSize); m > 0 {
		limit = min(limit, m)
	}
	limit = max(limit, leastMsgSize) // one that has shrunk below that is waited for, not made events for
	return int(limit) - headerRoom - len(l.stream.prefix) - len(l.stream.name)
}

// A record is one message of the stream as it is stored.
type record struct {
	subject string
	seq     uint64
	header  nats.Header
	body    []byte
	time    time.Time
}

// A query names one message of the stream. Subjects may be wildcards.
type query struct {
	Seq     uint64 `json:"seq,omitempty"` // that one; with NextFor, the first from there on
	LastFor string `json:"last_by_subj,omitempty"`
	NextFor string `json:"next_by_subj,omitempty"`
}

// get asks the stream's leader for one message. No such message is nil without an error. Direct get would be cheaper and is
// answered by replicas that may lag: nothing that decides over a fence may come from one.
func (l *mailLog) get(ctx context.Context, q query) (*record, error) {
	req, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	started := time.Now()
	ctx, cancel := context.WithTimeout(ctx, l.c.opt.PublishTimeout)
	defer cancel()
	answer, err := l.c.nc.RequestWithContext(ctx, l.c.api()+"STREAM.MSG.GET."+l.stream.name, req)
	if err != nil {
		return nil, l.cause(err, started)
	}
	rec, err := decodeRecord(answer.Data)
	if errorCode(err) == jetstream.JSErrCodeStreamNotFound {
		l.c.doubt()
	}
	return rec, err
}

// cause finds the reason behind an answer that did not come: a refused permission is told to the
// connection only.
func (l *mailLog) cause(err error, started time.Time) error {
	if denied := l.c.deniedSince(started); denied != nil {
		return fmt.Errorf("%w: %w", publish.ErrDenied, denied)
	}
	return classify(err)
}

// decodeRecord reads the answer of the message-get API. Headers that cannot be read are none: such a
// message was written by nobody we know.
func decodeRecord(answer []byte) (*record, error) {
	var got struct {
		Error   *jetstream.APIError `json:"error"`
		Message *struct {
			Subject string    `json:"subject"`
			Seq     uint64    `json:"seq"`
			Header  []byte    `json:"hdrs"`
			Data    []byte    `json:"data"`
			Time    time.Time `json:"time"`
		} `json:"message"`
	}
	if err := json.NewDecoder(bytes.NewReader(answer)).Decode(&got); err != nil {
		return nil, fmt.Errorf("%w: read a stored message: %w", publish.ErrUnavailable, err)
	}
	if got.Error != nil {
		if got.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound {
			return nil, nil
		}
		return nil, classify(got.Error)
	}
	if got.Message == nil || got.Message.Seq == 0 {
		return nil, fmt.Errorf("%w: the server answered without a message", publish.ErrUnavailable)
	}
	m := got.Message
	rec := &record{subject: m.Subject, seq: m.Seq, body: m.Data, time: m.Time}
	if len(m.Header) > 0 {
		if h, err := nats.DecodeHeadersMsg(m.Header); err == nil {
			rec.header = h
		}
	}
	return rec, nil
}

// getWaiting is get until the stream is fit for a log and the server answers, or ctx ends.
func (l *mailLog) getWaiting(ctx context.Context, w *wait, q query) (*record, error) {
	for {
		woken := l.c.woken()
		err := l.fit(ctx)
		if err == nil {
			var rec *record
			if rec, err = l.get(ctx, q); err == nil {
				return rec, nil
			}
		}
		if err := l.pause(ctx, w, woken, err); err != nil {
			return nil, err
		}
	}
}

// pause waits before another attempt; its error says that there will be none.
func (l *mailLog) pause(ctx context.Context, w *wait, woken <-chan struct{}, why error) error {
	if l.c.nc.IsClosed() {
		w.gaveUp = true
		return fmt.Errorf("%w: the connection was closed: %w", publish.ErrUnavailable, why)
	}
	if !w.pause(ctx, woken, why) {
		return ended(ctx, why)
	}
	return nil
}

// remeasure reads the stream's limits again: one that takes less than MaxEvent said has been edited.
func (l *mailLog) remeasure(ctx context.Context) {
	s, err := l.c.js.Stream(ctx, l.stream.name)
	if err != nil {
		return // the next event finds it out again
	}
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	if l.c.stream.name == l.stream.name {
		l.c.stream.maxMsgSize = s.CachedInfo().Config.MaxMsgSize
	}
}

// publish sends m once and waits for the answer. Which stream stores it is checked by the server.
func (l *mailLog) publish(ctx context.Context, m *nats.Msg) (ack *jetstream.PubAck, out outcome, err error) {
	if err := l.fit(ctx); err != nil {
		return nil, notStored, err
	}
	started := time.Now()
	ctx, cancel := context.WithTimeout(ctx, l.c.opt.PublishTimeout)
	defer cancel()
	ack, err = l.c.js.PublishMsg(ctx, m)
	out = outcomeOf(ack, err)
	if err != nil {
		var api *jetstream.APIError
		switch {
		case errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamMessageExceedsMaximum:
			l.remeasure(ctx)
		case errors.Is(err, jetstream.ErrNoStreamResponse):
			l.c.doubt()
			err = fmt.Errorf("%w: nobody stores %s: the stream %s was deleted or has no leader: %w", publish.ErrUnavailable, m.Subject, l.stream.name, err)
		case !errors.As(err, &api):
			err = l.cause(err, started)
		}
		err = classify(err)
	}
	return ack, out, err
}
