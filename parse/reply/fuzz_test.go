package reply

import (
	"math/rand"
	"strings"
	"testing"
)

// check holds for every text, whatever is in it:
//
//   - The offset is within the text and at the start of a line.
//   - The end of the lines does not matter: with \r\n it is at the same line.
//   - Words that the author writes behind everything else, in an unmarked paragraph behind a marked
//     one, are not hidden, unless a separator makes them history.
func check(t *testing.T, text string) {
	t.Helper()
	at, ok := Offset(text)
	if at < 0 || at > len(text) || !ok && at != 0 || at > 0 && text[at-1] != '\n' {
		t.Fatalf("offset %d %v in %q", at, ok, text)
	}
	if plain := strings.ReplaceAll(text, "\r", ""); len(text) < lookAt { // a longer line would end elsewhere
		n, k := Offset(plain)
		m, l := Offset(strings.ReplaceAll(plain, "\n", "\r\n"))
		if k != l || m != n+strings.Count(plain[:n], "\n") {
			t.Fatalf("offset %d %v, with CRLF %d %v in %q", n, k, m, l, plain)
		}
	}
	const words = "\n\n> old\n\nThese are my own words, written last.\n"
	s := scan(text + words)
	if s.found == searching && !s.history {
		if at, ok := s.result(); ok {
			t.Fatalf("offset %d hides the last words below %q", at, text)
		}
	}
}

func FuzzOffset(f *testing.F) {
	for _, a := range attributions()[:20] {
		f.Add(own + a.text + "\n" + quoted + answer)
	}
	for _, h := range headerBlocks()[:10] {
		f.Add(own + strings.ReplaceAll(h.text, "|", "\n") + "\n" + old)
	}
	for _, n := range notices()[:4] {
		f.Add(own + n + "\r\n" + old)
	}
	f.Add("-- \nAnna\n_____\n-----BEGIN PGP SIGNATURE-----\nx\n")
	f.Fuzz(check)
}

// TestAnyMixtureOfLinesKeepsTheRules strings together lines of all sorts at random.
func TestAnyMixtureOfLinesKeepsTheRules(t *testing.T) {
	lines := []string{
		"", "", "words", "more words:", "> old", ">> older", "| bar", "PM> text", ">>> x", "-- ", "----------", "_______________", "Sent from my iPhone",
		"Bob <bob@example.org> wrote:", "On Tue, Nov 10, 2026 at 9:00 AM Bob", "<bob@example.org> wrote:", "wrote:", "9:00:", "From: Bob", "Sent: 2026", "To: Anna",
		"Subject: x", "Message-ID: x", "-----Original Message-----", "Begin forwarded message:", ">From here", "https://example.org/listinfo/list", "-----BEGIN PGP SIGNATURE-----",
		"-----END PGP SIGNATURE-----", ">>> Bob 10.11.2026 >>>", "\u200f\u202a", "\xff\xc2", strings.Repeat("long ", 300),
	}
	random := rand.New(rand.NewSource(1))
	for range 10000 {
		var b strings.Builder
		for range random.Intn(14) {
			b.WriteString(lines[random.Intn(len(lines))])
			b.WriteByte('\n')
		}
		check(t, b.String())
	}
}
