package ingest_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"mailflume/ingest"
	"mailflume/parse"
	"mailflume/publish"
)

// tree writes a multipart: "mixed[alternative[plain:hi, html:<p>hi], pdf]". A leaf is its kind and what is
// in it.
func tree(s string) string {
	msg, rest := branch(s, "b")
	if rest != "" {
		panic("what is " + rest)
	}
	return msg
}

func branch(s, boundary string) (entity, rest string) {
	i := strings.IndexAny(s, "[,]:")
	if i >= 0 && s[i] == '[' {
		entity = "Content-Type: multipart/" + s[:i] + "; boundary=" + boundary + "\n\n"
		rest = s[i+1:]
		for n := 0; !strings.HasPrefix(rest, "]"); n++ {
			var part string
			part, rest = branch(strings.TrimLeft(rest, ", "), fmt.Sprint(boundary, n))
			entity += "--" + boundary + "\n" + part + "\n"
		}
		return entity + "--" + boundary + "--\n", rest[1:]
	}
	kind, content := s, ""
	if i >= 0 {
		kind, rest = s[:i], s[i:]
	}
	if strings.HasPrefix(rest, ":") {
		n := strings.IndexAny(rest, ",]")
		if n < 0 {
			n = len(rest)
		}
		content, rest = rest[1:n], rest[n:]
	}
	switch kind {
	case "plain", "html":
		return "Content-Type: text/" + kind + "; charset=utf-8\n\n" + content, rest
	}
	return "Content-Type: application/" + kind + "\nContent-Disposition: inline; filename=x\n\n" + content, rest
}

// shown writes a body in short: its text, and in front of it what it was derived from.
func shown(b *publish.Body) string {
	if b == nil {
		return "none"
	}
	s := strings.ReplaceAll(b.Content, `<div style="white-space: pre-wrap">`, "<pre>")
	s = strings.ReplaceAll(strings.ReplaceAll(s, "</div>", "</pre>"), "\n", "|")
	if b.Derived != "" {
		return b.Derived + " " + s
	}
	return s
}

func TestBothFormsOfAMessageAreWhole(t *testing.T) {
	for _, c := range []struct{ name, mail, text, html string }{
		{"text alone", "plain:hi", "hi", "none"},
		{"HTML alone", "html:<p>hi", "html hi|", "<p>hi"},
		{"two texts", "mixed[plain:a, plain:b]", "a|b", "none"},
		{"two HTML bodies", "mixed[html:<p>a, html:<p>b]", "html a||b|", "<p>a|<p>b"},
		{"the usual choice", "alternative[plain:a, html:<p>A]", "a", "<p>A"},
		{"the usual choice, the wrong way round", "alternative[html:<p>A, plain:a]", "a", "<p>A"},
		{"choice without text", "alternative[html:<p>A]", "html A|", "<p>A"},
		{"choice without HTML", "alternative[plain:a]", "a", "none"},
		{"a list's footer below HTML", "mixed[html:<p>A, plain:foot]", "html A||foot", "text <p>A|<pre>foot</pre>"},
		{"a list's footer below a choice", "mixed[alternative[plain:a, html:<p>A], plain:foot]", "a|foot", "text <p>A|<pre>foot</pre>"},
		{"a list's footer below a choice without text", "mixed[alternative[html:<p>A], plain:foot]", "html A||foot", "text <p>A|<pre>foot</pre>"},
		{"an HTML footer below text", "mixed[plain:a < b, html:<p>foot]", "html a < b|foot|", "text <pre>a &lt; b</pre>|<p>foot"},
		{"HTML between texts", "mixed[plain:a, html:<p>B, plain:c]", "html a|B||c", "text <pre>a</pre>|<p>B|<pre>c</pre>"},
		{"text before a choice", "mixed[plain:intro, alternative[plain:a, html:<p>A]]", "intro|a", "text <pre>intro</pre>|<p>A"},
		{"a choice without HTML before HTML", "mixed[alternative[plain:a], html:<p>B]", "html a|B|", "text <pre>a</pre>|<p>B"},
		{"two choices", "mixed[alternative[plain:a, html:<p>A], pdf, alternative[plain:b, html:<p>B]]", "a|b", "<p>A|<p>B"},
		{"two choices, one without text", "mixed[alternative[plain:a, html:<p>A], alternative[html:<p>B]]", "html a|B|", "<p>A|<p>B"},
		{"two choices, one the wrong way round", "mixed[alternative[html:<p>A, plain:a], alternative[html:<p>B]]", "html a|B|", "<p>A|<p>B"},
		{"HTML with pictures", "alternative[plain:a, related[html:<p>A, img]]", "a", "<p>A"},
		{"pictures around the choice", "related[alternative[plain:a, html:<p>A], img]", "a", "<p>A"},
		{"HTML with pictures alone", "related[html:<p>A, img]", "html A|", "<p>A"},
		{"HTML with an attachment as choice", "alternative[mixed[html:<p>A, pdf]]", "html A|", "<p>A"},
		{"Apple Mail, text", "mixed[plain:a, pdf, plain:b]", "a|b", "none"},
		{"Apple Mail, HTML", "alternative[plain:a, mixed[html:<p>A, pdf, html:<p>B]]", "a", "<p>A|<p>B"},
		{"Apple Mail, both in pieces", "mixed[alternative[plain:a, mixed[html:<p>A, pdf, html:<p>B]], plain:foot]", "a|foot", "text <p>A|<p>B|<pre>foot</pre>"},
		{"a footer inside of the HTML choice", "alternative[plain:a, mixed[html:<p>A, plain:foot]]", "a|foot", "text <p>A|<pre>foot</pre>"},
		{"a footer inside of the only choice", "alternative[mixed[html:<p>A, plain:foot]]", "html A||foot", "text <p>A|<pre>foot</pre>"},
		{"a choice of choices", "alternative[alternative[plain:a, html:<p>A], calendar]", "a", "<p>A"},
		{"a choice of choices, text last", "alternative[alternative[html:<p>A], plain:a]", "a", "<p>A"},
		{"a choice beside HTML in a choice", "alternative[mixed[html:<p>A, alternative[html:<p>B, plain:b]], calendar]", "html A||b", "<p>A|<p>B"},
		{"blank text", "alternative[plain:  , html:<p>A]", "html A|", "<p>A"},
		{"blank text behind", "alternative[html:<p>A, plain: ]", "html A|| ", "<p>A"},
		{"blank text alone", "alternative[plain: ]", " ", "none"},
		{"no text", "alternative[plain, html:<p>A]", "html A|", "<p>A"},
		{"nothing at all", "mixed[plain, html]", "", ""},
		{"no body", "mixed[pdf, zip]", "none", "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := compose(t, new(ingest.Composer), tree(c.mail))
			if text, html := shown(data.Text), shown(data.HTML); text != c.text || html != c.html {
				t.Errorf("%s\ngot  %q %q\nwant %q %q", c.mail, text, html, c.text, c.html)
			}
			again := new(publish.Data)
			msg := strings.ReplaceAll(tree(c.mail), "\n", "\r\n")
			if err := new(ingest.Composer).Compose(t.Context(), iotest.OneByteReader(strings.NewReader(msg)), nil, again); err != nil {
				t.Fatal(err)
			}
			if text, html := shown(again.Text), shown(again.HTML); text != c.text || html != c.html {
				t.Errorf("octet by octet %s\ngot  %q %q\nwant %q %q", c.mail, text, html, c.text, c.html)
			}
		})
	}
}

