package imapsource

import (
	"math"
	"slices"
	"sort"
)

// span is a run of UIDs, both ends included.
type span struct{ lo, hi uint32 }

// spans is a set of UIDs: sorted, disjoint, never touching.
type spans []span

// search returns the index of the first span that ends at uid or later.
func (s spans) search(uid uint32) int {
	return sort.Search(len(s), func(i int) bool { return s[i].hi >= uid })
}

// has says whether a UID is in the set.
func (s spans) has(uid uint32) bool {
	i := s.search(uid)
	return i < len(s) && s[i].lo <= uid
}

// add puts one UID in.
func (s spans) add(uid uint32) spans {
	i := s.search(uid)
	if i < len(s) && s[i].lo <= uid {
		return s
	}
	left := i > 0 && s[i-1].hi == uid-1
	right := i < len(s) && uid < math.MaxUint32 && s[i].lo == uid+1
	switch {
	case left && right:
		s[i-1].hi = s[i].hi
		return slices.Delete(s, i, i+1)
	case left:
		s[i-1].hi = uid
	case right:
		s[i].lo = uid
	default:
		return slices.Insert(s, i, span{uid, uid})
	}
	return s
}

// addAll puts many in, in one pass: a position may be folded with thousands of entries at once.
func (s spans) addAll(uids []uint32) spans {
	if len(uids) < 8 {
		for _, u := range uids {
			s = s.add(u)
		}
		return s
	}
	all := make(spans, 0, len(s)+len(uids))
	all = append(all, s...)
	for _, u := range uids {
		all = append(all, span{u, u})
	}
	return joined(all)
}

// joined makes a set of spans in any order. It writes into all.
func joined(all spans) spans {
	slices.SortFunc(all, func(a, b span) int {
		if a.lo < b.lo {
			return -1
		}
		if a.lo > b.lo {
			return 1
		}
		return 0
	})
	out := all[:0]
	for _, sp := range all {
		if n := len(out); n > 0 && uint64(sp.lo) <= uint64(out[n-1].hi)+1 {
			out[n-1].hi = max(out[n-1].hi, sp.hi)
			continue
		}
		out = append(out, sp)
	}
	return out
}

// above returns the set without the UIDs up to low. It shares memory with s.
func (s spans) above(low uint32) spans {
	i := 0
	for i < len(s) && s[i].hi <= low {
		i++
	}
	s = s[i:]
	if len(s) > 0 && s[0].lo <= low {
		s[0].lo = low + 1
	}
	return s
}

// clone returns a set that shares no memory with s.
func (s spans) clone() spans { return slices.Clone(s) }

// without takes UIDs out.
func (s spans) without(uids []uint32) spans {
	for _, u := range uids {
		i := s.search(u)
		if i == len(s) || s[i].lo > u {
			continue
		}
		x := s[i]
		s = slices.Delete(s, i, i+1)
		if x.hi > u {
			s = slices.Insert(s, i, span{u + 1, x.hi})
		}
		if x.lo < u {
			s = slices.Insert(s, i, span{x.lo, u - 1})
		}
	}
	return s
}

// holes are the runs from lo to hi that are not in the set.
func (s spans) holes(lo, hi uint32) spans {
	var out spans
	for i := s.search(lo); lo <= hi; i++ {
		if i == len(s) || s[i].lo > hi {
			return append(out, span{lo, hi})
		}
		if s[i].lo > lo {
			out = append(out, span{lo, s[i].lo - 1})
		}
		if s[i].hi >= hi {
			return out
		}
		lo = s[i].hi + 1
	}
	return out
}
