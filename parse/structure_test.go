package parse

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// twoParts is what most of the structures below come down to.
const twoParts = "1 text text/plain \"hi\"\n2 attachment application/pdf \"%PDF-\"\n"

const (
	partText = "Content-Type: text/plain\n\nhi\n"
	partPDF  = "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0=\n"
	mixed    = "From: a@example.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b\"\n\n"
)

func TestStructureIsFoundHoweverItIsDelimited(t *testing.T) {
	cases := []struct{ name, msg, want, code string }{
		{"well-formed", mixed + "--b\n" + partText + "--b\n" + partPDF + "--b--\n", twoParts, ""},
		{"preamble and epilogue", mixed + "preamble\n--b\n" + partText + "--b\n" + partPDF + "--b--\nepilogue\n", twoParts, IssueEpilogue},
		{"no closing delimiter", mixed + "--b\n" + partText + "--b\n" + partPDF, twoParts, IssueMultipartOpen},
		{"blanks after delimiters", mixed + "--b  \n" + partText + "--b \t\n" + partPDF + "--b-- \n", twoParts, ""},
		{"no empty line before the first delimiter", strings.TrimSuffix(mixed, "\n") + "--b\n" + partText + "--b\n" + partPDF + "--b--\n", twoParts, IssueHeaderByBoundary},
		{"parts after the close are reported", mixed + "--b\n" + partText + "--b\n" + partPDF + "--b--\n--b\n" + partText + "--b--\n", twoParts, IssuePartAfterClose},
		{"transfer encoding on a multipart", "Content-Transfer-Encoding: base64\n" + mixed + "--b\n" + partText + "--b\n" + partPDF + "--b--\n", twoParts, IssueEncodedMultipart},
		{"closing delimiter at the very end", mixed + "--b\n" + partText + "--b\n" + partPDF + "--b--", twoParts, ""},
		{"part header ended by a delimiter", mixed + "--b\nContent-Type: text/plain\n--b\n" + partPDF + "--b--\n", "1 text text/plain \"\"\n2 attachment application/pdf \"%PDF-\"\n", IssueHeaderByBoundary},
		{"part without header and body", mixed + "--b\n--b\n" + partPDF + "--b--\n", "1 text text/plain \"\"\n2 attachment application/pdf \"%PDF-\"\n", IssueHeaderByBoundary},
		{"part without header", mixed + "--b\n\nhi\n--b\n" + partPDF + "--b--\n", twoParts, ""},
		{"part that begins with text at once", mixed + "--b\nhi\n--b\n" + partPDF + "--b--\n", twoParts, IssueHeaderNoEnd},
		{"dashes that are no delimiter", mixed + "--b\n\n--\n--bb\n-- b\n--b-\n---b\n--b--\n", "1 text text/plain \"--\\r\\n--bb\\r\\n-- b\\r\\n--b-\\r\\n---b\"\n", ""},
		{"multipart of nothing", mixed + "--b--\n", "", IssueMultipartEmpty},
		{"comment after the boundary", strings.Replace(mixed, `"b"`, "b (really)", 1) + "--b\n" + partText + "--b\n" + partPDF + "--b--\n", twoParts, ""},
		{"multipart/multipart/mixed", strings.Replace(mixed, "multipart/mixed", "multipart/multipart/mixed", 1) + "--b\n" + partText + "--b\n" + partPDF + "--b--\n", twoParts, IssueContentTypeBad},
		{"no boundary parameter", strings.Replace(mixed, `; boundary="b"`, "", 1) + "hello\n", "1 text text/plain \"hello\\r\\n\"\n", IssueBoundaryMissing},
		{"empty boundary", strings.Replace(mixed, `"b"`, `""`, 1) + "hello\n", "1 text text/plain \"hello\\r\\n\"\n", IssueBoundaryMissing},
		{"boundary that never comes", mixed + "hello\n--c\n", "1 text text/plain \"hello\\r\\n--c\\r\\n\"\n", IssueBoundaryNotFound},
		{"boundary over the limit", strings.Replace(mixed, `"b"`, `"`+strings.Repeat("b", 300)+`"`, 1) + "hello\n", "1 text text/plain \"hello\\r\\n\"\n", IssueBoundaryMissing},
		{"boundary of 200 characters", strings.Replace(mixed, `"b"`, `"`+strings.Repeat("b", 200)+`"`, 1) + "--" + strings.Repeat("b", 200) + "\n\nhello\n--" + strings.Repeat("b", 200) + "--\n", "1 text text/plain \"hello\"\n", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := read(t, c.msg)
			if got := m.tree(); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
			if c.code != "" {
				wantCode(t, m, c.code)
			} else if len(m.issues) > 0 {
				t.Errorf("unexpected issues: %v", m.issues)
			}
		})
	}
}

