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
	_, _, paused := parsePaused(rec.header, rec.body)
	return paused, nil
}

// Pause notes that a mailbox is paused since a time.
func (p *Pauses) Pause(ctx context.Context, box publish.Key, since time.Time) error {
	b, err := publish.Marshal(pausedKey{box.Tenant, box.Mailbox, since.UTC()})
	if err != nil {
		return err
	}
	msg := p.m.message(p.key(box), b, p.m.opt.Life)
	msg.Header.Del(hdrTTL)
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
// that changes, until ctx ends. The maps are the receiver's. While the server is away it yields nothing.
func (p *Pauses) Watch(ctx context.Context) iter.Seq[map[publish.Key]time.Time] {
	return func(yield func(map[publish.Key]time.Time) bool) {
		for pause := firstRetry; ctx.Err() == nil; pause = min(2*pause, p.m.c.opt.RetryMax) {
			woken, started := p.m.c.woken(), time.Now()
			over, err := p.follow(ctx, yield)
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

// follow reads the keys from a new consumer until something is wrong with it. over: nobody wants more.
func (p *Pauses) follow(ctx context.Context, yield func(map[publish.Key]time.Time) bool) (over bool, err error) {
	m := p.m
	create, cancel := context.WithTimeout(ctx, m.c.opt.PublishTimeout)
	defer cancel()
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
	paused := map[publish.Key]time.Time{}
	by := map[string]publish.Key{} // subject
	if cons.CachedInfo().NumPending == 0 && !yield(maps.Clone(paused)) {
		return true, nil
	}
	for {
		msg, err := msgs.Next(jetstream.NextContext(ctx))
		if err != nil {
			return false, err
		}
		delete(paused, by[msg.Subject()])
		if box, since, ok := parsePaused(msg.Headers(), msg.Data()); ok {
			paused[box], by[msg.Subject()] = since, box
		}
		meta, err := msg.Metadata()
		if err == nil && meta.NumPending == 0 && !yield(maps.Clone(paused)) {
			return true, nil
		}
	}
}

// parsePaused reads a key; ok is false for one that was deleted, and for what is none.
func parsePaused(h nats.Header, body []byte) (box publish.Key, since time.Time, ok bool) {
	if h.Get(hdrOperation) != "" || h.Get(hdrMarker) != "" {
		return box, since, false
	}
	var k pausedKey
	err := json.Unmarshal(body, &k)
	return publish.Key{Tenant: k.Tenant, Mailbox: k.Mailbox}, k.Since, err == nil && k.Mailbox != ""
}
