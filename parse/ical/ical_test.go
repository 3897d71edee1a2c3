package ical

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	_ "time/tzdata" // the same zones on every machine
)

// scan reads a file written with LF line ends as one with CRLF, and returns its events and flaws.
func scan(file string) (events []Event, flaws []string) {
	return scanRaw(strings.ReplaceAll(file, "\n", "\r\n"), len(file)+100)
}

// scanRaw reads a file as it is, n octets at a time.
func scanRaw(file string, n int) (events []Event, flaws []string) {
	s := Scanner{Flaw: func(code, detail string, _ bool) { flaws = append(flaws, code+" "+detail) }}
	for i := 0; i < len(file); i += n {
		if m, err := s.Write([]byte(file[i:min(len(file), i+n)])); err != nil || m != min(n, len(file)-i) {
			panic(fmt.Sprint("a Write that fails: ", m, err))
		}
	}
	return s.Events(), flaws
}

// one reads a VEVENT with the given properties.
func one(t testing.TB, properties string) Event {
	t.Helper()
	events, flaws := scan("BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\n" + strings.TrimSuffix(properties, "\n") + "\nEND:VEVENT\nEND:VCALENDAR\n")
	if len(events) != 1 || len(flaws) > 0 {
		t.Fatalf("%d events, flaws %v, want one event", len(events), flaws)
	}
	return events[0]
}

// outlook is an invitation as Exchange writes it: a Windows zone with its VTIMEZONE, an alarm.
const outlook = `BEGIN:VCALENDAR
METHOD:REQUEST
PRODID:Microsoft Exchange Server 2010
VERSION:2.0
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
ORGANIZER;CN=Priya Raman:mailto:priya@example.com
ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN="Lindqvist, S
 ara":mailto:sara@example.com
ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=ACCEPTED;CN=Room 4:MAILTO:room4@example.com
DESCRIPTION;LANGUAGE=de-DE:SUMMARY:no\nDTSTART:19700101T000000Z
UID:040000008200E00074C5B7101A82E00800000000B0A1
SUMMARY;LANGUAGE=de-DE:Angebot\, zweite Runde\; bitte p` + "\xc3\n \xbc" + `nktlich
DTSTART;TZID=W. Europe Standard Time:20261110T090000
DTEND;TZID=W. Europe Standard Time:20261110T103000
CLASS:PUBLIC
DTSTAMP:20261101T080000Z
STATUS:CONFIRMED
SEQUENCE:2
LOCATION;LANGUAGE=de-DE:M` + "\xc3\xbc" + `nchen\, Raum 4
X-MICROSOFT-CDO-ALLDAYEVENT:FALSE
BEGIN:VALARM
DESCRIPTION:REMINDER
SUMMARY:Alarm
DTSTART:19990101T000000Z
ATTENDEE:mailto:alarm@example.com
TRIGGER;RELATED=START:-PT15M
END:VALARM
END:VEVENT
END:VCALENDAR
`

func TestAnExchangeInvitationIsReadWhole(t *testing.T) {
	events, flaws := scan(outlook)
	want := []Event{{
		Method: "REQUEST", UID: "040000008200E00074C5B7101A82E00800000000B0A1", Sequence: 2, Status: "CONFIRMED",
		Summary: "Angebot, zweite Runde; bitte pünktlich", Location: "München, Raum 4",
		Start: "2026-11-10T08:00:00Z", End: "2026-11-10T09:30:00Z", TimeZone: "Europe/Berlin", TZID: "W. Europe Standard Time",
		Organizer: Person{"priya@example.com", "Priya Raman"},
		Attendees: []Attendee{
			{Person{"sara@example.com", "Lindqvist, Sara"}, "REQ-PARTICIPANT", "NEEDS-ACTION", true},
			{Person{"room4@example.com", "Room 4"}, "OPT-PARTICIPANT", "ACCEPTED", false},
		},
	}}
	if !reflect.DeepEqual(events, want) || flaws != nil {
		t.Errorf("got %+v, flaws %v", events, flaws)
	}
}

