package ingest

import (
	"errors"
	"slices"

	"mailflume/publish"
)

// former finds messages that were set aside under Refs that are void now. Their octets tell: among those
// that were recognised after the server changed their Refs, the ones of the same size are read. The event
// goes out under the Ref that the message was set aside with, so that this is settled.
type former struct {
	only  map[Ref]bool // nil or empty: all
	aside map[Ref]publish.Content
	found map[Ref]bool // in the mailbox, whatever came of it
}

var errNotThere = errors.New("the mailbox does not hold it, or its id has changed and its octets are not known; what was stored of it: mailflume quarantine export")

func (f *former) asked(r Ref) bool { return len(f.only) == 0 || f.only[r] }

// begin forgets what a slice before has read in the log.
func (f *former) begin() {
	f.aside = map[Ref]publish.Content{}
	if f.found == nil {
		f.found = map[Ref]bool{}
	}
}

// take takes in an event of the log.
func (f *former) take(e Entry) {
	switch {
	case e.Type == publish.Received:
		delete(f.aside, e.Ref)
		if f.only[e.Ref] {
			f.found[e.Ref] = true
		}
	case e.Type == publish.Quarantined && f.asked(e.Ref) && !f.found[e.Ref]:
		f.aside[e.Ref] = e.Content
	}
}

// here notes a message of the mailbox.
func (f *former) here(r Ref) {
	if _, aside := f.aside[r]; aside || f.only[r] {
		f.found[r] = true
		delete(f.aside, r)
	}
}

// may says whether a message could be one of them.
func (f *former) may(m Listed) bool {
	if m.Standing != Known {
		return false
	}
	for _, c := range f.aside {
		if c != (publish.Content{}) && (m.Size < 0 || c.Size == m.Size) {
			return true
		}
	}
	return false
}

// match returns the Ref that these octets were set aside under, empty if there is none.
func (f *former) match(c publish.Content) Ref {
	for r, own := range f.aside {
		if own == c && c != (publish.Content{}) {
			f.found[r] = true
			delete(f.aside, r)
			return r
		}
	}
	return ""
}

// notThere is why a message could not be tried again.
func notThere(r Ref) error {
	return &Error{Fault{Class: BadMessage, Code: CodeMessageMissing}, "try " + string(r) + " again", errNotThere}
}

// missing returns those that were asked for and not found.
func (f *former) missing() (refs []Ref) {
	for r := range f.only {
		if !f.found[r] {
			refs = append(refs, r)
		}
	}
	slices.Sort(refs)
	return refs
}
