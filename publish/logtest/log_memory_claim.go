package logtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"mailflume/publish"
)

// MemoryClaim is a claim on a Memory log. It also implements publish.Verifier, publish.Noter and publish.Clock.
type MemoryClaim struct {
	m   *Memory
	box publish.Key
	no  int

	snapshot []byte
	since    []publish.Entry
	left     []byte

	mu     sync.Mutex // one call at a time
	cuts   int        // that this claim knows of; guarded by Memory.mu
	seq    uint64     // of this owner's last message; guarded by Memory.mu
	broken error      // ends the claim; guarded by Memory.mu
}

func (b *memoryBox) claim(box publish.Key, m *Memory) *MemoryClaim {
	b.claims++
	c := &MemoryClaim{m: m, box: box, no: b.claims, left: b.word, cuts: m.cuts}
	var through uint64
	if k := len(b.snapshots); k > 0 {
		c.snapshot, through = slices.Clone(b.snapshots[k-1].data), b.snapshots[k-1].through
	}
	for _, ev := range b.events {
		if ev.Sequence > through && countsForPosition(ev.Event, ev.Ref) {
			c.since = append(c.since, publish.Entry{Ref: ev.Ref, Type: ev.Kind, Time: ev.Stored, Content: publish.ContentOf(ev.Data)})
		}
	}
	b.owner, c.seq = c, b.write()
	return c
}

// countsForPosition reports whether an event moves the position: it has a Ref and is no replay.
func countsForPosition(ev *publish.Event, ref publish.Ref) bool {
	if ref == "" || (ev.Data != nil && ev.Data.Ingest != nil && ev.Data.Ingest.Replay) {
		return false
	}
	return ev.Kind == publish.Received || ev.Kind == publish.Quarantined || ev.Kind == publish.Reset
}

// Position implements publish.Claim.
func (c *MemoryClaim) Position() (snapshot []byte, since []publish.Entry) {
	return slices.Clone(c.snapshot), slices.Clone(c.since)
}

// Append implements publish.Claim.
func (c *MemoryClaim) Append(ctx context.Context, ev *publish.Event, ref publish.Ref) error {
	body, err := ev.Encode()
	if err != nil {
		return err
	}
	if n := c.m.MaxEvent(); len(body) > n {
		return fmt.Errorf("append %s: %d bytes, at most %d: %w", ev.ID, len(body), n, publish.ErrTooLarge)
	}
	return c.write(ctx, "Append", ref, func(b *memoryBox) {
		again := func(e Event) bool { return e.ID == ev.ID && e.Claim == c.no && !replayed(ev) }
		if slices.ContainsFunc(b.events, again) {
			return
		}
		b.events = append(b.events, Event{Event: ev, Ref: ref, Body: slices.Clone(body), Claim: c.no, Sequence: b.write(), Stored: c.m.clock()})
	})
}

func replayed(ev *publish.Event) bool {
	return ev.Data != nil && ev.Data.Ingest != nil && ev.Data.Ingest.Replay
}

// Save implements publish.Claim.
func (c *MemoryClaim) Save(ctx context.Context, snapshot []byte) error {
	return c.write(ctx, "Save", "", func(b *memoryBox) {
		through := b.seq
		b.snapshots = append(b.snapshots, memorySnapshot{data: append([]byte{}, snapshot...), through: through, seq: b.write()})
		if n := len(b.snapshots); n > 2 {
			b.snapshots = slices.Delete(b.snapshots, 0, n-2)
		}
	})
}

// Now implements publish.Clock.
func (c *MemoryClaim) Now() (earliest, latest time.Time) {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	now := c.m.clock()
	return now, now
}

// Left implements publish.Noter.
func (c *MemoryClaim) Left() (word []byte, owned bool) { return slices.Clone(c.left), c.no > 1 }

// Note implements publish.Noter.
func (c *MemoryClaim) Note(ctx context.Context, word []byte) error {
	return c.write(ctx, "Note", "", func(b *memoryBox) { b.write(); b.word = slices.Clone(word) })
}

// write checks the fence and lets do change the log.
func (c *MemoryClaim) write(ctx context.Context, name string, ref publish.Ref, do func(*memoryBox)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.m.enter(ctx, Op{Box: c.box, Name: name, Ref: ref}); err != nil {
		return err
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	b := c.m.box(c.box)
	if err := c.check(b); err != nil {
		return fmt.Errorf("%s %s: %w", name, c.box, err)
	}
	f := c.m.take()
	if f != nil && !f.lostAck {
		if errors.Is(f.err, publish.ErrFenced) || errors.Is(f.err, publish.ErrLogMoved) {
			c.broken = f.err
		}
		return fmt.Errorf("%s %s: %w", name, c.box, f.err)
	}
	do(b)
	c.seq = b.seq
	if f != nil {
		c.broken = publish.ErrLogMoved
		return fmt.Errorf("%s %s: outcome unknown: %w", name, c.box, f.err)
	}
	return nil
}

// check is the fence. Memory.mu is held.
func (c *MemoryClaim) check(b *memoryBox) error {
	switch {
	case c.broken != nil:
		return c.broken
	case b.owner != c:
		c.broken = publish.ErrFenced
	case b.seq != c.seq:
		c.broken = publish.ErrLogMoved
	}
	return c.broken
}

// Verify implements publish.Verifier.
func (c *MemoryClaim) Verify(ctx context.Context) error {
	if err := c.m.enter(ctx, Op{Box: c.box, Name: "Verify"}); err != nil {
		return err
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	if err := c.check(c.m.box(c.box)); err != nil {
		return fmt.Errorf("verify %s: %w", c.box, err)
	}
	c.cuts = c.m.cuts
	return nil
}

// Doubts implements publish.Verifier.
func (c *MemoryClaim) Doubts() bool {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	return c.cuts != c.m.cuts
}

// Release implements publish.Claim. What comes after it is answered with ErrLogMoved.
func (c *MemoryClaim) Release(ctx context.Context) error {
	if err := c.m.enter(context.WithoutCancel(ctx), Op{Box: c.box, Name: "Release"}); err != nil {
		return err
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	if c.broken == nil {
		c.broken = publish.ErrLogMoved
	}
	return nil
}
