package parse

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// scrambled returns s with up to three of its characters replaced by others of from.
func scrambled(r *rand.Rand, s, from string) string {
	b := []byte(s)
	for range r.IntN(4) {
		i := r.IntN(len(b))
		switch c := from[r.IntN(len(from))]; r.IntN(3) {
		case 0:
			b[i] = c
		case 1:
			b = slices.Insert(b, i, c)
		default:
			b = slices.Delete(b, i, i+1)
		}
	}
	return strings.Trim(string(b), " \t")
}

func TestPlainReadingsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	dates := []string{"Tue, 10 Nov 2026 09:00:00 +0100", "1 Jan 2000 23:59:59 -0000 (UTC)", "Sat, 29 Feb 2025 00:00:00 +1400", "Mon, 1 Dec 1902 24:00:00 -1130 (a b)"}
	lists := []string{"a@x.org", "J Doe <j@x.org>, k@x.org", `"J" <j-1@x.org>, "Q W" <q@x.org>`, "J D<a.b+c@x.org>", "undisclosed recipients <>",
		`"Doe, J." <j@x.org>, =?utf-8?q?J=C3=B6?= =?iso-8859-1?q?=F6_?= <k@x.org>`, "J. O'D-E (x) <a@x.org>", `"=?utf-8?b?w7Y=?=" <a@x.org>`,
		`=?utf-8?q?"<evil@y.org>,?= <j@x.org>`, `=?utf-8?q?=22D,_J=22?= <j@x.org>`,
		`<a@x.org>, =?utf-8?q?a:<b?= c =?us-ascii?q?_?= <b@x.org>`}
	plain := 0
	for range 60_000 / underRace {
		s := scrambled(r, dates[r.IntN(len(dates))], "0123456789 :+-(),TueNov")
		if got, ok := plainDate(s); ok {
			plain++
			want, exact, ok := anyDate(s)
			if !ok || !exact || !got.Equal(want) {
				t.Fatalf("%q is %v, and %v (%v, %v)", s, got, want, exact, ok)
			}
		}
		s = scrambled(r, lists[r.IntN(len(lists))], `ab 1@.,<>"-_'=?\():;[]`)
		quick, h := fuzzHeader("To", s), fuzzHeader("To", s)
		if _, n := quick.plainAddresses(s, 100); n > 0 {
			plain++
		}
		p := addressParser{h: h, s: s, max: 100}
		want := p.parse()
		if p.repaired {
			h.issue(IssueAddressRepaired, "To", false)
		}
		if got := quick.addresses("To", s, 100); !slices.Equal(got, want) || !slices.Equal(h.issues.list, quick.issues.list) {
			t.Fatalf("%q is %q, and %q (%v, %v)", s, got, want, quick.issues.list, h.issues.list)
		}
	}
	fields := []string{"text/plain; charset=utf-8;", `a/b;Name="x y.pdf"; size='1'`, `attachment;filename*=utf-8''a; x=(c) b "`}
	for range 60_000 / underRace {
		s := scrambled(r, fields[r.IntN(len(fields))], "\"\\'()=;:/*ab ")
		p := paramParser{s: s, max: 10}
		if head, ok := p.plainHead(); ok {
			plain++
			want := paramParser{s: s}
			if got := want.anyHead(); got != head || want.i != p.i || want.bad {
				t.Fatalf("%q begins with %q, and %q", s, head, got)
			}
		}
		p.skip("; ")
		if q := p; p.plain() {
			plain++
			if !q.sent() || q != p {
				t.Fatalf("%q holds %v, and %v", s, p, q)
			}
		}
	}
	if plain < 10_000/underRace {
		t.Errorf("only %d of them were plain", plain)
	}
}
