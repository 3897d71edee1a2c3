package parse

import (
	"strings"
	"testing"
)

func TestEncodedWordsAreDecodedLeniently(t *testing.T) {
	cases := []struct{ name, in, want string }{
		{"Q", "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"},
		{"B", "=?UTF-8?B?R3LDvMOfZQ==?=", "Grüße"},
		{"underscore", "=?utf-8?q?a_b?=", "a b"},
		{"adjacent words join", "=?utf-8?q?a?= =?utf-8?q?b?=", "ab"},
		{"adjacent across a fold", "=?utf-8?q?a?=\n =?utf-8?q?b?=", "ab"},
		{"adjacent without space", "=?utf-8?q?a?==?utf-8?q?b?=", "ab"},
		{"different charsets join too", "=?utf-8?q?=C3=A9?= =?iso-8859-1?q?=E9?=", "éé"},
		{"text between keeps its spaces", "=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"},
		{"character split between words", "=?utf-8?b?4oI=?= =?utf-8?b?rA==?=", "€"},
		{"shift state split between words", "=?iso-2022-jp?B?GyRCJUk=?=\n =?iso-2022-jp?B?JSsbKEI=?=", "ドカ"},
		{"no padding", "=?utf-8?b?YWI?=", "ab"},
		{"too much padding", "=?utf-8?b?YWI===?=", "ab"},
		{"padding in the middle", "=?utf-8?b?YQ==Yg==?=", "ab"},
		{"spaces in B", "=?utf-8?b?YW Jj?=", "abc"},
		{"spaces in Q", "=?utf-8?q?a b c?=", "a b c"},
		{"glued to text", "x=?utf-8?q?=C3=A9?=y", "xéy"},
		{"in quotes", `"=?utf-8?q?=C3=A9?="`, `"é"`},
		{"language", "=?utf-8*de?q?=C3=A9?=", "é"},
		{"unknown charset, UTF-8 inside", "=?x-foo?q?=C3=A9?=", "é"},
		{"unknown charset, Latin inside", "=?x-foo?q?=E9?=", "é"},
		{"no charset", "=??q?=C3=A9?=", "é"},
		{"unknown encoding", "=?utf-8?x?abc?=", "=?utf-8?x?abc?="},
		{"never closed", "=?utf-8?q?abc", "=?utf-8?q?abc"},
		{"never closed before a good one", "=?utf-8?q?abc =?utf-8?q?d?=", "=?utf-8?q?abc d"},
		{"empty text", "a=?utf-8?q??=b", "ab"},
		{"equals sign at the end", "=?utf-8?q?a=?=", "a="},
		{"lower-case digits", "=?utf-8?q?=c3=a9?=", "é"},
		{"question mark in Q", "=?utf-8?q?a?b?=", "a?b"},
		{"windows-1252 by another name", "=?iso-8859-1?q?=96?=", "–"},
		{"cp932", "=?cp932?B?grE=?=", "こ"},
		{"UTF-7", "=?utf-7?q?a+AOk-b?=", "aéb"},
		{"raw octets inside", "=?utf-8?q?caf\xc3\xa9?=", "café"},
		{"invalid octets", "=?utf-8?q?a=FFb?=", "a\uFFFDb"},
		{"line break inside forges nothing", "=?utf-8?q?a=0D=0ABcc:_b?=", "a  Bcc: b"},
		{"nothing but the marker", "a =? b", "a =? b"},
		{"marker at the end", "=?utf-8?q?a?= =?", "a =?"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := headerOf(t, "Subject: "+c.in).Subject(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestEncodedWordsAreBounded(t *testing.T) {
	in := strings.Repeat("=?utf-8?q?a?= ", 30)
	m, err := readFrom(strings.NewReader("Subject: "+in+"\r\n\r\n"), Limits{EncodedWords: 10})
	if err != nil {
		t.Fatal(err)
	}
	got := m.header.Subject()
	if !strings.HasPrefix(got, strings.Repeat("a", 10)+" =?") {
		t.Errorf("got %q", got)
	}
}
