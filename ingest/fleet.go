package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"time"

	"mailflume/publish"
)

// Options are what all mailboxes of a Fleet share.
type Options struct {
	Log       publish.Log
	Worker    string        // names this process in events
	Memory    int64         // bytes of messages held at once; 0: 256 MiB
	PerHost   int           // open sessions to one host; 0: 200
	Parallel  int           // small messages of one mailbox prepared side by side, so the most that is read ahead of a log that waits; 0: 8
	SaveEvery time.Duration // an unsaved position is at most this old; well under half the log's max_age; 0: 6 hours
	MinGrace  time.Duration // no post-action earlier than this: the log's sync interval
	Hooks     Hooks
	Now       func() time.Time // for stamps; nil: time.Now
}

func (o Options) withDefaults() Options {
	o.Memory = max(cmp.Or(o.Memory, 256<<20), 2*smallMessage)
	o.PerHost = cmp.Or(o.PerHost, 200)
	o.Parallel = cmp.Or(o.Parallel, 8)
	o.SaveEvery = cmp.Or(o.SaveEvery, 6*time.Hour)
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// drainTime is how long a stopping runner may take to resolve its last write.
const drainTime = 20 * time.Second

// startStep spreads the first polls of a large fleet: each mailbox adds this much to the span over
// which their hashes place them.
const startStep = 10 * time.Millisecond

// Fleet keeps one runner for each mailbox. Its methods are safe for concurrent use.
type Fleet struct {
	opt    Options
	memory *memory
	places *places

	hard   context.Context //nolint:containedctx // ends the last writes of all runners
	cut    context.CancelFunc
	apply  sync.Mutex // one Apply or Stop at a time
	mu     sync.Mutex // guards active
	active map[publish.Key]*member
}

// member is a running mailbox.
type member struct {
	definition string
	stop       context.CancelFunc
	wake       chan struct{} // ends a wait
	gone       chan struct{}
}

// New returns a Fleet without mailboxes. Stop must be called.
func New(opt Options) *Fleet {
	opt = opt.withDefaults()
	hard, cut := context.WithCancel(context.Background())
	return &Fleet{opt: opt, memory: newMemory(opt.Memory), places: newPlaces(opt.PerHost), hard: hard, cut: cut, active: map[publish.Key]*member{}}
}

// Apply brings the running set to the desired one: new mailboxes start, missing ones stop, changed
// ones stop and start, all others are left alone. It does not wait for those that stop; a changed
// mailbox starts when its predecessor is gone. Keys must be unique.
func (f *Fleet) Apply(boxes []Mailbox) error {
	f.apply.Lock()
	defer f.apply.Unlock()
	if f.hard.Err() != nil {
		return errors.New("the fleet is stopped")
	}
	want := make(map[publish.Key]Mailbox, len(boxes))
	for _, b := range boxes {
		if _, ok := want[b.Key]; ok {
			return fmt.Errorf("mailbox %s is configured twice", b.Key)
		}
		want[b.Key] = b
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for key, m := range f.active {
		if b, ok := want[key]; !ok || b.Definition != m.definition {
			m.stop()
			m.definition = "" // equal to nothing: if it comes back, it starts anew
		}
	}
	span := time.Duration(len(want)) * startStep
	for key, b := range want {
		old := f.active[key]
		if old == nil || old.definition != b.Definition {
			f.start(b, old, offset(key, span))
		}
	}
	return nil
}

// start runs a mailbox after its predecessor; f.mu is held.
func (f *Fleet) start(b Mailbox, old *member, delay time.Duration) {
	ctx, stop := context.WithCancel(context.Background())
	m := &member{definition: b.Definition, stop: stop, wake: make(chan struct{}, 1), gone: make(chan struct{})}
	f.active[b.Key] = m
	go func() {
		defer f.leave(b.Key, m)
		if old != nil {
			<-old.gone
		}
		r := newRunner(b, f)
		r.wake = m.wake
		r.set(StateStarting, nil)
		if sleep(ctx, delay) {
			_ = r.run(ctx) // reported through the hooks
		} else {
			r.set(StateStopped, nil)
		}
	}()
}

func (f *Fleet) leave(key publish.Key, m *member) {
	m.stop()
	f.mu.Lock()
	if f.active[key] == m {
		delete(f.active, key)
	}
	f.mu.Unlock()
	close(m.gone)
}

// Wake ends the waits between tries and polls: every mailbox looks again now.
func (f *Fleet) Wake() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.active {
		select {
		case m.wake <- struct{}{}:
		default:
		}
	}
}

// offset places a mailbox in the span by its hash: the same after every restart.
func offset(key publish.Key, span time.Duration) time.Duration {
	if span <= 0 {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(key.Tenant + "\x00" + key.Mailbox))
	return time.Duration(h.Sum64() % uint64(span))
}

// Stop drains: it signals every runner, waits for their last writes, and cuts those off that are
// not done after 20 seconds or when ctx ends. It returns ctx's error if it had to.
func (f *Fleet) Stop(ctx context.Context) error {
	f.apply.Lock()
	defer f.apply.Unlock()
	f.mu.Lock()
	members := make([]*member, 0, len(f.active))
	for _, m := range f.active {
		m.stop()
		members = append(members, m)
	}
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	halt := context.AfterFunc(ctx, f.cut)
	for _, m := range members {
		<-m.gone
	}
	halt()
	f.cut()
	return ctx.Err()
}

// Once reads every mailbox to its end one time, at most parallel of them at once (0: 64), and
// returns their errors joined, in the order of the mailboxes. The Fleet must not run anything else.
func (f *Fleet) Once(ctx context.Context, boxes []Mailbox, parallel int) error {
	errs := make([]error, len(boxes))
	turn := make(chan struct{}, cmp.Or(parallel, 64))
	var wg sync.WaitGroup
	// A cancelled pass still gets the time to resolve its last write.
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(drainTime, f.cut) })
	defer stop()
	for i, b := range boxes {
		turn <- struct{}{}
		wg.Go(func() {
			defer func() { <-turn }()
			r := newRunner(b, f)
			r.once = true
			if err := r.run(ctx); err != nil {
				errs[i] = fmt.Errorf("%s: %w", b.Key, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(slices.DeleteFunc(errs, func(e error) bool { return e == nil })...)
}
