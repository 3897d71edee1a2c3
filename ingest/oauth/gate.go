package oauth

import (
	"context"
	"errors"
	"sync"
	"time"

	"mailflume/ingest"
)

const (
	gateSlots   = 4 // requests under way for one service account or client: some forty a second at Google's pace
	gateRefused = 3 // mailboxes refused in a row make it the account's fault
)

// gate is what the mailboxes of one service account share: each has a token of its own, but one key,
// one delegation and one issuer. It bounds how many ask at once, and closes when what failed is not
// the mailbox's own: then one request at a time finds out whether it works again, in the renewer's
// steps from 5 s to 5 min, whatever the number of mailboxes.
//
// Google does not say whose fault a refusal is but in words, and words change. So the account is to
// blame once several mailboxes in a row were refused, and no more as soon as one gets its token.
type gate struct {
	now   func() time.Time
	slots chan struct{}
	own   func(ingest.Fault) bool // failures that say that all is well with what is shared; nil: none does

	mu       sync.Mutex
	seen     map[string]bool // mailboxes that came here
	refused  map[string]bool // mailboxes since the last success
	failure  *ingest.Error   // why it is closed
	failures int
	until    time.Time
	probing  bool
	rereadAt time.Time
}

func newGate(now func() time.Time) *gate {
	return &gate{now: now, slots: make(chan struct{}, gateSlots), refused: map[string]bool{}, seen: map[string]bool{}}
}

// Gate is what the sources of one client at one issuer share, each of which has an account of its own
// ([NewDelegated], [NewOAuth2] with a refresh token): when the issuer wants to be left alone, or refuses the
// client, one of them finds out when that is over. What ends one account's grant closes no gate.
type Gate struct{ *gate }

// NewGate returns an open one.
func NewGate() *Gate {
	g := newGate(time.Now)
	g.own = func(f ingest.Fault) bool {
		switch f.Code {
		case ingest.CodeClientSecret, ingest.CodeSecretExpired, ingest.CodeSecretMissing, ingest.CodePublicClient, ingest.CodeLoginClient,
			ingest.CodeAppUnknown, ingest.CodeAppDisabled, ingest.CodeTenantUnknown, ingest.CodeTokenRequest:
			return false
		}
		return f.Class == ingest.Auth
	}
	return &Gate{g}
}

// enter waits for a slot. Whoever gets nil must leave.
func (g *gate) enter(ctx context.Context, mailbox string) *ingest.Error {
	if e := g.closed(mailbox); e != nil {
		return e
	}
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return &ingest.Error{Fault: ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTokenDown}, Op: opToken, Err: errQueue}
		}
		return closedError()
	}
	e := g.pass(mailbox) // what was open before the wait may be closed now
	if e != nil {
		<-g.slots
	}
	return e
}

// closed says why there is no use in waiting.
func (g *gate) closed(mailbox string) *ingest.Error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen[mailbox] = true
	return g.held(mailbox)
}

// pass lets one in, and only one while it is tried whether the account works again.
func (g *gate) pass(mailbox string) *ingest.Error {
	g.mu.Lock()
	defer g.mu.Unlock()
	e := g.held(mailbox)
	g.probing = g.probing || e == nil && g.failure != nil
	return e
}

// held lets those try first that were not refused themselves: a mailbox that does not exist would
// else be the one to find out, again and again, and keep everyone out.
func (g *gate) held(mailbox string) *ingest.Error {
	wait := g.until.Sub(g.now())
	if g.refused[mailbox] {
		wait += 2 * holdOffMin
	}
	if g.probing {
		wait = max(wait, holdOffMin)
	}
	if g.failure == nil || wait <= 0 || len(g.seen) == 1 { // a single one is held back by its renewer
		return nil
	}
	e := *g.failure
	e.Fault.Wait = wait
	return &e
}

var errQueue = errors.New("others are asking the token endpoint, which is slow")

// free gives the slot back of one that did not ask.
func (g *gate) free() {
	g.mu.Lock()
	defer g.mu.Unlock()
	<-g.slots
	g.probing = false
}

// leave takes note of what became of a request for a mailbox.
func (g *gate) leave(mailbox string, failure *ingest.Error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	<-g.slots
	probe := g.probing
	g.probing = false
	if failure == nil || g.own != nil && g.own(failure.Fault) {
		g.failure, g.failures = nil, 0
		clear(g.refused)
		return
	}
	g.refused[mailbox] = true
	if personal(failure.Fault) && len(g.refused) < gateRefused && g.failure == nil {
		return
	}
	if g.failure != nil && !probe && g.now().Before(g.until) {
		return // one of those that were under way when it closed
	}
	g.failures++
	g.failure = failure
	g.until = g.now().Add(holdOff(failure.Fault.Wait, g.failures))
}

// reread opens the gate, once a minute: what closed it was another key's, unless the issuer named the time.
func (g *gate) reread() {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if asked := g.failure != nil && named(g.failure.Fault) && now.Before(g.until); now.Sub(g.rereadAt) >= forceEvery && !asked {
		g.failure, g.failures, g.rereadAt = nil, 0, now
		clear(g.refused)
	}
}

// personal reports whether a failure can be one mailbox's: a refusal, no outage and no redirect.
func personal(f ingest.Fault) bool {
	return f.Code == ingest.CodeSubject || f.Code == ingest.CodeDelegation || f.Class == ingest.Auth
}
