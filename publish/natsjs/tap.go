package natsjs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
)

// Filter selects events of the stream.
type Filter struct {
	Tenant, Mailbox string              // unescaped; empty: all
	Types           []publish.EventType // empty: all
	FromStart       bool                // from the oldest event
	Since           time.Time           // from the first event stored at or after it
	After           uint64              // from the first event after that Sequence: where a consumer left off
	// Follow waits for new events until the context ends. Without FromStart, Since and After it begins with
	// the next one. Not following reads what is there at the call, from the start unless Since or After is set.
	Follow bool
	// RefsOnly leaves the events themselves on the server: Event and Raw are nil.
	RefsOnly bool
}

// Delivered is one event as it lies in the stream.
type Delivered struct {
	Event    *publish.Event // nil if Raw could not be decoded
	Ref      publish.Ref
	Sequence uint64
	Time     time.Time // when the stream stored it
	Subject  string
	Raw      []byte
	Header   nats.Header
}

// tapIdle is how long nothing may come before the stream is asked whether there is more.
const tapIdle = 2 * time.Second

// Events reads events in the order of the stream. An error beside a Delivered is about that message
// alone; an error without one ends the sequence. A server that goes away is waited for.
func (c *Conn) Events(ctx context.Context, f Filter) iter.Seq2[*Delivered, error] {
	return func(yield func(*Delivered, error) bool) {
		t := &tap{c: c, stream: c.streamInfo(), f: f, yield: yield, at: f.After}
		if err := t.run(ctx); err != nil && !errors.Is(err, errStopped) {
			yield(nil, fmt.Errorf("read events: %w", err))
		}
	}
}

// Last returns the sequence of the stream's last message: what comes after it has a larger one. 0: there
// is none, and there never was.
func (c *Conn) Last(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opt.PublishTimeout)
	defer cancel()
	s, err := c.js.Stream(ctx, c.streamInfo().name)
	if err != nil {
		return 0, fmt.Errorf("look at the stream: %w", classify(err))
	}
	return s.CachedInfo().State.LastSeq, nil
}

// errStopped: the consumer broke out of its loop.
var errStopped = errors.New("stopped")

// A tap is one reading of the stream.
type tap struct {
	c      *Conn
	stream streamInfo
	f      Filter
	yield  func(*Delivered, error) bool

	at  uint64 // the last message delivered
	end uint64 // when not following: the last one to deliver
}

// run reads until the end, making a new consumer whenever the server dropped the last one.
func (t *tap) run(ctx context.Context) error {
	w := wait{c: t.c}
	defer w.done()
	for {
		woken, started, before := t.c.woken(), time.Now(), t.at
		done, err := t.read(ctx)
		if done || errors.Is(err, errStopped) {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return fmt.Errorf("%w: %s: %w", ErrNoStream, t.stream.name, err)
		}
		if denied := t.c.deniedSince(started); denied != nil {
			return fmt.Errorf("%w: %w", publish.ErrDenied, denied)
		}
		if t.c.nc.IsClosed() {
			return classify(err)
		}
		if t.at > before { // it had come back since
			w.done()
			w = wait{c: t.c}
		}
		if !w.pause(ctx, woken, classify(err)) {
			return context.Cause(ctx)
		}
	}
}

// errStalled: there is something to deliver, and it does not come. The client library would find out
// by missing heartbeats, for which it has to be waited longer in one go than this reader ever waits.
var errStalled = fmt.Errorf("%w: the consumer has stalled", publish.ErrUnavailable)

func (t *tap) read(ctx context.Context) (done bool, err error) {
	request, cancel := context.WithTimeout(ctx, t.c.opt.PublishTimeout)
	defer cancel()
	if !t.f.Follow && t.end == 0 {
		s, err := t.c.js.Stream(request, t.stream.name)
		if err != nil {
			return false, err
		}
		if t.end = s.CachedInfo().State.LastSeq; t.end == 0 {
			return true, nil
		}
	}
	cons, err := t.c.js.OrderedConsumer(request, t.stream.name, t.consumer())
	if err != nil {
		return false, err
	}
	msgs, err := cons.Messages()
	if err != nil {
		return false, err
	}
	defer t.c.forget(t.stream.name, cons)
	defer msgs.Stop()
	if !t.f.Follow {
		if done, err := t.empty(ctx, cons); done || err != nil {
			return done, err
		}
	}
	for {
		if done, err := t.drain(ctx, msgs); done || err != nil {
			return done, err
		}
		switch empty, err := t.empty(ctx, cons); {
		case err != nil:
			return false, err
		case !empty:
			return false, errStalled
		case !t.f.Follow:
			return true, nil
		}
	}
}

