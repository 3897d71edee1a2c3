package sasl

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	gosasl "github.com/emersion/go-sasl"
)

var _ gosasl.Client = (*Client)(nil)

func TestMessages(t *testing.T) {
	for _, tc := range []struct {
		name string
		make func() ([]byte, error)
		want string
	}{
		{"XOAUTH2 is user, bearer token and two separators", func() ([]byte, error) { return XOAUTH2("a@b.example", "T.t-_") },
			"user=a@b.example\x01auth=Bearer T.t-_\x01\x01"},
		{"OAUTHBEARER escapes comma and equals sign in the user", func() ([]byte, error) { return OAUTHBEARER("a,b=c@d", "T", "") },
			"n,a=a=2Cb=3Dc@d,\x01auth=Bearer T\x01\x01"},
		{"OAUTHBEARER names host and port", func() ([]byte, error) { return OAUTHBEARER("u", "T", "mx.example:993") },
			"n,a=u,\x01host=mx.example\x01port=993\x01auth=Bearer T\x01\x01"},
		{"OAUTHBEARER leaves an unusable address out", func() ([]byte, error) { return OAUTHBEARER("u", "T", "mx.\x01example:993") },
			"n,a=u,\x01auth=Bearer T\x01\x01"},
		{"PLAIN has no authorization identity", func() ([]byte, error) { return Plain("u", "p w") }, "\x00u\x00p w"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tc.make()
			if err != nil || string(got) != tc.want {
				t.Errorf("got %q, %v; want %q", got, err, tc.want)
			}
		})
	}
}

func TestOctetsThatEndTheMessageAreRefused(t *testing.T) {
	makers := map[string]func(u, s string) ([]byte, error){
		"XOAUTH2": XOAUTH2, "PLAIN": Plain,
		"OAUTHBEARER": func(u, s string) ([]byte, error) { return OAUTHBEARER(u, s, "h:1") },
	}
	for name, build := range makers {
		for _, bad := range []string{"\r", "\n", "\x00", "\x01"} {
			if _, err := build("u"+bad, "s"); !errors.Is(err, ErrForbiddenOctet) {
				t.Errorf("%s: user with %q: %v", name, bad, err)
			}
			if _, err := build("u", "s"+bad); !errors.Is(err, ErrForbiddenOctet) {
				t.Errorf("%s: secret with %q: %v", name, bad, err)
			}
		}
		if _, err := build("", "s"); !errors.Is(err, ErrEmpty) {
			t.Errorf("%s: no user: %v", name, err)
		}
		if _, err := build("u", ""); !errors.Is(err, ErrEmpty) {
			t.Errorf("%s: no secret: %v", name, err)
		}
	}
}

func TestTheClientKeepsTheChallengeAndAnswersOneOctet(t *testing.T) {
	c, err := NewXOAUTH2("u", "secret-token")
	if err != nil {
		t.Fatal(err)
	}
	mech, ir, err := c.Start()
	if err != nil || mech != "XOAUTH2" || !bytes.Contains(ir, []byte("secret-token")) {
		t.Fatalf("Start: %q %q %v", mech, ir, err)
	}
	if got, want := c.Size(), len("dXNlcj11AWF1dGg9QmVhcmVyIHNlY3JldC10b2tlbgEB"); got != want {
		t.Errorf("Size = %d, want %d", got, want)
	}
	challenge := []byte(`{"status":"401"}`)
	answer, err := c.Next(challenge)
	if err != nil || !bytes.Equal(answer, []byte{1}) {
		t.Errorf("Next: %q %v", answer, err)
	}
	challenge[0] = 'X'
	if string(c.Challenge()) != `{"status":"401"}` {
		t.Errorf("Challenge: %q", c.Challenge())
	}
	if _, err := c.Next(bytes.Repeat([]byte("x"), 1<<20)); err != nil || len(c.Challenge()) > maxChallenge {
		t.Errorf("a long challenge is kept whole: %d, %v", len(c.Challenge()), err)
	}
}

func TestSecretsNeverPrint(t *testing.T) {
	b, _ := NewOAUTHBEARER("u", "canary", "h:1")
	p, _ := NewPlain("u", "canary")
	for _, c := range []*Client{b, p} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if out := fmt.Sprintf(verb, c); strings.Contains(out, "canary") || strings.Contains(out, "99 97 110") {
				t.Errorf("%s prints the secret: %s", verb, out)
			}
		}
	}
	if _, err := NewPlain("u", "canary\n"); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("error shows the secret: %v", err)
	}
}

func FuzzMessagesStayOneMessage(f *testing.F) {
	f.Add("a@b", "token")
	f.Add("a,b=c", "t\x01auth=x")
	f.Fuzz(func(t *testing.T, user, token string) {
		x, err := XOAUTH2(user, token)
		if err == nil && bytes.Count(x, []byte{1}) != 3 {
			t.Errorf("XOAUTH2 of %q, %q has another number of fields", user, token)
		}
		o, err := OAUTHBEARER(user, token, "")
		if err == nil && (bytes.Count(o, []byte{1}) != 3 || bytes.Count(o, []byte{','}) < 2 || strings.Count(string(o[:bytes.IndexByte(o, 1)]), ",") != 2) {
			t.Errorf("OAUTHBEARER of %q, %q has another number of fields", user, token)
		}
		p, err := Plain(user, token)
		if err == nil && bytes.Count(p, []byte{0}) != 2 {
			t.Errorf("PLAIN of %q, %q has another number of fields", user, token)
		}
	})
}

func TestAReasonThatBlamesTheMessageIsToldFromOneThatBlamesTheToken(t *testing.T) {
	for challenge, want := range map[string]bool{
		`{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}`: true,
		`{"status":400}`:               true,
		`{"status":"invalid_request"}`: true,
		`{"status":"401"}`:             false,
		`{"status":"invalid_token"}`:   false,
		`{"status":{"deep":"400"}}`:    false,
		``:                             false,
		"\x01":                         false,
	} {
		if got := Malformed([]byte(challenge)); got != want {
			t.Errorf("%q: %v", challenge, got)
		}
	}
}
