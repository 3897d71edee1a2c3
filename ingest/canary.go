package ingest

import (
	"context"
	"crypto/rand"
	"fmt"
	mrand "math/rand/v2"
	"strings"
	"sync"
	"time"

	"mailflume/publish"
)

// ProbeField is the header field that names a probe. Anybody can write one: it says what a message
// calls itself.
const ProbeField = "X-Mailflume-Probe"

// Canary has a mailbox's owner send a probe to it now and then, and expect its event.
type Canary struct {
	Every   time.Duration
	Timeout time.Duration // from the submission to the acknowledgement of the event
	// Send submits a message whose ProbeField is probe. It is called from a goroutine of its own.
	Send func(ctx context.Context, probe string) error
}

// Probe is what became of one.
type Probe struct {
	ID      string
	Took    time.Duration // from the submission to the acknowledgement of its event
	Err     error         // why it could not be sent, or that it is late; nil: it came
	Arrived bool
}

// NewProbe makes a name for a probe.
func NewProbe() string { return strings.ToLower(rand.Text()) }

// ProbeOf returns the name of the probe that a message calls itself; "": it is none.
func ProbeOf(d *publish.Data) string {
	if d == nil {
		return ""
	}
	for _, f := range d.Headers {
		if strings.EqualFold(f.Name, ProbeField) {
			return strings.TrimSpace(f.Value)
		}
	}
	return ""
}

// What is known of the last probe.
const (
	probeNone = iota
	probeCame
	probeLate
)

// canary is a runner's part in that. One goroutine sends while the mailbox is this owner's; the runner's
// own sees the events. A nil canary is that of a mailbox without.
type canary struct {
	Canary
	tell  func(Probe)
	nudge func() // the runner is to look at the verdict now

	mu     sync.Mutex
	well   bool   // the mailbox was read when it was last looked at
	id     string // of the last probe
	last   int    // what is known of it
	landed chan struct{}
}

// may says whether there is any use in probing.
func (c *canary) may(well bool) {
	if c != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.well = well
	}
}

func (c *canary) verdict() int {
	if c == nil {
		return probeNone
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// saw is told of every event that is in the stream. A probe that comes after its time ends what its
// delay began.
func (c *canary) saw(ev *publish.Event) {
	if c == nil || ev.Kind != publish.Received {
		return
	}
	probe := ProbeOf(ev.Data)
	c.mu.Lock()
	defer c.mu.Unlock()
	if probe == "" || probe != c.id {
		return
	}
	c.id, c.last = "", probeCame
	close(c.landed)
}

// start begins to send and returns what ends it. Nothing is known of what another owner sent.
func (c *canary) start(ctx context.Context) (stop func()) {
	if c == nil {
		return func() {}
	}
	c.well, c.id, c.last = false, "", probeNone
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() {
		// A random part of the first interval: mailboxes that start together, or move together, are
		// not probed together.
		for wait := mrand.N(c.Every); sleep(ctx, wait); wait = c.Every - mrand.N(c.Every/10+1) {
			c.probe(ctx)
		}
	})
	return func() { cancel(); running.Wait() }
}

// probe sends one and waits for it.
func (c *canary) probe(ctx context.Context) {
	c.mu.Lock()
	well, id, landed := c.well, NewProbe(), make(chan struct{})
	if well {
		c.id, c.landed = id, landed
	}
	c.mu.Unlock()
	if !well { // its events tell that already
		return
	}
	began := time.Now()
	limit, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	if err := c.Send(limit, id); err != nil {
		c.gone(id)
		if ctx.Err() == nil {
			c.tell(Probe{ID: id, Took: time.Since(began), Err: err})
		}
		return
	}
	select {
	case <-landed:
		c.tell(Probe{ID: id, Took: time.Since(began), Arrived: true})
	case <-limit.Done():
		if ctx.Err() == nil && c.late(id) {
			err := &Error{Fault: Fault{Class: Transient, Code: CodeCanaryLate}, Op: "wait for probe " + id, Err: fmt.Errorf("no event of it after %s", c.Timeout)}
			c.tell(Probe{ID: id, Took: time.Since(began), Err: err})
			c.nudge()
		}
	}
}

// gone forgets a probe that could not be sent: it says nothing about the mailbox.
func (c *canary) gone(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.id == id {
		c.id = ""
	}
}

// late notes that a probe did not come in time, unless it just did.
func (c *canary) late(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.id == id {
		c.last = probeLate
	}
	return c.id == id
}
