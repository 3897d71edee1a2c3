package ical

import (
	"slices"
	"strconv"
	"strings"
)

// fileReader takes the properties of a file and knows which component they belong to.
type fileReader struct {
	text func(octets []byte, charset string) string
	flaw func(code, detail string, lossy bool)

	stack  []frame
	deep   int // components open beyond the stack
	cal    *calendar
	events []*event
	room   int // octets kept so far
	told   []string
	zones  map[string]namedZone
}

// calendar is what a VCALENDAR says about its events.
type calendar struct {
	method string
	zones  map[string]*zone
	local  *zone // the TZ and DAYLIGHT of vCalendar 1.0
}

// event is an Event whose times wait for the end of the file: what they need may stand after them.
type event struct {
	Event
	cal               *calendar
	start, end, recur stamp
	duration          string
	wholeDays         bool // X-MICROSOFT-CDO-ALLDAYEVENT
}

// frame is an open component.
type frame struct {
	kind kind
	name string
	ev   *event
	zone *zone
	rule *rule
}

// kind says what becomes of a component's properties.
type kind int

const (
	kindOther    kind = iota // skipped: alarms, tasks, whatever comes
	kindCalendar             // VCALENDAR
	kindEvent                // VEVENT
	kindZone                 // VTIMEZONE
	kindRule                 // STANDARD and DAYLIGHT in it
)

// maxDepth bounds the stack; an event's alarm is at 3.
const maxDepth = 16

// take takes one logical line.
func (f *fileReader) take(line string) {
	p, ok := parseProperty(line)
	if !ok {
		f.tell(FlawLine, quote(line), false)
		return
	}
	switch p.name {
	case "BEGIN":
		f.begin(strings.ToUpper(strings.TrimSpace(p.value)))
		return
	case "END":
		f.end(strings.ToUpper(strings.TrimSpace(p.value)))
		return
	}
	if len(f.stack) == 0 || f.deep > 0 {
		return
	}
	top := f.stack[len(f.stack)-1]
	switch top.kind {
	case kindCalendar:
		f.calendarProperty(&p)
	case kindEvent:
		f.eventProperty(top.ev, &p)
	case kindZone:
		if p.name == "TZID" {
			f.nameZone(top.zone, p.value)
		}
	case kindRule:
		f.ruleProperty(top.rule, &p)
	}
}

// begin opens a component. A calendar, an event or a zone cannot be inside of another: the one before
// was not closed.
func (f *fileReader) begin(name string) {
	if f.deep > 0 || len(f.stack) == maxDepth {
		f.deep++
		return
	}
	fr := frame{name: name}
	switch name {
	case "VCALENDAR":
		f.stack = f.stack[:0]
		f.cal = &calendar{}
		fr.kind = kindCalendar
	case "VEVENT":
		f.popToCalendar()
		if fr.ev = f.newEvent(); fr.ev != nil {
			fr.kind = kindEvent
		}
	case "VTIMEZONE":
		f.popToCalendar()
		fr.kind, fr.zone = kindZone, &zone{}
	case "STANDARD", "DAYLIGHT":
		for n := len(f.stack); n > 0 && f.stack[n-1].kind == kindRule; n-- {
			f.stack = f.stack[:n-1]
		}
		if n := len(f.stack); n > 0 && f.stack[n-1].kind == kindZone && f.spend(100) {
			fr.kind, fr.rule = kindRule, &rule{}
			f.stack[n-1].zone.rules = append(f.stack[n-1].zone.rules, fr.rule)
		}
	}
	f.stack = append(f.stack, fr)
}

// end closes a component and what was left open in it. An END without BEGIN closes nothing.
func (f *fileReader) end(name string) {
	if f.deep > 0 {
		f.deep--
		return
	}
	for i := len(f.stack) - 1; i >= 0; i-- {
		if f.stack[i].name == name {
			f.stack = f.stack[:i]
			return
		}
	}
}

// popToCalendar closes everything inside of the VCALENDAR; one that was never opened is.
func (f *fileReader) popToCalendar() {
	if f.cal == nil {
		f.cal = &calendar{}
	}
	n := 0
	if len(f.stack) > 0 && f.stack[0].kind == kindCalendar {
		n = 1
	}
	f.stack = f.stack[:n]
}

