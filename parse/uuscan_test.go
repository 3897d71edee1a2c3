package parse

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	"mailflume/testdata"
)

// scanned is what a scanner found: the text with a mark where each file stood, and the files.
type scanned struct {
	text  string
	files []string // name, octets, and ! if it is broken
}

// scanIn scans a text in pieces of n octets; last comes with the last piece or after it.
func scanIn(text string, n int, late bool) (out scanned) {
	var s uuScanner
	var body strings.Builder
	feed := func(src []byte, last bool) {
		for p, rest := s.next(src, last); p.kind != uuNothing; p, rest = s.next(rest, last) {
			switch p.kind {
			case uuText:
				body.Write(p.octets)
			case uuBegin:
				body.WriteByte('\xff')
				out.files = append(out.files, p.file.name+":")
			case uuData:
				out.files[len(out.files)-1] += string(p.octets)
			case uuEnd:
				if p.broken {
					out.files[len(out.files)-1] += "!"
				}
			}
		}
	}
	for len(text) > n {
		feed([]byte(text[:n]), false)
		text = text[n:]
	}
	feed([]byte(text), !late)
	if late {
		feed(nil, true)
	}
	out.text = body.String()
	return out
}

// uuencode writes a file; zero is what stands for zero, a space being stripped at the end of a line.
func uuencode(name string, octets []byte, zero byte, eol string) string {
	var b strings.Builder
	put := func(v byte) byte {
		if v &= 0x3f; v > 0 {
			return v + ' '
		}
		return zero
	}
	fmt.Fprintf(&b, "begin 644 %s%s", name, eol)
	for {
		n := min(len(octets), 45)
		group := append(bytes.Clone(octets[:n]), 0, 0)
		line := []byte{put(byte(n))}
		for i := 0; i < n; i += 3 {
			g := group[i : i+3]
			line = append(line, put(g[0]>>2), put(g[0]<<4|g[1]>>4), put(g[1]<<2|g[2]>>6), put(g[2]))
		}
		b.WriteString(strings.TrimRight(string(line), " ") + eol)
		if octets = octets[n:]; n == 0 {
			return b.String() + "end" + eol
		}
	}
}

// uuencode64 writes the same as POSIX uuencode -m.
func uuencode64(name string, octets []byte, eol string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "begin-base64 644 %s%s", name, eol)
	for len(octets) > 0 {
		n := min(len(octets), 57)
		b.WriteString(base64.StdEncoding.EncodeToString(octets[:n]) + eol)
		octets = octets[n:]
	}
	return b.String() + "====" + eol
}

