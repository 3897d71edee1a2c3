package ingest

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"mailflume/publish"
)

// When a server makes the Refs of a folder or maildrop void, one reset event tells so and is the switch
// to the new life, in one write. From then on each message that was there is judged by its content: one
// that was published is recognised and needs no event; of the others those that the configured start
// had passed over stay so, and the rest is published. What is judged is in the position at once and in
// its snapshots later: judging a message again comes to the same result.

// The types of entries that stand in a position only.
const (
	Recognised publish.EventType = "recognised"  // after a reset: published before, under a Ref that is void now
	PassedOver publish.EventType = "passed_over" // never published: older than the base
	Renamed    publish.EventType = "renamed"     // published before under a Ref that has vanished, without a reset
	Settled    publish.EventType = "settled"     // its post-action is done
)

// maxRenewals is how many resets in a row one look at the server may find.
const maxRenewals = 3

// catchUp brings the position up to date with the server. Nothing is appended before it is saved.
func (r *runner) catchUp(ctx context.Context, s Session, claim publish.Claim) error {
	again, resets := s.(Renewer)
	r.recalls = nil // what an earlier session recognised and did not note
	if resets {
		again.Recall(r.sizes)
	}
	for range maxRenewals {
		changed, err := r.pos.sync(ctx, s)
		if err == nil && changed {
			err = r.save(claim)
		}
		if err != nil || !resets || len(again.Resets()) == 0 {
			return err
		}
		for _, x := range again.Resets() {
			if err := r.renew(claim, x); err != nil {
				return err
			}
		}
	}
	return &Error{Fault{Class: Config, Code: CodeUIDLReset}, "look at the mailbox", errors.New("its ids change all the time")}
}

// renew begins a new life: the event, and with its Ref the switch.
func (r *runner) renew(claim publish.Claim, x Renewal) error {
	now, _ := r.pos.clock.Now()
	if n := r.pos.keys.recent(x.Scope, now); n >= uint64(max(x.PerDay, 1)) {
		return &Error{Fault{Class: Config, Code: CodeUIDLReset}, "reset of " + strconv.Quote(x.Scope), fmt.Errorf("it is number %d within a day", n+1)}
	}
	id := publish.NewID(r.box.Key.Tenant, r.box.Key.Mailbox, string(publish.Reset), string(x.Ref), strconv.FormatUint(r.pos.keys.lives[x.Scope].number+1, 10))
	ev := publish.NewEvent(r.box.Key, publish.Reset, id, r.opt.Now(), &publish.Data{Mailbox: r.box.Info, Reset: &x.Info})
	if err := claim.Append(r.hard, ev, x.Ref); err != nil {
		return err // it names the event
	}
	r.pos.add(r.pos.entry(x.Ref, publish.Reset, publish.Content{}))
	r.recalls = nil
	r.opt.Hooks.reset(r.box.Key, x.Info)
	return nil
}

// recallFor returns what is known of a scope's lives before this one.
func (r *runner) recallFor(ctx context.Context, scope string) (*recall, error) {
	if r.recalls == nil {
		all, err := r.pos.keys.recall(ctx, r.box.Blobs)
		if err != nil {
			return nil, err
		}
		r.recalls = all
	}
	if c := r.recalls[scope]; c != nil {
		return c, nil
	}
	return &recall{}, nil
}

// sizes tells a session which sizes are those of published messages.
func (r *runner) sizes(ctx context.Context, scope string) (func(int64) bool, error) {
	c, err := r.recallFor(ctx, scope)
	if err != nil {
		return nil, err
	}
	return c.size, nil
}

// foresee judges a message in memory by its octets, if they are enough for that.
func (j *job) foresee(raw []byte) bool {
	if j.recall == nil && j.msg.Was == nil {
		return false
	}
	c := contentOf(raw)
	if j.known(c); j.verdict == "" && !j.msg.Received.IsZero() && j.msg.Received.Before(j.msg.Since) {
		j.verdict, j.content = PassedOver, c
	}
	return j.verdict != ""
}

// known finds out whether these octets were published under another Ref. What the Source can tell goes
// first: it knows of each message whether it is still there.
func (j *job) known(c publish.Content) (here bool) {
	was := Stranger
	if j.msg.Was != nil && c != (publish.Content{}) {
		was = j.msg.Was(c)
	}
	switch {
	case was == Renumbered && j.recall != nil:
		j.recall.use(c)
		j.verdict, j.content = Recognised, c
	case was == Renumbered:
		j.verdict, j.content = Renamed, c
	case was == Unwanted:
		j.verdict, j.content = PassedOver, c
	case was == Stranger && j.recall != nil && c != (publish.Content{}) && j.recall.take(c):
		j.verdict, j.content = Recognised, c
	}
	return was == Twin
}

// judge says what becomes of a message that may have had another Ref; "": its event is to be appended.
func (j *job) judge() (publish.EventType, error) {
	if j.verdict != "" {
		return j.verdict, nil
	}
	at := j.event.Time
	c := publish.ContentOf(j.event.Data)
	switch twin := j.known(c); {
	case j.verdict != "" || twin:
	case at.Before(j.msg.Since):
		j.verdict, j.content = PassedOver, c
	case j.recall != nil && !at.After(j.recall.lost):
		return "", &Error{Fault{Class: Config, Code: CodeContentLost}, "judge message " + string(j.msg.Ref),
			fmt.Errorf("received at %s; contents are known of what was published after %s", at.Format(stampForm), j.recall.lost.UTC().Format(stampForm))}
	}
	return j.verdict, nil
}

const stampForm = "2006-01-02T15:04:05Z"
