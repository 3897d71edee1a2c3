package parse

import (
	"strings"
	"testing"
)

func TestFlowedText(t *testing.T) {
	for _, c := range []struct{ name, in, want, delSp string }{ // delSp: what comes with DelSp; empty: the same
		{"nothing", "", "", ""},
		{"fixed lines", "a\r\n\r\nb\nc\rd", "a\r\n\r\nb\nc\rd", ""},
		{"soft breaks", "a \r\nb \nc \rd\r\n", "a b c d\r\n", "abcd\r\n"},
		{"two spaces", "a  \r\nb", "a  b", "a b"},
		{"stuffed", " From a\r\n  b\r\n > c\r\n \r\n", "From a\r\n b\r\n> c\r\n\r\n", ""},
		{"stuffed after a soft break", "a \r\n From b", "a From b", "aFrom b"},
		{"quoted", "> a \r\n> b\r\n>> c \r\n>>d\r\n", "> a b\r\n>> c d\r\n", "> ab\r\n>> cd\r\n"},
		{"blanks between the marks are text", "> > a\r\n", "> > a\r\n", ""},
		{"other depth ends the paragraph", "> a \r\nb \r\n>> c", "> a \r\nb \r\n>> c", ""},
		{"quoted empty line", ">\r\n> \r\n>>\r\n", ">\r\n>\r\n>>\r\n", ""},
		{"empty line after a soft break", "a \r\n\r\nb", "a \r\n\r\nb", ""},
		{"signature", "a \r\n-- \r\nb", "a \r\n-- \r\nb", ""},
		{"quoted signature", "> a \r\n> -- \r\n> b", "> a \r\n> -- \r\n> b", ""},
		{"no signature", "a \r\n-- b\r\n--\r\n-\r\n--  \r\nc", "a -- b\r\n--\r\n-\r\n--  c", "a-- b\r\n--\r\n-\r\n-- c"},
		{"soft break at the end", "a \r\n", "a \r\n", ""},
		{"space at the end", "a ", "a ", ""},
		{"carriage return at the end", "a \r", "a \r", ""},
		{"marks at the end", "a \r\n>>", "a \r\n>>", ""},
		{"dashes at the end", "a \r\n--", "a --", "a--"},
		{"only spaces", "   \r\nb", "  b", " b"},
		{"line feed before carriage return", "a \n\rb", "a \n\rb", ""},
		{"two carriage returns", "a \r\r\nb", "a \r\r\nb", ""},
	} {
		for _, delSp := range []bool{false, true} {
			want := c.want
			if delSp && c.delSp != "" {
				want = c.delSp
			}
			for n := 1; n <= len(c.in)+1; n++ {
				if got := flowIn(c.in, delSp, n); got != want {
					t.Errorf("%s, DelSp %v, pieces of %d: %q, want %q", c.name, delSp, n, got, want)
				}
			}
		}
	}
}

// flowIn converts a text in pieces of n octets.
func flowIn(text string, delSp bool, n int) string {
	f := newFlowedText(delSp)
	var b strings.Builder
	for len(text) > n {
		b.Write(f.convert([]byte(text[:n]), false))
		text = text[n:]
	}
	b.Write(f.convert([]byte(text), false))
	b.Write(f.convert(nil, true))
	return b.String()
}

// flowSlowly is RFC 3676 read line by line, in memory.
func flowSlowly(text string, delSp bool) string {
	type line struct {
		depth     int
		body, eol string
	}
	var lines []line
	for text != "" {
		i := strings.IndexAny(text, "\r\n")
		raw, eol := text, ""
		if i >= 0 {
			raw, eol = text[:i], text[i:i+1]
			if strings.HasPrefix(text[i:], "\r\n") {
				eol = "\r\n"
			}
		}
		text = text[len(raw)+len(eol):]
		body := strings.TrimLeft(raw, ">")
		l := line{len(raw) - len(body), strings.TrimPrefix(body, " "), eol}
		if l.depth >= maxQuotes { // no quote is so deep: it is text as it stands
			l.depth, l.body = maxQuotes, raw[maxQuotes:]
		}
		lines = append(lines, l)
	}
	out, soft := "", false
	for i, l := range lines {
		if !soft {
			out += strings.Repeat(">", l.depth)
			if l.depth > 0 && l.depth < maxQuotes && l.body != "" {
				out += " "
			}
		}
		soft = false
		if i+1 < len(lines) && l.body != "-- " && strings.HasSuffix(l.body, " ") {
			next := lines[i+1]
			soft = next.depth == l.depth && l.depth < maxQuotes && next.body != "" && next.body != "-- "
		}
		if soft && delSp {
			l.body = l.body[:len(l.body)-1]
		}
		out += l.body
		if !soft {
			out += l.eol
		}
	}
	return out
}

// FuzzFlowed: the same as line by line in memory, however the text is cut.
func FuzzFlowed(f *testing.F) {
	for _, s := range []string{"a \r\nb", "> a \r\n>b\n", "-- \r\n -- \r\n", ">>>", "a \r\r\n \n", "  \r\n  \r\n"} {
		f.Add(s, false, uint8(1))
		f.Add(s, true, uint8(200))
	}
	f.Fuzz(func(t *testing.T, text string, delSp bool, n uint8) {
		got, want := flowIn(text, delSp, 1+int(n)), flowSlowly(text, delSp)
		if got != want {
			t.Errorf("%q, DelSp %v: %q, want %q", text, delSp, got, want)
		}
		if len(got) > 2*len(text) {
			t.Errorf("%d octets of %d", len(got), len(text))
		}
	})
}

func TestFlowedTextHoldsNoLine(t *testing.T) {
	f := newFlowedText(false)
	piece := []byte(strings.Repeat("word ", 1000))
	for range 100 {
		if got := len(f.convert(piece, false)); got < len(piece)-1 {
			t.Fatalf("%d octets of %d", got, len(piece))
		}
	}
}

// A line of nothing but quote marks flows through like any other.
func TestQuoteMarksAreNotHeld(t *testing.T) {
	line := strings.Repeat(">", 10*maxQuotes)
	f := newFlowedText(false)
	if held := len(line) - len(f.convert([]byte(line), false)); held > maxQuotes {
		t.Errorf("%d octets are held", held)
	}
	for _, text := range []string{line, line + "\r\n", "a \r\n" + line + "b\r\n", line + " a \r\n" + line + " a\r\n"} {
		if got := flowIn(text, false, 700); got != text {
			t.Errorf("%d octets become %d", len(text), len(got))
		}
	}
}
