package ical

import (
	"strings"
	"time"
)

// namedZone is a zone that was looked up; in is nil if nobody knows it.
type namedZone struct {
	in   placer
	name string
}

// zone finds the zone that a TZID names: first among those that the time package knows, by their own
// names or by those of Windows, then in the file. It is nil if nobody knows, and for no TZID at all.
func (f *fileReader) zone(tzid string, cal *calendar) (placer, string) {
	if tzid == "" {
		if cal.local != nil {
			return cal.local, ""
		}
		return nil, ""
	}
	if z := f.known(tzid); z.in != nil {
		return z.in, z.name
	}
	if z := cal.zones[tzid]; z != nil && len(z.rules) > 0 {
		return z, tzid
	}
	f.tell(FlawZone, quote(tzid), false)
	return nil, tzid
}

// known asks the time package for a zone, for at most maxZones different names.
func (f *fileReader) known(tzid string) namedZone {
	z, ok := f.zones[tzid]
	if ok {
		return z
	}
	if len(f.zones) >= maxZones {
		f.tell(FlawLimit, "zones", false)
		return z
	}
	for _, name := range zoneNames(tzid) {
		if loc, err := time.LoadLocation(name); err == nil {
			if z = (namedZone{goZone{loc}, name}); strings.TrimPrefix(name, "Etc/") == "UTC" {
				z.name = ""
			}
			break
		}
	}
	if f.zones == nil {
		f.zones = map[string]namedZone{}
	}
	f.zones[tzid] = z
	return z
}

// zoneNames returns the IANA names that a TZID may stand for, at most two. Those of a registry
// (RFC 5545 section 3.8.3.1: a slash and who keeps it) end in one.
func zoneNames(tzid string) []string {
	if name := windowsZone(tzid); name != "" {
		return []string{name}
	}
	var out []string
	if !strings.HasPrefix(tzid, "/") {
		out = append(out, tzid)
	} else if f := strings.Split(tzid, "/"); len(f) > 2 {
		for _, n := range [...]int{3, 2} {
			out = append(out, strings.Join(f[max(len(f)-n, 1):], "/"))
		}
	}
	valid := out[:0]
	for _, name := range out {
		if isZoneName(name) {
			valid = append(valid, name)
		}
	}
	return valid
}

// isZoneName tells whether a name may be looked for in the zone files: never "Local" or "localtime",
// which are the machine's, nor a copy with leap seconds (right/), nor a path that leads anywhere else.
func isZoneName(s string) bool {
	if s == "" || len(s) > 64 || s[0] < 'A' || s[0] > 'Z' || s == "Local" {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool {
		return (r|0x20 < 'a' || r|0x20 > 'z') && (r < '0' || r > '9') && r != '/' && r != '_' && r != '-' && r != '+'
	}) < 0
}

// goZone is a zone of the time package.
type goZone struct{ loc *time.Location }

// place follows RFC 5545 section 3.3.5, form #3: of two instants the first counts, and a time that
// the clocks skip is read with the offset before the gap. time.Date promises neither.
func (z goZone) place(wall time.Time) time.Time {
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, z.loc)
	_, before := t.Add(-6 * time.Hour).Zone()
	first := wall.Add(-time.Duration(before) * time.Second).In(z.loc)
	if sameClock(first, wall) || !sameClock(t, wall) {
		return first
	}
	return t
}

// sameClock tells whether two times show the same hour and minute.
func sameClock(a, b time.Time) bool { return a.Hour() == b.Hour() && a.Minute() == b.Minute() }

// zone is a VTIMEZONE (RFC 5545 section 3.6.5).
type zone struct{ rules []*rule }

// rule is a STANDARD or DAYLIGHT of it: from each of its onsets on, which are times on the clock
// before the change, the offset is to.
type rule struct {
	start    time.Time
	from, to int // seconds east
	dates    []time.Time

	yearly     bool
	until      time.Time // no onset after it; zero: no end
	untilUTC   bool      // until is in UTC, as it should be
	month      time.Month
	week       int // the first to fifth, -1 the last
	weekday    int // -1: the day of the month decides
	dayOfMonth int
}

// place finds the last change before wall.
func (z *zone) place(wall time.Time) time.Time {
	var best, earliest *rule
	var since time.Time
	for _, r := range z.rules {
		if at, ok := r.last(wall); ok && (best == nil || !at.Before(since)) {
			best, since = r, at
		}
		if earliest == nil || r.start.Before(earliest.start) {
			earliest = r
		}
	}
	var off int
	switch {
	case best == nil:
		off = earliest.from
	case wall.Before(since.Add(time.Duration(best.to-best.from) * time.Second)): // in the gap
		off = best.from
	default:
		off = best.to
	}
	return wall.Add(-time.Duration(off) * time.Second)
}

// last returns the rule's last onset that is not after wall.
func (r *rule) last(wall time.Time) (at time.Time, ok bool) {
	take := func(t time.Time) {
		if !t.After(wall) && (!ok || t.After(at)) {
			at, ok = t, true
		}
	}
	take(r.start)
	for _, t := range r.dates {
		take(t)
	}
	if !r.yearly {
		return at, ok
	}
	y, until := wall.Year(), r.until
	if r.untilUTC {
		until = until.Add(time.Duration(r.from) * time.Second)
	}
	if !r.until.IsZero() {
		y = min(y, until.Year())
	}
	for n := range 2 {
		t := r.onset(y - n)
		if !t.Before(r.start) && (r.until.IsZero() || !t.After(until)) {
			take(t)
		}
	}
	return at, ok
}

// onset returns the change of a year.
func (r *rule) onset(year int) time.Time {
	month := r.month
	if month == 0 {
		month = r.start.Month()
	}
	clock := r.start.Sub(r.start.Truncate(24 * time.Hour))
	day := max(r.dayOfMonth, 1)
	if r.weekday < 0 && r.dayOfMonth == 0 {
		day = r.start.Day()
	}
	t := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	if r.weekday >= 0 {
		t = t.AddDate(0, 0, (r.weekday-int(t.Weekday())+7)%7)
		switch {
		case r.week > 1:
			t = t.AddDate(0, 0, 7*(r.week-1))
		case r.week < 0: // from the end
			t = time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC)
			t = t.AddDate(0, 0, -((int(t.Weekday())-r.weekday+7)%7)).AddDate(0, 0, 7*(r.week+1))
		}
		if t.Month() != month && r.week == 5 { // a fifth one that the month does not have
			t = t.AddDate(0, 0, -7)
		}
	}
	return t.Add(clock)
}
