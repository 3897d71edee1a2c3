package probe

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"mailflume/cmd/internal/submit"
	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// Stream is what a probe needs of the stream; *natsjs.Conn has it.
type Stream interface {
	// Last returns the sequence of the last message.
	Last(ctx context.Context) (uint64, error)
	// Events reads events in the order of the stream.
	Events(ctx context.Context, f natsjs.Filter) iter.Seq2[*natsjs.Delivered, error]
}

// Options are a mailbox, the way to submit to it, and where its events lie.
type Options struct {
	Box     publish.Key
	Address string
	Submit  submit.Options
	Stream  Stream
}

// Legs are the times of a probe's way. Arrive and Publish compare clocks of different machines, and mail
// servers keep whole seconds: they are never less than 0 and no better than that.
type Legs struct {
	submit.Legs
	Arrive  time.Duration `json:"arrive"`  // from the submission to the time the mail server received it
	Publish time.Duration `json:"publish"` // from there to the event in the stream
	Total   time.Duration `json:"total"`   // by this machine's clock alone

	Probe    string `json:"probe"`    // its name in the header field
	Sequence uint64 `json:"sequence"` // of its event
}

// String tells the legs in one line.
func (l Legs) String() string {
	ms := func(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
	return fmt.Sprintf("%s, arrive %v, publish %v: %v; number %d in the stream", l.Legs, ms(l.Arrive), ms(l.Publish), ms(l.Total), l.Sequence)
}

// Send sends a probe and waits for its event until ctx ends. What was measured until an error comes with
// it; a probe whose event does not come is an error with ingest.CodeCanaryLate.
func Send(ctx context.Context, o Options) (Legs, error) {
	begin := time.Now()
	legs := Legs{Probe: ingest.NewProbe()}
	last, err := o.Stream.Last(ctx)
	if err != nil {
		return legs, fmt.Errorf("before the probe: %w", err)
	}
	if legs.Legs, err = submit.Send(ctx, o.Submit, o.Address, o.Address, Message(legs.Probe, o.Address, begin)); err != nil {
		return legs, err
	}
	submitted := time.Now()
	d, err := await(ctx, o, last, legs.Probe)
	if err != nil {
		return legs, err
	}
	received := d.Event.Time
	legs.Arrive, legs.Publish = max(0, received.Sub(submitted)), max(0, d.Time.Sub(later(received, submitted)))
	legs.Total, legs.Sequence = time.Since(begin), d.Sequence
	return legs, nil
}

// await reads the mailbox's events behind the one that was last, until the probe's comes.
func await(ctx context.Context, o Options, last uint64, probe string) (*natsjs.Delivered, error) {
	f := natsjs.Filter{Tenant: o.Box.Tenant, Mailbox: o.Box.Mailbox, Types: []publish.EventType{publish.Received}, Follow: true, After: last, FromStart: last == 0}
	for d, err := range o.Stream.Events(ctx, f) {
		switch {
		case d == nil && errors.Is(err, context.DeadlineExceeded):
			return nil, late(probe)
		case d == nil:
			return nil, err
		case err == nil && ingest.ProbeOf(d.Event.Data) == probe:
			return d, nil
		}
	}
	return nil, late(probe)
}

func late(probe string) error {
	return &ingest.Error{
		Fault: ingest.Fault{Class: ingest.Transient, Code: ingest.CodeCanaryLate}, Op: "wait for the event of the probe",
		Err: fmt.Errorf("it was submitted, and no event with %s: %s came", ingest.ProbeField, probe),
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Message composes a probe from a mailbox to itself. Nothing answers it (RFC 3834 section 5, and
// Exchange's own field), and other copies of it are told apart by Message-ID.
func Message(probe, address string, at time.Time) []byte {
	domain := "mailflume.invalid"
	if _, d, ok := strings.Cut(address, "@"); ok {
		domain = d
	}
	lines := []string{
		"From: <" + address + ">", "To: <" + address + ">", "Subject: mailflume probe " + probe,
		"Date: " + at.Format(time.RFC1123Z), "Message-ID: <mailflume." + probe + "@" + domain + ">",
		ingest.ProbeField + ": " + probe, "Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All",
		"MIME-Version: 1.0", "Content-Type: text/plain; charset=us-ascii", "",
		"mailflume sent this message to see whether mail to this mailbox arrives and is published.", "It can be deleted.", "",
	}
	return []byte(strings.Join(lines, "\r\n"))
}