// newEvent returns a new event, nil if there are enough.
func (f *fileReader) newEvent() *event {
	if len(f.events) >= maxEvents {
		f.tell(FlawLimit, "events", true)
		return nil
	}
	ev := &event{cal: f.cal}
	f.events = append(f.events, ev)
	return ev
}

// calendarProperty takes a property of the whole file.
func (f *fileReader) calendarProperty(p *property) {
	switch p.name {
	case "METHOD":
		f.set(&f.cal.method, strings.ToUpper(strings.TrimSpace(p.value)))
	case "TZ":
		if off, ok := offset(p.value); ok {
			f.cal.local = &zone{rules: []*rule{{from: off, to: off}}}
		}
	case "DAYLIGHT":
		f.cal.local.daylight(p.value)
	}
}

// eventProperty takes a property of an event. What may stand once and stands twice: the first counts.
func (f *fileReader) eventProperty(e *event, p *property) {
	switch p.name {
	case "UID":
		f.set(&e.UID, f.textOf(p))
	case "SUMMARY":
		f.set(&e.Summary, f.textOf(p))
	case "LOCATION":
		f.set(&e.Location, f.textOf(p))
	case "STATUS":
		f.set(&e.Status, token(p.value))
	case "RRULE":
		f.set(&e.Rule, strings.TrimSpace(p.value))
	case "SEQUENCE":
		if n, err := strconv.Atoi(strings.TrimSpace(p.value)); err == nil && n > 0 {
			e.Sequence = n
		}
	case "DTSTART":
		f.stamp(&e.start, p)
	case "DTEND":
		f.stamp(&e.end, p)
	case "RECURRENCE-ID":
		f.stamp(&e.recur, p)
	case "DURATION":
		f.set(&e.duration, strings.TrimSpace(p.value))
	case "X-MICROSOFT-CDO-ALLDAYEVENT":
		e.wholeDays = strings.EqualFold(strings.TrimSpace(p.value), "TRUE")
	case "ORGANIZER":
		if e.Organizer == (Person{}) {
			e.Organizer = f.person(p)
		}
	case "ATTENDEE":
		f.attendee(e, p)
	}
}

// attendee adds an attendee. vCalendar 1.0 says STATUS for PARTSTAT and YES for TRUE.
func (f *fileReader) attendee(e *event, p *property) {
	if len(e.Attendees) >= maxAttendees {
		f.tell(FlawLimit, "attendees", true)
		return
	}
	status := p.param("PARTSTAT")
	if status == "" {
		status = p.param("STATUS")
	}
	rsvp := token(p.param("RSVP"))
	a := Attendee{Person: f.person(p), Role: f.keep(token(p.param("ROLE"))), Status: f.keep(token(status)), RSVP: rsvp == "TRUE" || rsvp == "YES"}
	if a.Person != (Person{}) && f.spend(100) {
		e.Attendees = append(e.Attendees, a)
	}
}

// result makes the events whole.
func (f *fileReader) result() []Event {
	var out []Event
	for _, e := range f.events {
		f.times(e)
		e.Method = e.cal.method
		if e.UID != "" || e.Summary != "" || e.Start != "" {
			out = append(out, e.Event)
		}
	}
	return out
}

// set keeps v in dst unless something is there.
func (f *fileReader) set(dst *string, v string) {
	if *dst == "" {
		*dst = f.keep(v)
	}
}

// keep returns a copy of v, which does not hold its line, while there is room for it.
func (f *fileReader) keep(v string) string {
	if v == "" || !f.spend(len(v)) {
		return ""
	}
	return strings.Clone(v)
}

// spend takes n octets of what may be kept of a file.
func (f *fileReader) spend(n int) bool {
	if f.room+n > maxRoom {
		f.tell(FlawLimit, "text", true)
		return false
	}
	f.room += n
	return true
}

// tell tells a flaw once.
func (f *fileReader) tell(code, detail string, lossy bool) {
	if key := code + detail; f.flaw != nil && len(f.told) < 32 && !slices.Contains(f.told, key) {
		f.told = append(f.told, key)
		f.flaw(code, detail, lossy)
	}
}

// token makes an upper-case word of what is written in one: NEEDS ACTION is NEEDS-ACTION.
func token(s string) string {
	return strings.ToUpper(strings.Join(strings.Fields(s), "-"))
}

// quote makes words of the file fit to be shown: escaped and short.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strconv.Quote(s)
}
