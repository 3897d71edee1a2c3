package htmltext_test

import (
	"strings"
	"testing"
)

func TestWhatIsHiddenIsLeftOut(t *testing.T) {
	cases{
		{"display:none", "a<div style='color:red; DISPLAY : None !important'>b<p>c</p></div>d", "ad\n"},
		{"visibility", "a<span style=visibility:hidden>b</span>c", "ac\n"},
		{"hidden", "a<p hidden>b</p>c", "ac\n"},
		{"opacity", "a<i style='opacity:0.0'>b</i><i style='opacity:0.5'>c</i>", "ac\n"},
		{"max-height", "a<i style='max-height:0px'>b</i><i style='max-height:none'>c</i>", "ac\n"},
		{"no height", "a<i style='height:0;overflow:hidden'>b</i><i style='height:0'>c</i><i style='overflow:hidden;max-width:0'>d</i>", "ac\n"},
		{"no font size", "a<i style='font-size:0'>b<b style='font-size:2em'>c</b><b style='font:bold 12px/1 Arial'>d</b></i>e", "ade\n"},
		{"font size of a pixel", "<i style='font-size:1px'>b</i><i style='font:400 1px x'>c</i><i style='font-size:.8em'>d</i>e", "de\n"},
		{"mso-hide is for Outlook alone", "a<i style='mso-hide:all'>b</i>", "ab\n"},
		{"Outlook's comments", "a<!--[if mso]>b<![endif]--><!--[if !mso]><!-->c<!--<![endif]--><![if !mso]>d<![endif]>e", "acde\n"},
		{"comments", "a<!-- <b> -- > --!>b<!-->c<!--->d<!---->e<?php >f</ >g<!x>h", "abcdefgh\n"},
		{"not for readers", "a<style>b</style><script>'</b>'</script><title>c</title><template>d<p>e</template><iframe>f</iframe><xml>g<w:x>h</w:x></xml>i", "ai\n"},
		{"noscript is for mail", "<noscript>a<img src=x alt=y width=1></noscript>", "a\n"},
		{"a style that nothing closes", "<head><style>p{}</head><body>a<title>x<body>b", "ab\n"},
		{"closed where it begins", "<title/>a<div style='display:none'/>b<script src=x />c", "abc\n"},
		{"inside of what is hidden", "<div hidden>a<ul><li>b<table><td>c<a href=https://a.example>d</a><hr><pre>e</pre></table></ul></div>f", "f\n"},
	}.run(t)
}

func TestHiddenElementsEndInTime(t *testing.T) {
	long := strings.Repeat("x", 1023) + " "
	cases{
		{"with the element around", "<div>a<span style='display:none'>b</div>c", "a\nc\n"},
		{"with its cell", "<table><tr><td style='display:none'>a<td>b<tr><td>c</table>", "b\nc\n"},
		{"with the next paragraph", "<p hidden>a<p>b", "b\n"},
		{"with its own end tag, over blocks", "<span hidden>a<p>b</span>c", "c\n"},
		{"not with one inside", "<div hidden>a<div>b</div>c</div>d", "d\n"},
		{"not with an inline element around", "<b><div hidden>a</b>b</div>c", "c\n"},
		{"never", "a<div style='display:none'>b<p>c &amp;\n d</p><b>e</body></html>", "a\nb\nc & d\ne\n"},
		{"never, in a long mail", "a<div hidden>" + strings.Repeat(long, 20) + "<p>b</p>", "a\n" + strings.TrimSpace(strings.Repeat(long, 20)) + "\n\nb\n"},
	}.run(t)
}

func TestBrokenMarkupLosesNoText(t *testing.T) {
	cases{
		{"misnested", "<b>a<p>b</b>c</p>d", "a\n\nbc\n\nd\n"},
		{"a quote that ends too early", "<blockquote>a</div>b</blockquote></blockquote>c", "> ab\n\nc\n"},
		{"end tags inside of a cell", "<div>a<table><tr><td>b</div>c</td><td>d</table>e", "a\n\nbc | d\n\ne\n"},
		{"invisible text that ends too early", "<i style='font-size:0'><p>a</i>b</p>c", "b\n\nc\n"},
		{"less-than signs", "1 < 2 <3 << a<=b <", "1 < 2 <3 << a<=b <\n"},
		{"an unfinished tag", "a<b title='", "a\n"},
		{"too deep", strings.Repeat("<div>", 300) + "a<blockquote>b</blockquote>" + strings.Repeat("</div>", 300) + "<p>c", "ab\n\nc\n"},
	}.run(t)
}
