package imapsource

import (
	"slices"
)

// held are messages of a window that came before one that is to be given first. They are in memory.
type held map[uint32]*arrival

// inTurn gives a message and those that waited for it, or lets it wait: an answer may come in any
// order, and leave out what is asked for again alone.
func (r *run) inTurn(f *flight, a *arrival, early held) {
	ours := slices.ContainsFunc(f.items, func(it item) bool { return it.uid == a.uid && !f.given[it.uid] })
	if f.queue == nil || a.large || !ours || early[a.uid] != nil {
		r.arrived(f, a)
		return
	}
	early[a.uid] = a
	for _, it := range f.items {
		if f.given[it.uid] {
			continue
		}
		next := early[it.uid]
		if next == nil {
			r.limit(f, it, early)
			return
		}
		delete(early, it.uid)
		if r.arrived(f, next); r.err != nil || r.stopped {
			return
		}
	}
}

// limit ends the session when more waits for one message than two windows may hold. That message goes
// alone the next time.
func (r *run) limit(f *flight, awaited item, early held) {
	var sum int64
	for _, a := range early {
		sum += a.lit.Size()
	}
	if sum <= 2*r.s.src.opt.WindowBytes {
		return
	}
	r.s.src.noted(r.key(awaited), func(*note) {})
	r.s.src.single.Store(true)
	r.failed(r.s.fault("imap fetch", atOther, r.s.g.fail(errAbandoned)))
}

// fillGaps gives the rest of a window that left messages out. What is missing is asked for alone, and
// a connection carries one answer after the other, so the window ahead is read first; its messages
// wait too.
func (r *run) fillGaps(f *flight, early held) {
	flights, waiting := []*flight{f}, []held{early}
	if next := r.s.ahead.Swap(nil); next != nil {
		all, ok := r.hoard(next)
		if !ok {
			return
		}
		flights, waiting = append(flights, next), append(waiting, all)
	}
	for i, f := range flights {
		for _, it := range f.items {
			if !r.going() {
				return
			}
			switch a := waiting[i][it.uid]; {
			case f.given[it.uid]:
			case a != nil:
				r.arrived(f, a)
			default:
				r.resolve([]item{it})
			}
		}
	}
}

// hoard reads a whole flight into memory; ok is false if the session is over.
func (r *run) hoard(f *flight) (all held, ok bool) {
	r.cur, all = f, held{}
	for a := f.await(); a != nil; a = f.await() {
		if a.large {
			r.arrived(f, a) // ends the session
			return nil, false
		}
		all[a.uid] = a
		if r.limit(f, f.items[0], all); r.err != nil {
			return nil, false
		}
	}
	r.cur = nil
	if err := f.close(); err != nil && r.s.g.failure() != nil {
		r.blame(f)
		r.failed(r.s.fault("imap fetch", atMessage, err))
		return nil, false
	}
	return all, true
}
