package pop3source

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"mailflume/ingest"
	"mailflume/publish"
)

// A server may give a message another UIDL at any time, and one of a small maildrop proves nothing by
// its share. So each message that is new, while others are missing, is judged by its octets: it is read
// anyway. If those of a missing one are the same, it is that one. A message that we deleted is not
// missing, nor is one that QUIT has taken; and each missing one is found again once. Of two equal
// messages that are both there each has its own event.
//
// Of what the start passed over nobody has read the octets. If none of that is left, a new message of
// the size of one that went within a day, and older than the base, is passed over too.

// goneTogether is how long ago, in hours, a message went that nobody has read, to be known by its size.
const goneTogether = 24

// vanished are the missing messages of a maildrop. was is safe for concurrent use.
type vanished struct {
	at    *position
	sizes map[uint64]bool // of those that were passed over
	some  bool            // of those that were read are missing

	mu     sync.Mutex
	octets map[uint64]int  // how many of those that were read are missing and not found again
	over   map[uint64]int  // how many of them were passed over
	here   map[uint64]bool // what is there under the Ref that it was published with
}

// inherit drops the entries of messages that are known under another UIDL by now, those that went first.
func (p *position) inherit() (changed bool) {
	heirs := map[uint64]int{}
	for _, e := range p.entries {
		if e.heir {
			heirs[e.content]++
		}
	}
	if len(heirs) == 0 {
		return false
	}
	var gone []entry
	for i := range p.entries {
		e := p.entries[i]
		p.entries[i].heir = false
		if !e.heir && !e.here && !e.deleted && heirs[e.content] > 0 {
			gone = append(gone, e)
		}
	}
	slices.SortFunc(gone, func(a, b entry) int { return cmp.Compare(a.missing-1, b.missing-1) }) // 0 is the last
	drop := map[uint64]bool{}
	for _, e := range gone {
		if heirs[e.content]--; heirs[e.content] >= 0 {
			drop[e.digest] = true
		}
	}
	p.entries = slices.DeleteFunc(p.entries, func(e entry) bool { return drop[e.digest] })
	return true
}

// vanished returns what is missing from the list that p was looked at with, in this hour.
func (p *position) vanished(now uint32, consumed bool) *vanished {
	v := &vanished{at: p, sizes: map[uint64]bool{}, octets: map[uint64]int{}, over: map[uint64]int{}, here: map[uint64]bool{}}
	passed := false // over, and still there
	for _, e := range p.entries {
		switch {
		case e.content == 0:
		case e.here:
			v.here[e.content] = v.here[e.content] || !e.known
			passed = passed || !e.published && !e.aside
		case e.deleted || e.published && consumed:
		default:
			v.octets[e.content]++
			if e.published || e.aside {
				continue
			}
			v.over[e.content]++
			if e.missing == 0 || now-e.missing <= goneTogether {
				v.sizes[e.content] = true
			}
		}
	}
	for _, e := range p.entries {
		if e.heir {
			v.octets[e.content]--
			if !e.published {
				v.over[e.content]--
			}
		}
	}
	if passed {
		clear(v.sizes)
	}
	v.some = len(v.octets) > 0
	return v
}

// was implements ingest.Message's Was.
func (v *vanished) was(c publish.Content) ingest.Acquaintance {
	d := v.at.content(c)
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.octets[d] > 0 && v.over[d] > 0:
		v.octets[d]--
		v.over[d]--
		return ingest.Unwanted
	case v.octets[d] > 0:
		v.octets[d]--
		return ingest.Renumbered
	case v.here[d]:
		return ingest.Twin
	}
	return ingest.Stranger
}

// since is the base for a message that may have been passed over under another UIDL.
func (v *vanished) since(it item, judging bool) time.Time {
	if judging || v.sizes[v.at.sized(it.size)] {
		return v.at.wanted()
	}
	return time.Time{}
}
