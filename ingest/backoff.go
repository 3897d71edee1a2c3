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
	default:
		return pace{time.Second, 2 * time.Minute}
	}
}

// A refusal that only people end is tried again a minute later, since servers also refuse by mistake,
// and after three of them at the pace of people: servers count what they refuse against the address
// (Dovecot's penalty, Entra's loop detection), and the others suffer with the one.
const (
	refusals     = 3
	refusalPause = time.Minute
)

// parked is how often a mailbox is tried whose breaker is open; 0 for faults that pass by themselves.
func (f Fault) parked() time.Duration {
	switch {
	case f.Class == Permanent, (f.Class == Auth || f.Class == Config) && f.Lasting:
		return time.Hour
	case f.Class == Auth, f.Class == Config:
		return 15 * time.Minute
	}
	return 0
}

// Pace says in words when a mailbox with this fault is tried again.
func (f Fault) Pace() string {
	switch rest := f.parked(); {
	case f.Wait > 0 && rest < f.Wait:
		return "tried again after the " + f.Wait.Round(time.Second).String() + " that the server named"
	case rest == time.Hour:
		return "tried three times, then hourly"
	case rest > 0:
		return "tried three times, then every 15 minutes"
	case f.Class == Throttled:
		return "tried again after the time that the server names"
	case f.Class == SessionOver:
		return "tried again at once"
	case f.Class == BadMessage:
		return "the message is set aside after three tries, the others go on"
	}
	return "tried again within seconds, up to two minutes"
}

// backoff counts failures in a row. The zero value is ready; success resets it.
type backoff struct {
	class   Class
	tries   int
	refused int // refusals since the last success, whatever came between
}

func (b *backoff) reset() { *b = backoff{} }

// next returns the wait before the next try after a failure of this kind. A time that the server
// named is kept to the second: never less, and those who were told the same spread over one second.
func (b *backoff) next(f Fault) time.Duration {
	if f.Class != b.class {
		b.class, b.tries = f.Class, 0
	}
	b.tries++
	wait := b.pause(f)
	if f.Wait > 0 {
		wait = max(wait, f.Wait+rand.N(time.Second))
	}
	return wait
}

// pause is the wait if the server named none.
func (b *backoff) pause(f Fault) time.Duration {
	if rest := f.parked(); rest > 0 {
		if b.refused++; b.refused < refusals {
			rest = refusalPause
		}
		return rest + rand.N(rest/10)
	}
	p := paceOf(f.Class)
	step := p.ceiling
	if b.tries <= 20 {
		step = min(p.ceiling, p.first<<(b.tries-1))
	}
	return step/2 + rand.N(step/2+1)
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
