package ingest

import (
	"crypto/rand"
	"strconv"
	"strings"
	"time"

	"mailflume/publish"
)

// A mailbox's events tell when signing in to it fails, when mail stands still, and when it goes on: one
// event for each change, appended by the owner like every other, without a Ref. What was told last lies
// in the word on the log, so that the next owner neither repeats it nor forgets to take it back.
//
//	         the breaker opens over       it opens over anything else, no look at it came to its
//	         signing in                   end for three polls, or a probe is late
//	well ──────────▶ auth_failed      well ──────────▶ stalled ──▶ auth_failed
//	  ◀── recovered: the mailbox was read to its end; if a probe was late, the next one came
const (
	stallPolls = 3
	stallFloor = 3 * time.Minute // however often it is polled: a server that restarts is no news
)

// news is what the last event about the mailbox itself said. The zero value: all is well.
type news struct {
	Type   publish.EventType `json:"type,omitempty"`
	Code   Code              `json:"code,omitempty"`
	Canary bool              `json:"canary,omitempty"` // a probe was late: only a probe takes it back
	// ID is of an event that was about to be written: if it was, writing it again is the same event again.
	ID string `json:"id,omitempty"`
}

// health is a runner's part in that.
type health struct {
	told    news
	lively  time.Time // when something last came through: a look at its end, a message, a new claim
	refused int       // since the mailbox was last read, those refusalPause apart: as many as refusals open the breaker
	last    time.Time // of those
	tenure  string    // makes ids that nobody else makes
	changes int
}

// began notes a claim: nobody could have told anything in the time before.
func (r *runner) began() {
	r.health.lively, r.health.tenure, r.health.changes = r.opt.Now(), rand.Text(), 0
}

// report tells what changed: err ended a session, nil: the mailbox was read to its end.
func (r *runner) report(claim publish.Claim, err error) error {
	if r.health.told.ID != "" { // an owner ended between the announcement and the event
		if err := r.tell(claim, r.health.told, nil); err != nil {
			return err
		}
	}
	r.canary.may(err == nil)
	now := r.finding(err)
	switch before := r.health.told; {
	case now == before:
		return nil
	case now.Type == before.Type: // for another reason: no news
		r.health.told = now
		return r.leave(r.careful.open)
	}
	r.health.changes++
	kind := now.Type
	if kind == "" {
		kind = publish.Recovered
	}
	now.ID = publish.NewID(r.box.Key.Tenant, r.box.Key.Mailbox, string(kind), r.health.tenure, strconv.Itoa(r.health.changes))
	return r.tell(claim, now, err)
}

// finding is what is to be told of the mailbox now.
func (r *runner) finding(err error) news {
	h := &r.health
	if err == nil {
		h.refused, h.lively = 0, r.opt.Now()
		switch r.canary.verdict() {
		case probeLate:
			return news{Type: publish.Stalled, Code: CodeCanaryLate, Canary: true}
		case probeNone: // none yet in this tenure
			if h.told.Canary && r.box.Canary != nil {
				return h.told
			}
		}
		return news{}
	}
	f := FaultOf(err)
	now, parked := r.opt.Now(), f.parked() > 0
	if parked && now.Sub(h.last) >= refusalPause {
		h.refused, h.last = h.refused+1, now
	}
	open, auth := h.refused >= refusals, strings.HasPrefix(string(f.Code), "MF-AUTH-")
	switch {
	case h.told.Type == publish.AuthFailed:
	case parked && open && auth:
		return news{Type: publish.AuthFailed, Code: f.Code}
	case h.told.Type != "":
	case parked && open, (!parked || !auth) && now.Sub(h.lively) >= max(stallPolls*r.box.PollEvery, stallFloor):
		return news{Type: publish.Stalled, Code: f.Code}
	}
	return h.told
}

// tell announces an event in the word on the log, writes it, and takes the announcement back.
func (r *runner) tell(claim publish.Claim, now news, cause error) error {
	r.health.told = now
	if err := r.leave(r.careful.open); err != nil {
		return err
	}
	kind, data := now.Type, &publish.Data{Mailbox: r.box.Info}
	if kind == "" {
		kind = publish.Recovered
	} else {
		data.Problem = problem(now.Code, cause)
	}
	if err := claim.Append(r.hard, publish.NewEvent(r.box.Key, kind, now.ID, r.opt.Now(), data), ""); err != nil {
		return err
	}
	r.opt.Hooks.told(r.box.Key, kind, data.Problem)
	r.health.told.ID = ""
	return r.leave(r.careful.open)
}

// problem is a fault as an event tells it.
func problem(c Code, cause error) *publish.Problem {
	meaning, next := Explain(c)
	if cause != nil {
		meaning = clip(cause.Error(), 1000)
	}
	return &publish.Problem{Code: string(c), Message: meaning, Next: next}
}
