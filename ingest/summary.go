package ingest

import (
	"time"

	"mailflume/parse"
	"mailflume/parse/ical"
	"mailflume/publish"
)

// describeSummary fills in what the structured parts of the message say.
func describeSummary(d *publish.Data, s *parse.Summary) {
	d.Bounce, d.Receipt, d.Complaint = bounce(s.Bounce), receipt(s.Receipt), complaint(s.Complaint)
	for i := range s.Calendars {
		d.Calendar = append(d.Calendar, calendarEvent(&s.Calendars[i]))
	}
	if j := s.Journal; j != nil {
		d.Journal = &publish.Journal{Sender: j.Sender, OnBehalfOf: j.OnBehalfOf, BCC: j.Bcc(), MessageID: j.MessageID}
		for _, r := range j.Recipients {
			d.Journal.Recipients = append(d.Journal.Recipients, r.Address)
		}
		if len(d.BCC) == 0 {
			for _, a := range d.Journal.BCC {
				d.BCC = append(d.BCC, publish.Address{Address: a})
			}
		}
	}
}

func bounce(b *parse.Bounce) *publish.Bounce {
	if b == nil {
		return nil
	}
	out := &publish.Bounce{
		ReportingMTA: b.ReportingMTA, ArrivalDate: moment(b.ArrivalDate), OriginalEnvelopeID: b.OriginalEnvelopeID, OriginalMessageID: b.OriginalMessageID,
	}
	for _, r := range b.Recipients {
		out.Recipients = append(out.Recipients, publish.BounceRecipient{
			Address: r.Address, OriginalRecipient: r.OriginalAddress, Action: r.Action, Status: r.Status, RemoteMTA: r.RemoteMTA,
			Diagnostic: r.Diagnostic, DiagnosticType: r.DiagnosticType, SMTPCode: r.SMTPCode,
			LastAttemptDate: moment(r.LastAttempt), WillRetryUntil: moment(r.RetryUntil),
		})
	}
	return out
}

// moment returns a time in UTC, nil if it is not known.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func receipt(r *parse.Receipt) *publish.Receipt {
	if r == nil {
		return nil
	}
	return &publish.Receipt{Recipient: r.Recipient, Disposition: r.Disposition, OriginalMessageID: r.OriginalMessageID}
}

func complaint(c *parse.Complaint) *publish.Complaint {
	if c == nil {
		return nil
	}
	return &publish.Complaint{
		Type: c.Type, OriginalRecipients: c.OriginalRecipients, SourceIP: c.SourceIP, ReportedDomains: c.ReportedDomains,
		OriginalMessageID: c.OriginalMessageID,
	}
}

func calendarEvent(e *ical.Event) publish.CalendarEvent {
	out := publish.CalendarEvent{
		Method: e.Method, UID: e.UID, RecurrenceID: e.RecurrenceID, Sequence: e.Sequence, Summary: e.Summary, Location: e.Location,
		Start: e.Start, End: e.End, TimeZone: e.TimeZone, Rule: e.Rule, Status: e.Status,
	}
	if e.TZID != e.TimeZone {
		out.TimeZoneRaw = e.TZID
	}
	if e.Organizer != (ical.Person{}) {
		out.Organizer = &publish.Address{Name: e.Organizer.Name, Address: e.Organizer.Address}
	}
	for _, a := range e.Attendees {
		out.Attendees = append(out.Attendees, publish.EventAttendee{Name: a.Name, Address: a.Address, Role: a.Role, Status: a.Status, RSVP: a.RSVP})
	}
	return out
}

func authResults(h *parse.Header) []publish.AuthResult {
	in := parse.AuthResults(h)
	out := make([]publish.AuthResult, 0, len(in))
	for _, a := range in {
		out = append(out, publish.AuthResult(a))
	}
	return out
}

// date returns the time of a header's Date field, nil if it cannot be read.
func date(h *parse.Header) (at *time.Time, raw string) {
	t, raw, ok := h.Date()
	if !ok {
		return nil, raw
	}
	return moment(t), raw
}
