package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"mailflume/publish"
)

// saveEntries is after how many events a snapshot is written: a claim replays at most that many, and
// for events of 2 KiB and a cursor of a few hundred bytes it adds well under 1 %.
const saveEntries = 4000

// Mailbox is one mailbox as the engine needs it.
type Mailbox struct {
	Key         publish.Key
	Info        publish.MailboxInfo
	Host        string // sessions to one host share a budget
	Source      Source
	Start       Start                       // that of Source
	Restart     func(Start) (Source, error) // the same mailbox with another start, for a Job; may be nil
	Blobs       publish.BlobStore           // nil: octets are hashed and not kept
	Holds       int64                       // octets that Blobs holds in memory while a large message streams into it
	Raw         bool                        // keep the raw message
	Attachments bool                        // keep the attachments
	After       After
	PollEvery   time.Duration
	Canary      *Canary // nil: no probes
	Definition  string  // equal definitions need no restart
}

// runner is one mailbox's loop: claim, open, messages, deliver, append, settle, wait. Its goroutine
// owns everything here.
type runner struct {
	box      Mailbox
	opt      *Options
	memory   *memory
	places   *places
	composer Composer
	once     bool
	wake     <-chan struct{}            // ends a wait; may be nil
	look     <-chan struct{}            // ends any wait, that of a session for news too; may be nil
	hurry    bool                       // there is something to do: no wait now
	job      *atomic.Pointer[Job]       // what somebody asks for; may be nil
	late     bool                       // what is being published comes after its turn
	certain  func(context.Context) bool // waits until it is known that the mailbox is still this worker's; may be nil
	hard     context.Context            //nolint:containedctx // outlives the work so that a write can be resolved

	lives func(worker string) bool // whether another worker is known to live; may be nil

	health   health
	canary   *canary
	careful  caution
	pos      *position
	recalls  map[string]*recall // by scope; nil: not read in this session
	failures map[Ref]failure    // those that are the message's own
	backoff  backoff
	worked   time.Time // when a message came, or the mailbox was read to its end, last; zero: not to this runner
	inRow    int       // quarantined since a message was last received
	rested   rested    // why it was last left alone; zero: it is well
	held     time.Time // no post-action before: the last one was refused
	holding  backoff
	claimed  time.Time // when this tenure began
	ousted   backoff   // claims that another worker ended
}

func newRunner(box Mailbox, f *Fleet) *runner {
	return &runner{
		box: box, opt: &f.opt, memory: f.memory, places: f.places, hard: f.hard, failures: map[Ref]failure{},
		composer: Composer{Blobs: box.Blobs, Raw: box.Raw, Attachments: box.Attachments},
	}
}

// run works until ctx ends (or, with once, until the mailbox was read to its end) and returns the
// last error.
func (r *runner) run(ctx context.Context) error {
	defer r.set(StateStopped, nil)
	for {
		err := r.tenure(ctx)
		if ctx.Err() != nil || (r.once && err == nil) {
			return err
		}
		if r.once && r.opt.Members != nil && errors.Is(err, publish.ErrFenced) {
			return err // another worker has come for it
		}
		if r.once && !r.worthRetry(err) {
			r.trouble(err, FaultOf(err), 0)
			return err
		}
		if !r.rest(ctx, err) {
			return err
		}
	}
}

// worthRetry keeps a single pass from waiting for people, but lets it ride out the network.
func (r *runner) worthRetry(err error) bool {
	switch f := FaultOf(err); {
	case f.Code == CodePaused: // for as long as somebody likes
		return false
	case f.Class == SessionOver || f.Class == BadMessage:
		return r.backoff.tries < 2*tries
	case f.Class == Transient || f.Class == Throttled:
		return r.backoff.tries+r.ousted.tries < 2
	}
	return false
}

