package ical_test

import (
	"fmt"
	"io"
	"log"
	"strings"
	_ "time/tzdata" // the zones, on machines that have none

	"mailflume/parse/ical"
)

const invitation = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:review@example.com\r\n" +
	"DTSTART;TZID=Romance Standard Time:20261110T090000\r\nDURATION:PT45M\r\nSUMMARY:Review\\, with a title that is fo\r\n lded\r\n" +
	"ORGANIZER;CN=Priya Raman:mailto:priya@example.com\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

// A file is written to the Scanner in pieces of any size.
func ExampleScanner() {
	var s ical.Scanner
	if _, err := io.Copy(&s, strings.NewReader(invitation)); err != nil {
		log.Fatal(err)
	}
	for _, ev := range s.Events() {
		fmt.Printf("%s %s: %s\n", ev.Method, ev.UID, ev.Summary)
		fmt.Printf("%s to %s (%s), by %s\n", ev.Start, ev.End, ev.TimeZone, ev.Organizer.Address)
	}
	// Output:
	// REQUEST review@example.com: Review, with a title that is folded
	// 2026-11-10T08:00:00Z to 2026-11-10T08:45:00Z (Europe/Paris), by priya@example.com
}
