package htmltext

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// hostile is input made to hurt: what n of something do.
func hostile() map[string]func(n int) string {
	rep := func(s string) func(int) string {
		return func(n int) string { return strings.Repeat(s, n) }
	}
	around := func(before, s, after string) func(int) string {
		return func(n int) string { return before + strings.Repeat(s, n) + after }
	}
	return map[string]func(n int) string{
		"text":                 rep("x"),
		"text without ASCII":   rep("é"),
		"no UTF-8":             rep("\xe2\x82"),
		"less-than":            rep("<"),
		"ampersands":           rep("&"),
		"references":           rep("&nGt;"),
		"unclosed tags":        rep("<b>"),
		"unclosed blocks":      rep("<div>x"),
		"unclosed links":       rep("<a href=https://a.example/>x"),
		"end tags":             rep("</p>"),
		"end tags under a lot": around(strings.Repeat("<b>", maxDepth), "</p>", ""),
		"attributes":           around("<p", " x=1", ">after"),
		"one attribute":        around("<p x='", "x", "'>after"),
		"one address":          around("<a href='https://", "x", "'>after</a>"),
		"one style":            around("<p style='", "a:b;", "'>after"),
		"references in one":    around("<img alt='", "&lt;", "'>after"),
		"one name":             around("<", "x", ">after"),
		"a comment":            around("<!--", "-", "->after"),
		"an open comment":      around("after<!--", "- ->", ""),
		"a style":              around("<style>", "</styl", "</style>after"),
		"quotes":               rep("<blockquote>x"),
		"lines in quotes":      around(strings.Repeat("<blockquote>", maxDepth)+"<pre>x", "\n", "after"),
		"lines in lists":       around(strings.Repeat("<ol start=999990><li>x", maxDepth)+"<pre>x", "a\n", "after"),
		"lines in few lists":   around(strings.Repeat("<ul><li>x", 40)+"<pre>", "a\n", "after"),
		"lines in few quotes":  around(strings.Repeat("<blockquote>x", 40)+"<pre>", "\n", "after"),
		"breaks in few lists":  around(strings.Repeat("<ul><li>x", 40), "<br>x", "after"),
		"lists":                rep("<ol start=999990><li>x"),
		"tables":               rep("<table><tr><td>x<td>"),
		"cells":                around("<table border=1><tr>", "<td>", "after"),
		"cells with text":      around("<table border=1><tr>", "<td>x", "after"),
		"breaks":               around("x", "<br>", "after"),
		"rules":                around("x", "<hr>", "after"),
		"pre":                  around("<pre>", "\n", "after"),
		"no-break spaces":      around("x", "&nbsp;", "after"),
		"joiners":              around("x", "\u200d", "after"),
		"hidden":               around("<p style='display:none'>", "x", "</p>after"),
		"hidden lines":         around("<ul><li><blockquote><p hidden>", "a<br>", "</p>after"),
		"hidden breaks":        around("<p hidden>", "<br>", "</p>after"),
		"hidden open":          around("<p hidden>", "<p hidden>", "after"),
		"options":              around("<select>", "<option selected>x", "</select>after"),
		"markers":              around("<span style='mso-list:ignore'>", "x ", "</span>after"),
		"misnested":            rep("<i><p></i>x"),
	}
}

// held is the memory that a reader has.
func held(r *reader) int {
	return cap(r.lex.buf) + cap(r.lex.vals) + cap(r.out.out) + cap(r.out.link) + cap(r.href) + cap(r.hidden) +
		cap(r.marker) + cap(r.out.marks)*32 + cap(r.stack)*96 + len(r.out.sep)
}

func TestHostileMailCostsLittleMemoryAndDoesNotGrow(t *testing.T) {
	const limit = 256 << 10
	for name, of := range hostile() {
		s := of(60_000)
		r := NewReader(strings.NewReader(s)).(*reader)
		buf, peak, size := make([]byte, 4096), 0, 0
		tail := ""
		for {
			n, err := r.Read(buf)
			size += n
			peak = max(peak, held(r))
			tail += string(buf[:n])
			tail = tail[max(0, len(tail)-10):]
			if err != nil {
				break
			}
		}
		if peak > limit {
			t.Errorf("%s: %d octets held", name, peak)
		}
		// Every line of a quote or a list begins with marks, and may be of one character.
		if most := 4*len(s) + maxMarked; size > most {
			t.Errorf("%s: %d octets of HTML become %d of text", name, len(s), size)
		}
		if strings.HasSuffix(of(1), "after") && !strings.HasSuffix(tail, "after\n") {
			t.Errorf("%s: ends in %.60q", name, tail)
		}
	}
}

// Work is counted by what the reader asks its source for and allocates; the same mail, four times as
// long, may take four times as much.
func TestHostileMailTakesLinearWork(t *testing.T) {
	for name, of := range hostile() {
		work := func(n int) float64 {
			s := of(n)
			return testing.AllocsPerRun(1, func() { io.Copy(io.Discard, NewReader(strings.NewReader(s))) })
		}
		one, four := work(5_000), work(20_000)
		if four > 4*one+200 {
			t.Errorf("%s: %.0f allocations, four times as long %.0f", name, one, four)
		}
	}
}

func TestReadsDoNotChangeTheText(t *testing.T) {
	for name, of := range hostile() {
		s := of(9_000) // more than the window
		want, _ := io.ReadAll(NewReader(strings.NewReader(s)))
		for how, cut := range map[string]func(io.Reader) io.Reader{
			"octet by octet": iotest.OneByteReader, "halves": iotest.HalfReader, "error with the data": iotest.DataErrReader,
		} {
			got, err := io.ReadAll(NewReader(cut(strings.NewReader(s))))
			if string(got) != string(want) || err != nil {
				t.Errorf("%s, %s: got %d octets, want %d, %v", name, how, len(got), len(want), err)
			}
		}
	}
}

// One reader works in the same memory for any length of a mail: what the tag at hand needs.
func BenchmarkHostile(b *testing.B) {
	for name, of := range hostile() {
		b.Run(name, func(b *testing.B) {
			s := of(200_000)
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				io.Copy(io.Discard, NewReader(strings.NewReader(s)))
			}
		})
	}
}