// tenure is one claim on the log, from taking it over to giving it up.
func (r *runner) tenure(ctx context.Context) error {
	r.set(StateClaiming, nil)
	if err := r.mayRun(ctx); err != nil {
		return err
	}
	r.claimed = r.opt.Now()
	claim, err := r.opt.Log.Claim(ctx, r.box.Key)
	if err != nil {
		return fmt.Errorf("claim the log of %s: %w", r.box.Key, err)
	}
	var held Cursor
	if r.pos != nil {
		held = r.pos.base
	}
	if r.pos, err = openPosition(claim, r.box.Source, r.box.After.Action, held); err != nil {
		return errors.Join(err, claim.Release(r.hard))
	}
	if err = r.inherit(claim); err != nil {
		return r.release(claim, true, err)
	}
	r.began()
	defer r.canary.start(ctx)()
	if !r.rests(ctx, r.careful.found) {
		return r.release(claim, false, context.Cause(ctx))
	}
	for {
		err = r.session(ctx, claim)
		if !lost(err) && ctx.Err() == nil {
			err = cmp.Or(r.work(ctx, claim), err)
		}
		if !lost(err) && ctx.Err() == nil {
			err = cmp.Or(r.report(claim, err), err)
		}
		if !lost(err) { // a mail server may be away for longer than the log keeps events
			err = cmp.Or(r.saveDue(claim), err)
		}
		if errors.Is(err, publish.ErrFenced) {
			r.opt.Hooks.fenced(r.box.Key)
		}
		if lost(err) || ctx.Err() != nil || r.once || !r.rest(ctx, err) {
			return r.release(claim, lost(err), err)
		}
	}
}

// mayRun asks whether the mailbox is paused: the owner before may have been told so only just now, and the Fleet
// hears of it by and by. It will end this runner then.
func (r *runner) mayRun(ctx context.Context) error {
	if r.opt.Pauses == nil {
		return nil
	}
	paused, err := r.opt.Pauses.Paused(ctx, r.box.Key)
	if err == nil && paused {
		err = pausedFault(Transient)
	}
	return err
}

// lost reports whether an error ended the claim.
func lost(err error) bool {
	return errors.Is(err, publish.ErrFenced) || errors.Is(err, publish.ErrLogMoved)
}

// release saves what is not saved yet and gives the claim up.
func (r *runner) release(claim publish.Claim, lost bool, cause error) error {
	var err error
	if !lost && r.pos.dirty > 0 {
		err = r.save(claim)
	}
	if !lost && err == nil {
		err = r.letGo()
	}
	r.careful.claim = nil
	return errors.Join(cause, err, claim.Release(r.hard))
}

func (r *runner) save(claim publish.Claim) error {
	n, err := r.pos.save(r.hard, claim, r.box.Blobs)
	if err == nil {
		r.opt.Hooks.saved(r.box.Key, n)
	}
	return err
}

// saveDue saves a position that has waited long enough.
func (r *runner) saveDue(claim publish.Claim) error {
	if r.pos.dirty == 0 || r.pos.since(r.pos.oldest) < r.opt.SaveEvery() {
		return nil
	}
	return r.save(claim)
}

// session is one connection: it returns nil when the mailbox was read and the connection is not
// worth keeping until the next poll.
func (r *runner) session(ctx context.Context, claim publish.Claim) error {
	r.set(StateConnecting, nil)
	if p, ok := r.box.Source.(Preparer); ok {
		if err := p.Prepare(ctx); err != nil {
			return err
		}
	}
	free, err := r.places.take(ctx, r.box.Host)
	if err != nil {
		return err
	}
	defer free()
	if err := r.rebase(ctx); err != nil {
		return err
	}
	s, err := r.box.Source.Open(ctx)
	if err != nil {
		return err
	}
	defer s.Close() // what the session did is acknowledged or will be done again
	for {
		if err := r.cycle(ctx, s, claim); err != nil {
			return err
		}
		if err := cmp.Or(r.fit(), r.report(claim, nil)); err != nil {
			return err
		}
		w, ok := s.(Waiter)
		if r.once { // nothing is waited for, and all is well
			r.set(StateIdle, nil)
		}
		if !ok || r.once || r.asked() {
			return nil
		}
		wait := r.untilNext()
		r.setUntil(StateIdle, wait)
		if err := r.await(ctx, w, wait); err != nil || r.hurry {
			return err
		}
	}
}

