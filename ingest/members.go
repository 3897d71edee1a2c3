package ingest

import (
	"context"
	"iter"
	"maps"
	"time"
)

// Membership is how workers know of each other. It decides who works on which mailbox, and nothing
// else: should two workers believe to own the same one, the log's fence keeps them apart.
type Membership interface {
	// Beat announces this worker and its list of mailboxes, and that it lives for four more beats.
	// The list is opaque; it is stored before the first beat that names it.
	Beat(ctx context.Context, list string) error
	// Watch yields the live workers, this one among them, with their weights and lists: at the
	// start, and whenever that changes, until ctx ends. The maps are the receiver's.
	Watch(ctx context.Context) iter.Seq2[map[string]int, map[string]string]
	// Leave takes the announcement back: the other workers take over at once.
	Leave(ctx context.Context) error
}

// beatEvery is the time between two beats. A worker that was not heard of for deadBeats of them is
// gone; one whose own beats were not taken for lostBeats does not know any more who else is there.
const (
	beatEvery = 3 * time.Second
	lostBeats = 2
	deadBeats = 4
)

// roster decides whom to share the mailboxes with. Membership says who is live; the roster waits:
//
//   - until its own first beat is taken: a worker whose name another one has gets nothing;
//   - one beat after a worker or a new list appeared, so that one that comes and goes at once moves
//     nothing; but not if this worker's name was live before its first beat: the others go by the
//     announcement of its former self, whose mailboxes nobody works on;
//   - not at all when a worker has left or expired;
//   - as long as its own beats are not taken, and a worker's whole life from then on, before it
//     believes that others are gone: after an outage all are missing for a moment, and nobody may
//     take over everything because of that.
//
// It is pure but for the clock that its caller reads.
type roster struct {
	self  string
	beat  time.Duration
	live  map[string]seat // as reported last
	seats map[string]seat // what mailboxes are placed by
	due   map[string]change

	heir  bool      // of its former self: its name was live before its first beat
	acked time.Time // the last beat that was taken; zero: none yet
	calm  time.Time // absence counts from here on
}

// change is a worker's announcement that does not count yet.
type change struct {
	seat seat
	at   time.Time // when it does
}

func newRoster(self string, beat time.Duration) *roster {
	return &roster{self: self, beat: beat, live: map[string]seat{}, seats: map[string]seat{}, due: map[string]change{}}
}

// beats notes that this worker is about to announce itself.
func (r *roster) beats() {
	if r.acked.IsZero() {
		_, r.heir = r.live[r.self]
	}
}

// taken notes that a beat of this worker was taken.
func (r *roster) taken(now time.Time) {
	if !r.acked.IsZero() && !r.known(now) {
		r.calm = now.Add(deadBeats * r.beat)
	}
	r.acked = now
}

// known reports whether this worker's own announcement is up to date.
func (r *roster) known(now time.Time) bool {
	return !r.acked.IsZero() && now.Sub(r.acked) <= lostBeats*r.beat
}

// report takes in who is live.
func (r *roster) report(now time.Time, live map[string]seat) {
	r.live = live
	for id, s := range live {
		if r.seats[id] == s {
			delete(r.due, id)
		} else if r.due[id].seat != s {
			r.due[id] = change{s, now.Add(r.beat)}
		}
	}
	for id := range r.due {
		if _, ok := live[id]; !ok {
			delete(r.due, id)
		}
	}
}

// settle applies what is due, with what will be in a moment, and returns who came, whether anything
// changed, and when to settle again (zero: on the next news).
func (r *roster) settle(now time.Time) (came map[string]bool, changed bool, next time.Time) {
	came = map[string]bool{}
	if r.acked.IsZero() {
		return came, false, next
	}
	if r.heir {
		r.seats, r.due, r.heir = maps.Clone(r.live), map[string]change{}, false
		return came, true, next
	}
	for id, c := range r.due {
		if c.at.After(now.Add(r.beat / 10)) {
			next = sooner(next, c.at)
			continue
		}
		if _, ok := r.seats[id]; !ok {
			came[id] = true
		}
		r.seats[id] = c.seat
		delete(r.due, id)
		changed = true
	}
	for id := range r.seats {
		if _, ok := r.live[id]; ok {
			continue
		}
		switch {
		case !r.known(now): // the next beat that is taken says more
		case now.Before(r.calm):
			next = sooner(next, r.calm)
		default:
			delete(r.seats, id)
			changed = true
		}
	}
	return came, changed, next
}

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
