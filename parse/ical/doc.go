// Package ical reads what a calendar file says about its events: iCalendar (RFC 5545, with the methods
// of RFC 5546) and its ancestor vCalendar 1.0, as they come by mail. It is no calendar: recurrences are
// not expanded, alarms, tasks and free/busy times are skipped, and nothing in them passes for a
// property of the event around them.
//
// # What it promises
//
// A file is never refused. A Scanner takes it in pieces of any size, repairs what it can, tells its
// Flaw function what it could not, and holds at most one line of 64 KiB and about 1 MiB of what it keeps:
// 100 events with 1,000 attendees each. All work is linear in the size of the file.
//
// Times come out as the rest of an event's times do, RFC 3339 in UTC, or as a date if the event lasts
// whole days. The zone that a TZID names is looked up in three places: the IANA names that the time
// package knows, the names that Windows gives to zones, and last the VTIMEZONE that the file itself
// brings. time.LoadLocation needs the zone files of the machine, or time/tzdata linked into the
// program; where both are missing, the file's VTIMEZONE decides alone. A time whose zone nobody knows
// is not made one: it has no offset, and Event.Floating says so.
//
// The package starts no goroutine, keeps no state outside of a Scanner, and reads nothing but what it
// is given and the zone files.
//
//	var s ical.Scanner
//	io.Copy(&s, file)
//	for _, ev := range s.Events() {
//		fmt.Println(ev.Method, ev.Start, ev.Summary)
//	}
package ical
