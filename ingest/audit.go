package ingest

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"time"

	"mailflume/publish"
)

// namedRefs is how many messages of a kind an audit names.
const namedRefs = 20

// AuditReport says what became of every message that a mailbox holds: InMailbox is the sum of
// Published, Recognised, Quarantined, Skipped, Expired, Waiting and Missing.
type AuditReport struct {
	InMailbox int `json:"in_mailbox"`
	Published int `json:"published"`
	// Recognised messages were published, or set aside, under another id, before the server changed it.
	Recognised  int `json:"recognised"`
	Quarantined int `json:"quarantined"`
	// Skipped messages are those that the configured start passes over.
	Skipped int `json:"skipped_by_start"`
	// Expired: finished, and their event has left the stream by its age, as far as anybody can tell.
	Expired int `json:"expired_from_stream"`
	// Waiting messages are not published yet: the worker comes to them.
	Waiting int `json:"waiting"`
	// Missing: the position has passed them, and no event tells why.
	Missing int `json:"missing"`
	// Duplicate events say again what was published before and are no replay. Their messages need not
	// be in the mailbox any more.
	Duplicate int `json:"duplicate"`
	// The first of those two.
	MissingRefs   []Ref `json:"missing_refs,omitempty"`
	DuplicateRefs []Ref `json:"duplicate_refs,omitempty"`
	// Unread are the reasons why folders could not be listed.
	Unread []string `json:"folders_not_listed,omitempty"`
}

// Clean reports whether nothing is lost, doubled or left out.
func (r *AuditReport) Clean() bool {
	return r.Missing == 0 && r.Duplicate == 0 && len(r.Unread) == 0
}

// Audit compares what a server lists with what a mailbox's log says. It takes the events in one after
// the other and remembers an 8-byte key of each message. Not safe for concurrent use.
type Audit struct {
	src    Source
	seed   maphash.Seed
	told   map[uint64]told // by the key of the Ref
	fresh  []Entry         // which the snapshot does not cover
	report AuditReport
}

// told is what the events say of a message.
type told uint8

const (
	toldReceived told = 1 << iota
	toldQuarantined
)

// NewAudit returns an audit of the mailbox that src reads.
func NewAudit(src Source) *Audit {
	return &Audit{src: src, seed: maphash.MakeSeed(), told: map[uint64]told{}}
}

// Event takes in one event of the log that is no replay; covered: the log's snapshot knows of it.
func (a *Audit) Event(e Entry, covered bool) {
	if !covered {
		a.fresh = append(a.fresh, e)
	}
	k := maphash.String(a.seed, string(e.Ref))
	switch e.Type {
	case publish.Received:
		if a.told[k]&toldReceived != 0 {
			a.report.Duplicate++
			a.report.DuplicateRefs = named(a.report.DuplicateRefs, e.Ref)
		}
		a.told[k] |= toldReceived
	case publish.Quarantined: // a later try may quarantine it again, or publish it
		a.told[k] |= toldQuarantined
	}
}

func named(refs []Ref, r Ref) []Ref {
	if len(refs) < namedRefs {
		refs = append(refs, r)
	}
	return refs
}

// Aged is what a log has lost by its age: nothing if Any is false, else events that were stored before
// Since.
type Aged struct {
	Any   bool
	Since time.Time
}

// ErrNoLister: this kind of mailbox cannot be audited.
var ErrNoLister = errors.New("the mailbox's server cannot list it")

// Compare lists the mailbox and tells what became of each message. Snapshot is the log's last one. If the
// mailbox cannot be listed, the report that comes with the error holds what the log alone tells.
func (a *Audit) Compare(ctx context.Context, snapshot []byte, aged Aged) (*AuditReport, error) {
	p := newPosition(a.src, "")
	if err := p.decode(snapshot); err != nil {
		return nil, err
	}
	p.fresh, a.fresh = a.fresh, nil
	if err := p.fold(); err != nil {
		return nil, err
	}
	alone := AuditReport{Duplicate: a.report.Duplicate, DuplicateRefs: a.report.DuplicateRefs}
	s, err := openPatiently(ctx, a.src, 2)
	if err != nil {
		return &alone, err
	}
	defer s.Close() // nothing was changed
	l, ok := s.(Lister)
	if !ok {
		return &alone, ErrNoLister
	}
	for m, err := range l.List(ctx, p.base, p.cursor) {
		if err != nil {
			return &alone, fmt.Errorf("list the mailbox: %w", err)
		}
		a.judge(m, aged)
	}
	if part, ok := s.(Partial); ok {
		for _, err := range part.Skipped() {
			a.report.Unread = append(a.report.Unread, err.Error())
		}
	}
	return &a.report, nil
}

// openPatiently opens a session beside another: most tries, or more while a worker that is at it holds the
// maildrop (RFC 1939 section 4), which is not for long.
func openPatiently(ctx context.Context, src Source, most int) (Session, error) {
	var b backoff
	for try := 1; ; try++ {
		s, err := src.Open(ctx)
		if err == nil {
			return s, nil
		}
		f := FaultOf(err)
		wait := b.next(f)
		if f.Code == CodeLocked {
			most = 2 * tries
			wait = time.Second << (try - 1) // a worker that comes again need not be in a hurry; whoever looks on is
		}
		if try >= most || !passing(err) || !sleep(ctx, wait) {
			return nil, fmt.Errorf("open the mailbox: %w", err)
		}
	}
}

// passing tells the failures that another session may not meet.
func passing(err error) bool {
	return slices.Contains([]Class{Transient, Throttled, SessionOver}, FaultOf(err).Class)
}

// judge counts one message. An event of a message that came when nothing stored then has expired yet
// has not expired either.
func (a *Audit) judge(m Listed, aged Aged) {
	r := &a.report
	r.InMailbox++
	switch was := a.told[maphash.String(a.seed, string(m.Ref))]; {
	case was&toldReceived != 0:
		r.Published++
	case was&toldQuarantined != 0:
		r.Quarantined++
	case m.Standing == Known:
		r.Recognised++
	case m.Standing == Skipped:
		r.Skipped++
	case m.Standing == Waiting:
		r.Waiting++
	case aged.Any && m.Received.Before(aged.Since):
		r.Expired++
	default:
		r.Missing++
		r.MissingRefs = named(r.MissingRefs, m.Ref)
	}
}
