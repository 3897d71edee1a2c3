package ingest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"time"

	"mailflume/publish"
)

// Pauses is where all workers see which mailboxes are paused: a pause is for every later owner too, until
// somebody resumes the mailbox.
type Pauses interface {
	// Watch yields the paused mailboxes with the time since when, once they are known and whenever that
	// changes, until ctx ends. The maps are the receiver's.
	Watch(ctx context.Context) iter.Seq[map[publish.Key]time.Time]
	// Paused reports what holds now, whatever Watch has told so far.
	Paused(ctx context.Context, box publish.Key) (bool, error)
	// Pause and Resume return when it is kept.
	Pause(ctx context.Context, box publish.Key, since time.Time) error
	Resume(ctx context.Context, box publish.Key) error
}

// Has reports whether the mailbox is this Fleet's to run now.
func (f *Fleet) Has(box publish.Key) bool {
	f.mu.Lock()
	_, wanted := f.want[box]
	wanted = wanted && !f.drains
	f.mu.Unlock()
	return wanted && f.mine(box)
}

// Pause stops a mailbox until Resume and returns when its last write is resolved.
func (f *Fleet) Pause(ctx context.Context, box publish.Key) error {
	if !f.Has(box) {
		return notServed(box)
	}
	if p := f.opt.Pauses; p == nil {
		f.notePause(box, true)
	} else if _, paused := f.pausedSince(box); !paused { // the time of the first one stays
		if err := p.Pause(ctx, box, f.opt.Now()); err != nil {
			return err
		}
	}
	if err := f.heed(ctx, box, true); err != nil {
		return err
	}
	resumed := false
	err := f.await(ctx, func() bool {
		_, paused := f.paused[box]
		resumed = !paused
		return resumed || f.active[box] == nil
	})
	if err == nil && resumed {
		return errContested(true)
	}
	return err
}

// heedTime is how long it may take until what was noted is seen.
const heedTime = 15 * time.Second

// heed waits until a mailbox is seen to be paused, or not. Somebody may have asked for the opposite at the
// same time: then it never is.
func (f *Fleet) heed(ctx context.Context, box publish.Key, want bool) error {
	short, cancel := context.WithTimeout(ctx, heedTime)
	defer cancel()
	err := f.await(short, func() bool {
		_, paused := f.paused[box]
		return paused == want
	})
	if err != nil && ctx.Err() == nil && short.Err() != nil {
		return errContested(want)
	}
	return err
}

// errContested: the last of two opposite requests counts, and this is the other one.
func errContested(pause bool) error {
	text := "another request has paused the mailbox again"
	if pause {
		text = "another request has resumed the mailbox"
	}
	return &Error{Fault{Class: Transient, Code: CodeBusy}, "", errors.New(text)}
}

// Resume lets a paused mailbox go on; one that is not paused ends its waits, as for Poll.
func (f *Fleet) Resume(ctx context.Context, box publish.Key) error {
	if !f.Has(box) {
		return notServed(box)
	}
	_, paused := f.pausedSince(box)
	if p := f.opt.Pauses; p == nil {
		f.notePause(box, false)
	} else if err := p.Resume(ctx, box); err != nil {
		return err
	}
	if err := f.heed(ctx, box, false); err != nil || paused {
		return err
	}
	return f.Poll(box)
}

// Poll ends a mailbox's waits, so that it looks at its server now.
func (f *Fleet) Poll(box publish.Key) error {
	f.mu.Lock()
	m := f.active[box]
	_, paused := f.paused[box]
	f.mu.Unlock()
	switch {
	case !f.Has(box):
		return notServed(box)
	case paused:
		return errPaused()
	case m != nil:
		poke(m.look)
	}
	return nil // one that is about to start looks anyway
}

func notServed(box publish.Key) error {
	return &Error{Fault{Class: Transient, Code: CodeNotServed}, "", fmt.Errorf("%s is not with this worker", box)}
}

func (f *Fleet) pausedSince(box publish.Key) (since time.Time, paused bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	since, paused = f.paused[box]
	return since, paused
}

// await waits until cond, which is asked with f.mu held after every change of what runs and what is paused.
func (f *Fleet) await(ctx context.Context, cond func() bool) error {
	for {
		f.mu.Lock()
		ok, changed := cond(), f.changed
		f.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-f.hard.Done():
			return errStopped
		}
	}
}

var errStopped = errors.New("the fleet is stopped")

// announceChange wakes those that await one; f.mu is held.
func (f *Fleet) announceChange() {
	close(f.changed)
	f.changed = make(chan struct{})
}

// notePause is a pause that nobody else has to know of.
func (f *Fleet) notePause(box publish.Key, on bool) {
	f.mu.Lock()
	paused := maps.Clone(f.paused)
	f.mu.Unlock()
	if paused == nil {
		paused = map[publish.Key]time.Time{}
	}
	if delete(paused, box); on {
		paused[box] = f.opt.Now()
	}
	f.setPaused(paused)
}

// watchPauses takes in what is paused until the Fleet stops.
func (f *Fleet) watchPauses(ctx context.Context) {
	for paused := range f.opt.Pauses.Watch(ctx) {
		f.setPaused(paused)
	}
}

// setPaused brings the running set to what is paused now.
func (f *Fleet) setPaused(paused map[publish.Key]time.Time) {
	f.mu.Lock()
	before := f.paused
	f.paused, f.known = paused, true
	f.announceChange()
	f.mu.Unlock()
	f.moved(nil)
	for box := range before {
		if _, still := paused[box]; !still {
			f.rests(box)
		}
	}
	for box := range paused {
		if _, was := before[box]; !was {
			f.rests(box)
		}
	}
}

// rests reports the state of a mailbox that nobody runs here: it is paused, or another worker's.
func (f *Fleet) rests(box publish.Key) {
	f.mu.Lock()
	_, wanted := f.want[box]
	since, paused := f.paused[box]
	idle := f.active[box] == nil && wanted && !f.drains
	f.mu.Unlock()
	switch {
	case !idle:
	case paused:
		f.opt.Hooks.state(box, Status{State: StatePaused, At: since})
	case !f.mine(box):
		f.opt.Hooks.state(box, Status{State: StateStandby, At: f.opt.Now()})
	}
}