func TestNestedMultipartsKeepTheirPartNumbers(t *testing.T) {
	alternative := "Content-Type: multipart/alternative; boundary=b2\n\n--b2\n" + partText + "--b2\nContent-Type: text/html\n\n<p>hi\n"
	want := "1.1 text text/plain \"hi\"\n1.2 html text/html \"<p>hi\"\n2 attachment application/pdf \"%PDF-\"\n"
	cases := []struct{ name, msg, want, code string }{
		{"inner boundary extends the outer one", mixed + "--b\n" + alternative + "--b2--\n--b\n" + partPDF + "--b--\n", want, ""},
		{"outer delimiter ends an open inner one", mixed + "--b\n" + alternative + "--b\n" + partPDF + "--b--\n", want, IssueMultipartOpen},
		{"same boundary inside", mixed + "--b\nContent-Type: multipart/alternative; boundary=b\n\n--b\n" + partText + "--b--\n--b\n" + partPDF + "--b--\n",
			"1.1 text text/plain \"hi\"\n2 attachment application/pdf \"%PDF-\"\n", IssueBoundaryRepeated},
		{"digest", strings.Replace(mixed, "mixed", "digest", 1) + "--b\n\nSubject: in\n\nhi\n--b--\n", "1 attachment message/rfc822 \"Subject: in\\r\\n\\r\\nhi\"\n", ""},
		{"message in message is one attachment", mixed + "--b\nContent-Type: message/rfc822\n\n" + strings.ReplaceAll(mixed, `"b"`, `"in"`) + "--in\n\nx\n--in--\n--b--\n",
			"1 attachment message/rfc822 \"From: a@example.org\\r\\nMIME-Version: 1.0\\r\\nContent-Type: multipart/mixed; boundary=\\\"in\\\"\\r\\n\\r\\n--in\\r\\n\\r\\nx\\r\\n--in--\"\n", ""},
		{"message in base64", mixed + "--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogaW4NCg0KaGkNCg==\n--b--\n",
			"1 attachment message/rfc822 \"Subject: in\\r\\n\\r\\nhi\\r\\n\"\n", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := read(t, c.msg)
			if got := m.tree(); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
			if c.code != "" {
				wantCode(t, m, c.code)
			} else if len(m.issues) > 0 {
				t.Errorf("unexpected issues: %v", m.issues)
			}
		})
	}
}

func TestParentIsTheMultipartAround(t *testing.T) {
	m := read(t, mixed+"--b\nContent-Type: multipart/related; boundary=c\n\n--c\n"+partText+"--c--\n--b\n"+partPDF+"--b--\n")
	if got := m.parts[0].Parent; got != "1" {
		t.Errorf("parent of 1.1 is %q", got)
	}
	if got := m.parts[1].Parent; got != "" {
		t.Errorf("parent of 2 is %q", got)
	}
}

func TestLineEndsOfEveryKind(t *testing.T) {
	msg := mixed + "--b\n" + partText + "--b\n" + partPDF + "--b--\n"
	for name, eol := range map[string]string{"CRLF": "\r\n", "LF": "\n", "CR": "\r"} {
		t.Run(name, func(t *testing.T) {
			m := readRaw(t, strings.ReplaceAll(msg, "\n", eol))
			if got := m.tree(); got != twoParts {
				t.Errorf("got\n%s", got)
			}
			if name == "CR" {
				wantCode(t, m, IssueLineEnds)
			}
		})
	}
	t.Run("mixed", func(t *testing.T) {
		m := readRaw(t, strings.Replace(strings.ReplaceAll(msg, "\n", "\r\n"), "hi\r\n", "hi\n", 1))
		if got := m.tree(); got != twoParts {
			t.Errorf("got\n%s", got)
		}
	})
}

