package parse

import (
	"slices"
	"strings"
)

// about is what is known of the message itself, whichever of its readers found it out.
type about struct {
	Summary
	header     *Header  // of the message: of the one inside, if the mail is a journal report
	reports    bool     // it is a multipart/report
	text, html bool     // it has such a body
	types      []string // Content-Types of the parts that may decide its kind
}

// claim notes that there is a body; it reports false if there was one already.
func (a *about) claim(body *bool) bool {
	had := *body
	*body = true
	return !had
}

// The bounds of what decides the kind of a message.
const (
	maxTypes  = 100 // parts that have a say in it
	maxMethod = 100 // octets of a calendar's method, which is one word
)

// watch lets the message learn from p, one of its own parts.
func (a *about) watch(p *Part) {
	a.text = a.text || p.Role == RoleText
	a.html = a.html || p.Role == RoleHTML
	if isReturned(p.ContentType) && !a.reports && a.Bounce == nil && a.Receipt == nil && a.Complaint == nil && !fromDaemon(p.r.Header()) {
		return // nothing asks for the id of the message in it
	}
	p.tap = newCollector(p.ContentType, p.Charset, p)
	if p.Role == RoleText && a.plain == nil && fromDaemon(p.r.Header()) {
		p.tap = &qmailCollector{charset: p.Charset, issues: p}
	}
	switch method := p.Param("method"); {
	case p.tap == nil, p.Role != RoleAttachment, len(a.types) >= maxTypes, isReturned(p.ContentType):
	case method != "":
		a.types = append(a.types, p.ContentType+"; method="+method[:min(len(method), maxMethod)])
	case !isCalendar(p.ContentType) || p.Disposition != "attachment":
		a.types = append(a.types, strings.Clone(p.ContentType)) // or it would keep the part's header
	}
}

// isCalendar tells whether a part of that type is a calendar.
func isCalendar(typ string) bool {
	return strings.HasSuffix(typ, "calendar") || typ == "application/ics"
}

// deciding returns the types of the parts that may decide the kind: a calendar whose type does not say
// its method has the one that stands in its text.
func (a *about) deciding() []string {
	types := slices.Clone(a.types)
	for i, typ := range types {
		if isCalendar(typ) && len(a.Calendars) > 0 {
			types[i] = typ + "; method=" + a.Calendars[0].Method
		}
	}
	return types
}

// Summary returns what the structured parts of the message say: the reports, calendars and envelopes
// among its own parts, read while they went by. It is whole after io.EOF.
func (r *Reader) Summary() *Summary {
	s := r.about.Summary
	if kind, _ := r.Classify(); kind == KindBounce {
		s.Bounce = s.bounced(r.Message())
	}
	s.settle()
	return &s
}

// Classify returns the kind of the message and the signals that it gives, as the function Classify
// does, from all that was read: ask after io.EOF. The kind of a journal report is journal, and its
// signals are those of the message that it is about.
func (r *Reader) Classify() (kind string, signals []string) {
	kind, signals = Classify(r.Message(), r.about.deciding()...)
	if r.about.Journal != nil {
		kind = KindJournal
	}
	return kind, signals
}
