package ingest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"mailflume/publish"
)

// due is a message whose event is acknowledged and whose post-action is not done yet.
type due struct {
	ref     Ref
	at      time.Time // of the acknowledgement, by the log's clock
	content publish.Content
	life    uint64 // of the Ref's folder
}

// position is where a runner stands: its Source's cursor, what was appended since the cursor was
// last folded, and what waits for its post-action. Folding is put off until somebody asks, because
// a cursor can be large and one message is not.
type position struct {
	src     Source
	clock   publish.Clock // of the log, for every time that the position holds
	action  Action
	saved   Action // the action that the snapshot was written under
	base    Cursor // where the log began: what an emptied log is read again from
	cursor  Cursor
	fresh   []Entry
	pending []due
	keys    keys // what was published, by its content
	renamed int  // the pending message behind the last one that got a new Ref

	mustSave bool      // nothing may be appended before a save
	dirty    int       // changes since the last save
	oldest   time.Time // of those changes
	entries  int       // events since the last save: what a claim would have to replay
}

// ownClock serves a log that has none to show.
type ownClock struct{}

// Now implements publish.Clock.
func (ownClock) Now() (earliest, latest time.Time) {
	now := time.Now()
	return now, now
}

// since is how long ago t was, at the least.
func (p *position) since(t time.Time) time.Duration {
	earliest, _ := p.clock.Now()
	return earliest.Sub(t)
}

// entry is what has happened to a message just now.
func (p *position) entry(ref Ref, kind publish.EventType, c publish.Content) Entry {
	_, latest := p.clock.Now()
	return Entry{Ref: ref, Type: kind, Time: latest, Content: c}
}

func newPosition(src Source, action Action) *position {
	p := &position{src: src, clock: ownClock{}, action: action, keys: keys{scope: func(Ref) string { return "" }, lives: map[string]life{}}}
	if sc, ok := src.(Scoper); ok {
		p.keys.scope = sc.Scope
	}
	return p
}

// openPosition takes the position from a claim. held is the base that this worker knows from an
// earlier claim, if any: a log that has lost its snapshot since is read again from there.
func openPosition(c publish.Claim, src Source, action Action, held Cursor) (*position, error) {
	snapshot, since := c.Position()
	p := newPosition(src, action)
	if k, ok := c.(publish.Clock); ok {
		p.clock = k
	}
	if err := p.decode(snapshot); err != nil {
		return nil, err
	}
	if len(p.cursor) == 0 && len(held) > 0 {
		p.base, p.cursor = held, held
		p.mustSave = true
	}
	if len(snapshot) > 0 && cmp.Or(p.saved, ActionNone) != cmp.Or(action, ActionNone) {
		// What was published so far was published under another action, which nobody can apply any
		// more: a changed one is for later events only. Saved before anything is appended under it.
		p.pending, p.action, p.mustSave = nil, ActionNone, true
	}
	for _, e := range since {
		p.add(e)
	}
	p.action = action
	return p, nil
}

// add notes one appended event, or a message that needs none.
func (p *position) add(e Entry) {
	p.fresh = append(p.fresh, e)
	p.keys.add(e)
	switch {
	case e.Type == publish.Received && p.acts():
		p.pending = append(p.pending, due{e.Ref, e.Time, e.Content, p.keys.life(e.Ref)})
	case e.Type == Recognised || e.Type == Renamed:
		p.rename(e)
	}
	p.touch(e.Time)
	p.entries++
}

// rename gives a message that waits for its post-action the Ref that it has now.
func (p *position) rename(e Entry) {
	life := p.keys.life(e.Ref)
	for n := range p.pending { // messages are recognised in about the order in which they were published
		i := (p.renamed + n) % len(p.pending)
		if d := &p.pending[i]; d.content == e.Content && (d.life < life || e.Type == Renamed) && p.keys.scope(d.ref) == p.keys.scope(e.Ref) {
			d.ref, d.life, p.renamed = e.Ref, life, i+1
			return
		}
	}
}

func (p *position) acts() bool { return p.action != "" && p.action != ActionNone }

func (p *position) touch(at time.Time) {
	if p.dirty == 0 {
		p.oldest = at
	}
	p.dirty++
}

// fold brings the cursor up to date. A position without a base has nothing to fold into yet.
func (p *position) fold() error {
	if len(p.fresh) == 0 || len(p.cursor) == 0 {
		return nil
	}
	c, err := p.src.Fold(p.cursor, slices.Values(p.fresh))
	if err != nil {
		return fmt.Errorf("fold %d entries into the position: %w", len(p.fresh), err)
	}
	p.cursor, p.fresh = c, p.fresh[:0]
	return nil
}

// sync replaces the cursor by what the session made of it and reports whether it must be saved.
func (p *position) sync(ctx context.Context, s Session) (bool, error) {
	if err := p.fold(); err != nil {
		return false, err
	}
	c, err := s.Sync(ctx, p.cursor)
	if err != nil {
		return false, err
	}
	if !bytes.Equal(c, p.cursor) {
		p.mustSave = true
	}
	if len(p.base) == 0 {
		p.base = c
	}
	p.cursor = c
	return p.mustSave, p.fold()
}

// ripe returns the refs whose grace is over, oldest first, and in what time the next one's will be; 0: there
// is none.
func (p *position) ripe(grace time.Duration) (refs []Ref, next time.Duration) {
	now, _ := p.clock.Now()
	for _, d := range p.pending {
		switch left := d.at.Add(grace).Sub(now); {
		case left <= 0:
			refs = append(refs, d.ref)
		case next == 0 || left < next:
			next = left
		}
	}
	return refs, next
}

// settled forgets refs whose post-action is done.
func (p *position) settled(done []Ref) {
	gone := make(map[Ref]bool, len(done))
	for _, r := range done {
		gone[r] = true
	}
	_, latest := p.clock.Now()
	p.pending = slices.DeleteFunc(p.pending, func(d due) bool {
		if gone[d.ref] {
			p.fresh = append(p.fresh, Entry{Ref: d.ref, Type: Settled, Time: latest})
		}
		return gone[d.ref]
	})
	if len(done) > 0 {
		p.touch(latest)
	}
}

// save writes a snapshot through the claim and returns its size in bytes; what it names lies in the
// store before. Without a base there is nothing to save yet.
func (p *position) save(ctx context.Context, c publish.Claim, store publish.BlobStore) (int, error) {
	if len(p.cursor) == 0 {
		return 0, nil
	}
	if err := p.fold(); err != nil {
		return 0, err
	}
	p.keys.flush(ctx, store)
	b := p.encode()
	if err := c.Save(ctx, b); err != nil {
		return 0, fmt.Errorf("save the position: %w", err)
	}
	p.dirty, p.entries, p.mustSave = 0, 0, false
	return len(b), nil
}