func TestBodiesAreTextsWithoutNameAndDisposition(t *testing.T) {
	cases := []struct {
		name, fields string
		want         Role
		typ          string
	}{
		{"nothing declared", "", RoleText, "text/plain"},
		{"plain", "Content-Type: text/plain", RoleText, "text/plain"},
		{"upper case html", "Content-Type: TEXT/HTML; charset=utf-8", RoleHTML, "text/html"},
		{"inline", "Content-Type: text/plain\nContent-Disposition: inline", RoleText, "text/plain"},
		{"attachment", "Content-Type: text/plain\nContent-Disposition: attachment", RoleAttachment, "text/plain"},
		{"inline with a name", "Content-Type: text/plain\nContent-Disposition: inline; filename=a.txt", RoleAttachment, "text/plain"},
		{"named by its type", "Content-Type: text/html; name=a.html", RoleAttachment, "text/html"},
		{"calendar", "Content-Type: text/calendar; method=REQUEST", RoleAttachment, "text/calendar"},
		{"type without subtype", "Content-Type: text", RoleText, "text/plain"},
		{"junk type", "Content-Type: junk", RoleAttachment, "application/octet-stream"},
		{"junk after the type", "Content-Type: text/plain, really; charset=utf-8", RoleText, "text/plain"},
		{"comment", "Content-Type: text/plain (English)", RoleText, "text/plain"},
		{"no semicolon", "Content-Type: text/html charset=utf-8", RoleHTML, "text/html"},
		{"unknown disposition", "Content-Type: text/plain\nContent-Disposition: other", RoleAttachment, "text/plain"},
		{"quoted disposition", "Content-Type: text/plain\nContent-Disposition: \"attachment\"", RoleAttachment, "text/plain"},
		{"encoded disposition", "Content-Type: text/plain\nContent-Disposition: =?utf-8?q?attachment=3B_filename=3Da.txt?=", RoleAttachment, "text/plain"},
		{"first of two types", "Content-Type: text/html\nContent-Type: application/x-y", RoleHTML, "text/html"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := read(t, "From: a@example.org\n"+c.fields+"\n\nhi\n")
			if c.fields == "" {
				m = read(t, "From: a@example.org\n\nhi\n")
			}
			if len(m.parts) != 1 || m.parts[0].Role != c.want || m.parts[0].ContentType != c.typ {
				t.Errorf("got %s", m.tree())
			}
		})
	}
}

func TestInlineIsDispositionOrContentID(t *testing.T) {
	for fields, want := range map[string]bool{
		"Content-Disposition: inline":                                  true,
		"Content-ID: <x@example.org>":                                  true,
		"Content-ID: <x@example.org>\nContent-Disposition: attachment": false,
		"X-A: b": false,
	} {
		m := read(t, "Content-Type: image/png\n"+fields+"\n\nx\n")
		if got := m.parts[0].Inline; got != want {
			t.Errorf("%q: inline %v, want %v", fields, got, want)
		}
	}
}

func TestDegenerateMessages(t *testing.T) {
	cases := []struct{ name, msg, want string }{
		{"empty", "", "1 text text/plain \"\"\n"},
		{"header only", "Subject: x\n", "1 text text/plain \"\"\n"},
		{"header without line end", "Subject: x", "1 text text/plain \"\"\n"},
		{"only an empty line", "\n", "1 text text/plain \"\"\n"},
		{"text without header", "hello there\nsecond line\n", "1 text text/plain \"hello there\\r\\nsecond line\\r\\n\"\n"},
		{"NUL in text", "Subject: x\n\na\x00b", "1 text text/plain \"a\\x00b\"\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := read(t, c.msg).tree(); got != c.want {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestPartsKnowTheChoicesTheyAre(t *testing.T) {
	multi := func(kind, boundary string, parts ...string) string {
		return "Content-Type: multipart/" + kind + "; boundary=" + boundary + "\n\n--" + boundary + "\n" + strings.Join(parts, "\n--"+boundary+"\n") + "\n--" + boundary + "--\n"
	}
	const plain, html = "\nhi", "Content-Type: text/html\n\n<p>hi"
	g := &nester{Rand: rand.New(rand.NewPCG(1, 1))}
	for _, c := range []struct{ msg, want string }{
		{plain, "1 []"},
		{multi("mixed", "a", plain, html), "1 []|2 []"},
		{multi("alternative", "a", plain, html), "1 [1]|2 [2]"},
		{multi("alternative", "a", plain, multi("related", "b", html, plain)), "1 [1]|2.1 [2]|2.2 [2]"},
		{multi("mixed", "a", multi("alternative", "b", plain, html), plain), "1.1 [1.1]|1.2 [1.2]|2 []"},
		{multi("alternative", "a", multi("mixed", "b", multi("alternative", "c", plain, html), plain), html), "1.1.1 [1 1.1.1]|1.1.2 [1 1.1.2]|1.2 [1]|2 [2]"},
		{multi("alternative", "a", plain, "Content-Type: application/pkcs7-mime; smime-type=signed-data\nContent-Transfer-Encoding: base64\n\n"+
			base64.StdEncoding.EncodeToString([]byte(g.signed(multi("alternative", "b", plain, html))))), "1 [1]|2 [2]|2.1 [2 2.1]|2.2 [2 2.2]"},
	} {
		var got []string
		for _, p := range walkText(t, c.msg).parts {
			got = append(got, fmt.Sprint(p.Path, " ", p.Choices))
		}
		if got := strings.Join(got, "|"); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.msg, got, c.want)
		}
	}
}