func TestBodiesThatAreTooLongToBeHeldAreStoredWhole(t *testing.T) {
	long, blank := strings.Repeat("0123456789", 200), strings.Repeat(" ", 2000)
	for _, c := range []struct{ name, mail, text, html string }{
		{"choice", "alternative[plain:" + long + ", html:<p>A]", long, "<p>A"},
		{"choice without text", "alternative[html:<p>" + long + "]", long + "|", "<p>" + long},
		{"choice, the wrong way round: twice", "alternative[html:<p>" + long + ", plain:a]", long + "||a", "<p>" + long},
		{"footer", "mixed[html:<p>" + long + ", plain:foot]", long + "||foot", "<p>" + long + "|<pre>foot</pre>"},
		{"long footer", "mixed[html:<p>A, plain:" + long + "]", "A||" + long, "<p>A|<pre>" + long + "</pre>"},
		{"blank text behind HTML", "alternative[html:<p>A, plain:" + blank + "]", "A||" + blank, "<p>A"},
		{"blank text in one choice", "alternative[mixed[plain:a, html:<p>B], plain:" + blank + "]", "a|B||" + blank, "<pre>a</pre>|<p>B"},
		{"blank HTML in one choice", "mixed[alternative[plain:a, html:" + blank + "], html:<p>B]", "a|B|", "<pre>a</pre>|<p>B"},
		{"blank text that goes on", "alternative[plain:" + blank + "a, html:<p>A]", blank + "a", "<p>A"},
		{"blank HTML that goes on", "alternative[plain:a, html:" + blank + long + "<p>A]", "a", blank + long + "<p>A"},
		{"text before HTML", "mixed[plain:a, plain:" + long + ", html:<p>A]", "a|" + long + "|A|", "<pre>a</pre>|<p>A"},
		{"text before HTML, in many parts", "mixed[" + strings.Repeat("plain:0123456789, ", 40) + "html:<p>A]", strings.Repeat("0123456789|", 40) + "A|",
			strings.Repeat("<pre>0123456789</pre>|", 5) + "<p>A"},
		{"text before two choices", "mixed[plain:" + long + ", alternative[plain:b, html:<p>B]]", long + "|b", "<p>B"},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := newBlobs()
			data := compose(t, &ingest.Composer{Blobs: store, InlineText: 1000}, tree(c.mail))
			if text, html := store.whole(data.Text), store.whole(data.HTML); text != c.text || html != c.html {
				t.Errorf("got  %q %q\nwant %q %q", text, html, c.text, c.html)
			}
			gap := false
			for _, is := range data.Issues {
				gap = gap || is.Code == parse.IssueReportLimit && is.Detail == "html" && is.Lossy
			}
			if want := strings.HasPrefix(c.name, "text before"); gap != want {
				t.Errorf("issues %v", data.Issues)
			}
		})
	}
}

// whole shows a body with what lies in the store.
func (b *blobs) whole(body *publish.Body) string {
	all := *body
	all.Derived = ""
	if body.Truncated {
		b.mu.Lock()
		defer b.mu.Unlock()
		all.Content = string(b.m[strings.TrimPrefix(body.Ref, "mem:")])
	}
	return shown(&all)
}
