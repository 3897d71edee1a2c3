package parse

import (
	"strings"
	"testing"
	"time"
)

func TestMailDateReadsWhatIsSent(t *testing.T) {
	cases := []struct{ name, in, want string }{
		{"RFC 5322", "Tue, 10 Nov 2026 09:00:00 +0100", "2026-11-10T09:00:00+01:00"},
		{"one-digit day", "Tue, 3 Nov 2026 09:00:00 -0500", "2026-11-03T09:00:00-05:00"},
		{"no weekday, no seconds", "10 Nov 2026 09:00 +0100", "2026-11-10T09:00:00+01:00"},
		{"unknown local zone", "10 Nov 2026 09:00:00 -0000", "2026-11-10T09:00:00Z"},
		{"comment zone", "Tue, 10 Nov 2026 09:00:00 +0100 (CET)", "2026-11-10T09:00:00+01:00"},
		{"comments everywhere", "Tue (x), 10 (y) Nov 2026 (z (nested)) 09:00:00 +0100", "2026-11-10T09:00:00+01:00"},
		{"GMT", "Tue, 10 Nov 2026 09:00:00 GMT", "2026-11-10T09:00:00Z"},
		{"UT", "Tue, 10 Nov 2026 09:00:00 UT", "2026-11-10T09:00:00Z"},
		{"EST", "Tue, 10 Nov 2026 09:00:00 EST", "2026-11-10T09:00:00-05:00"},
		{"EDT", "Tue, 10 Nov 2026 09:00:00 EDT", "2026-11-10T09:00:00-04:00"},
		{"CST", "Tue, 10 Nov 2026 09:00:00 CST", "2026-11-10T09:00:00-06:00"},
		{"MDT", "Tue, 10 Nov 2026 09:00:00 MDT", "2026-11-10T09:00:00-06:00"},
		{"PDT", "Tue, 10 Nov 2026 09:00:00 PDT", "2026-11-10T09:00:00-07:00"},
		{"PST", "Tue, 10 Nov 2026 09:00:00 PST", "2026-11-10T09:00:00-08:00"},
		{"military Z", "Tue, 10 Nov 2026 09:00:00 Z", "2026-11-10T09:00:00Z"},
		{"military A means nothing", "Tue, 10 Nov 2026 09:00:00 A", "2026-11-10T09:00:00Z"},
		{"JST", "Tue, 10 Nov 2026 09:00:00 JST", "2026-11-10T09:00:00+09:00"},
		{"unknown name", "Tue, 10 Nov 2026 09:00:00 XYZ", "2026-11-10T09:00:00Z"},
		{"no zone", "Tue, 10 Nov 2026 09:00:00", "2026-11-10T09:00:00Z"},
		{"GMT+0100", "Tue, 10 Nov 2026 09:00:00 GMT+0100", "2026-11-10T09:00:00+01:00"},
		{"UTC-3", "Tue, 10 Nov 2026 09:00:00 UTC-3", "2026-11-10T09:00:00-03:00"},
		{"colon in the zone", "Tue, 10 Nov 2026 09:00:00 +01:00", "2026-11-10T09:00:00+01:00"},
		{"GMT and an offset", "Tue, 10 Nov 2026 09:00:00 GMT +0100", "2026-11-10T09:00:00+01:00"},
		{"two digits of year", "Tue, 10 Nov 98 09:00:00 +0000", "1998-11-10T09:00:00Z"},
		{"two digits of this century", "Tue, 10 Nov 26 09:00:00 +0000", "2026-11-10T09:00:00Z"},
		{"three digits of year", "Thu, 10 Oct 102 09:00:00 +0000", "2002-10-10T09:00:00Z"},
		{"asctime", "Tue Nov 10 09:00:00 2026", "2026-11-10T09:00:00Z"},
		{"asctime with zone", "Tue Nov 10 09:00:00 PST 2026", "2026-11-10T09:00:00-08:00"},
		{"ctime with offset", "Tue Nov  3 09:00:00 2026 +0100", "2026-11-03T09:00:00+01:00"},
		{"hyphens", "10-Nov-2026 09:00:00 +0100", "2026-11-10T09:00:00+01:00"},
		{"RFC 3339", "2026-11-10T09:00:00+01:00", "2026-11-10T09:00:00+01:00"},
		{"RFC 3339 in UTC", "2026-11-10T09:00:00Z", "2026-11-10T09:00:00Z"},
		{"ISO with a space", "2026-11-10 09:00:00 +0100", "2026-11-10T09:00:00+01:00"},
		{"afternoon", "Tue, 10 Nov 2026 3:05:00 PM", "2026-11-10T15:05:00Z"},
		{"midnight as 12 AM", "Tue, 10 Nov 2026 12:05:00 AM", "2026-11-10T00:05:00Z"},
		{"long names", "Tuesday, 10 November 2026 09:00:00 +0100", "2026-11-10T09:00:00+01:00"},
		{"no comma", "Tue 10 Nov 2026 09:00:00 +0100", "2026-11-10T09:00:00+01:00"},
		{"comma without space", "Tue,10 Nov 2026 09:00:00 +0100", "2026-11-10T09:00:00+01:00"},
		{"one-digit hour", "Tue, 10 Nov 2026 9:00:00 +0100", "2026-11-10T09:00:00+01:00"},
		{"fraction", "Tue, 10 Nov 2026 09:00:00.123 +0100", "2026-11-10T09:00:00+01:00"},
		{"leap second", "Sat, 31 Dec 2016 23:59:60 +0000", "2017-01-01T00:00:00Z"},
		{"24 hours", "Tue, 10 Nov 2026 24:00:00 +0000", "2026-11-11T00:00:00Z"},
		{"folded", "Tue, 10 Nov 2026\r\n 09:00:00 +0100", "2026-11-10T09:00:00+01:00"},
		{"lower case", "tue, 10 nov 2026 09:00:00 gmt", "2026-11-10T09:00:00Z"},
		{"wrong weekday", "Mon, 10 Nov 2026 09:00:00 +0000", "2026-11-10T09:00:00Z"},
		{"day without time", "10 Nov 2026", "2026-11-10T00:00:00Z"},
		{"glued zone", "Tue, 10 Nov 2026 09:00:00+0100", "2026-11-10T09:00:00+01:00"},
		{"29 February", "29 Feb 2024 09:00:00 +0000", "2024-02-29T09:00:00Z"},

		{"nothing", "", ""},
		{"words", "yesterday", ""},
		{"31 February", "31 Feb 2026 09:00:00 +0000", ""},
		{"29 February of another year", "29 Feb 2023 09:00:00 +0000", ""},
		{"day 0", "0 Nov 2026 09:00:00 +0000", ""},
		{"hour 25", "10 Nov 2026 25:00:00 +0000", ""},
		{"minute 61", "10 Nov 2026 09:61:00 +0000", ""},
		{"year 0102", "10 Nov 0102 09:00:00 +0000", ""},
		{"no year", "10 Nov 09:00:00 +0000", ""},
		{"numbers in an order nobody knows", "10/11/2026 09:00:00", ""},
		{"no month", "Tue, 10 2026 09:00:00 +0000", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if tm, ok := MailDate(c.in); ok {
				got = tm.Format(time.RFC3339)
			}
			if got != c.want {
				t.Errorf("%q: got %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestDateFieldIsReportedNotInvented(t *testing.T) {
	for in, code := range map[string]string{
		"Date: Tue, 10 Nov 2026 09:00:00 +0100": "",
		"Date: Tue, 10 Nov 2026 09:00:00":       IssueDateRepaired,
		"Date: never":                           IssueDateInvalid,
		"X-A: no date at all":                   "",
	} {
		r := NewReader(strings.NewReader(in+"\r\n\r\n"), Limits{})
		at, raw, ok := r.Header().Date()
		if ok != (code != IssueDateInvalid && raw != "") || ok == at.IsZero() {
			t.Errorf("%q: %v %q %v", in, at, raw, ok)
		}
		got := ""
		if is := r.Issues(); len(is) > 0 {
			got = is[0].Code
		}
		if got != code {
			t.Errorf("%q: issue %q, want %q", in, got, code)
		}
	}
}