func TestFilesInText(t *testing.T) {
	const cat = "#0V%T\n`\nend\n"
	for _, c := range []struct{ name, in, text, files string }{
		{"nothing", "", "", ""},
		{"text", "a\r\nb begin 644 c\n\nbeg", "a\r\nb begin 644 c\n\nbeg", ""},
		{"one file", "a\nbegin 644 cat.txt\n" + cat + "b\n", "a\n\xffb\n", "cat.txt:Cat"},
		{"CRLF", "begin 600 my cat.txt \r\n#0V%T\r\n`\r\nend\r\n", "\xff", "my cat.txt:Cat"},
		{"two files", "a\nbegin 644 a\n" + cat + "\nbegin 0755 b\n" + cat + "c", "a\n\xff\n\xffc", "a:Cat b:Cat"},
		{"files without a line between", "begin 644 a\n" + cat + "begin 644 b\n" + cat, "\xff\xff", "a:Cat b:Cat"},
		{"no line end after end", "begin 644 a\n#0V%T\n`\nend", "\xff", "a:Cat"},
		{"space for zero", "begin 644 a\n#0V%T\n \nend\n", "\xff", "a:Cat"},
		{"no zero line", "begin 644 a\n#0V%T\nend\nb", "\xffb", "a:Cat"},
		{"no end", "begin 644 a\n#0V%T\n`\nb\n", "\xffb\n", "a:Cat"},
		{"empty file", "begin 644 a\n`\nend\nb", "\xffb", "a:"},
		{"empty file, space stripped", "begin 644 a\n\nend\nb", "\xffb", "a:"},
		{"empty file, nothing", "begin 644 a\nend\nb", "\xffb", "a:"},
		{"check sum and padding", "begin 644 a\n#0V%TZ\n\"0V$ \n`\nend\n", "\xff", "a:CatCa"},
		{"last octet short", "begin 644 a\n!0P\n`\nend\n", "\xff", "a:C"},
		{"blank lines inside", "begin 644 a\n#0V%T\n\n#0V%T\n\n`\n\nend\n", "\xff", "a:CatCat"},
		{"full lines of zeros stripped", "begin 644 a\n#0V%T\nM\nM\n#0V%T\n\nend\n", "\xff", "a:Cat" + strings.Repeat("\x00", 90) + "Cat"},

		{"yen signs", "begin 644 a\n#¥0¥¥\n`\nend\n", "\xff", "a:\xf1\x0f<"},

		{"cut", "begin 644 a\n#0V%T\n", "\xff", "a:Cat!"},
		{"cut, then text", "begin 644 a\n#0V%T\n\nbye\n", "\xff\nbye\n", "a:Cat!"},
		{"cut, then another", "begin 644 a\n#0V%T\nbegin 644 b\n" + cat, "\xff\xff", "a:Cat! b:Cat"},
		{"cut, then capitals", "begin 644 a\n#0V%T\nHELLO\nI\n", "\xffHELLO\nI\n", "a:Cat!"},
		{"data after the zero line", "begin 644 a\n#0V%T\n`\n#0V%T\n", "\xff#0V%T\n", "a:Cat"},
		{"line too long", "begin 644 a\n#0V%T\n" + strings.Repeat("M", 500) + "\nb", "\xff" + strings.Repeat("M", 500) + "\nb", "a:Cat!"},

		{"prose", "begin 644 a\nand so on\n", "begin 644 a\nand so on\n", ""},
		{"prose at the end", "a\nbegin 644 a", "a\nbegin 644 a", ""},
		{"begin line at the end", "a\nbegin 644 a\n", "a\nbegin 644 a\n", ""},
		{"no name", "begin 644 \n" + cat, "begin 644 \n" + cat, ""},
		{"mode of two digits", "begin 64 a\n" + cat, "begin 64 a\n" + cat, ""},
		{"mode of five digits", "begin 00644 a\n" + cat, "begin 00644 a\n" + cat, ""},
		{"mode that is not octal", "begin 684 a\n" + cat, "begin 684 a\n" + cat, ""},
		{"quoted", "> begin 644 a\n> #0V%T\n", "> begin 644 a\n> #0V%T\n", ""},
		{"name too long", "begin 644 " + strings.Repeat("a", 2000) + "\n" + cat, "begin 644 " + strings.Repeat("a", 2000) + "\n" + cat, ""},
		{"doubted twice", "begin 644 a\nbegin 644 b\n" + cat, "begin 644 a\n\xff", "b:Cat"},
		{"blank line, then no end", "begin 644 a\n\n" + cat, "begin 644 a\n\n" + cat, ""},
		{"first line in small letters", "begin 644 a\n#abcd\n", "begin 644 a\n#abcd\n", ""},

		{"base64", "a\nbegin-base64 644 b\nQ2F0\n====\nc", "a\n\xffc", "b:Cat"},
		{"base64 with padding", "begin-base64 644 b\r\nQ2F0Qw==\r\n====\r\n", "\xff", "b:CatC"},
		{"base64, empty", "begin-base64 644 b\n====\n", "\xff", "b:"},
		{"base64, cut", "begin-base64 644 b\nQ2F0\nthe end.\n", "\xffthe end.\n", "b:Cat!"},
		{"no base64", "begin-base64 644 b\nthat\n is it\nbegin-base 644 a\n", "\xff is it\nbegin-base 644 a\n", "b:\xb6\x16\xad!"},
	} {
		want := fmt.Sprintf("%q %q", c.text, c.files)
		for n := 1; n <= min(len(c.in)+1, 100); n++ {
			got := scanIn(c.in, n, n%2 == 0)
			if got := fmt.Sprintf("%q %q", got.text, strings.Join(got.files, " ")); got != want {
				t.Fatalf("%s, pieces of %d:\n got %s\nwant %s", c.name, n, got, want)
			}
		}
	}
}

// TestFilesComeOutAsTheyWentIn writes text and files in all ways and finds them again.
func TestFilesComeOutAsTheyWentIn(t *testing.T) {
	for seed := range uint64(300) {
		checkFiles(t, seed, 1+int(seed*7919%5000))
	}
}

