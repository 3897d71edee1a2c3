package ical

import (
	"strings"
	"testing"
	"time"
)

func TestTimesAreWrittenAsWhatTheyAre(t *testing.T) {
	for lines, want := range map[string][3]string{ // Start, End, zone
		"DTSTART:20261110T090000Z\nDTEND:20261110T100000Z":                     {"2026-11-10T09:00:00Z", "2026-11-10T10:00:00Z", ""},
		"DTSTART;VALUE=DATE:20261110\nDTEND;VALUE=DATE:20261112":               {"2026-11-10", "2026-11-12", ""},
		"DTSTART:20261110\nDURATION:P1W":                                       {"2026-11-10", "2026-11-17", ""},
		"DTSTART;VALUE=DATE:20261110T000000":                                   {"2026-11-10", "", ""},
		"DTSTART:20261110T090000\nDURATION:PT1H30M":                            {"2026-11-10T09:00:00", "2026-11-10T10:30:00", ""},
		"DTSTART:20261110T090000+0530":                                         {"2026-11-10T03:30:00Z", "", ""},
		"DTSTART:2026-11-10T09:00:00Z":                                         {"2026-11-10T09:00:00Z", "", ""},
		"DTSTART:2026-11-10":                                                   {"2026-11-10", "", ""},
		"DTSTART;TZID=Europe/Berlin:20261110T0900":                             {"2026-11-10T08:00:00Z", "", "Europe/Berlin"},
		"DTSTART;TZID=\"Eastern Standard Time\":20260710T090000":               {"2026-07-10T13:00:00Z", "", "America/New_York"},
		"DTSTART;TZID=/mozilla.org/20070129_1/Europe/Paris:20260710T090000":    {"2026-07-10T07:00:00Z", "", "Europe/Paris"},
		"DTSTART;TZID=/a.org/Tzfile/America/Argentina/Ushuaia:20260710T090000": {"2026-07-10T12:00:00Z", "", "America/Argentina/Ushuaia"},
		"DTSTART;TZID=Etc/UTC:20260710T090000":                                 {"2026-07-10T09:00:00Z", "", ""},
		"DTSTART;TZID=Europe/Berlin:20260328T120000\nDURATION:P1D":             {"2026-03-28T11:00:00Z", "2026-03-29T10:00:00Z", "Europe/Berlin"},
		"DTSTART;TZID=Europe/Berlin:20260328T120000\nDURATION:PT24H":           {"2026-03-28T11:00:00Z", "2026-03-29T11:00:00Z", "Europe/Berlin"},
		"DTSTART;TZID=Europe/Berlin:20260329T023000":                           {"2026-03-29T01:30:00Z", "", "Europe/Berlin"}, // skipped
		"DTSTART;TZID=Europe/Berlin:20261025T023000":                           {"2026-10-25T00:30:00Z", "", "Europe/Berlin"}, // twice
		"DTSTART;TZID=Europe/Berlin:20261110T000000\nDTEND;TZID=Europe/Berlin:20261111T000000\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE": {"2026-11-10", "2026-11-11", ""},
		"DTSTART:20261110T240000Z\nDTEND:20261231T235960Z":                                                                       {"2026-11-11T00:00:00Z", "2026-12-31T23:59:59Z", ""},
		"DTEND:20261110T100000Z":                              {"", "2026-11-10T10:00:00Z", ""},
		"DTSTART;VALUE=DATE:20261110\nDTEND:20261111T090000Z": {"2026-11-10T00:00:00", "2026-11-11T09:00:00Z", ""},
	} {
		e := one(t, "UID:x\n"+lines)
		if got := [3]string{e.Start, e.End, e.TimeZone}; got != want {
			t.Errorf("%s: %q, want %q", lines, got, want)
		}
		if (e.TZID == "") != (e.TimeZone == "") || !strings.Contains(lines, e.TZID) {
			t.Errorf("%s: zone as sent %q", lines, e.TZID)
		}
		if e.AllDay != (len(want[0]) == 10) || e.Floating != (len(want[0]) == 19) {
			t.Errorf("%s: all day %v, floating %v", lines, e.AllDay, e.Floating)
		}
	}
}

func TestTimesThatCannotBeReadAreToldAndLeftOut(t *testing.T) {
	for line, code := range map[string]string{
		"DTSTART:20260231T090000Z":                       FlawTime,
		"DTSTART:tomorrow":                               FlawTime,
		"DTSTART:20261110T250000Z":                       FlawTime,
		"DTSTART:20261110T090000 PST":                    FlawTime,
		"DTSTART:00000101":                               FlawTime,
		"DTSTART:20261110T090000Z\nDURATION:-PT1H":       FlawTime,
		"DTSTART:20261110T090000Z\nDURATION:P":           "",
		"DTSTART:20261110T090000Z\nDURATION:PT99999999H": FlawTime,
		"DTSTART:20261110\nDURATION:PT1H":                FlawTime,
		"DTSTART;TZID=Nowhere:20261110T090000":           FlawZone,
		"DTSTART;TZID=Local:20261110T090000":             FlawZone,
		"DTSTART;TZID=../../etc/passwd:20261110T090000":  FlawZone,
		"DTSTART;TZID=localtime:20261110T090000":         FlawZone,
		"just text":                                      FlawLine,
	} {
		events, flaws := scan("BEGIN:VEVENT\nUID:x\n" + line)
		if got := strings.Join(flaws, ";"); (code == "") != (got == "") || !strings.HasPrefix(got, code) || len(events) != 1 {
			t.Errorf("%s: flaws %q of %+v, want %s", line, got, events, code)
		}
	}
}

