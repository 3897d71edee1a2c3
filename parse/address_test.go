package parse

import (
	"reflect"
	"strings"
	"testing"
)

func TestAddressListsAreReadMailboxByMailbox(t *testing.T) {
	type list = []Address
	cases := []struct {
		name, in string
		want     list
	}{
		{"plain", "a@x.org", list{{"", "a@x.org", ""}}},
		{"named", "A B <a@x.org>", list{{"A B", "a@x.org", ""}}},
		{"quoted name with comma", `"Doe, J." <j@x.org>`, list{{"Doe, J.", "j@x.org", ""}}},
		{"escapes in a quoted name", `"a \"b\" \\c" <j@x.org>`, list{{`a "b" \c`, "j@x.org", ""}}},
		{"several", "a@x.org, B <b@x.org>,c@x.org", list{{"", "a@x.org", ""}, {"B", "b@x.org", ""}, {"", "c@x.org", ""}}},
		{"semicolons between", "a@x.org; b@x.org", list{{"", "a@x.org", ""}, {"", "b@x.org", ""}}},
		{"empty entries", ",, a@x.org ,,", list{{"", "a@x.org", ""}}},
		{"group", "G: a@x.org, B <b@x.org>; c@x.org", list{{"", "a@x.org", "G"}, {"B", "b@x.org", "G"}, {"", "c@x.org", ""}}},
		{"empty group", "undisclosed-recipients:;", nil},
		{"group without end", "G: a@x.org, b@x.org", list{{"", "a@x.org", "G"}, {"", "b@x.org", "G"}}},
		{"group in group", "G: H: a@x.org;;", list{{"", "a@x.org", "H"}}},
		{"encoded group name", "=?utf-8?q?=C3=A9?=: a@x.org;", list{{"", "a@x.org", "é"}}},
		{"comment as name", "j@x.org (John)", list{{"John", "j@x.org", ""}}},
		{"nested comment", "j@x.org (a (b) c)", list{{"a (b) c", "j@x.org", ""}}},
		{"comment never closed", "j@x.org (John, k@x.org", list{{"John", "j@x.org", ""}, {"", "k@x.org", ""}}},
		{"comment inside", "j(x)@x.org", list{{"x", "j@x.org", ""}}},
		{"route", "<@a.org,@b.org:j@x.org>", list{{"", "j@x.org", ""}}},
		{"unquoted comma in the name", "Doe, J <j@x.org>", list{{"Doe, J", "j@x.org", ""}}},
		{"bare name before a comma", "root, j@x.org", list{{"", "root", ""}, {"", "j@x.org", ""}}},
		{"unquoted dot", "J. Doe <j@x.org>", list{{"J. Doe", "j@x.org", ""}}},
		{"unquoted at", "j@home <j@x.org>", list{{"j@home", "j@x.org", ""}}},
		{"space before the bracket", "J <j@x.org >", list{{"J", "j@x.org", ""}}},
		{"spaces around at", "j @ x.org", list{{"", "j@x.org", ""}}},
		{"missing closing bracket", "J <j@x.org", list{{"J", "j@x.org", ""}}},
		{"missing closing bracket before another", "bad <bad, J <j@x.org>", list{{"bad", "bad", ""}, {"J", "j@x.org", ""}}},
		{"missing opening bracket", "J j@x.org>", list{{"J", "j@x.org", ""}}},
		{"excess brackets", "J <<j@x.org>>", list{{"J", "j@x.org", ""}}},
		{"missing comma", "A <a@x.org> B <b@x.org>", list{{"A", "a@x.org", ""}, {"B", "b@x.org", ""}}},
		{"missing comma, quoted", `"A" <a@x.org> "B" <b@x.org>`, list{{"A", "a@x.org", ""}, {"B", "b@x.org", ""}}},
		{"text after the bracket", "A <a@x.org> hi", list{{"A hi", "a@x.org", ""}}},
		{"bare local part", "root", list{{"", "root", ""}}},
		{"bare local part in brackets", "<root>", list{{"", "root", ""}}},
		{"name alone", "John Doe", list{{"John Doe", "", ""}}},
		{"empty brackets", "<>", nil},
		{"name and empty brackets", "J <>", list{{"J", "", ""}}},
		{"address and empty brackets", "j@x.org <>", list{{"j@x.org", "j@x.org", ""}}},
		{"quoted local part with at", `"a@b"@x.org`, list{{"", `"a@b"@x.org`, ""}}},
		{"quoted local part in brackets", `<"a@b.org, c>"@x.org>`, list{{"", `"a@b.org, c>"@x.org`, ""}}},
		{"quoted local part needs no guessing", `X <"a b"@x.org>`, list{{"X", `"a b"@x.org`, ""}}},
		{"everything quoted", `<"j@x.org">`, list{{"", "j@x.org", ""}}},
		{"domain literal", "j@[192.0.2.1], k@[IPv6:2001:db8::1]", list{{"", "j@[192.0.2.1]", ""}, {"", "k@[IPv6:2001:db8::1]", ""}}},
		{"not ASCII", "jö@exämple.org", list{{"", "jö@exämple.org", ""}}},
		{"mailto", "<mailto:j@x.org>", list{{"", "j@x.org", ""}}},
		{"single quotes", "'J' <'j@x.org'>", list{{"J", "j@x.org", ""}}},
		{"encoded name", "=?utf-8?q?J=C3=B6?= <j@x.org>", list{{"Jö", "j@x.org", ""}}},
		{"encoded name in quotes", `"=?utf-8?q?J=C3=B6?=" <j@x.org>`, list{{"Jö", "j@x.org", ""}}},
		{"comma inside an encoded word", "=?utf-8?q?Doe,_J?= <j@x.org>", list{{"Doe, J", "j@x.org", ""}}},
		{"encoded word makes no address", "=?utf-8?q?evil=40y.org=2C?= <j@x.org>", list{{"evil@y.org,", "j@x.org", ""}}},
		{"encoded word alone makes no address", "=?utf-8?q?evil=40y.org?=", list{{"evil@y.org", "", ""}}},
		{"unknown charset keeps the address", "=?x-foo?q?J?= <j@x.org>", list{{"J", "j@x.org", ""}}},
		{"quote never closed", `"J <j@x.org>`, list{{"J", "j@x.org", ""}}},
		{"quote in a word", `J"D" <j@x.org>`, list{{"J D", "j@x.org", ""}}},
		{"line break in a local part", "<\"a\n b\"@x.org>", list{{"", `"a b"@x.org`, ""}}},
		{"control characters", "<a\x00\x01b@x.org>", list{{"", "ab@x.org", ""}}},
		{"only commas", ",,,", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := headerOf(t, "To: "+c.in).Addresses("To")
			if len(got)+len(c.want) > 0 && !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestRepeatedAddressFieldsAreMerged(t *testing.T) {
	h := headerOf(t, "To: a@x.org\nCc: b@x.org\nTo: c@x.org")
	want := []Address{{Address: "a@x.org"}, {Address: "c@x.org"}, {Address: "b@x.org"}}
	if got := h.Addresses("to", "cc"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestAddressesAreBounded(t *testing.T) {
	r := NewReader(strings.NewReader("To: "+strings.Repeat("a@x.org, ", 50)+"\r\n\r\n"), Limits{Addresses: 10})
	if got := len(r.Header().Addresses("To")); got != 10 {
		t.Errorf("%d addresses, want 10", got)
	}
	if is := r.Issues(); len(is) != 1 || is[0].Code != IssueAddressLimit || !is[0].Lossy {
		t.Errorf("issues %v", is)
	}
}

func TestWellFormedListsReportNothing(t *testing.T) {
	r := NewReader(strings.NewReader("To: a@x.org, \"B, C\" <b@x.org>, G: d@x.org;, e@x.org (E), <f@x.org>\r\n\r\n"), Limits{})
	if got := len(r.Header().Addresses("To")); got != 5 {
		t.Errorf("%d addresses", got)
	}
	if is := r.Issues(); len(is) > 0 {
		t.Errorf("issues %v", is)
	}
}