// checkFiles makes a text with files from a seed and reads it in pieces of n octets.
func checkFiles(t *testing.T, seed uint64, n int) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	var in, text strings.Builder
	var files []string
	eol := []string{"\n", "\r\n"}[rnd.IntN(2)]
	for i := range 1 + rnd.IntN(5) {
		for range rnd.IntN(4) {
			line := []string{"", "begin the text", "Begin 644 a", "begin 644", "lorem ipsum dolor", "end"}[rnd.IntN(6)] + eol
			in.WriteString(line)
			text.WriteString(line)
		}
		octets := make([]byte, rnd.IntN(300))
		for j := range octets {
			octets[j] = byte(rnd.IntN(256) * rnd.IntN(2) * (1 + j%2)) // half of them zero
		}
		name := fmt.Sprintf("file %d", i)
		switch rnd.IntN(3) {
		case 0:
			in.WriteString(uuencode(name, octets, '`', eol))
		case 1:
			octets = append([]byte("begins with more than zeros, or nobody believes it"), octets...)
			octets = append(octets[:len(octets)/45*45], "no zero at the end"...)
			in.WriteString(uuencode(name, octets, ' ', eol))
		default:
			in.WriteString(uuencode64(name, octets, eol))
		}
		text.WriteByte('\xff')
		files = append(files, name+":"+string(octets))
	}
	got := scanIn(in.String(), n, seed%2 == 0)
	if got.text != text.String() || strings.Join(got.files, "|") != strings.Join(files, "|") {
		t.Fatalf("seed %d: %q\n got %q %q\nwant %q %q", seed, in.String(), got.text, got.files, text.String(), files)
	}
}

func TestTheSampleMailHasTwoFiles(t *testing.T) {
	mail, err := fs.ReadFile(testdata.Mail(), "uuencode-two-files.eml")
	if err != nil {
		t.Fatal(err)
	}
	got := scanIn(string(mail), 100, true)
	if len(got.files) != 2 || !strings.HasPrefix(got.files[0], "readings march.csv:2026-03-01;1037;1\n") || !strings.HasPrefix(got.files[1], "valve.pbm:P1\n") {
		t.Errorf("%q", got.files)
	}
	if !strings.Contains(got.text, "so:\r\nbegin 644 settings\r\non the panel") || !strings.HasSuffix(got.text, "\xff\r\nNothing else today.\r\n") {
		t.Errorf("%q", got.text)
	}
}

// FuzzUUScan: the cut does not matter, text is never made up, and without a begin line it is the input.
func FuzzUUScan(f *testing.F) {
	for _, s := range []string{"a\nbegin 644 b\n#0V%T\n`\nend\nc", "begin-base64 644 b\nQ2F0\n====\n", "begin 644 a\n\nend\n", "begin 644 a\nM\nM\n\n`\nbegin 755 x\n"} {
		f.Add(s, uint8(0), uint64(len(s)))
	}
	f.Fuzz(func(t *testing.T, in string, n uint8, seed uint64) {
		got, again := scanIn(in, len(in)+1, false), scanIn(in, 1+int(n), true)
		if fmt.Sprint(got) != fmt.Sprint(again) {
			t.Fatalf("%q: whole %q, pieces of %d %q", in, got, 1+int(n), again)
		}
		if !strings.Contains(in, "begin") && (got.text != in || len(got.files) > 0) {
			t.Fatalf("%q became %q", in, got)
		}
		rest, total := strings.ReplaceAll(in, "\xff", ""), len(got.text)
		for _, c := range []byte(strings.ReplaceAll(got.text, "\xff", "")) {
			i := strings.IndexByte(rest, c)
			if i < 0 {
				t.Fatalf("%q is not what is left of %q", got.text, in)
			}
			rest = rest[i+1:]
		}
		for _, file := range got.files {
			total += len(file)
		}
		if total > 50*len(in)+1 { // a line of zeros is one character
			t.Fatalf("%d octets of %d", total, len(in))
		}
		checkFiles(t, seed, 1+int(n))
	})
}

func TestDoubtIsBounded(t *testing.T) {
	var s uuScanner
	for _, piece := range []string{"begin 644 " + strings.Repeat("a", 1000) + "\n", "", strings.Repeat("M", 127), "begin 644 a\n#0V%T\n", strings.Repeat("\n", 5000), strings.Repeat(" ", 5000), "begin 644 "} {
		for p, rest := s.next([]byte(piece), false); p.kind != uuNothing; p, rest = s.next(rest, false) {
		}
		if n := len(s.line) + len(s.held); n > 2*maxUUBegin {
			t.Errorf("%d octets held", n)
		}
	}
}
