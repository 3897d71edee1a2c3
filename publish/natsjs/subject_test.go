package natsjs

import (
	"strings"
	"testing"

	"mailflume/publish"
)

func TestATokenKeepsWhatItMayAndEscapesTheRest(t *testing.T) {
	for in, want := range map[string]string{
		"jane.doe@acme.com": "jane=2Edoe=40acme=2Ecom",
		"Inbox_7-x":         "inbox_7-x",
		"":                  "=",
		"=":                 "=3D",
		"*":                 "=2A",
		">":                 "=3E",
		"ü":                 "=C3=BC",
		"a b":               "a=20b",
		"\x00\r\n":          "=00=0D=0A",
	} {
		if got := Token(in); got != want {
			t.Errorf("Token(%q) = %q, want %q", in, got, want)
		}
	}
	long := Token(strings.Repeat("a", 129))
	if len(long) != 34 || !strings.HasPrefix(long, "=h") {
		t.Errorf("129 bytes become %q", long)
	}
	if got := Token(strings.Repeat("a", 128)); got != strings.Repeat("a", 128) {
		t.Errorf("128 bytes become %q", got)
	}
}

func FuzzTokenIsOneTokenAndNamesOneString(f *testing.F) {
	for _, s := range []string{"", "=", "=h", "a.b", "*", ">", " ", "É", strings.Repeat("x.", 90), "A", "=2E", "\xff"} {
		f.Add(s, "a")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		tok := Token(a)
		if len(tok) == 0 || len(tok) > maxToken {
			t.Fatalf("Token(%q) has %d bytes", a, len(tok))
		}
		for _, c := range tok {
			if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789_-=ABCDEF", c) {
				t.Fatalf("Token(%q) = %q", a, tok)
			}
		}
		if tok == Token(b) && lower(a) != lower(b) {
			t.Fatalf("%q and %q share the token %q", a, b, tok)
		}
		if root := boxRoot(DefaultPrefix, publish.Key{Tenant: a, Mailbox: b}); strings.Count(root, ".") != 3 {
			t.Fatalf("root %q", root)
		}
	})
}

// lower folds ASCII only, as Token does.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 32
		}
	}
	return string(b)
}

func TestAPatternCoversWhatItShould(t *testing.T) {
	for _, c := range []struct {
		pattern, want string
		ok            bool
	}{
		{"mail.v1.>", "mail.v1.>", true}, {"mail.>", "mail.v1.>", true}, {">", "mail.v1.>", true}, {"*.v1.>", "mail.v1.>", true},
		{"mail.v1.*", "mail.v1.>", false}, {"mail.v1.acme.>", "mail.v1.>", false}, {"mail.v2.>", "mail.v1.>", false},
		{"mail.v1", "mail.v1.>", false}, {"mail.v1.>", "mail.>", false}, {"a.*.c", "a.b.c", true}, {"a.b", "a.b.c", false},
	} {
		if got := covers(c.pattern, c.want); got != c.ok {
			t.Errorf("covers(%q, %q) = %v", c.pattern, c.want, got)
		}
	}
}
