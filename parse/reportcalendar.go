package parse

import "mailflume/parse/ical"

// calendarCollector gives a calendar part to its scanner.
type calendarCollector struct {
	scan   ical.Scanner
	text   *textReader // for charsets in which ASCII octets are no ASCII characters
	issues reporter
}

// newCalendarCollector returns a collector of text/calendar (RFC 5545 section 8.1). Folds may split
// characters, so lines are decoded when they are whole.
func newCalendarCollector(charset string, issues reporter) *calendarCollector {
	c := &calendarCollector{issues: issues}
	c.scan.Flaw = issues.issue
	if cs, ok := lookupCharset(charset); ok && cs.make != nil && !cs.ascii {
		c.text = &textReader{}
		c.text.settle(cs)
		charset = ""
	}
	c.scan.Text = func(octets []byte, label string) string {
		if label == "" {
			label = charset
		}
		return decodeReport(octets, label)
	}
	return c
}

func (c *calendarCollector) write(b []byte) {
	if c.text != nil {
		b = c.text.convert(b, false)
	}
	_, _ = c.scan.Write(b) // it never fails
}

func (c *calendarCollector) finish(s *Summary) {
	if c.text != nil {
		_, _ = c.scan.Write(c.text.convert(nil, true))
	}
	for _, ev := range c.scan.Events() {
		if s.hasEvent(&ev) {
			continue
		}
		size := eventSize(&ev)
		if len(s.Calendars) >= maxCalendars || s.kept+size > maxSummary {
			c.issues.issue(IssueCalendarMany, "events", true)
			break
		}
		s.kept += size
		s.Calendars = append(s.Calendars, ev)
	}
	c.scan = ical.Scanner{}
}

// hasEvent tells whether ev stands in another part: invitations are sent as an alternative of the text
// and once more as a file.
func (s *Summary) hasEvent(ev *ical.Event) bool {
	for i := range s.Calendars {
		o := &s.Calendars[i]
		if o.UID == ev.UID && o.Method == ev.Method && o.Sequence == ev.Sequence && o.RecurrenceID == ev.RecurrenceID &&
			o.Summary == ev.Summary && o.Start == ev.Start && o.End == ev.End {
			return true
		}
	}
	return false
}

// eventSize counts what an event holds.
func eventSize(ev *ical.Event) int {
	n := len(ev.UID) + len(ev.Summary) + len(ev.Location) + len(ev.Status) + len(ev.Rule) + len(ev.TimeZone) + len(ev.TZID) + len(ev.Organizer.Address) + len(ev.Organizer.Name)
	for _, a := range ev.Attendees {
		n += len(a.Address) + len(a.Name) + len(a.Role) + len(a.Status) + 64
	}
	return n + 256
}
