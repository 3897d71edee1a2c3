package ingest

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"hash/fnv"
	"sync"
	"sync/atomic"
	"time"

	"mailflume/publish"
)

// Options are what all mailboxes of a Fleet share.
type Options struct {
	Log       publish.Log
	Worker    string               // names this process in events
	Memory    int64                // bytes of messages held at once; 0: 256 MiB
	PerHost   int                  // open sessions to one host; 0: 200
	Parallel  int                  // small messages of one mailbox prepared side by side, so the most that is read ahead of a log that waits; 0: 8
	SaveEvery func() time.Duration // an unsaved position is at most this old; well under half of what the log's max_age is by now; nil: 6 hours
	MinGrace  time.Duration        // no post-action earlier than this: the log's sync interval
	Hooks     Hooks
	Members   Membership       // who shares the mailboxes; nil: all are this process's. It knows this one as Worker
	Beat      time.Duration    // between two announcements to Members; 0: 3 seconds, a quarter of their life
	Pauses    Pauses           // which mailboxes are paused; nil: this Fleet alone remembers
	Now       func() time.Time // for stamps and waits, not for the position's times; nil: time.Now

	run string // of this Fleet, so that it knows its own words on a log
}

func (o Options) withDefaults() Options {
	o.Memory = max(cmp.Or(o.Memory, 256<<20), 2*smallMessage)
	o.PerHost = cmp.Or(o.PerHost, 200)
	o.Parallel = cmp.Or(o.Parallel, 8)
	if o.SaveEvery == nil {
		o.SaveEvery = func() time.Duration { return 6 * time.Hour }
	}
	o.Beat = cmp.Or(o.Beat, beatEvery)
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

// Mailboxes that come from another worker follow each other closer, since somebody waits for them. A
// living one gets apartBy to let go first.
const (
	takeStep = time.Millisecond
	apartBy  = time.Second
)

// Fleet keeps one runner for each mailbox, or for each that is its share of them when there are other
// workers. Its methods are safe for concurrent use.
type Fleet struct {
	opt    Options
	memory *memory
	places *places

	hard   context.Context //nolint:containedctx // ends the last writes of all runners
	cut    context.CancelFunc
	apply  sync.Mutex // one Apply or Stop at a time
	share  *share     // nil: all mailboxes are this Fleet's
	mu     sync.Mutex // guards what follows
	want   map[publish.Key]Mailbox
	active map[publish.Key]*member
	drains bool // nothing starts any more

	paused  map[publish.Key]time.Time // and since when
	known   bool                      // what is paused; nothing starts before
	changed chan struct{}             // closed and replaced when active or paused changes

	watch    sync.Once       // begins to watch what is paused
	watching context.Context //nolint:containedctx // of that
	unwatch  context.CancelFunc
	watched  sync.WaitGroup
}

// member is a running mailbox.
type member struct {
	definition string
	stop       context.CancelFunc
	stopped    bool          // if the mailbox comes back, it starts anew
	wake       chan struct{} // ends a wait
	look       chan struct{} // ends any wait, that of a session for news too
	job        atomic.Pointer[Job]
	gone       chan struct{}
}

// New returns a Fleet without mailboxes. Stop must be called.
func New(opt Options) *Fleet {
	opt = opt.withDefaults()
	opt.run = rand.Text()
	hard, cut := context.WithCancel(context.Background())
	watching, unwatch := context.WithCancel(hard)
	f := &Fleet{
		watching: watching, unwatch: unwatch, opt: opt, memory: newMemory(opt.Memory), places: newPlaces(opt.PerHost), hard: hard, cut: cut,
		active: map[publish.Key]*member{}, known: opt.Pauses == nil, changed: make(chan struct{}),
	}
	if opt.Members != nil {
		f.share = newShare(f)
	}
	return f
}

// Apply brings the running set to the desired one: new mailboxes start, missing ones stop, changed
// ones stop and start, all others are left alone. It does not wait for those that stop; a changed
// mailbox starts when its predecessor is gone. Keys must be unique.
func (f *Fleet) Apply(boxes []Mailbox) error {
	f.apply.Lock()
	defer f.apply.Unlock()
	if f.hard.Err() != nil {
		return errStopped
	}
	want := make(map[publish.Key]Mailbox, len(boxes))
	for _, b := range boxes {
		if _, ok := want[b.Key]; ok {
			return fmt.Errorf("mailbox %s is configured twice", b.Key)
		}
		want[b.Key] = b
	}
	f.mu.Lock()
	f.want = want
	f.mu.Unlock()
	if f.opt.Pauses != nil {
		f.watch.Do(func() { f.watched.Go(func() { f.watchPauses(f.watching) }) })
	}
	if f.share != nil {
		f.share.announce(want)
	} else {
		f.moved(nil)
	}
	for key := range want {
		if _, paused := f.pausedSince(key); paused {
			f.rests(key)
		}
	}
	return nil
}

// moved brings the running set to the wanted mailboxes that are this Fleet's. Those in apart had
// another living owner until now.
func (f *Fleet) moved(apart map[publish.Key]bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.drains || !f.known {
		return
	}
	runs := func(key publish.Key) bool {
		_, paused := f.paused[key]
		return !paused && f.mine(key)
	}
	for key, m := range f.active {
		if b, ok := f.want[key]; !ok || !runs(key) || b.Definition != m.definition {
			m.stop()
			m.stopped = true
		}
	}
	step := startStep
	if f.share != nil && len(f.active) > 0 {
		step = takeStep
	}
	var starting []publish.Key
	for key := range f.want {
		if m := f.active[key]; (m == nil || m.stopped) && runs(key) {
			starting = append(starting, key)
		}
	}
	span := time.Duration(len(starting)) * step
	for _, key := range starting {
		delay := offset(key, span)
		if apart[key] {
			delay += apartBy
		}
		f.start(f.want[key], f.active[key], delay)
	}
}

// mine reports whether a mailbox is for this Fleet to run.
func (f *Fleet) mine(key publish.Key) bool { return f.share == nil || f.share.mine(key) }

// owned reports a mailbox's new owner. One that nobody runs here stands by.
func (f *Fleet) owned(key publish.Key, owner string) {
	f.opt.Hooks.owner(key, owner)
	f.rests(key)
}

// start runs a mailbox after its predecessor; f.mu is held.
func (f *Fleet) start(b Mailbox, old *member, delay time.Duration) {
	ctx, stop := context.WithCancel(context.Background())
	m := &member{definition: b.Definition, stop: stop, wake: make(chan struct{}, 1), look: make(chan struct{}, 1), gone: make(chan struct{})}
	f.active[b.Key] = m
	go func() {
		defer f.leave(b.Key, m)
		if old != nil {
			<-old.gone
		}
		r := newRunner(b, f)
		r.wake, r.look, r.job = m.wake, m.look, &m.job
		if b.Canary != nil {
			r.canary = &canary{Canary: *b.Canary, nudge: func() { poke(m.look) }, tell: func(p Probe) { f.opt.Hooks.probed(b.Key, p) }}
		}
		if f.share != nil {
			r.certain, r.lives = f.share.certain, f.share.lives
		}
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
	f.rests(key)
	f.mu.Lock()
	f.announceChange()
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
// not done after 20 seconds or when ctx ends. Then it tells the other workers that the mailboxes are
// theirs. It returns ctx's error if it had to cut.
func (f *Fleet) Stop(ctx context.Context) error {
	f.apply.Lock()
	defer f.apply.Unlock()
	f.mu.Lock()
	f.drains = true
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
	f.unwatch()
	f.watched.Wait()
	err := ctx.Err()
	if f.share != nil {
		f.share.leave(ctx)
	}
	return err
}
