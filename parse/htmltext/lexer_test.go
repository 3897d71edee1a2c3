package htmltext

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// tokensOf lists what the lexer finds: texts joined, tags by name, attributes that matter.
func tokensOf(s string) string {
	l := newLexer(strings.NewReader(s))
	var b strings.Builder
	for {
		switch l.next() {
		case kindEOF:
			return b.String()
		case kindText:
			b.Write(l.text)
		case kindStart:
			fmt.Fprintf(&b, "<%s", l.tag)
			for a := range attrCount {
				if l.has[a] {
					fmt.Fprintf(&b, " %d=%q", a, l.get(a))
				}
			}
			b.WriteString(">")
		case kindEnd:
			fmt.Fprintf(&b, "</%s>", l.tag)
		}
	}
}

// oracleOf lists the same by the tokenizer of golang.org/x/net.
func oracleOf(s string) string {
	z := html.NewTokenizer(strings.NewReader(s))
	var b strings.Builder
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			b.Write(z.Text())
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if t.Data == "style" {
				if z.Next() == html.TextToken {
					z.Next()
				}
				if z.Token().Type == html.EndTagToken {
					b.WriteString("</style>")
				}
				continue
			}
			fmt.Fprintf(&b, "<%s", t.DataAtom)
			for a := range attrCount {
				for _, x := range t.Attr {
					if attrOf([]byte(x.Key)) == a {
						fmt.Fprintf(&b, " %d=%q", a, x.Val)
					}
				}
			}
			b.WriteString(">")
		case html.EndTagToken:
			fmt.Fprintf(&b, "</%s>", z.Token().DataAtom)
		}
	}
}

func TestLexerAgreesWithTheTokenizerOfXNet(t *testing.T) {
	pieces := []string{
		"<b>", "</b>", "<a href='x>y'>", "<a HREF=x/>", "<p id=a id=b/ >", "<br/>", "</p x=1>", "<style>", "</style>", "<style >",
		"<!--", "-->", "--!>", "<!-->", "<!--->", "<!x>", "<?x>", "</>", "</1>", "</", "<!", "<", ">", "-", "--", "!", "/", "=", "'", `"`,
		"&amp;", "&", "&copy", "&notit;", "&#65", "&#x41;", "&ampx=", ";", "#", "x", "id", " ", "\n", "é", "<b id=&lt;&copy=1&copy;&semi;&notit;&ltx>",
		"<h1 =x id = 'a' / href>",
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var b strings.Builder
		for range 1 + rnd.IntN(12) {
			b.WriteString(pieces[rnd.IntN(len(pieces))])
		}
		s := b.String()
		if got, want := tokensOf(s), oracleOf(s); got != want {
			t.Fatalf("%q\n got %q\nwant %q", s, got, want)
		}
	}
}