// await waits for news. A look now costs the session: it cannot be told to stop waiting otherwise.
func (r *runner) await(ctx context.Context, w Waiter, atMost time.Duration) error {
	waiting, cancel := context.WithCancel(ctx)
	asked := make(chan bool, 1)
	go func() {
		select {
		case <-r.look:
			cancel()
			asked <- true
		case <-waiting.Done():
			asked <- false
		}
	}()
	err := w.Wait(waiting, atMost)
	cancel()
	if r.hurry = <-asked; r.hurry && ctx.Err() == nil {
		return nil
	}
	return err
}

// cycle reads the mailbox to its end once, and settles what is due.
func (r *runner) cycle(ctx context.Context, s Session, claim publish.Claim) error {
	r.set(StateEnumerating, nil)
	err := r.believe(ctx, claim)
	if err == nil {
		err = r.catchUp(ctx, s, claim)
	}
	if err != nil {
		return err
	}
	r.opt.Hooks.skipped(r.box.Key, s)
	// Until nothing is left: mail that came meanwhile is not a poll late, and a Source learns from
	// the last position which of its messages are acknowledged (some maildrops are emptied by QUIT).
	for {
		n, err := r.drain(ctx, s, claim)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	r.opt.Hooks.polled(r.box.Key, r.opt.Now())
	if err := r.settle(ctx, s, claim); err != nil {
		return err
	}
	return r.saveDue(claim)
}

// believe makes sure that the log still holds what was acknowledged, if that is in doubt. A mailbox
// without new mail writes nothing that would show it.
func (r *runner) believe(ctx context.Context, claim publish.Claim) error {
	v, ok := claim.(publish.Verifier)
	if !ok || !v.Doubts() {
		return nil
	}
	if err := v.Verify(ctx); err != nil {
		return fmt.Errorf("look whether the log still holds what was published: %w", err)
	}
	return nil
}

// settle applies the post-action to what is due, if the log still holds what was acknowledged.
func (r *runner) settle(ctx context.Context, s Session, claim publish.Claim) error {
	refs, _ := r.pos.ripe(r.grace())
	if len(refs) == 0 || r.opt.Now().Before(r.held) {
		return nil
	}
	r.set(StateSettling, nil)
	if v, ok := claim.(publish.Verifier); ok {
		if err := v.Verify(ctx); err != nil {
			return fmt.Errorf("post-actions wait: %w", err)
		}
	}
	done, err := s.Settle(ctx, refs)
	r.pos.settled(done)
	if len(done) > 0 {
		r.opt.Hooks.settled(r.box.Key, r.box.After.Action, len(done))
	}
	if err == nil {
		r.holding.reset()
		return nil
	}
	if f := FaultOf(err); f.Class == Config || f.Class == Permanent {
		// An administrator must act. Reading and publishing do not wait for that.
		r.held = r.opt.Now().Add(r.holding.next(f))
		r.opt.Hooks.unsettled(r.box.Key, err, r.held)
		return nil
	}
	return err
}

func (r *runner) grace() time.Duration { return max(r.box.After.Grace, r.opt.MinGrace) }

func (r *runner) set(s State, err error) {
	r.opt.Hooks.state(r.box.Key, Status{State: s, At: r.opt.Now(), Err: err})
}

func (r *runner) setUntil(s State, wait time.Duration) {
	now := r.opt.Now()
	r.opt.Hooks.state(r.box.Key, Status{State: s, At: now, Until: now.Add(wait)})
}

// trouble reports a failure and when it is tried again.
func (r *runner) trouble(err error, f Fault, wait time.Duration) {
	now := r.opt.Now()
	r.opt.Hooks.state(r.box.Key, Status{State: troubleState(err, f), At: now, Until: now.Add(wait), Err: err, Fault: f})
}

func troubleState(err error, f Fault) State {
	if fault, ok := publishFault(err); ok && fault.Code != CodeFenced && fault.Code != CodeLogMoved {
		return StateNATSUnavailable
	}
	if f.Code == CodePaused {
		return StatePaused
	}
	switch f.Class {
	case Auth:
		return StateAuthFailed
	case Config, Permanent:
		return StateConfigError
	case Throttled:
		return StateThrottled
	}
	return StateBackoff
}
