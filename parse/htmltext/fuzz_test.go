package htmltext_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
	"unicode/utf8"

	"mailflume/parse/htmltext"
)

func FuzzHTML(f *testing.F) {
	f.Add([]byte(newsletter))
	for _, s := range []string{
		"<p>a\xff<br>&nbsp;<pre>\r\n x</pre><a href=https://a.example>b", "<table border=1><tr><td>a<td><ul><li>b</table>",
		"<div hidden>a<p>b", "<span style='mso-list:Ignore'>o</span><blockquote type=cite>c<ol start=3><li>d", "<!--[if mso]>x<![endif]--><![if !x]>&#0;",
		"<select><option>a<option selected>b</select><img alt='x y'><input type=submit value=z><hr><style>p{}</style><title>x",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, html []byte) {
		text, err := io.ReadAll(htmltext.NewReader(bytes.NewReader(html)))
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.Valid(text) {
			t.Errorf("not UTF-8: %q", text)
		}
		if i := bytes.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }); i >= 0 {
			t.Errorf("control character at %d: %q", i, text)
		}
		if len(text) > 80*len(html)+80 {
			t.Errorf("%d octets of %d", len(text), len(html))
		}
		cut, err := io.ReadAll(iotest.OneByteReader(htmltext.NewReader(iotest.OneByteReader(bytes.NewReader(html)))))
		if err != nil || !bytes.Equal(cut, text) {
			t.Errorf("octet by octet: %v\n%q\n%q", err, cut, text)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	s := strings.Repeat(newsletter, 10)
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		io.Copy(io.Discard, htmltext.NewReader(strings.NewReader(s)))
	}
}