// custom is a file with a zone of its own.
func custom(rules, start string) string {
	return "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x\nDTSTART;TZID=Mine:" + start + "\nEND:VEVENT\nBEGIN:VTIMEZONE\nTZID:Mine\n" + rules + "END:VTIMEZONE\nEND:VCALENDAR\n"
}

func TestTheZoneOfTheFileCountsWhereNobodyKnowsTheName(t *testing.T) {
	const (
		eu = "BEGIN:STANDARD\nDTSTART:19961027T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nEND:STANDARD\n" +
			"BEGIN:DAYLIGHT\nDTSTART:19810329T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\nEND:DAYLIGHT\n"
		us = "BEGIN:DAYLIGHT\nDTSTART:20070311T020000\nRRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=8,9,10,11,12,13,14;BYDAY=SU\nTZOFFSETFROM:-0500\nTZOFFSETTO:-0400\nEND:DAYLIGHT\n" +
			"BEGIN:STANDARD\nDTSTART:20071104T020000\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\nTZOFFSETFROM:-0400\nTZOFFSETTO:-0500\nEND:STANDARD\n"
		old = "BEGIN:STANDARD\nDTSTART:20001029T030000\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20101031T000000Z\nTZOFFSETFROM:+0400\nTZOFFSETTO:+0300\nEND:STANDARD\n" +
			"BEGIN:DAYLIGHT\nDTSTART:20000326T020000\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;UNTIL=20110326T230000Z\nTZOFFSETFROM:+0300\nTZOFFSETTO:+0400\nEND:DAYLIGHT\n"
		dates = "BEGIN:STANDARD\nDTSTART:20250101T000000\nRDATE:20260101T000000,20270101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0130\nEND:STANDARD\n"
	)
	for _, c := range []struct{ rules, start, want string }{
		{eu, "20260710T090000", "2026-07-10T07:00:00Z"},
		{eu, "20261110T090000", "2026-11-10T08:00:00Z"},
		{eu, "20260101T090000", "2026-01-01T08:00:00Z"},
		{eu, "20260329T015959", "2026-03-29T00:59:59Z"},
		{eu, "20260329T023000", "2026-03-29T01:30:00Z"}, // skipped
		{eu, "20260329T030000", "2026-03-29T01:00:00Z"},
		{eu, "20261025T023000", "2026-10-25T00:30:00Z"}, // twice
		{eu, "20261025T030000", "2026-10-25T02:00:00Z"},
		{us, "20260308T013000", "2026-03-08T06:30:00Z"},
		{us, "20260308T033000", "2026-03-08T07:30:00Z"},
		{us, "20261101T030000", "2026-11-01T08:00:00Z"},
		{old, "20260710T090000", "2026-07-10T05:00:00Z"},
		{old, "20090110T090000", "2009-01-10T06:00:00Z"},
		{dates, "20260710T090000", "2026-07-10T07:30:00Z"},
		{dates, "20200710T090000", "2020-07-10T08:00:00Z"},
	} {
		events, flaws := scan(custom(c.rules, c.start))
		if len(events) != 1 || events[0].Start != c.want || events[0].TimeZone != "Mine" || flaws != nil {
			t.Errorf("%s: %+v %v, want %s", c.start, events, flaws, c.want)
		}
	}
}

// TestVTIMEZONEAgreesWithTheTimePackage compares both ways through two years, hour by hour.
func TestVTIMEZONEAgreesWithTheTimePackage(t *testing.T) {
	for zoneName, rules := range map[string]string{
		"Europe/Berlin": "BEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\n" +
			"BEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\n",
		"Australia/Sydney": "BEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+1100\nTZOFFSETTO:+1000\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=4\nEND:STANDARD\n" +
			"BEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+1000\nTZOFFSETTO:+1100\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=10\nEND:DAYLIGHT\n",
	} {
		var s Scanner
		if _, err := s.Write([]byte(custom(rules, "20260101T000000"))); err != nil {
			t.Fatal(err)
		}
		s.Events()
		own := s.file.events[0].cal.zones["Mine"]
		loc, err := time.LoadLocation(zoneName)
		if err != nil {
			t.Fatal(err)
		}
		wall := time.Date(2026, 1, 1, 0, 30, 0, 0, time.UTC)
		for ; wall.Year() < 2028; wall = wall.Add(time.Hour) {
			if a, b := own.place(wall), (goZone{loc}).place(wall); !a.Equal(b) {
				t.Errorf("%s: %v is %v by the file and %v by the time package", zoneName, wall, a, b)
			}
		}
	}
}

func TestEveryWindowsZoneIsOneTheTimePackageKnows(t *testing.T) {
	n := 0
	for line := range strings.Lines(strings.TrimSpace(windowsZones)) {
		name, want, _ := strings.Cut(strings.TrimSpace(line), "=")
		if got := windowsZone(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
		if _, err := time.LoadLocation(want); err != nil || !isZoneName(want) {
			t.Errorf("%s: %v", name, err)
		}
		n++
	}
	if n < 100 || windowsZone("Berlin") != "" || windowsZone("\nUTC") != "" || windowsZone("UTC=UTC") != "" {
		t.Errorf("%d zones, or names that are none are found", n)
	}
}
