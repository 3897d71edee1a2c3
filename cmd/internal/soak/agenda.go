package main

import (
	"context"
	"slices"
	"time"
)

// Agenda is what is to be done and when. One goroutine does it all, so that nothing needs a lock.
type Agenda struct{ acts []act }

type act struct {
	at time.Time
	do func() error
}

// in does something after so long.
func (a *Agenda) in(d time.Duration, do func() error) {
	a.acts = append(a.acts, act{time.Now().Add(d), do})
}

// until does what is due until end, or until something fails.
func (a *Agenda) until(ctx context.Context, end time.Time) error {
	for {
		next, at := -1, end
		for i, act := range a.acts {
			if act.at.Before(at) {
				next, at = i, act.at
			}
		}
		if err := pause(ctx, time.Until(at)); err != nil || next < 0 {
			return err
		}
		do := a.acts[next].do
		a.acts = slices.Delete(a.acts, next, next+1)
		if err := do(); err != nil {
			return err
		}
	}
}

// now does everything that is left, in its order, without waiting.
func (a *Agenda) now() error {
	slices.SortStableFunc(a.acts, func(x, y act) int { return x.at.Compare(y.at) })
	for len(a.acts) > 0 {
		do := a.acts[0].do
		a.acts = a.acts[1:]
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// pause waits.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
