package ingest

import (
	"context"
	"encoding/json"
	"fmt"

	"mailflume/publish"
)

// An owner that dies leaves no error behind, and the message that killed it comes first to the next
// one. So every owner leaves word on the log: that it holds the mailbox, and that it let it go. Whoever
// takes over from an owner that never let go takes the next messages alone, one after the other, and
// notes each before it touches it. A message that was noted at maxCrashes deaths is set aside.
const (
	maxCrashes = 3
	// cautiousFor is how many messages are taken alone: more than any owner had in work at once.
	cautiousFor = 64
)

// word is what an owner leaves.
type word struct {
	Worker   string `json:"worker,omitempty"`
	Run      string `json:"run,omitempty"`      // of the process
	Released bool   `json:"released,omitempty"` // it let the mailbox go
	Ref      Ref    `json:"ref,omitempty"`      // the message that is, or was last, taken alone
	Crashes  int    `json:"crashes,omitempty"`  // deaths with that message in work before
	Told     news   `json:"told,omitzero"`      // what was last said about the mailbox itself
	Rested   rested `json:"rested,omitzero"`    // why it is left alone
}

// caution is a runner's part in that.
type caution struct {
	claim publish.Noter
	left  int  // messages still to be taken alone
	open  word // what is in work, and what is known of it
	last  word // as left on the log
	found word // of the owner before
}

// inherit reads the word of the owner before and says on the log that this one holds the mailbox now.
func (r *runner) inherit(claim publish.Claim) error {
	r.careful = caution{}
	n, ok := claim.(publish.Noter)
	if !ok {
		return nil
	}
	b, owned := n.Left()
	var before word
	if len(b) > 0 && json.Unmarshal(b, &before) != nil {
		before = word{} // of a version to come: it did not say that it let go
	}
	died := owned && !before.Released && before.Run != r.opt.run && (r.lives == nil || !r.lives(before.Worker))
	open := word{Ref: before.Ref, Crashes: before.Crashes}
	if died && open.Ref != "" {
		open.Crashes++
	}
	r.careful, r.health.told = caution{claim: n, open: open, found: before}, before.Told
	if before.Run != r.opt.run {
		r.rested = before.Rested
	}
	if died || open.Ref != "" {
		r.careful.left = cautiousFor
		r.opt.Hooks.inherited(r.box.Key, before.Worker, open.Ref, open.Crashes)
	}
	return r.leave(open)
}

// leave leaves a word of this owner.
func (r *runner) leave(w word) error {
	w.Worker, w.Run, w.Told, w.Rested = r.opt.Worker, r.opt.run, r.health.told, r.rested
	if r.careful.claim == nil || w == r.careful.last {
		return nil
	}
	b, err := json.Marshal(w)
	if err == nil {
		err = r.careful.claim.Note(r.hard, b)
	}
	if err == nil {
		r.careful.last = w
	}
	return err
}

// letGo says that this owner gives the mailbox up alive.
func (r *runner) letGo() error {
	w := r.careful.open
	w.Released = true
	return r.leave(w)
}

// alone takes one message with nothing beside it.
func (p *pass) alone(ctx context.Context, m *Message, failed error) error {
	r := p.r
	if err := p.flush(ctx); err != nil {
		return err
	}
	if r.careful.open.Ref != m.Ref {
		r.careful.open = word{Ref: m.Ref}
	}
	if err := r.leave(r.careful.open); err != nil {
		return err
	}
	take := p.fetch
	if r.careful.open.Crashes >= maxCrashes {
		take = p.takeSuspect
	}
	if err := take(ctx, m, failed); err != nil {
		return err
	}
	if err := p.flush(ctx); err != nil {
		return err
	}
	r.careful.open = word{}
	if r.careful.left--; r.careful.left > 0 {
		return nil
	}
	return r.leave(r.careful.open)
}

// takeSuspect sets a message aside unread. Its octets are stored as they come, unless there was a
// death more than it takes to be a suspect: then that was too much already.
func (p *pass) takeSuspect(ctx context.Context, m *Message, failed error) error {
	crashes := p.r.careful.open.Crashes
	j, err := p.job(ctx, m)
	if err != nil {
		return err
	}
	close(j.ready)
	j.err = &Error{Fault{Class: BadMessage, Code: CodeMessageSuspect}, "take over " + string(m.Ref), fmt.Errorf("it was in work when the worker died, %d times", crashes)}
	j.event = p.r.quarantined(j, FaultOf(j.err), crashes)
	if crashes == maxCrashes && failed == nil {
		if err := p.r.setAside(ctx, j, crashes, m.Body); err != nil {
			return err
		}
	}
	return p.enqueue(ctx, j)
}
