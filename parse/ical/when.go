package ical

import (
	"strings"
	"time"
)

// stamp is a time as sent.
type stamp struct {
	value, tzid string
	date        bool // VALUE=DATE
}

// stamp keeps the time of a property.
func (f *fileReader) stamp(dst *stamp, p *property) {
	if dst.value == "" {
		*dst = stamp{f.keep(strings.TrimSpace(p.value)), f.keep(strings.Trim(p.param("TZID"), `"' `)), strings.EqualFold(p.param("VALUE"), "DATE")}
	}
}

// moment is a time that has been read: its fields, and who knows which instant they are.
type moment struct {
	wall time.Time // the fields, in UTC whatever the zone
	add  time.Duration
	date bool
	in   placer // nil: a date, or a time that floats
	name string // of the zone
}

// placer finds the instant at which the clocks of a zone show a time.
type placer interface {
	place(wall time.Time) time.Time
}

// String writes the moment as Event does.
func (m moment) String() string {
	t, layout := m.wall.Add(m.add), "2006-01-02T15:04:05"
	switch {
	case m.date:
		layout = time.DateOnly
	case m.in != nil:
		t, layout = m.in.place(m.wall).Add(m.add).UTC(), time.RFC3339
	}
	if y := t.Year(); y < 1 || y > 9999 {
		return ""
	}
	return t.Format(layout)
}

// midnight tells whether a moment is the beginning of a day.
func (m moment) midnight() bool {
	return m.wall.Equal(m.wall.Truncate(24*time.Hour)) && m.add%(24*time.Hour) == 0
}

// times reads the times of an event.
func (f *fileReader) times(e *event) {
	start, started := f.moment(e.start, e.cal)
	end, ended := f.moment(e.end, e.cal)
	if started && !ended && e.duration != "" {
		end, ended = f.after(start, e.duration)
	}
	if started && ended && start.date != end.date {
		start.date, end.date = false, false // one of them is no date: the other's day begins at midnight
	}
	// Exchange writes whole days as midnights and says so beside ([MS-OXCICAL] section 2.1.3.1.1.20.28).
	if e.wholeDays && (!started || start.midnight()) && (!ended || end.midnight()) {
		start.date, end.date = true, true
	}
	if started {
		e.Start, e.AllDay, e.Floating = start.String(), start.date, !start.date && start.in == nil
		if !start.date && start.name != "" {
			e.TimeZone, e.TZID = start.name, e.start.tzid
		}
	}
	if ended {
		e.End = end.String()
	}
	if m, ok := f.moment(e.recur, e.cal); ok {
		m.date = m.date || start.date && m.midnight()
		e.RecurrenceID = m.String()
	}
}

// moment reads a stamp.
func (f *fileReader) moment(st stamp, cal *calendar) (m moment, ok bool) {
	if st.value == "" {
		return m, false
	}
	wall, rest, date, ok := fields(st.value)
	if !ok || wall.Year() < 1 {
		f.tell(FlawTime, quote(st.value), true)
		return m, false
	}
	m = moment{wall: wall, date: date || st.date}
	switch {
	case m.date:
		m.wall = wall.Truncate(24 * time.Hour)
	case strings.EqualFold(rest, "Z"):
		m.in = goZone{time.UTC}
	case rest != "":
		off, ok := offset(rest)
		if !ok {
			f.tell(FlawTime, quote(st.value), true)
			return m, false
		}
		m.in = goZone{time.FixedZone("", off)}
	default:
		m.in, m.name = f.zone(st.tzid, cal)
	}
	return m, true
}

// fields reads 20261110T090000, the form with hyphens and colons, and a date alone. rest is what stands
// behind: Z, or the offset that RFC 5545 does not allow here.
func fields(s string) (t time.Time, rest string, date, ok bool) {
	if len(s) > 10 && s[4] == '-' && s[7] == '-' || len(s) == 10 && s[4] == '-' {
		s = s[:4] + s[5:7] + s[8:]
	}
	s = strings.ReplaceAll(s, ":", "")
	day, s, ok := digits(s, 8)
	if !ok {
		return t, "", false, false
	}
	t = time.Date(day/10000, time.Month(day/100%100), day%100, 0, 0, 0, 0, time.UTC)
	if t.Day() != day%100 || int(t.Month()) != day/100%100 {
		return t, "", false, false // 31 February
	}
	if s == "" {
		return t, "", true, true
	}
	if s[0] != 'T' && s[0] != 't' && s[0] != ' ' {
		return t, "", false, false
	}
	clock, s, ok := digits(s[1:], 4)
	if !ok {
		return t, "", false, false
	}
	sec := 0
	if n, r, ok := digits(s, 2); ok {
		sec, s = min(n, 59), r // RFC 5545 section 3.3.12 allows leap seconds; time.Time has none
	}
	if h, m := clock/100, clock%100; h > 24 || m > 59 || h == 24 && m+sec > 0 {
		return t, "", false, false
	}
	return t.Add(time.Duration(clock/100*3600+clock%100*60+sec) * time.Second), s, false, true
}

// digits reads a number of exactly n digits.
func digits(s string, n int) (v int, rest string, ok bool) {
	if len(s) < n {
		return 0, s, false
	}
	for _, c := range []byte(s[:n]) {
		if c < '0' || c > '9' {
			return 0, s, false
		}
		v = v*10 + int(c-'0')
	}
	return v, s[n:], true
}

// after adds a duration (RFC 5545 section 3.3.6) to a moment: weeks and days are those of the
// calendar, hours are hours on whatever day the clocks are changed.
func (f *fileReader) after(m moment, s string) (moment, bool) {
	days, add, ok := duration(s)
	if !ok || m.date && add%(24*time.Hour) != 0 {
		f.tell(FlawTime, quote(s), true)
		return m, false
	}
	m.wall, m.add = m.wall.AddDate(0, 0, days), add
	return m, true
}

// duration reads P1DT2H3M4S and P2W. A negative one has no meaning for an event.
func duration(s string) (days int, add time.Duration, ok bool) {
	s = strings.ToUpper(strings.TrimPrefix(s, "+"))
	s, ok = strings.CutPrefix(s, "P")
	clock := false
	for ok && s != "" {
		if s[0] == 'T' {
			clock, s = true, s[1:]
			continue
		}
		i, n := 0, 0
		for ; i < len(s) && i < 6 && s[i] >= '0' && s[i] <= '9'; i++ {
			n = n*10 + int(s[i]-'0')
		}
		if i == 0 || i == len(s) || days > 4_000_000 || add < 0 {
			return 0, 0, false
		}
		switch unit := s[i]; {
		case unit == 'W':
			days += 7 * n
		case unit == 'D':
			days += n
		case clock && unit == 'H':
			add += time.Duration(n) * time.Hour
		case clock && unit == 'M':
			add += time.Duration(n) * time.Minute
		case clock && unit == 'S':
			add += time.Duration(n) * time.Second
		default:
			return 0, 0, false
		}
		s = s[i+1:]
	}
	return days, add, ok && add >= 0 && days <= 4_000_000
}
