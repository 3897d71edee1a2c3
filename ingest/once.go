package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"mailflume/publish"
)

// Once reads every mailbox that is not paused to its end one time, at most parallel of them at once (0: 64),
// and returns their errors joined, in the order of the mailboxes. Those that other workers have are left to
// them: they are read there, and to claim them would only stop that for a while. The Fleet must not run
// anything else.
func (f *Fleet) Once(ctx context.Context, boxes []Mailbox, parallel int) error {
	errs := make([]error, len(boxes))
	turn := make(chan struct{}, cmp.Or(parallel, 64))
	var wg sync.WaitGroup
	// A cancelled pass still gets the time to resolve its last write.
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(drainTime, f.cut) })
	defer stop()
	if f.opt.Pauses != nil {
		for paused := range f.opt.Pauses.Watch(ctx) {
			f.paused = paused
			break
		}
	}
	owners := f.others(ctx)
	for i, b := range boxes {
		if owner := owners.owner(boxKey(b.Key)); owner != "" {
			f.leaveTo(b.Key, owner)
			continue
		}
		if since, paused := f.paused[b.Key]; paused {
			f.opt.Hooks.state(b.Key, Status{State: StatePaused, At: since})
			continue
		}
		turn <- struct{}{}
		wg.Go(func() {
			defer func() { <-turn }()
			r := newRunner(b, f)
			r.once = true
			if err := r.run(ctx); f.opt.Members != nil && errors.Is(err, publish.ErrFenced) {
				f.leaveTo(b.Key, "")
			} else if err != nil {
				errs[i] = fmt.Errorf("%s: %w", b.Key, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(slices.DeleteFunc(errs, func(e error) bool { return e == nil })...)
}

// others places mailboxes on the workers that are there. One of this worker's own name is its former self.
func (f *Fleet) others(ctx context.Context) *rendezvous {
	seats := map[string]seat{}
	if f.opt.Members != nil {
		for weights, lists := range f.opt.Members.Watch(ctx) {
			for id, weight := range weights {
				seats[id] = seat{weight, lists[id]}
			}
			break
		}
	}
	delete(seats, f.opt.Worker)
	return newRendezvous(seats)
}

// leaveTo reports a mailbox that a worker has; its name may not be known.
func (f *Fleet) leaveTo(box publish.Key, owner string) {
	if owner != "" {
		f.opt.Hooks.owner(box, owner)
	}
	f.opt.Hooks.state(box, Status{State: StateStandby, At: f.opt.Now()})
}
