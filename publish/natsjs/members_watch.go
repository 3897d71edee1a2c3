package natsjs

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Watch yields the live workers with their weights and lists, once it is known who they are, though there be
// none, and whenever that changes, until ctx ends. While the server is away it yields nothing: who is live is not known then.
func (m *Members) Watch(ctx context.Context) iter.Seq2[map[string]int, map[string]string] {
	return func(yield func(map[string]int, map[string]string) bool) {
		v := &view{m: m, yield: yield, peers: map[string]*peer{}, lists: map[string]string{}, news: true}
		pause := firstRetry
		for ctx.Err() == nil && !v.over {
			woken, begun := m.c.woken(), time.Now()
			err := v.follow(ctx)
			if err != nil && ctx.Err() == nil && m.c.Connected() {
				m.c.report(fmt.Errorf("watch the workers: %w", m.kv.cause(err, begun)))
			}
			if v.loaded {
				pause = firstRetry
			}
			t := time.NewTimer(jitter(pause))
			select {
			case <-ctx.Done():
			case <-woken:
			case <-t.C:
				pause = min(2*pause, m.c.opt.RetryMax)
			}
			t.Stop()
		}
	}
}

// view is what one watcher knows. Its goroutine owns it.
type view struct {
	m      *Members
	yield  func(map[string]int, map[string]string) bool
	peers  map[string]*peer  // by subject
	lists  map[string]string // by name
	loaded bool              // everything that was there when this consumer began is known
	news   bool              // since the last yield
	over   bool
}

// peer is a worker that is live.
type peer struct {
	announcement
	heard time.Time
	list  string
}

// follow reads announcements from a new consumer until something is wrong with it: silence, too, for
// this worker's own come through it.
func (v *view) follow(ctx context.Context) error {
	m := v.m
	create, cancel := context.WithTimeout(ctx, m.c.opt.PublishTimeout)
	defer cancel()
	cons, err := m.c.js.OrderedConsumer(create, m.kv.stream.name, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{m.kv.stream.prefix + ".w.>"}, DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy,
		InactiveThreshold: 30 * time.Second, MaxResetAttempts: 3,
	})
	if err != nil {
		return err
	}
	msgs, err := cons.Messages()
	if err != nil {
		return err
	}
	defer m.c.forget(m.kv.stream.name, cons)
	defer msgs.Stop()
	v.loaded = cons.CachedInfo().NumPending == 0
	for heard := time.Now(); time.Since(heard) < m.opt.Life; {
		next, cancel := context.WithTimeout(ctx, min(time.Second, m.opt.Life/8))
		msg, err := msgs.Next(jetstream.NextContext(next))
		cancel()
		switch {
		case err == nil:
			heard = time.Now()
			v.see(ctx, msg)
		case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
			return err
		}
		v.expire(ctx)
		if v.tell(); v.over {
			return nil
		}
	}
	return nil
}

// see takes one announcement in.
func (v *view) see(ctx context.Context, msg jetstream.Msg) {
	if meta, err := msg.Metadata(); err == nil && meta.NumPending == 0 {
		v.loaded = true
	}
	a, live := parseAnnouncement(msg.Headers(), msg.Data())
	if !live {
		v.drop(msg.Subject())
		return
	}
	p := v.peers[msg.Subject()]
	if p != nil {
		p.heard = time.Now()
		if p.announcement == a {
			return
		}
	}
	list, ok := v.lists[a.List]
	if !ok {
		var err error
		if list, err = v.m.readList(ctx, a.List); err != nil {
			// Unknown, or known by its last list, until its next announcement.
			if ctx.Err() == nil {
				v.m.c.report(fmt.Errorf("the mailboxes of worker %s: %w", a.Worker, err))
			}
			return
		}
		v.lists[a.List] = list
	}
	v.peers[msg.Subject()] = &peer{a, time.Now(), list}
	v.news = true
}

func (v *view) drop(subject string) {
	if v.peers[subject] != nil {
		delete(v.peers, subject)
		v.news = true
	}
}

// expire drops those that were not heard of for their life, if the server says so too: news of them
// may have been missed.
func (v *view) expire(ctx context.Context) {
	for subject, p := range v.peers {
		if time.Since(p.heard) <= v.m.opt.Life+v.m.opt.Life/24 {
			continue
		}
		rec, err := v.m.kv.get(ctx, query{LastFor: subject})
		if err != nil {
			return
		}
		if rec != nil {
			if _, live := parseAnnouncement(rec.header, rec.body); live {
				p.heard = time.Now()
				continue
			}
		}
		v.drop(subject)
	}
}

// tell yields what is known if there is news.
func (v *view) tell() {
	if !v.loaded || !v.news {
		return
	}
	v.news = false
	weights, lists, used := map[string]int{}, map[string]string{}, map[string]bool{}
	for _, p := range v.peers {
		weights[p.Worker], lists[p.Worker] = p.Weight, p.list
		used[p.List] = true
	}
	maps.DeleteFunc(v.lists, func(name, _ string) bool { return !used[name] })
	v.over = !v.yield(weights, lists)
}
