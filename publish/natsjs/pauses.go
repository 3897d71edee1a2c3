package natsjs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
)

// Pauses are the mailboxes that somebody has paused, for every worker to see: keys p.<tenant>.<mailbox>
// in the bucket of the workers, which do not expire. It is safe for concurrent use.
type Pauses struct{ m *Members }

// Pauses returns the paused mailboxes that the bucket keeps.
func (m *Members) Pauses() *Pauses { return &Pauses{m} }

// pausedKey is what such a key holds.
type pausedKey struct {
	Tenant  string    `json:"tenant"`
	Mailbox string    `json:"mailbox"`
	Since   time.Time `json:"since"`
}

func (p *Pauses) key(box publish.Key) string {
	return p.m.kv.stream.prefix + ".p." + Token(box.Tenant) + "." + Token(box.Mailbox)
}

// Paused asks the leader whether a mailbox is paused.
func (p *Pauses) Paused(ctx context.Context, box publish.Key) (bool, error) {
	w := wait{c: p.m.c}
	defer w.done()
	rec, err := p.m.kv.getWaiting(ctx, &w, query{LastFor: p.key(box)})
	if err != nil {
		return false, fmt.Errorf("ask whether %s is paused: %w", box, err)
	}
	if rec == nil {
		return false, nil
	}
	_, paused := parsePaused(rec.header, rec.body)
	return paused, nil
}

// message is the key of a paused mailbox.
func (p *Pauses) message(k pausedKey) (*nats.Msg, error) {
	b, err := publish.Marshal(k)
	if err != nil {
		return nil, err
	}
	msg := p.m.message(p.key(publish.Key{Tenant: k.Tenant, Mailbox: k.Mailbox}), b, p.m.opt.Life)
	msg.Header.Del(hdrTTL)
	return msg, nil
}

// Pause notes that a mailbox is paused since a time.
func (p *Pauses) Pause(ctx context.Context, box publish.Key, since time.Time) error {
	msg, err := p.message(pausedKey{box.Tenant, box.Mailbox, since.UTC()})
	if err != nil {
		return err
	}
	return p.write(ctx, "pause", box, msg)
}

// Resume notes that a mailbox is paused no more.
func (p *Pauses) Resume(ctx context.Context, box publish.Key) error {
	msg := p.m.message(p.key(box), nil, p.m.opt.Life)
	msg.Header.Set(hdrOperation, "DEL")
	return p.write(ctx, "resume", box, msg)
}

// write stores a key. It is the same however often it is written, so a lost answer is written again.
func (p *Pauses) write(ctx context.Context, what string, box publish.Key, msg *nats.Msg) error {
	w := wait{c: p.m.c}
	defer w.done()
	for {
		woken := p.m.c.woken()
		_, out, err := p.m.kv.publish(ctx, msg)
		if out == stored {
			return nil
		}
		if errors.Is(err, jetstream.ErrNoStreamResponse) { // the bucket is gone, if it is not NATS that is
			err = errors.Join(err, p.m.ensure(ctx))
		}
		if out != hopeless {
			err = p.m.kv.pause(ctx, &w, woken, classify(err))
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", what, box, err)
		}
	}
}

// Watch yields the paused mailboxes, each with the time since when, once they are known and whenever
// that changes, until ctx ends. The maps are the receiver's. While the server is away it yields nothing. A
// bucket that was deleted gets back what is known to be paused.
func (p *Pauses) Watch(ctx context.Context) iter.Seq[map[publish.Key]time.Time] {
	return func(yield func(map[publish.Key]time.Time) bool) {
		v := &pauseView{p: p, yield: yield}
		for pause := firstRetry; ctx.Err() == nil; pause = min(2*pause, p.m.c.opt.RetryMax) {
			woken, started := p.m.c.woken(), time.Now()
			over, err := v.follow(ctx)
			if over || ctx.Err() != nil {
				return
			}
			if p.m.c.Connected() {
				p.m.c.report(fmt.Errorf("watch what is paused: %w", p.m.kv.cause(err, started)))
			}
			t := time.NewTimer(jitter(pause))
			select {
			case <-ctx.Done():
			case <-woken:
			case <-t.C:
			}
			t.Stop()
		}
	}
}

