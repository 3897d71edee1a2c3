package pop3source

import (
	"bytes"
	"context"

	"mailflume/ingest"
)

const (
	// keepMissing is how long a UIDL must be missing from every list before it is forgotten.
	keepMissing = 7 * 24
	// markEvery spaces the writes that only note what is missing: with after: delete each poll would
	// write the whole position otherwise. Forgetting is late by as much.
	markEvery = 6
	// A maildrop counts as renumbered only if it was, and is, at least this large.
	resetAtLeast = 20
)

// Sync brings the position up to date with the maildrop's list. On a log without a base it writes
// one; afterwards it notes which finished messages are missing and forgets those missing for seven
// days. When nearly all UIDLs are new it changes nothing: that is a reset (see Resets).
func (s *session) Sync(ctx context.Context, at ingest.Cursor) (ingest.Cursor, error) {
	p, err := decode(at)
	if err != nil {
		return nil, positionError(err)
	}
	box, err := s.maildrop(ctx)
	if err != nil {
		return nil, err
	}
	s.acknowledge(p)
	if !p.based {
		if len(at) == 0 {
			p = newPosition()
		}
		return s.base(ctx, p, box)
	}
	s.resets = nil
	if p.fresh {
		return s.sift(ctx, p, box)
	}
	changed := p.since == unknownBase
	if changed {
		p.since = s.src.opt.begins(s.src.opt.Now())
	}
	present, learned := p.look(box)
	if p.renumbered(len(box), present, s.vanish()) {
		s.resets = []ingest.Renewal{{Ref: resetRef(p.life + 1), PerDay: resetsPerDay}}
		return bytes.Clone(at), nil
	}
	if p.judging && present == len(box) {
		p.judging, changed = false, true
	}
	changed = p.inherit() || learned || changed
	// What is settled once it has vanished by itself must not pass for deleted by us.
	atOnce := s.src.opt.After.Action == ingest.ActionDelete && p.emptied(s.caps.Expire.AtQuit())
	if !p.refresh(s.src.hour(), atOnce) && !changed {
		return bytes.Clone(at), nil
	}
	return p.encode(), nil
}

// base decides which of the messages that are there now are wanted; the others are finished.
func (s *session) base(ctx context.Context, p *position, box []item) (ingest.Cursor, error) {
	skip := box
	switch start := s.src.opt.Start; {
	case start.All:
		skip = nil
	case !start.Since.IsZero():
		var err error
		if skip, err = s.before(ctx, box, start.Since); err != nil {
			return nil, err
		}
	}
	more := make([]entry, len(skip))
	for i, it := range skip {
		more[i] = entry{digest: p.digest(it.ref()), content: p.sized(it.size)}
	}
	p.add(more)
	p.based, p.since = true, s.src.opt.begins(s.src.opt.Now())
	p.marked = s.src.hour()
	return p.encode(), nil
}

// vanish tells that published messages are meant to leave the maildrop.
func (s *session) vanish() bool {
	return s.src.opt.After.Action == ingest.ActionDelete || s.caps.Expire.AtQuit()
}

// look notes which entries the list has, and returns how many of its messages they are. Of those that
// nobody has read it learns the announced size.
func (p *position) look(box []item) (present int, learned bool) {
	for i := range p.entries {
		p.entries[i].here = false
	}
	for _, it := range box {
		i, held := p.find(p.digest(it.ref()))
		if !held {
			continue
		}
		e := &p.entries[i]
		if e.here = true; !e.published && e.content == 0 {
			e.content = p.sized(it.size)
			learned = learned || e.content != 0
		}
		present++
	}
	return present, learned
}

// renumbered tells a maildrop that got new UIDLs from one that got new mail: at least nine tenths of
// a list of some size are new, and at least nine tenths of what should still be there are gone, and
// as much as half of that is there under other names. Published messages that are meant to vanish
// prove nothing.
func (p *position) renumbered(listed, present int, vanish bool) bool {
	expected := 0
	for _, e := range p.entries {
		if e.missing == 0 && (!vanish || !e.published) {
			expected++
		}
	}
	return expected >= resetAtLeast && listed >= resetAtLeast &&
		present*10 <= listed && present*10 <= expected && listed*2 >= expected
}

// refresh notes what is present and missing in this hour and reports whether the position changed.
// A message that is back is noted at once; marks and forgetting wait for markEvery.
func (p *position) refresh(now uint32, atOnce bool) (changed bool) {
	marking := atOnce || now >= p.marked+markEvery || now < p.marked // or the clock was wrong
	kept := p.entries[:0]
	for _, e := range p.entries {
		switch {
		case e.here:
			changed = changed || e.missing != 0
			e.missing = 0
		case !marking:
		case e.missing == 0 || e.missing > now:
			e.missing, changed = now, true
		case now-e.missing >= keepMissing:
			changed = true
			continue
		}
		kept = append(kept, e)
	}
	p.entries = kept
	if changed && marking {
		p.marked = now
	}
	return changed
}

// emptied tells that most of what should be there has vanished since the last look. consumed: QUIT takes
// what was published.
func (p *position) emptied(consumed bool) bool {
	expected, gone := 0, 0
	for _, e := range p.entries {
		if e.missing != 0 || e.deleted || consumed && e.published {
			continue
		}
		if expected++; !e.here {
			gone++
		}
	}
	return 2*gone > expected
}
