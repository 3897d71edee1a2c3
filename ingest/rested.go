package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// rested is why a mailbox is left alone, and for how long at least. It lies in the word on the log, so
// that a worker that is restarted again and again asks no server sooner than that named, and none more
// than once a minute for what it has refused three times.
type rested struct {
	Box     string        `json:"box,omitempty"` // definition of the mailbox: another one was not refused
	Since   int64         `json:"since,omitempty"`
	For     time.Duration `json:"for,omitempty"` // with Since, whatever the clocks of two workers say
	Class   Class         `json:"class,omitempty"`
	Code    Code          `json:"code,omitempty"`
	Refused int           `json:"refused,omitempty"` // since the mailbox was read last
}

// restFor notes what the next owner must know of a failure.
func (r *runner) restFor(f Fault) {
	now := rested{Box: r.box.Definition, Since: r.opt.Now().UnixMilli(), Class: f.Class, Code: f.Code, Refused: r.backoff.refused}
	switch {
	case f.Class == Throttled && f.Wait > 0:
		now.For = f.Wait + time.Millisecond // Since has no more
	case f.parked() > 0:
		if now.Refused >= refusals {
			now.For = refusalPause
		}
	default:
		return // it passes by itself
	}
	r.rested = now
	_ = r.leave(r.careful.open) // without it the next owner asks once too often
}

// rests takes over what the owner before was told, and waits for what is left of it.
func (r *runner) rests(ctx context.Context, before word) bool {
	was := before.Rested
	if r.once || before.Run == r.opt.run || was.Box != r.box.Definition {
		return true
	}
	r.rested, r.backoff.refused = was, was.Refused
	wait := min(time.UnixMilli(was.Since).Add(was.For).Sub(r.opt.Now()), was.For)
	if wait <= 0 {
		return true
	}
	f := Fault{Class: was.Class, Code: was.Code, Wait: wait}
	r.trouble(&Error{f, "take over", fmt.Errorf("%w: %s", errJustRefused, before.Worker)}, f, wait)
	return r.sleep(ctx, wait)
}

var errJustRefused = errors.New("the mail server or issuer asked the worker before to wait, or has just refused it")

// fit forgets it all: the mailbox was read to its end.
func (r *runner) fit() error {
	r.progress()
	if r.rested == (rested{}) {
		return nil
	}
	r.rested = rested{}
	return r.leave(r.careful.open)
}
