package logtest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"mailflume/publish"
)

// Event is one event of a Memory log as it was stored.
type Event struct {
	*publish.Event
	Ref      publish.Ref
	Body     []byte // as encoded
	Claim    int    // number of the claim that wrote it, from 1
	Sequence uint64
	Stored   time.Time
}

// Memory is a publish.Log in memory with fault injection. Its claims behave as natsjs's do: a newer
// claim fences older ones, a claim whose log was changed behind its back gets ErrLogMoved, and one
// whose last write has an unknown outcome is of no further use.
type Memory struct {
	mu     sync.Mutex
	boxes  map[publish.Key]*memoryBox
	faults []fault
	max    int
	cuts   int // how often something was taken out
	gate   func(ctx context.Context, op Op) error
	clock  func() time.Time
}

// Op names a call on a Memory log.
type Op struct {
	Box  publish.Key
	Name string // Claim, Append, Save, Note, Verify or Release
	Ref  publish.Ref
}

type fault struct {
	err     error
	lostAck bool
}

type memoryBox struct {
	seq       uint64 // of the last message in the log
	next      uint64 // of the last message ever written
	owner     *MemoryClaim
	claims    int
	events    []Event
	snapshots []memorySnapshot
	word      []byte
}

type memorySnapshot struct {
	data    []byte
	through uint64
	seq     uint64
}

// NewMemory returns an empty log that takes events of up to a megabyte.
func NewMemory() *Memory {
	return &Memory{boxes: map[publish.Key]*memoryBox{}, max: 1 << 20, clock: time.Now}
}

// SetMaxEvent changes what MaxEvent returns and Append takes.
func (m *Memory) SetMaxEvent(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.max = n
}

// SetClock replaces the clock that events are stamped with, which is the machine's own.
func (m *Memory) SetClock(now func() time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clock = now
}

// FailNext lets the next n writes (Append, Save, Claim) fail with err before anything is stored. Errors
// that do not end a claim leave it usable.
func (m *Memory) FailNext(n int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for range n {
		m.faults = append(m.faults, fault{err: err})
	}
}

// LoseAck lets the next n writes be stored and then fail with ErrUnavailable, their outcome unknown:
// the claim answers ErrLogMoved from then on.
func (m *Memory) LoseAck(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for range n {
		m.faults = append(m.faults, fault{err: publish.ErrUnavailable, lostAck: true})
	}
}

// Gate lets f see every call before it acts. An error of f is the call's; f may block until ctx
// ends. Nil removes it.
func (m *Memory) Gate(f func(ctx context.Context, op Op) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gate = f
}

// LoseTail cuts the last n messages (events and snapshots) off box's log, as a power cut does.
func (m *Memory) LoseTail(box publish.Key, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cuts++
	b := m.box(box)
	for range n {
		lastEvent, lastSave := -1, -1
		if k := len(b.events) - 1; k >= 0 {
			lastEvent = k
		}
		if k := len(b.snapshots) - 1; k >= 0 {
			lastSave = k
		}
		switch {
		case lastEvent >= 0 && (lastSave < 0 || b.events[lastEvent].Sequence > b.snapshots[lastSave].seq):
			b.events = b.events[:lastEvent]
		case lastSave >= 0:
			b.snapshots = b.snapshots[:lastSave]
		default:
			b.seq = 0
			return
		}
		b.seq = b.lastSeq()
	}
}

// Empty removes everything from box's log, as a deleted stream does.
func (m *Memory) Empty(box publish.Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cuts++
	b := m.box(box)
	b.events, b.snapshots, b.seq = nil, nil, 0
}

// LoseSnapshots takes the snapshots out of box's log and leaves the events.
func (m *Memory) LoseSnapshots(box publish.Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cuts++
	b := m.box(box)
	b.snapshots = nil
	b.seq = b.lastSeq()
}

// Fence claims box's log for another worker: every claim made so far is fenced.
func (m *Memory) Fence(box publish.Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.box(box).claim(box, m)
}

// Events returns the events of box's log in order.
func (m *Memory) Events(box publish.Key) []Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.box(box).events)
}

// Snapshot returns the last snapshot of box's log, or nil.
func (m *Memory) Snapshot(box publish.Key) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.box(box).snapshots; len(s) > 0 {
		return slices.Clone(s[len(s)-1].data)
	}
	return nil
}

// Claims returns how often box's log was claimed.
func (m *Memory) Claims(box publish.Key) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.box(box).claims
}

// MaxEvent implements publish.Log.
func (m *Memory) MaxEvent() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.max
}

// Claim implements publish.Log.
func (m *Memory) Claim(ctx context.Context, box publish.Key) (publish.Claim, error) {
	if err := m.enter(ctx, Op{Box: box, Name: "Claim"}); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.take(); f != nil {
		if f.lostAck {
			m.box(box).claim(box, m)
		}
		return nil, fmt.Errorf("claim %s: %w", box, f.err)
	}
	return m.box(box).claim(box, m), nil
}

// enter runs the gate and checks ctx.
func (m *Memory) enter(ctx context.Context, op Op) error {
	m.mu.Lock()
	gate := m.gate
	m.mu.Unlock()
	if gate != nil {
		if err := gate(ctx, op); err != nil {
			return fmt.Errorf("%s %s: %w", op.Name, op.Box, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s %s: %w (%w)", op.Name, op.Box, publish.ErrUnavailable, context.Cause(ctx))
	}
	return nil
}

func (m *Memory) box(k publish.Key) *memoryBox {
	b := m.boxes[k]
	if b == nil {
		b = &memoryBox{}
		m.boxes[k] = b
	}
	return b
}

// take removes the next fault.
func (m *Memory) take() *fault {
	if len(m.faults) == 0 {
		return nil
	}
	f := m.faults[0]
	m.faults = m.faults[1:]
	return &f
}

func (b *memoryBox) lastSeq() uint64 {
	var last uint64
	if k := len(b.events); k > 0 {
		last = b.events[k-1].Sequence
	}
	if k := len(b.snapshots); k > 0 {
		last = max(last, b.snapshots[k-1].seq)
	}
	return last
}

// write takes the next sequence.
func (b *memoryBox) write() uint64 {
	b.next++
	b.seq = b.next
	return b.seq
}