// consumer goes on after the last message delivered, or starts where the filter says.
func (t *tap) consumer() jetstream.OrderedConsumerConfig {
	cfg := jetstream.OrderedConsumerConfig{FilterSubjects: t.subjects(), InactiveThreshold: time.Minute, MaxResetAttempts: 3, HeadersOnly: t.f.RefsOnly}
	switch {
	case t.at > 0:
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, t.at+1
	case !t.f.Since.IsZero():
		cfg.DeliverPolicy, cfg.OptStartTime = jetstream.DeliverByStartTimePolicy, &t.f.Since
	case t.f.Follow && !t.f.FromStart:
		cfg.DeliverPolicy = jetstream.DeliverNewPolicy
	default:
		cfg.DeliverPolicy = jetstream.DeliverAllPolicy
	}
	return cfg
}

func (t *tap) subjects() []string {
	token := func(s string) string {
		if s == "" {
			return "*"
		}
		return Token(s)
	}
	types := t.f.Types
	if len(types) == 0 {
		types = eventTypes()
	}
	out := make([]string, 0, len(types))
	seen := map[string]bool{}
	for _, kind := range types {
		if s := t.stream.prefix + "." + token(t.f.Tenant) + "." + token(t.f.Mailbox) + "." + Token(string(kind)); !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// empty reports whether the consumer has nothing more to give: all there was came, or what did not was
// deleted or expired meanwhile. A consumer that is gone, with the server that had it, is an error.
func (t *tap) empty(ctx context.Context, cons jetstream.Consumer) (bool, error) {
	request, cancel := context.WithTimeout(ctx, t.c.opt.PublishTimeout)
	defer cancel()
	info, err := cons.Info(request)
	if err != nil {
		return false, err
	}
	return info.NumPending == 0 && (info.Delivered.Consumer == 0 || info.Delivered.Stream <= t.at), nil
}

// drain delivers messages until none came for a while.
func (t *tap) drain(ctx context.Context, msgs jetstream.MessagesContext) (done bool, err error) {
	for {
		next, cancel := context.WithTimeout(ctx, tapIdle)
		msg, err := msgs.Next(jetstream.NextContext(next))
		cancel()
		switch {
		case ctx.Err() != nil:
			return false, context.Cause(ctx)
		case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
			return false, nil
		case err != nil:
			return false, err
		}
		if done, err := t.deliver(msg); done || err != nil {
			return done, err
		}
	}
}

// deliver hands one message on. It says done after the last one there is to deliver.
func (t *tap) deliver(msg jetstream.Msg) (done bool, err error) {
	meta, err := msg.Metadata()
	if err != nil {
		return false, err
	}
	seq := meta.Sequence.Stream
	if !t.f.Follow && seq > t.end {
		return true, nil
	}
	if seq <= t.at {
		return false, nil
	}
	t.at = seq
	h := msg.Headers()
	d := &Delivered{
		Ref: publish.Ref(h.Get(hdrRef)), Sequence: seq, Time: meta.Timestamp,
		Subject: msg.Subject(), Raw: msg.Data(), Header: h,
	}
	if t.f.RefsOnly {
		d.Raw = nil
	} else if err = d.decode(); err != nil {
		err = fmt.Errorf("message %d on %s is no event: %w", seq, d.Subject, err)
	}
	if !t.yield(d, err) {
		return false, errStopped
	}
	return !t.f.Follow && (seq == t.end || meta.NumPending == 0), nil
}

// decode reads the event out of Raw.
func (d *Delivered) decode() error {
	var ev publish.Event
	if err := json.Unmarshal(d.Raw, &ev); err != nil {
		return err
	}
	ev.Kind = publish.EventType(lastToken(d.Subject))
	d.Event = &ev
	return nil
}
