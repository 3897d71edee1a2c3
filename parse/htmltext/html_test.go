package htmltext_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"mailflume/parse/htmltext"
)

func textOf(t testing.TB, html string) string {
	t.Helper()
	b, err := io.ReadAll(htmltext.NewReader(strings.NewReader(html)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func check(t *testing.T, html, want string) {
	t.Helper()
	if got := textOf(t, html); got != want {
		t.Errorf("got:\n%s\nwant:\n%s\n%q", got, want, got)
	}
}

type cases []struct{ name, html, want string }

func (c cases) run(t *testing.T) {
	t.Helper()
	for _, c := range c {
		t.Run(c.name, func(t *testing.T) { check(t, c.html, c.want) })
	}
}

func TestTextFlowsAsInABrowser(t *testing.T) {
	cases{
		{"nothing", "", ""},
		{"only white space", " \r\n\t", ""},
		{"no markup", "a\r\n  b", "a b\n"},
		{"inline", "<b>a</b><i> b</i> <u> c</u>d", "a b cd\n"},
		{"paragraphs", "a<p>b<p>c</p>d", "a\n\nb\n\nc\n\nd\n"},
		{"divs", "<div>a<div>b</div></div>c", "a\nb\nc\n"},
		{"breaks", "a<br>b<br><br>c<br/><br><br></br>d", "a\nb\n\nc\n\nd\n"},
		{"a break at the end of a block", "<div>a<br></div><div>b</div>", "a\nb\n"},
		{"a block with a break only", "<div>a</div><div><br></div><div>b</div>", "a\n\nb\n"},
		{"rules", "a<hr>b<hr><hr>c", "a\n---\nb\n---\nc\n"},
		{"no-break spaces", "a&nbsp;&nbsp; b<br>&nbsp;&nbsp;c&nbsp;<br>d", "a b\n  c\nd\n"},
		{"references", "&lt;&AMP;&#x41;&#66;&notit;&bogus; &&#0;&#13;&euro;&copy=&", "<&AB¬it;&bogus; &\ufffd €©=&\n"},
		{"invisible runes", "co&shy;op&#8203;er\ufeffate", "cooperate\n"},
		{"joiners that join", "می\u200cخواهم 👩\u200d🚒 a\u200cb", "می\u200cخواهم 👩\u200d🚒 ab\n"},
		{"right to left", "<div dir=rtl>שלום\u200f (world)</div>", "שלום\u200f (world)\n"},
		{"control characters", "a\x00\x01\x1b[0mb\u0085c\u009bd", "a[0mb cd\n"},
		{"octets that are not UTF-8", "a\xff\xe2\x82<b>\xe4", "a\ufffd\ufffd\ufffd\ufffd\n"},
		{"line separators", "a\u2028b", "a\nb\n"},
		{"white-space:pre-wrap", "<div style='white-space: pre-wrap'>a  b\r\n c</div> d", "a  b\n c\nd\n"},
		{"pre", "<pre>\n\n  a &amp;\t b  \r\n\r\n\rc\n</pre>d", "  a &\t b  \n\n\nc\n\nd\n"},
		{"display decides", "<span style='display:block'>a</span>b<p style='display:inline'>c</p>", "a\nbc\n"},
		{"unknown elements", "<o:p>a</o:p><x-y>b</x-y>", "ab\n"},
		{"headings", "a<h2>b</h2>c", "a\n\nb\n\nc\n"},
		{"definitions", "<dl><dt>a<dd>b<dt>c<dd>d</dl>e", "a\n  b\nc\n  d\n\ne\n"},
	}.run(t)
}

func TestListsAndQuotesMarkTheirLines(t *testing.T) {
	cases{
		{"nested", "<ul><li>a<ul><li>b<br>c</ul><li>d</ul>e", "- a\n  - b\n    c\n- d\n\ne\n"},
		{"numbers", "<ol start=9><li>a<li>b<li value=3>c</ol><ol type=a><li>x<li>y</ol>", "9. a\n10. b\n3. c\n\na. x\nb. y\n"},
		{"a start out of reason", "<ol start=-99999999999><li>a</ol>", "0. a\n"},
		{"paragraphs in items", "<ul><li><p>a<p>b<li>c</ul>", "- a\n\n  b\n\n- c\n"},
		{"a list right in a list", "<ul><li>a<ul><ul><li>b</ul></ul></ul>", "- a\n    - b\n"},
		{"empty items", "<ul><li><li>a<li></ul>", "- a\n"},
		{"no list", "<li>a<li>b", "- a\n- b\n"},
		{"quotes", "a<blockquote>b<p>c<blockquote>d</blockquote>e</blockquote>f", "a\n> b\n>\n> c\n>\n>> d\n>\n> e\n\nf\n"},
		{"a quote in a list", "<ul><li>a<blockquote>b</blockquote></ul>", "- a\n  > b\n"},
		{"a list in a quote", "<blockquote><ul><li>a<li>b</ul></blockquote>", "> - a\n> - b\n"},
		{"Outlook's blue line", "a<div style='border:none;border-left:solid blue 1.5pt;padding:0cm 0cm 0cm 4.0pt'>b</div>c", "a\n> b\nc\n"},
		{"GMX", "a<div name='quote' style='margin:10px; border-left: 2px solid #C3D9E5'>b</div>", "a\n\n> b\n"},
		{"Yahoo", "a<div id='y1' class='yahoo_quoted'><div>b</div></div>", "a\n> b\n"},
	}.run(t)
}

func TestLinksImagesAndForms(t *testing.T) {
	cases{
		{"text", "see <a href='https://a.example/x'>this </a>.", "see this (https://a.example/x) .\n"},
		{"the address itself", "<a href='https://www.a.example/'>a.example</a> <a href='HTTP://a.example'>http://a.example/</a>", "a.example http://a.example/\n"},
		{"an address that is another", "<a href='https://evil.example'>https://bank.example</a>", "https://bank.example (https://evil.example)\n"},
		{"mailto", "<a href='mailto:a@b.example?subject=x'>a@b.example</a> <a href='mailto:a@b.example?subject=x'>A</a>", "a@b.example A (a@b.example)\n"},
		{"not for readers", "<a href='java\nscript:x()'>a</a> <a href=data:x>b</a> <a href=#c>c</a> <a href=/d>d</a> <a>e</a> <a href=cid:1>f</a>", "a b c d e f\n"},
		{"spaces and controls", "<a href=' https://a.example/b c\n\u202ed '>x</a>", "x (https://a.example/b%20cd)\n"},
		{"not closed", "<a href=https://a.example>x<a href=https://b.example>y<p>z", "x (https://a.example)y\n\nz (https://b.example)\n"},
		{"around blocks", "<a href=https://a.example><div>x</div></a><div>y</div>", "x (https://a.example)\ny\n"},
		{"around nothing", "<a href=https://a.example><img src=x></a>b", "b\n"},
		{"too long", "<a href='https://a.example/" + strings.Repeat("x", 5000) + "'>x</a>", "x\n"},
		{"alternative texts", "<img alt=' Lo\ngo '><img alt=''><img alt=💡 width=20><img width=1 alt=x><img style='height:0' alt=y>", "[Lo go]💡\n"},
		{"addresses that nobody escaped", "Joe <joe@a.example> <https://a.example/> <b>x</b>", "Joe <joe@a.example> <https://a.example/> x\n"},
		{"fields", "<input value=a> <input type=checkbox checked>b <input type=radio> c<input type=hidden value=d><input type=submit value=e><button>f</button>", "a [x]b [ ] c[e]f\n"},
		{"choices", "<select><option>a<option>b<option selected>c</select><p>d", "a / c\n\nd\n"},
		{"textarea", "<textarea>a\n b</textarea>", "a\n b\n"},
	}.run(t)
}

func TestTablesAreReadByOneRule(t *testing.T) {
	cases{
		{"rows", "<table><tr><td>a<td>b<tr><td>c<td>d</table>e", "a | b\nc | d\n\ne\n"},
		{"paragraphs in cells", "<table><tr><td><p>a</p></td><td><p>b</p></td></tr></table>", "a | b\n"},
		{"columns of text", "<table><tr><td>a<br>b</td><td>c</td><td>d</td></tr></table>", "a\nb\nc\nd\n"},
		{"a table in a cell", "<table><tr><td>a</td><td><table><tr><td>b<td>c</table></td><td>d</table>", "a\nb | c\nd\n"},
		{"empty cells of a layout", "<table><tr><td></td><td>a</td><td>&nbsp;</td><td>b</table>", "a | b\n"},
		{"empty cells of data", "<table border=1><tr><td><td>a<td><td>b<td><tr><td>c</table>d", "| a |  | b\nc\n\nd\n"},
		{"lists in data", "<table border=1><tr><td>a<td><ul><li>b<li>c</ul><td>d</table>", "a\n\n- b\n- c\n\nd\n"},
		{"long cells of data", "<table border=1><tr><td>" + strings.Repeat("x", 200) + "<br>a<td>b</table>", strings.Repeat("x", 200) + "\na\nb\n"},
		{"a link in a cell", "<table><tr><td>a<td><a href=mailto:x@y.example>x@y.example</a></table>", "a | x@y.example\n"},
		{"a caption", "<table><caption>a</caption><tr><td>b</table>", "a\nb\n"},
		{"no table", "<tr><td>a<td>b", "a\nb\n"},
	}.run(t)
}

func TestTheSourcesErrorComesAfterTheText(t *testing.T) {
	broken := errors.New("broken")
	r := htmltext.NewReader(io.MultiReader(strings.NewReader("<p>a<p>b"), iotest.ErrReader(broken)))
	got, err := io.ReadAll(r)
	if string(got) != "a\n\nb" || err != broken {
		t.Errorf("got %q, %v", got, err)
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != broken {
		t.Errorf("again: got %d, %v", n, err)
	}
}
