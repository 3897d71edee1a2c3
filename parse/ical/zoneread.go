package ical

import (
	"strconv"
	"strings"
	"time"
)

// nameZone gives a VTIMEZONE its name in its calendar.
func (f *fileReader) nameZone(z *zone, tzid string) {
	tzid = strings.Trim(tzid, `"' `)
	if _, ok := f.cal.zones[tzid]; ok || !f.spend(100+len(tzid)) {
		return
	}
	if f.cal.zones == nil {
		f.cal.zones = map[string]*zone{}
	}
	f.cal.zones[strings.Clone(tzid)] = z
}

// ruleProperty takes a property of STANDARD or DAYLIGHT.
func (f *fileReader) ruleProperty(r *rule, p *property) {
	switch p.name {
	case "DTSTART":
		if t, _, _, ok := fields(p.value); ok {
			r.start = t
		}
	case "TZOFFSETFROM":
		r.from, _ = offset(p.value)
	case "TZOFFSETTO":
		r.to, _ = offset(p.value)
	case "RRULE":
		r.recur(p.value)
	case "RDATE":
		for v := range strings.SplitSeq(p.value, ",") {
			v, _, _ = strings.Cut(v, "/")
			if t, _, _, ok := fields(strings.TrimSpace(v)); ok && f.spend(24) {
				r.dates = append(r.dates, t)
			}
		}
	}
}

// recur reads the recurrences that zones have: once a year, in a month, on a weekday or a day.
func (r *rule) recur(s string) {
	r.weekday = -1
	for part := range strings.SplitSeq(strings.ToUpper(s), ";") {
		name, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "FREQ":
			r.yearly = v == "YEARLY"
		case "BYMONTH":
			if n, err := strconv.Atoi(v); err == nil && n >= 1 && n <= 12 {
				r.month = time.Month(n)
			}
		case "BYMONTHDAY": // with BYDAY the first of them that is this weekday
			for d := range strings.SplitSeq(v, ",") {
				if n, err := strconv.Atoi(d); err == nil && n >= 1 && n <= 31 && (r.dayOfMonth == 0 || n < r.dayOfMonth) {
					r.dayOfMonth = n
				}
			}
		case "BYDAY":
			r.byDay(v)
		case "UNTIL":
			if t, rest, date, ok := fields(v); ok {
				if r.until, r.untilUTC = t, rest != ""; date {
					r.until = t.Add(24*time.Hour - time.Second)
				}
			}
		}
	}
}

// byDay reads -1SU and 2SU.
func (r *rule) byDay(v string) {
	v, _, _ = strings.Cut(v, ",")
	if len(v) < 2 {
		return
	}
	i := strings.Index("SUMOTUWETHFRSA", v[len(v)-2:])
	n, err := strconv.Atoi(v[:len(v)-2])
	if i < 0 || i%2 != 0 || err != nil && len(v) > 2 || n < -5 || n > 5 {
		return
	}
	r.weekday, r.week = i/2, n
}

// offset reads +0100, -05:00, +01 and +013015 as seconds east of UTC.
func offset(s string) (seconds int, ok bool) {
	s = strings.ReplaceAll(strings.TrimSpace(s), ":", "")
	if s == "" || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	for i, unit := 1, 3600; i < len(s); i, unit = i+2, unit/60 {
		n, _, good := digits(s[i:], 2)
		if !good || unit == 0 || n > 59 {
			return 0, false
		}
		seconds += n * unit
	}
	if len(s) < 3 || seconds > 24*3600 {
		return 0, false
	}
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// daylight adds the DAYLIGHT of vCalendar 1.0 (section 2.2.2) to its TZ: TRUE;+02;begin;end;names.
func (z *zone) daylight(v string) {
	part := strings.Split(v, ";")
	if z == nil || len(z.rules) > 100 || len(part) < 4 || !strings.EqualFold(part[0], "TRUE") {
		return
	}
	off, ok := offset(part[1])
	begin, _, _, ok2 := fields(part[2])
	end, _, _, ok3 := fields(part[3])
	if ok && ok2 && ok3 {
		std := z.rules[0].to
		z.rules = append(z.rules, &rule{start: begin, from: std, to: off}, &rule{start: end, from: off, to: std})
	}
}
