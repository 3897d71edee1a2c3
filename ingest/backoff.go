package ingest

import (
	"context"
	"math/rand/v2"
	"time"
)

// pace says how long a class waits: a first step that doubles up to a ceiling. The wait itself is
// drawn evenly from the upper half, so that a thousand mailboxes do not come back together and no
// try is immediate.
type pace struct{ first, ceiling time.Duration }

func paceOf(c Class) pace {
	switch c {
	case SessionOver:
		return pace{250 * time.Millisecond, 30 * time.Second}
	case BadMessage:
		return pace{time.Second, 30 * time.Second}
	case Auth:
		return pace{time.Minute, 15 * time.Minute}
	case Config:
		return pace{30 * time.Second, 15 * time.Minute}
	case Permanent:
		return pace{15 * time.Minute, time.Hour}
	default:
		return pace{time.Second, 2 * time.Minute}
	}
}

// backoff counts failures in a row. The zero value is ready; success resets it.
type backoff struct {
	class Class
	tries int
}

func (b *backoff) reset() { *b = backoff{} }

// next returns the wait before the next try after a failure of this kind.
func (b *backoff) next(f Fault) time.Duration {
	if f.Class != b.class {
		b.class, b.tries = f.Class, 0
	}
	p := paceOf(f.Class)
	step := p.ceiling
	if b.tries < 20 {
		step = min(p.ceiling, p.first<<b.tries)
	}
	b.tries++
	wait := step/2 + rand.N(step/2+1)
	if f.Wait > 0 {
		// The server named a time: never less, and those who were told the same spread a little.
		wait = max(wait, f.Wait+rand.N(f.Wait/10+time.Second))
	}
	return wait
}

// sleep waits for d or until ctx ends; it reports whether the time passed.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
