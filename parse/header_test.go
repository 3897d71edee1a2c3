package parse

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestHeaderSurvivesWhatComesBeforeAndInIt(t *testing.T) {
	cases := []struct{ name, msg, subject, body, code string }{
		{"well-formed", "Subject: x\n\nhi", "x", "hi", ""},
		{"byte order mark", "\ufeffSubject: x\n\nhi", "x", "hi", IssueBOM},
		{"leading empty lines", "\n\n \nSubject: x\n\nhi", "x", "hi", IssueLeadingBlank},
		{"mbox line", "From a@example.org Tue Nov 10 09:00:00 2026\nSubject: x\n\nhi", "x", "hi", IssueMboxLine},
		{"quoted mbox line", ">From a@example.org Tue Nov 10 09:00:00 2026\nSubject: x\n\nhi", "x", "hi", IssueMboxLine},
		{"mbox line in the middle", "X-A: b\nFrom a@example.org Tue Nov 10 09:00:00 2026\nSubject: x\n\nhi", "x", "hi", IssueMboxLine},
		{"line that is no field", "X-A: b\ngarbage here\nSubject: x\n\nhi", "x", "hi", IssueHeaderLine},
		{"line that is no field first", "garbage here\nSubject: x\n\nhi", "x", "hi", IssueHeaderLine},
		{"line that is no field last", "Subject: x\ngarbage here\n\nhi", "x", "hi", IssueHeaderLine},
		{"no empty line before the text", "Subject: x\nhello\nthere", "x", "hello\r\nthere", IssueHeaderNoEnd},
		{"space before the colon", "Subject : x\n\nhi", "x", "hi", ""},
		{"tab before the colon", "Subject\t: x\n\nhi", "x", "hi", ""},
		{"no name", ": y\nSubject: x\n\nhi", "x", "hi", IssueHeaderLine},
		{"two colons", "::\nSubject: x\n\nhi", "x", "hi", IssueHeaderLine},
		{"odd name", "X \xffY: z\nSubject: x\n\nhi", "x", "hi", IssueFieldNameBad},
		{"folded", "Subject: x\n y\n\tz\n\nhi", "x y z", "hi", ""},
		{"folded after the colon", "Subject:\n x\n\nhi", "x", "hi", ""},
		{"fold of white space only", "Subject: x\n \nX-A: b\n\nhi", "x", "hi", ""},
		{"fold of white space only, then folded", "Subject: x\n \n y\n\nhi", "x  y", "hi", ""},
		{"white space only instead of the empty line", "Subject: x\n \nhello there", "x", "hello there", ""},
		{"first of two", "Subject: x\nSubject: y\n\nhi", "x", "hi", IssueFieldDuplicate},
		{"no space after the colon", "Subject:x\n\nhi", "x", "hi", ""},
		{"NUL in a field", "Subject: x\x00y\n\nhi", "x\x00y", "hi", ""},
		{"lower case", "subject: x\n\nhi", "x", "hi", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := read(t, c.msg)
			if got := strings.Join(strings.Fields(m.header.Subject()), " "); got != strings.Join(strings.Fields(c.subject), " ") {
				t.Errorf("subject %q, want %q", got, c.subject)
			}
			if len(m.parts) != 1 || m.parts[0].body != c.body {
				t.Errorf("body\n%swant %q", m.tree(), c.body)
			}
			if c.code != "" {
				wantCode(t, m, c.code)
			} else if len(m.issues) > 0 {
				t.Errorf("unexpected issues: %v", m.issues)
			}
		})
	}
}

func TestFieldsKeepOrderSpellingAndOctets(t *testing.T) {
	m := readRaw(t, "X-One:  a\r\n\tb \r\nx-ONE: =?utf-8?q?=C3=A9?=\r\nSubject : s\r\n\r\n")
	want := []Field{
		{"X-One", "a b", "X-One:  a\r\n\tb "},
		{"x-ONE", "é", "x-ONE: =?utf-8?q?=C3=A9?="},
		{"Subject", "s", "Subject : s"},
	}
	if got := m.header.Fields(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	if got := m.header.Values("X-ONE"); !slices.Equal(got, []string{"a b", "é"}) {
		t.Errorf("values %q", got)
	}
	if got := m.header.Get("absent"); got != "" {
		t.Errorf("absent field is %q", got)
	}
}

func TestMessageIDsLoseOnlyTheirBrackets(t *testing.T) {
	cases := []struct {
		name, in string
		want     []string
	}{
		{"one", "<a@example.org>", []string{"a@example.org"}},
		{"no brackets", "a@example.org", []string{"a@example.org"}},
		{"comment", " <a@example.org> (added)", []string{"a@example.org"}},
		{"spaces inside", "< a@example.org >", []string{"a@example.org"}},
		{"several", "<a@x>\n <b@x>\n\t<c@x>", []string{"a@x", "b@x", "c@x"}},
		{"commas", "<a@x>,<b@x>, <c@x>", []string{"a@x", "b@x", "c@x"}},
		{"glued", "<a@x><b@x>", []string{"a@x", "b@x"}},
		{"phrase", `Your message of "Tue" <a@x>`, []string{"a@x"}},
		{"bare list", "a@x b@x", []string{"a@x", "b@x"}},
		{"never closed", "<a@x <b@x>", []string{"a@x", "b@x"}},
		{"doubled brackets", "<<a@x>>", []string{"a@x"}},
		{"no at sign", "<12345>", []string{"12345"}},
		{"empty", "<>", nil},
		{"phrase without id", "Your message of Tuesday by b@x", []string{"b@x"}},
		{"prose", "Bob's message of Tuesday", nil},
		{"no brackets and no at sign", "12345", []string{"12345"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := headerOf(t, "References: "+c.in).MessageIDs("References"); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestRawOctetsInFieldsAreReadInTheMessagesCharset(t *testing.T) {
	cases := []struct{ name, msg, want string }{
		{"declared by the message", "Subject: \xc7\xd1\xb1\xdb\nContent-Type: text/plain; charset=euc-kr\n\nx", "한글"},
		{"declared by the first text", "Subject: \xf0\xd2\xc9\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=koi8-r\n\nx\n--b--\n", "При"},
		{"UTF-8", "Subject: Gr\u00fc\u00dfe\nContent-Type: text/plain; charset=koi8-r\n\nx", "Grüße"},
		{"nothing declared", "Subject: Gr\xfc\xdfe\n\nx", "Grüße"},
		{"nothing declared, Korean", "Subject: \xb1\xa4\xb0\xed \xbf\xe4\xc1\xf2 \xb6\xdf\xb4\xc2\n\nx", "광고 요즘 뜨는"},
		{"declared charset is UTF-8 but untrue", "Subject: Gr\xfc\xdfe\nContent-Type: text/plain; charset=utf-8\n\nx", "Grüße"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := read(t, c.msg).header.Subject(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
