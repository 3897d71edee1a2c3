package ingest

import (
	"time"

	"mailflume/publish"
)

// State is where a mailbox's runner is. The names are those of the metric mailflume_mailbox_state.
type State string

// The states.
const (
	StateStarting        State = "starting"
	StateClaiming        State = "claiming" // taking the mailbox's log over
	StateConnecting      State = "connecting"
	StateEnumerating     State = "enumerating" // comparing the server with the position
	StateFetching        State = "fetching"
	StateSettling        State = "settling" // post-actions
	StateIdle            State = "idle"
	StatePollingWait     State = "polling_wait"
	StateBackoff         State = "backoff"
	StateThrottled       State = "throttled"
	StateAuthFailed      State = "auth_failed"
	StateConfigError     State = "config_error"
	StateNATSUnavailable State = "nats_unavailable"
	StateDraining        State = "draining"
	StateStandby         State = "standby" // another worker has the mailbox
	StatePaused          State = "paused"  // until somebody resumes it
	StateStopped         State = "stopped"
)

// States returns all states, for metrics that report each as 0 or 1.
func States() []State {
	return []State{
		StateStarting, StateClaiming, StateConnecting, StateEnumerating, StateFetching, StateSettling, StateIdle, StatePollingWait,
		StateBackoff, StateThrottled, StateAuthFailed, StateConfigError, StateNATSUnavailable, StateDraining, StateStandby, StatePaused, StateStopped,
	}
}

// Status is a change of state.
type Status struct {
	State State
	At    time.Time
	Until time.Time // when the next try or poll is due; zero if not waiting for a time
	Err   error     // why, for the states that are troubles, and for a session that ended and is opened again; nil otherwise
	Fault Fault     // of Err
}

// Trouble reports whether the state needs attention.
func (s Status) Trouble() bool {
	switch s.State {
	case StateBackoff, StateThrottled, StateAuthFailed, StateConfigError, StateNATSUnavailable:
		return true
	}
	return false
}

// Delivery describes one message whose event is acknowledged.
type Delivery struct {
	ID          string // of the event
	Type        publish.EventType
	Ref         Ref
	Size        int64 // raw octets
	Attachments int
	AttachBytes int64
	Received    time.Time // by the mail server
	Took        time.Duration
	Err         error // why it was quarantined
}

// Hooks are how the engine reports. Every field may be nil. The functions are called from many
// goroutines, must be quick, and must not call back into the engine.
type Hooks struct {
	State     func(box publish.Key, s Status)
	Delivered func(box publish.Key, d Delivery)
	Settled   func(box publish.Key, action Action, done int)
	Unsettled func(box publish.Key, err error, until time.Time) // the server refuses the post-action; tried again then
	Polled    func(box publish.Key, at time.Time)               // the mailbox was read to its end
	Saved     func(box publish.Key, size int)                   // a snapshot was written
	Skipped   func(box publish.Key, why []error)                // folders that the last look left out; after each look
	Fenced    func(box publish.Key)
	// The owner before died, or had a suspect: the next messages go one by one. Ref was in work at that
	// many deaths; empty: it is not known which.
	Inherited func(box publish.Key, worker string, ref Ref, crashes int)
	Reset     func(box publish.Key, what publish.ResetInfo)                       // the server made Refs void; its event is out
	Judged    func(box publish.Key, ref Ref, verdict publish.EventType)           // without an event: Recognised, Renamed or PassedOver
	Told      func(box publish.Key, kind publish.EventType, why *publish.Problem) // an event about the mailbox itself is out
	Probed    func(box publish.Key, p Probe)                                      // the canary's probe came, or did not

	// With other workers.
	Owner   func(box publish.Key, worker string)    // who has the mailbox now; empty: it is not known yet
	Workers func(live map[string]int, own, all int) // who is there with which weight, and how many of the mailboxes are this worker's
	Differs func(box publish.Key, workers []string) // these define the mailbox otherwise; none: no longer
	Members func(err error)                         // the other workers do not hear this one; nil: they do again
}

func (h *Hooks) state(box publish.Key, s Status) {
	if h.State != nil {
		h.State(box, s)
	}
}

func (h *Hooks) delivered(box publish.Key, d Delivery) {
	if h.Delivered != nil {
		h.Delivered(box, d)
	}
}

func (h *Hooks) settled(box publish.Key, a Action, n int) {
	if h.Settled != nil {
		h.Settled(box, a, n)
	}
}

func (h *Hooks) unsettled(box publish.Key, err error, until time.Time) {
	if h.Unsettled != nil {
		h.Unsettled(box, err, until)
	}
}

func (h *Hooks) polled(box publish.Key, at time.Time) {
	if h.Polled != nil {
		h.Polled(box, at)
	}
}

func (h *Hooks) skipped(box publish.Key, s Session) {
	if p, ok := s.(Partial); ok && h.Skipped != nil {
		h.Skipped(box, p.Skipped())
	}
}

func (h *Hooks) saved(box publish.Key, n int) {
	if h.Saved != nil {
		h.Saved(box, n)
	}
}

func (h *Hooks) reset(box publish.Key, what publish.ResetInfo) {
	if h.Reset != nil {
		h.Reset(box, what)
	}
}

func (h *Hooks) judged(box publish.Key, ref Ref, verdict publish.EventType) {
	if h.Judged != nil {
		h.Judged(box, ref, verdict)
	}
}

func (h *Hooks) told(box publish.Key, kind publish.EventType, why *publish.Problem) {
	if h.Told != nil {
		h.Told(box, kind, why)
	}
}

func (h *Hooks) probed(box publish.Key, p Probe) {
	if h.Probed != nil {
		h.Probed(box, p)
	}
}

func (h *Hooks) fenced(box publish.Key) {
	if h.Fenced != nil {
		h.Fenced(box)
	}
}

func (h *Hooks) inherited(box publish.Key, worker string, ref Ref, crashes int) {
	if h.Inherited != nil {
		h.Inherited(box, worker, ref, crashes)
	}
}

func (h *Hooks) owner(box publish.Key, worker string) {
	if h.Owner != nil {
		h.Owner(box, worker)
	}
}

func (h *Hooks) shared(live map[string]int, own, all int) {
	if h.Workers != nil {
		h.Workers(live, own, all)
	}
}

func (h *Hooks) differs(box publish.Key, workers []string) {
	if h.Differs != nil {
		h.Differs(box, workers)
	}
}

func (h *Hooks) membership(err error) {
	if h.Members != nil {
		h.Members(err)
	}
}
