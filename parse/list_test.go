package parse

import (
	"slices"
	"strings"
	"testing"
)

func TestListFields(t *testing.T) {
	const mailto, https = "mailto:u@example.org", "https://example.org/u"
	cases := []struct {
		name, fields, id string
		unsubscribe      []string
		oneClick         bool
	}{
		{"none", "Subject: x", "", nil, false},
		{"id with phrase", "List-ID: News <news.example.org>", "news.example.org", nil, false},
		{"bare id", "List-Id: news.example.org", "news.example.org", nil, false},
		{"id with brackets in its phrase", `List-Id: "a <b> c" <news.example.org> (the <news>)`, "news.example.org", nil, false},
		{"id with white space in it", "List-Id: News <news.\n example.org>", "news.example.org", nil, false},
		{"id encoded with its phrase", "List-Id: =?utf-8?q?News_=3Cnews.example.org=3E?=", "news.example.org", nil, false},
		{"phrase that forges an id", "List-Id: =?utf-8?q?=3Cbank.example=3E?= <news.example.org>", "news.example.org", nil, false},
		{"phrase that is half a comment", "List-Id: News :-( <news.example.org>", "news.example.org", nil, false},
		{"id that is never closed", "List-Id: News <news.example.org", "news.example.org", nil, false},
		{"second id", "List-Id:\nList-Id: <a.example.org>\nList-Id: <b.example.org>", "a.example.org", nil, false},
		{"id that is none", "List-Id: <" + strings.Repeat("a", 300) + ">", "", nil, false},
		{"two ways out", "List-Unsubscribe: <mailto:u@example.org?subject=x>,\n <https://example.org/u>", "", []string{"mailto:u@example.org?subject=x", https}, false},
		{"two fields", "List-Unsubscribe: <mailto:u@example.org>\nList-Unsubscribe: <https://example.org/u>", "", []string{mailto, https}, false},
		{"the same twice", "List-Unsubscribe: <https://example.org/u>, <https://example.org/u>", "", []string{https}, false},
		{"folded inside a URL", "List-Unsubscribe: <https://example.org/\n u>", "", []string{https}, false},
		{"comments", "List-Unsubscribe: (By <b>mail</b>) <mailto:u@example.org> (or (by) web), <https://example.org/u> x", "", []string{mailto, https}, false},
		{"parentheses of a URL", "List-Unsubscribe: <https://example.org/(u)> (hm)", "", []string{"https://example.org/(u)"}, false},
		{"comment that is none", "List-Unsubscribe: ( <https://example.org/u>", "", []string{https}, false},
		{"encoded", "List-Unsubscribe: =?us-ascii?q?=3Chttps=3A=2F=2Fexample=2E?=\n =?us-ascii?q?org=2Fu=3E?=", "", []string{https}, false},
		{"encoded inside of the brackets", "List-Unsubscribe: <=?us-ascii?q?https=3A=2F=2Fexample=2Eorg=2Fu?=>", "", []string{https}, false},
		{"double brackets", "List-Unsubscribe: <<https://example.org/u>>", "", []string{https}, false},
		{"bare URL", "List-Unsubscribe: https://example.org/u", "", []string{https}, false},
		{"bare URLs", "List-Unsubscribe: mailto:u@example.org, https://example.org/u", "", []string{mailto, https}, false},
		{"never closed", "List-Unsubscribe: <https://example.org/u", "", []string{https}, false},
		{"first one never closed", "List-Unsubscribe: <mailto:u@example.org, <https://example.org/u>", "", []string{mailto, https}, false},
		{"scripts", "List-Unsubscribe: <javascript:alert(1)>, <data:text/html,x>, < JAVA\n script:x>, <file:///etc>, <https://example.org/u>", "", []string{https}, false},
		{"no URL", "List-Unsubscribe: <u@example.org>, <>, <https://>, unsubscribe", "", nil, false},
		{"longer than any", "List-Unsubscribe: <https://example.org/" + strings.Repeat("u", maxListURL) + ">", "", nil, false},
		{"one click", "List-Unsubscribe: <mailto:u@example.org>, <HTTPS://example.org/u>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click", "", []string{mailto, "HTTPS://example.org/u"}, true},
		{"one click needs https", "List-Unsubscribe: <http://example.org/u>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click", "", []string{"http://example.org/u"}, false},
		{"one click says nothing else", "List-Unsubscribe: <https://example.org/u>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click&x=y", "", []string{https}, false},
		{"one click without a place", "List-Unsubscribe-Post: List-Unsubscribe=One-Click", "", nil, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			id, unsubscribe, oneClick := List(headerOf(t, c.fields))
			if id != c.id || oneClick != c.oneClick {
				t.Errorf("got %q %v, want %q %v", id, oneClick, c.id, c.oneClick)
			}
			if !slices.Equal(unsubscribe, c.unsubscribe) {
				t.Errorf("got %q, want %q", unsubscribe, c.unsubscribe)
			}
		})
	}
}

func TestAListHasFewPlacesToUnsubscribeAt(t *testing.T) {
	field := "List-Unsubscribe: " + strings.Repeat("<https://example.org/", 10_000)
	if _, urls, _ := List(headerOf(t, strings.Repeat("List-Unsubscribe: <https://a.b/1>, <https://a.b/2>\n", 3_000)+field)); len(urls) != 3 {
		t.Errorf("got %q", urls)
	}
}
