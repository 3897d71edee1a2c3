package ingest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"mailflume/ingest"
)

// minting gives token after token, each when the one before is refused; no other when they are out.
type minting struct {
	tokens []string
	none   ingest.Code
}

func (m *minting) Token(_ context.Context, refused string) (ingest.Token, error) {
	if refused != "" && refused == m.tokens[0] {
		if len(m.tokens) == 1 {
			return ingest.Token{}, refuse(ingest.Fault{Class: ingest.Auth, Code: m.none})
		}
		m.tokens = m.tokens[1:]
	}
	return ingest.Token{Value: m.tokens[0]}, nil
}

func TestATokenIsReplacedOnceWhereAnotherOneMayHelp(t *testing.T) {
	long := strings.Repeat("x", 100)
	for _, c := range []struct {
		name   string
		tokens []string
		says   map[string]ingest.Code // what the server says to a token; nothing: welcome
		every  time.Duration          // between tries
		tries  int
		used   string // tokens that were sent, in order
		code   ingest.Code
	}{
		{"good", []string{"a"}, nil, 0, 2, "aa", ""},
		{"refused", []string{"a", "b"}, map[string]ingest.Code{"a": ingest.CodeAuthRefused}, 0, 1, "ab", ""},
		{"all refused", []string{"a", "b", "c"}, map[string]ingest.Code{"a": ingest.CodeAuthRefused, "b": ingest.CodeAuthRefused}, 0, 1, "ab", ingest.CodeAuthRefused},
		{"refused, and the issuer refuses too", []string{"a"}, map[string]ingest.Code{"a": ingest.CodeAuthRefused}, 0, 1, "a", ingest.CodeAppDisabled},
		{"too long, and the next one is shorter", []string{long, "b"}, map[string]ingest.Code{long: ingest.CodeTokenTooLong}, 0, 1, long + "b", ""},
		{"too long, as the next one", []string{long, long + "y"}, map[string]ingest.Code{long: ingest.CodeTokenTooLong}, 0, 1, long, ingest.CodeTokenTooLong},
		{"throttled", []string{"a", "b"}, map[string]ingest.Code{"a": ingest.CodeThrottled}, 0, 1, "a", ingest.CodeThrottled},
		{"temporary, for moments", []string{"a", "b"}, map[string]ingest.Code{"a": ingest.CodeAuthTemporary}, time.Minute, 5, "aaaaa", ingest.CodeAuthTemporary},
		{"temporary, for as long as it is this token", []string{"a", "b"}, map[string]ingest.Code{"a": ingest.CodeAuthTemporary}, time.Minute, 6, "aaaaaab", ""},
		{"temporary, without another one", []string{"a"}, map[string]ingest.Code{"a": ingest.CodeAuthTemporary}, time.Minute, 6, "aaaaaa", ingest.CodeAuthTemporary},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := time.Now()
			s := &ingest.SignIn{Op: "x", Tokens: &minting{c.tokens, ingest.CodeAppDisabled}, Now: func() time.Time { return now }}
			var used []string
			var err error
			for range c.tries {
				_, err = ingest.Connect(t.Context(), s, func(_ context.Context, tok ingest.Token) (int, error) {
					used = append(used, tok.Value)
					if code := c.says[tok.Value]; code != "" {
						return 0, refuse(ingest.Fault{Class: ingest.Auth, Code: code})
					}
					return 1, nil
				})
				now = now.Add(c.every)
			}
			if got := strings.Join(used, ""); got != c.used {
				t.Errorf("sent %s, want %s", got, c.used)
			}
			if (err != nil) != (c.code != "") || err != nil && ingest.FaultOf(err).Code != c.code {
				t.Errorf("%v, want %s", err, c.code)
			}
		})
	}
}
