package ingest

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"mailflume/publish"
)

// share is what a Fleet has to do with other workers: it announces the Fleet's mailboxes, watches
// who else is there, and knows whose each mailbox is. Its goroutines start with the first list and
// end in leave.
type share struct {
	members Membership
	self    string
	beat    time.Duration
	hooks   *Hooks
	moved   func(apart map[publish.Key]bool) // owners have changed; apart: wait for the one before
	owned   func(box publish.Key, owner string)

	begin   sync.Once
	end     sync.Once
	beating sync.WaitGroup
	wg      sync.WaitGroup
	ctx     context.Context //nolint:containedctx // of watching and deciding
	cancel  context.CancelFunc
	still   context.CancelFunc // ends the beats
	beats   context.Context    //nolint:containedctx // of beating
	heard   chan struct{}      // closed when it was said who is live
	kick    chan struct{}      // decide again
	listed  chan struct{}      // beat again: there is a new list

	placing sync.Mutex // one place at a time

	mu      sync.Mutex
	list    string
	roster  *roster
	boxes   map[publish.Key]ranked
	sure    chan struct{} // closed while the roster knows; replaced when it does not
	trouble bool          // beats are not taken, and that was reported
}

// ranked is a mailbox with what is known of its place.
type ranked struct {
	key, definition uint64
	owner           string
	differing       string // workers with another definition
}

