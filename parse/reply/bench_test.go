package reply

import (
	"strings"
	"testing"
	"time"
)

func BenchmarkOffset(b *testing.B) {
	for _, c := range hostile() {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			for b.Loop() {
				Offset(c.text)
			}
		})
	}
}

// hostile are the texts that ask for the most work.
func hostile() []struct{ name, text string } {
	const size = 1 << 20
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	return []struct{ name, text string }{
		{"prose", fill("What the author of a letter writes, in lines of this length or so.\nAnd a line.\n\n")},
		{"marked", own + wrote + fill("> What the author of a letter writes, in lines of this length or so.\n")},
		{"angles", fill(">\n")},
		{"on", fill("On\n")},
		{"colons", fill(":\n")},
		{"empty lines", fill("\n")},
		{"verbs", fill("wrote:\n")},
		{"attributions", fill(wrote)},
		{"half attributions", fill("On 10.11.2026 at 9:00, Bob\n")},
		{"no attributions", fill("On a day of 2026, somebody who has a name, or has none as it seems:\n")},
		{"senders", fill("From: a\n\n")},
		{"fields", fill("From: a\nTo: b\nCc: c\n")},
		{"notices", fill("----- What is this -----\n")},
		{"rules", "> q\n" + fill("----------\n")},
		{"signatures", "> q\n" + fill("-- \n")},
		{"armor", "> q\n" + fill("-----BEGIN PGP SIGNATURE-----\n")},
		{"footers", "> q\n----------\n" + fill("> q\n---------\nsubscribe subscribe\n")},
		{"one line", fill("a")},
		{"one line of angles", fill(">")},
		{"one line of blanks", fill("\u00a0")},
		{"capitals", fill("Sent: Gesendet\n")},
	}
}

// TestTimeIsLinear allows a hundred times of what a slow machine needs: what is quadratic needs more.
func TestTimeIsLinear(t *testing.T) {
	for _, c := range hostile() {
		start := time.Now()
		Offset(c.text)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s: a megabyte took %v", c.name, took)
		}
	}
}
