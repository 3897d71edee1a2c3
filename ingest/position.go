package ingest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"mailflume/publish"
)

// snapshotMagic opens every snapshot; its last byte is the version.
const snapshotMagic = "MFS\x01"

// due is a message whose event is acknowledged and whose post-action is not done yet.
type due struct {
	ref Ref
	at  time.Time // of the acknowledgement
}

// position is where a runner stands: its Source's cursor, what was appended since the cursor was
// last folded, and what waits for its post-action. Folding is put off until somebody asks, because
// a cursor can be large and one message is not.
type position struct {
	src     Source
	action  Action
	saved   Action // the action that the snapshot was written under
	base    Cursor // where the log began: what an emptied log is read again from
	cursor  Cursor
	fresh   []Entry
	pending []due

	mustSave bool      // nothing may be appended before a save
	dirty    int       // changes since the last save
	oldest   time.Time // of those changes
	entries  int       // events since the last save: what a claim would have to replay
}

// openPosition takes the position from a claim. held is the base that this worker knows from an
// earlier claim, if any: a log that has lost its snapshot since is read again from there.
func openPosition(c publish.Claim, src Source, action Action, held Cursor) (*position, error) {
	snapshot, since := c.Position()
	p := &position{src: src, action: action}
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

// add notes one appended event.
func (p *position) add(e Entry) {
	p.fresh = append(p.fresh, e)
	if e.Type == publish.Received && p.acts() {
		p.pending = append(p.pending, due{e.Ref, e.Time})
	}
	p.touch(e.Time)
	p.entries++
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

// ripe returns the refs whose grace is over at now, oldest first, and when the next one will be.
func (p *position) ripe(now time.Time, grace time.Duration) (refs []Ref, next time.Time) {
	for _, d := range p.pending {
		if end := d.at.Add(grace); end.After(now) {
			if next.IsZero() || end.Before(next) {
				next = end
			}
			continue
		}
		refs = append(refs, d.ref)
	}
	return refs, next
}

// settled forgets refs whose post-action is done.
func (p *position) settled(done []Ref, now time.Time) {
	gone := make(map[Ref]bool, len(done))
	for _, r := range done {
		gone[r] = true
	}
	p.pending = slices.DeleteFunc(p.pending, func(d due) bool { return gone[d.ref] })
	if len(done) > 0 {
		p.touch(now)
	}
}

// save writes a snapshot through the claim and returns its size in bytes. Without a base there is
// nothing to save yet.
func (p *position) save(ctx context.Context, c publish.Claim) (int, error) {
	if len(p.cursor) == 0 {
		return 0, nil
	}
	if err := p.fold(); err != nil {
		return 0, err
	}
	b := p.encode()
	if err := c.Save(ctx, b); err != nil {
		return 0, fmt.Errorf("save the position: %w", err)
	}
	p.dirty, p.entries, p.mustSave = 0, 0, false
	return len(b), nil
}

// encode lays a snapshot out as magic, base, cursor, pending, action; lengths and times are varints.
func (p *position) encode() []byte {
	b := []byte(snapshotMagic)
	b = binary.AppendUvarint(b, uint64(len(p.base)))
	b = append(b, p.base...)
	b = binary.AppendUvarint(b, uint64(len(p.cursor)))
	b = append(b, p.cursor...)
	b = binary.AppendUvarint(b, uint64(len(p.pending)))
	for _, d := range p.pending {
		b = binary.AppendUvarint(b, uint64(len(d.ref)))
		b = append(b, d.ref...)
		b = binary.AppendVarint(b, d.at.UnixMilli())
	}
	return append(b, p.action...)
}

var errSnapshot = errors.New("the snapshot of the position is not readable")

func (p *position) decode(b []byte) error {
	if len(b) == 0 {
		return nil // a log without a snapshot
	}
	rest, ok := bytes.CutPrefix(b, []byte(snapshotMagic))
	if !ok {
		return fmt.Errorf("%w: it begins with %q", errSnapshot, b[:min(len(b), len(snapshotMagic))])
	}
	base, rest, ok := cutBytes(rest)
	if !ok {
		return fmt.Errorf("%w: the base is cut off", errSnapshot)
	}
	cursor, rest, ok := cutBytes(rest)
	if !ok {
		return fmt.Errorf("%w: the cursor is cut off", errSnapshot)
	}
	if len(cursor) > 0 {
		p.base, p.cursor = bytes.Clone(base), bytes.Clone(cursor)
	}
	n, w := binary.Uvarint(rest)
	if w <= 0 || n > uint64(len(rest)) {
		return fmt.Errorf("%w: bad count of pending messages", errSnapshot)
	}
	rest = rest[w:]
	for range n {
		var ref []byte
		if ref, rest, ok = cutBytes(rest); !ok {
			return fmt.Errorf("%w: a pending message is cut off", errSnapshot)
		}
		ms, w := binary.Varint(rest)
		if w <= 0 {
			return fmt.Errorf("%w: a pending message has no time", errSnapshot)
		}
		rest = rest[w:]
		p.pending = append(p.pending, due{Ref(ref), time.UnixMilli(ms)})
	}
	p.saved = Action(rest)
	return nil
}

// cutBytes cuts a length-prefixed field off b.
func cutBytes(b []byte) (field, rest []byte, ok bool) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return nil, nil, false
	}
	return b[w : w+int(n)], b[w+int(n):], true
}