func newShare(f *Fleet) *share {
	opt := &f.opt
	s := &share{
		members: opt.Members, self: opt.Worker, beat: opt.Beat, hooks: &opt.Hooks, moved: f.moved, owned: f.owned,
		heard: make(chan struct{}), kick: make(chan struct{}, 1), listed: make(chan struct{}, 1), sure: make(chan struct{}), roster: newRoster(opt.Worker, opt.Beat), boxes: map[publish.Key]ranked{},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.beats, s.still = context.WithCancel(s.ctx)
	return s
}

// announce replaces the list of mailboxes, and starts the announcing with the first one.
func (s *share) announce(want map[publish.Key]Mailbox) {
	s.mu.Lock()
	boxes := make(map[publish.Key]ranked, len(want))
	for key, b := range want {
		row := s.boxes[key]
		row.key, row.definition = boxKey(key), definitionKey(b.Definition)
		boxes[key] = row
	}
	s.boxes, s.list = boxes, encodeList(want)
	s.mu.Unlock()
	poke(s.listed)
	s.begin.Do(func() {
		s.beating.Go(s.beatOn)
		s.wg.Go(s.watch)
		s.wg.Go(s.govern)
	})
	s.place(nil)
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// mine reports whether this worker has the mailbox.
func (s *share) mine(key publish.Key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.boxes[key].owner == s.self
}

// beatOn announces this worker until leave, after a look at who was there before. A beat that was not
// taken is tried again sooner.
func (s *share) beatOn() {
	first := time.NewTimer(s.beat)
	defer first.Stop()
	select {
	case <-s.heard:
	case <-first.C:
	case <-s.beats.Done():
	}
	for s.beats.Err() == nil {
		s.mu.Lock()
		list := s.list
		s.roster.beats()
		s.mu.Unlock()
		ctx, cancel := context.WithTimeout(s.beats, deadBeats*s.beat)
		err := s.members.Beat(ctx, list)
		cancel()
		if s.beats.Err() != nil {
			return
		}
		s.beaten(err)
		wait := s.beat - rand.N(s.beat/10)
		if err != nil {
			wait = s.beat / 3
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-s.listed:
		case <-s.beats.Done():
		}
		t.Stop()
	}
}

// beaten notes how a beat went and reports when that changes.
func (s *share) beaten(err error) {
	now := time.Now()
	s.mu.Lock()
	if err == nil {
		s.roster.taken(now)
	}
	s.assure(now)
	changed := s.trouble != (err != nil)
	s.trouble = err != nil
	s.mu.Unlock()
	if changed {
		s.hooks.membership(err)
	}
	poke(s.kick)
}

// assure opens or closes the gate that certain waits for; s.mu is held.
func (s *share) assure(now time.Time) {
	open := false
	select {
	case <-s.sure:
		open = true
	default:
	}
	switch known := s.roster.known(now) && !now.Before(s.roster.calm); {
	case known && !open:
		close(s.sure)
	case !known && open:
		s.sure = make(chan struct{})
	}
}

// certain waits until this worker knows who else is there: whoever was fenced while it does not
// know has no business to claim again. It reports whether ctx lasted.
func (s *share) certain(ctx context.Context) bool {
	s.mu.Lock()
	s.assure(time.Now())
	sure := s.sure
	s.mu.Unlock()
	select {
	case <-sure:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// lives reports whether a worker other than this one is heard of.
func (s *share) lives(worker string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.roster.live[worker]
	return ok && worker != s.self
}

// watch takes in who is live.
func (s *share) watch() {
	heard := sync.OnceFunc(func() { close(s.heard) })
	for weights, lists := range s.members.Watch(s.ctx) {
		live := make(map[string]seat, len(weights))
		for id, weight := range weights {
			live[id] = seat{weight, lists[id]}
		}
		s.mu.Lock()
		s.roster.report(time.Now(), live)
		s.mu.Unlock()
		heard()
		poke(s.kick)
	}
}

// govern settles the roster whenever there is news and when something is due.
func (s *share) govern() {
	t := time.NewTimer(s.beat)
	defer t.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.kick:
		case <-t.C:
		}
		now := time.Now()
		s.mu.Lock()
		s.assure(now)
		came, changed, next := s.roster.settle(now)
		s.mu.Unlock()
		if changed {
			s.place(came)
		}
		if wait := next.Sub(now); next.IsZero() || wait > s.beat {
			t.Reset(s.beat)
		} else {
			t.Reset(wait)
		}
	}
}

// place finds every mailbox's owner anew and reports what changed. came are the workers that were
// not there before: a mailbox is not taken from a living worker before that had a moment to let go,
// and who just came cannot know whose it was.
func (s *share) place(came map[string]bool) {
	s.placing.Lock()
	defer s.placing.Unlock()
	s.mu.Lock()
	r := newRendezvous(s.roster.seats)
	apart := map[publish.Key]bool{}
	var reports []func()
	own := 0
	for key, row := range s.boxes {
		owner := r.owner(row.key)
		differing := strings.Join(r.differing(row.key, row.definition, s.self), " ")
		_, lives := s.roster.seats[row.owner]
		if owner == s.self && row.owner != s.self && (lives || (came[s.self] && len(s.roster.seats) > 1)) {
			apart[key] = true
		}
		if owner != row.owner {
			reports = append(reports, func() { s.owned(key, owner) })
		}
		if differing != row.differing {
			reports = append(reports, func() { s.hooks.differs(key, strings.Fields(differing)) })
		}
		row.owner, row.differing = owner, differing
		s.boxes[key] = row
		if owner == s.self {
			own++
		}
	}
	live, all := s.weights(), len(s.boxes)
	s.mu.Unlock()
	s.moved(apart)
	for _, report := range reports {
		report()
	}
	s.hooks.shared(live, own, all)
}

// weights are those of the workers that mailboxes are placed by; s.mu is held.
func (s *share) weights() map[string]int {
	weights := make(map[string]int, len(s.roster.seats))
	for id, seat := range s.roster.seats {
		weights[id] = seat.weight
	}
	return weights
}

// leaveTime is how long the last word may take.
const leaveTime = 2 * time.Second

// leave ends the share: the mailboxes are released, so the others may have them now. If that cannot
// be told, they find out when the last beat has expired.
func (s *share) leave(ctx context.Context) {
	s.end.Do(func() {
		s.still()
		s.beating.Wait()
		begun := true
		s.begin.Do(func() { begun = false })
		if begun {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
			_ = s.members.Leave(ctx)
			cancel()
		}
		s.cancel()
		s.wg.Wait()
	})
}
