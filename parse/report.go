package parse

import (
	"strings"
	"time"

	"mailflume/parse/ical"
)

// Summary is what the structured parts of a message say: reports, calendars, the envelope of a journal
// report. What a part does not say is empty here; nothing is derived, except where a field says so.
type Summary struct {
	Bounce    *Bounce      // delivery status (RFC 3464, 6533); of a bounce without one what its text or header says
	Receipt   *Receipt     // message disposition (RFC 8098)
	Complaint *Complaint   // feedback (RFC 5965, 6591, 6650)
	Calendars []ical.Event // of all calendar parts; an event that is attached twice stands once
	Journal   *Journal     // Exchange journal report

	returned string  // Message-ID of the message that a report returns
	plain    *Bounce // of a text that is a report, if the message turns out to be a bounce
	kept     int     // octets of text in all of the above
}

// Bounce is a delivery status notification: not only failures, Action says what happened.
type Bounce struct {
	Recipients         []BounceRecipient
	ReportingMTA       string    // the host that wrote the report
	ArrivalDate        time.Time // when the message reached it; zero if not said
	OriginalEnvelopeID string    // ENVID of the sender (RFC 3461 section 4.4)
	OriginalMessageID  string    // without angle brackets: a field of the report, the returned message's, or the one that a bounce answers
}

// BounceRecipient is what became of one recipient.
type BounceRecipient struct {
	Address         string    // Final-Recipient; where it is missing X-Actual-Recipient, then OriginalAddress
	OriginalAddress string    // Original-Recipient: as the sender gave it
	Action          string    // failed, delayed, delivered, relayed or expanded; lower case
	Status          string    // enhanced code of the Status field (RFC 3463): "5.1.1"
	Diagnostic      string    // Diagnostic-Code without its type
	DiagnosticType  string    // type of the diagnostic, lower case: smtp
	SMTPCode        int       // reply code of the diagnostic: 550; 0 if it has none
	RemoteMTA       string    // the host that refused
	LastAttempt     time.Time // zero if not said
	RetryUntil      time.Time // Will-Retry-Until of a delay; zero if not said
}

// Receipt is a message disposition notification: what became of a message after delivery.
type Receipt struct {
	Recipient         string   // Final-Recipient, where it is missing OriginalRecipient
	OriginalRecipient string   // as the sender gave it
	Disposition       string   // displayed, deleted, dispatched or processed; lower case
	ActionMode        string   // manual-action or automatic-action
	SendingMode       string   // mdn-sent-manually or mdn-sent-automatically
	Modifiers         []string // what stands after the disposition: error; lower case
	OriginalMessageID string   // without angle brackets
	ReportingUA       string   // the program that wrote it
	Error             string   // the first Error, Failure or Warning field
}

// Complaint is a feedback report: abuse, fraud, virus, not-spam, auth-failure (DMARC).
type Complaint struct {
	Type               string // Feedback-Type, lower case
	UserAgent          string
	OriginalSender     string    // Original-Mail-From
	OriginalRecipients []string  // Original-Rcpt-To; often withheld
	SourceIP           string    // where the message came from
	ReportedDomains    []string  // what it is about
	ReportedURIs       []string  // links in it
	ReportingMTA       string    // who received it
	AuthFailure        string    // what failed, lower case: dmarc, dkim, spf (RFC 6591)
	DeliveryResult     string    // what was done with it, lower case: delivered, spam, policy, reject
	Incidents          int       // how many it stands for; 0 if not said, which means one
	ArrivalDate        time.Time // zero if not said
	OriginalEnvelopeID string
	OriginalMessageID  string // of the returned message, or a field of the report
}

// The bounds of what a Summary holds.
const (
	maxReport           = 256 << 10 // octets read of one report
	maxReportFields     = 20_000    // fields in them
	maxReportRecipients = 1_000
	maxReportValue      = 4 << 10 // octets of one field
	maxReportList       = 100     // values of a field that may stand more than once
	maxSummary          = 2 << 20 // octets of text in a Summary
	maxCalendars        = 100     // events
)

// collector reads the decoded octets of one part. write takes them in any cut and never fails;
// finish adds what they say to s when the part is over. A collector holds at most 256 KiB (that of a
// calendar 1 MiB, that of a journal's envelope as much), and nothing after finish.
type collector interface {
	write(b []byte)
	finish(s *Summary)
}

// newCollector returns the collector of a media type in lower case, nil if parts of that type say
// nothing. charset is the declared one; issues is told what is wrong.
func newCollector(mediaType, charset string, issues reporter) collector {
	read := readReturned
	switch mediaType {
	case "message/delivery-status", "message/global-delivery-status":
		read = readBounce
	case "message/disposition-notification", "message/global-disposition-notification":
		read = readReceipt
	case "message/feedback-report":
		read = readComplaint
	case "text/calendar", "application/ics", "text/x-vcalendar", "text/vcalendar", "application/x-vcalendar":
		return newCalendarCollector(charset, issues)
	default:
		if !isReturned(mediaType) {
			return nil
		}
	}
	return &fieldCollector{charset: charset, issues: issues, max: maxReport, read: read, header: isReturned(mediaType)}
}

// isReturned tells whether a part of that type is the message that a report is about, or its header.
func isReturned(mediaType string) bool {
	switch mediaType {
	case "message/rfc822", "message/global", "text/rfc822-headers", "text/rfc822-header", "message/rfc822-headers", "message/global-headers":
		return true
	}
	return false
}

// keep returns a copy of v, cut at most octets, while the Summary has room; ok is false if something
// was lost.
func (s *Summary) keep(v string, most int) (kept string, ok bool) {
	if len(v) > most {
		v, _ = s.keep(strings.ToValidUTF8(v[:most], ""), most)
		return v, false
	}
	if s.kept+len(v) > maxSummary {
		return "", false
	}
	s.kept += len(v)
	return strings.Clone(v), true
}

// settle gives the returned message's id to the report that returns it, whichever part came first.
func (s *Summary) settle() {
	var id *string
	switch {
	case s.returned == "":
		return
	case s.Bounce != nil:
		id = &s.Bounce.OriginalMessageID
	case s.Receipt != nil:
		id = &s.Receipt.OriginalMessageID
	case s.Complaint != nil:
		id = &s.Complaint.OriginalMessageID
	default:
		return
	}
	if *id == "" {
		*id = s.returned
	}
}

// decodeReport returns octets of a part in UTF-8: in the declared charset, and where none is or
// nobody knows it, in the one that the octets look like.
func decodeReport(octets []byte, charset string) string {
	if isASCIILabel(charset) {
		charset = "utf-8"
	}
	if c, ok := lookupCharset(charset); ok && c.make != nil {
		return c.decodeAll(octets)
	}
	s, _ := decodeUndeclared(octets, "")
	return s
}
