package ical

// Event is one VEVENT. A string that the file does not say is empty; nothing is filled in.
type Event struct {
	Method       string // what the file asks for (RFC 5546): REQUEST, CANCEL, REPLY; upper case; that of the whole file
	UID          string // the same in every message about this event
	RecurrenceID string // which occurrence of a recurring event it is about, written as Start is
	Sequence     int    // revision; the highest one counts
	Summary      string // the title
	Location     string // where
	Status       string // TENTATIVE, CONFIRMED or CANCELLED; upper case
	Start        string // "2026-11-10T08:00:00Z"; "2026-11-10" if AllDay; "2026-11-10T09:00:00" if Floating
	End          string // exclusive, written as Start is; DTEND, or Start and DURATION
	AllDay       bool   // Start and End are dates
	Floating     bool   // Start has no zone, or one that nobody knows: the time on the wall, wherever that is
	TimeZone     string // the zone Start was written in: its IANA name if it is known, else as sent; empty for UTC
	TZID         string // the same as sent
	Rule         string // the first RRULE as sent; empty if the event happens once
	Organizer    Person
	Attendees    []Attendee
}

// Person is the organizer.
type Person struct {
	Address string // mail address without mailto:; empty if there is none
	Name    string
}

// Attendee is one who is invited.
type Attendee struct {
	Person
	Role   string // ROLE, upper case: CHAIR, REQ-PARTICIPANT, OPT-PARTICIPANT, NON-PARTICIPANT
	Status string // PARTSTAT, upper case: NEEDS-ACTION, ACCEPTED, DECLINED, TENTATIVE, DELEGATED
	RSVP   bool   // an answer is asked for
}

// The codes that a Scanner tells its Flaw function. They are stable.
const (
	FlawLimit = "calendar-limit"        // more events, attendees or text than is kept; lossy
	FlawLine  = "calendar-line-invalid" // a line that is no property was skipped
	FlawTime  = "calendar-time-invalid" // a time or duration that cannot be read was left out; lossy
	FlawZone  = "calendar-zone-unknown" // a TZID that is no known zone and has no VTIMEZONE: the time floats
)

// The bounds of one file.
const (
	maxLine      = 64 << 10
	maxEvents    = 100
	maxAttendees = 1_000
	maxZones     = 50 // names looked up
	maxRoom      = 1 << 20
)