func TestResultDoesNotDependOnTheCutNorOnLineEnds(t *testing.T) {
	want, _ := scan(outlook)
	for _, ends := range []string{"\r\n", "\n", "\r", "\r\r\n", "\n\n"} {
		file := strings.ReplaceAll(outlook, "\n", ends)
		for _, n := range []int{1, 2, 3, 7, 64, 100_000} {
			if got, flaws := scanRaw(file, n); !reflect.DeepEqual(got, want) || flaws != nil {
				t.Fatalf("line ends %q in pieces of %d: %+v %v", ends, n, got, flaws)
			}
		}
	}
}

func TestVCalendarIsReadWithItsEncodings(t *testing.T) {
	s := Scanner{Text: func(octets []byte, charset string) string {
		if charset != "ISO-8859-1" {
			t.Errorf("asked for %q", charset)
		}
		var b strings.Builder
		for _, c := range octets {
			b.WriteRune(rune(c))
		}
		return b.String()
	}}
	fmt.Fprint(&s, strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:1.0
TZ:+01
DAYLIGHT:TRUE;+02;20260329T020000;20261025T030000;CET;CEST
BEGIN:VEVENT
UID:v1
SUMMARY;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:Gr=FC=
=DFe aus der=
 K=FCche
LOCATION;QUOTED-PRINTABLE:a=3Db
DTSTART:20260710T090000
DTEND:20261110T090000
ATTENDEE;ROLE=ATTENDEE;STATUS=NEEDS ACTION;RSVP=YES:Sara <sara@example.com>
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n"))
	want := []Event{{UID: "v1", Summary: "Grüße aus der Küche", Location: "a=b", Start: "2026-07-10T07:00:00Z", End: "2026-11-10T08:00:00Z",
		Attendees: []Attendee{{Person{"sara@example.com", "Sara"}, "ATTENDEE", "NEEDS-ACTION", true}}}}
	if got := s.Events(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestPeopleAreFoundHoweverTheyAreWritten(t *testing.T) {
	for line, want := range map[string]Person{
		`ORGANIZER;CN=Priya:mailto:p@example.com`:                            {"p@example.com", "Priya"},
		`ORGANIZER;CN="Raman; Priya: boss":MAILTO:p@example.com`:             {"p@example.com", "Raman; Priya: boss"},
		`ORGANIZER;CN=Raman: boss:mailto:p@example.com`:                      {"p@example.com", "Raman"},
		`ORGANIZER;CN="open:mailto:p@example.com`:                            {"p@example.com", `open`},
		`ORGANIZER;CN=^'Pri^'^nya ^^:mailto:p%2Bx@example.com?subject=hi`:    {"p+x@example.com", `"Pri" ya ^`},
		`ORGANIZER;CN='Priya';EMAIL=p@example.com:/aAbBcC/principal/`:        {"p@example.com", "Priya"},
		`ORGANIZER;CN=Priya:invalid:nomail`:                                  {"", "Priya"},
		`ORGANIZER:p@example.com`:                                            {"p@example.com", ""},
		`ORGANIZER:mailto:p%0D%0Aq@example.com`:                              {"pq@example.com", ""},
		`ORGANIZER;SENT-BY="mailto:s@example.com";CN=P:mailto:p@example.com`: {"p@example.com", "P"},
		`ORGANIZER;CN=Raman\, Priya:mailto:<p@example.com>`:                  {"p@example.com", "Raman, Priya"},
		`ORGANIZER:https://example.com/@p`:                                   {},
	} {
		if got := one(t, "UID:x\n"+line).Organizer; got != want {
			t.Errorf("%s: %+v, want %+v", line, got, want)
		}
	}
}

func TestComponentsThatAreNotClosedOrNotOpenedDoNoHarm(t *testing.T) {
	for file, want := range map[string]string{
		"BEGIN:VEVENT\nUID:a\nBEGIN:VEVENT\nUID:b":                                                                         "a b",
		"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nBEGIN:VALARM\nUID:no\nBEGIN:VEVENT\nUID:b\nEND:VEVENT":                      "a b",
		"BEGIN:VCALENDAR\nEND:VEVENT\nBEGIN:VEVENT\nEND:VALARM\nUID:a\nEND:VCALENDAR\nUID:no":                              "a",
		"BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:no\nEND:VTODO\nBEGIN:VFREEBUSY\nUID:no\nEND:VFREEBUSY":                          "",
		"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nUID:b\nEND:VEVENT\nBEGIN:VEVENT\nCLASS:PUBLIC\nEND:VEVENT":                  "a",
		"\uFEFFbegin:vcalendar\nbegin:vevent\nuid:a\nend:vevent":                                                           "a",
		"BEGIN:X\n" + strings.Repeat("BEGIN:X\n", 50) + "UID:no\n" + strings.Repeat("END:X\n", 51) + "BEGIN:VEVENT\nUID:a": "a",
	} {
		events, _ := scan(file)
		var ids []string
		for _, e := range events {
			ids = append(ids, e.UID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%q: events %q, want %q", file, got, want)
		}
	}
}

func TestMethodsBelongToTheirCalendarWhereverTheyStand(t *testing.T) {
	events, _ := scan("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nEND:VEVENT\nMETHOD:cancel\nEND:VCALENDAR\nBEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VEVENT\nUID:b")
	if len(events) != 2 || events[0].Method != "CANCEL" || events[1].Method != "REPLY" {
		t.Errorf("got %+v", events)
	}
}

func TestLimitsHoldAndAreTold(t *testing.T) {
	many := strings.Repeat
	for name, file := range map[string]string{
		"events":    "BEGIN:VCALENDAR\n" + many("BEGIN:VEVENT\nUID:a\nEND:VEVENT\n", 5_000),
		"attendees": "BEGIN:VEVENT\nUID:a\n" + many("ATTENDEE:mailto:a@example.com\n", 5_000),
		"text":      "BEGIN:VCALENDAR\n" + many("BEGIN:VEVENT\nSUMMARY:"+many("x", 60_000)+"\nEND:VEVENT\n", 50),
		"line":      "BEGIN:VEVENT\nUID:a\nSUMMARY:" + many("x", 100_000),
		"zones":     "BEGIN:VCALENDAR\n" + many("BEGIN:VTIMEZONE\n"+many("BEGIN:STANDARD\nRDATE:20260101T000000,20260101T000000\n", 10)+"END:VTIMEZONE\n", 5_000),
	} {
		events, flaws := scan(file)
		kept := 0
		for _, e := range events {
			kept += len(e.Summary) + 100*len(e.Attendees)
		}
		if len(events) > maxEvents || kept > maxRoom || !strings.Contains(strings.Join(flaws, ";"), FlawLimit) {
			t.Errorf("%s: %d events, %d octets, flaws %v", name, len(events), kept, flaws)
		}
	}
}

func TestALineBeyondTheLimitEndsWhereItEnds(t *testing.T) {
	long := strings.Repeat("abc=\n", 40_000)
	for _, n := range []int{1, 4093, 1 << 20} {
		events, flaws := scanRaw("BEGIN:VEVENT\nSUMMARY;QUOTED-PRINTABLE:"+long+"end\nUID:u", n)
		if len(events) != 1 || events[0].UID != "u" || len(flaws) != 1 || !strings.Contains(flaws[0], FlawLimit) {
			t.Errorf("in pieces of %d: %d events, %d flaws: %.200q", n, len(events), len(flaws), flaws)
		}
	}
}

func FuzzCalendar(f *testing.F) {
	f.Add([]byte(outlook), uint8(3))
	f.Add([]byte("BEGIN:VCALENDAR\nTZ:-05\nDAYLIGHT:TRUE;-04;20260308T020000;20261101T020000\nBEGIN:VEVENT\nSUMMARY;QUOTED-PRINTABLE:=\n =41=\r\rDTSTART:20260501\nDURATION:P1D"), uint8(1))
	f.Add([]byte("BEGIN:VEVENT\nDTSTART;TZID=/x/Tzfile/Europe/Berlin:20260329T023000\nDTEND;TZID=\"UTC\":2026-03-29T02:30\nRECURRENCE-ID;VALUE=DATE:20260101"), uint8(9))
	f.Fuzz(func(t *testing.T, file []byte, n uint8) {
		events, flaws := scanRaw(string(file), 1<<20)
		again, told := scanRaw(string(file), 1+int(n))
		if !reflect.DeepEqual(events, again) || !reflect.DeepEqual(flaws, told) {
			t.Errorf("pieces of %d octets give something else:\n%+v\n%+v", 1+int(n), events, again)
		}
		for _, e := range events {
			if strings.ContainsAny(e.Organizer.Address, " \r\n") || e.AllDay && len(e.Start) != 10 {
				t.Errorf("event %+v", e)
			}
		}
	})
}