// pauseView is what one watcher knows. Its goroutine owns it.
type pauseView struct {
	p     *Pauses
	yield func(map[publish.Key]time.Time) bool
	keys  map[string]pausedKey // as yielded last, by subject
	born  time.Time            // the bucket they were in
}

var errPausesGone = fmt.Errorf("%w: the bucket or its consumer is another one now", publish.ErrUnavailable)

// follow reads the keys from a new consumer until something is wrong with it, which is looked for when
// nothing comes. over: nobody wants more.
func (v *pauseView) follow(ctx context.Context) (over bool, err error) {
	m := v.p.m
	create, cancel := context.WithTimeout(ctx, 3*m.c.opt.PublishTimeout)
	defer cancel()
	if err := v.restore(create); err != nil {
		return false, err
	}
	cons, err := m.c.js.OrderedConsumer(create, m.kv.stream.name, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{m.kv.stream.prefix + ".p.>"}, DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy,
		InactiveThreshold: time.Minute, MaxResetAttempts: 3,
	})
	if err != nil {
		return false, err
	}
	msgs, err := cons.Messages()
	if err != nil {
		return false, err
	}
	defer m.c.forget(m.kv.stream.name, cons)
	defer msgs.Stop()
	keys := map[string]pausedKey{}
	if cons.CachedInfo().NumPending == 0 && !v.tell(keys) {
		return true, nil
	}
	for {
		next, cancel := context.WithTimeout(ctx, m.c.opt.PublishTimeout)
		msg, err := msgs.Next(jetstream.NextContext(next))
		cancel()
		switch {
		case err == nil:
		case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			if err := v.alive(ctx, cons); err != nil {
				return false, err
			}
			continue
		default:
			return false, err
		}
		delete(keys, msg.Subject())
		if k, ok := parsePaused(msg.Headers(), msg.Data()); ok {
			keys[msg.Subject()] = k
		}
		meta, err := msg.Metadata()
		if err == nil && meta.NumPending == 0 && !v.tell(keys) {
			return true, nil
		}
	}
}

// tell yields what is paused.
func (v *pauseView) tell(keys map[string]pausedKey) bool {
	v.keys = maps.Clone(keys)
	paused := make(map[publish.Key]time.Time, len(keys))
	for _, k := range keys {
		paused[publish.Key{Tenant: k.Tenant, Mailbox: k.Mailbox}] = k.Since
	}
	return v.yield(paused)
}

// alive makes sure that news would come: a consumer of a bucket that was deleted and made anew goes on
// where the old one ended, and is deaf until the new one has come as far.
func (v *pauseView) alive(ctx context.Context, cons jetstream.Consumer) error {
	m := v.p.m
	ctx, cancel := context.WithTimeout(ctx, m.c.opt.PublishTimeout)
	defer cancel()
	s, err := m.c.js.Stream(ctx, m.kv.stream.name)
	if err == nil && !s.CachedInfo().Created.Equal(v.born) {
		err = errPausesGone
	}
	if err == nil {
		_, err = cons.Info(ctx)
	}
	return err
}

// restore makes sure of the bucket. One that is new gets what the one before held: somebody paused these
// mailboxes, and nobody resumed them.
func (v *pauseView) restore(ctx context.Context) error {
	m := v.p.m
	s, err := m.c.js.Stream(ctx, m.kv.stream.name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if err = m.ensure(ctx); err == nil {
			s, err = m.c.js.Stream(ctx, m.kv.stream.name)
		}
	}
	if err != nil {
		return err
	}
	born := s.CachedInfo().Created
	if !born.Equal(v.born) {
		for _, k := range v.keys {
			msg, err := v.p.message(k)
			if err != nil {
				return err
			}
			msg.Header.Set("Nats-Expected-Last-Subject-Sequence", "0") // not what was said since
			if _, out, err := m.kv.publish(ctx, msg); out != stored && !outran(err) {
				return err
			}
		}
	}
	v.born = born
	return nil
}

// parsePaused reads a key; ok is false for one that was deleted, and for what is none.
func parsePaused(h nats.Header, body []byte) (k pausedKey, ok bool) {
	if h.Get(hdrOperation) != "" || h.Get(hdrMarker) != "" {
		return k, false
	}
	err := json.Unmarshal(body, &k)
	return k, err == nil && k.Mailbox != ""
}
