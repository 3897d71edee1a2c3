package oauth

import (
	"context"
	"strings"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/oauth/oauthtest"
)

func startOAuth2(t *testing.T, o OAuth2Options) *Source {
	t.Helper()
	s, err := NewOAuth2(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func clientFor(i *oauthtest.Issuer) OAuth2Options {
	return OAuth2Options{TokenURL: i.TokenURL(), ClientID: "client:1", Secret: static(canary), Common: Common{RootCAs: i.CAPool()}}
}

func TestClientCredentialsTravelAsTheIssuerWants(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*OAuth2Options)
		aud    string
	}{
		{"in the header", func(*OAuth2Options) {}, oauthtest.DefaultAudience},
		{"in the form", func(o *OAuth2Options) { o.SecretPost = true }, oauthtest.DefaultAudience},
		{"with an audience", func(o *OAuth2Options) { o.Params = map[string]string{"audience": "https://mail.example/"} }, "https://mail.example/"},
		{"with a resource", func(o *OAuth2Options) { o.Params = map[string]string{"resource": "urn:mail"} }, "urn:mail"},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := startIssuer(t, oauthtest.Options{})
			o := clientFor(i)
			c.change(&o)
			tok, err := startOAuth2(t, o).Token(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			if got, err := i.Verify(tok.Value); err != nil || got.Audience != c.aud || got.AppID != "client:1" {
				t.Errorf("claims = %+v, %v", got, err)
			}
		})
	}
}

func TestAWrongSecretIsSentOnce(t *testing.T) {
	for _, post := range []bool{false, true} {
		i := startIssuer(t, oauthtest.Options{Secret: "another"})
		o := clientFor(i)
		o.SecretPost = post
		_, err := startOAuth2(t, o).Token(t.Context(), "")
		wantFault(t, err, ingest.Auth, ingest.CodeClientSecret)
		if n := i.Requests(""); n != 1 || leaks(err, canary) != "" {
			t.Errorf("%d requests, error %q", n, err)
		}
	}
}

func TestAReplacedRefreshTokenIsKeptUntilTheFileChanges(t *testing.T) {
	for _, public := range []bool{false, true} {
		i := startIssuer(t, oauthtest.Options{Public: public, TTL: 10 * time.Minute})
		file := i.MintRefresh("client:1")
		o, c := clientFor(i), &clock{}
		if public {
			o.Secret = nil
		}
		var info RefreshInfo
		o.Now, o.Hooks.Refreshed = c.now, func(r RefreshInfo) { info = r }
		o.RefreshToken = func(context.Context) (string, error) { return file + "\n", nil }
		s := startOAuth2(t, o)
		for range 3 { // each refresh token of this issuer is good once
			if _, err := s.Token(t.Context(), ""); err != nil {
				t.Fatal(err)
			}
			if !info.Rotated {
				t.Error("nobody is told that the refresh token in the file is void")
			}
			c.pass(time.Hour)
		}
		i.Fail(oauthtest.Fault{Path: "/token", Times: 1, Body: `{"access_token":"a b","refresh_token":"` + i.MintRefresh("client:1") + `"}`})
		if _, err := s.Token(t.Context(), ""); err == nil || !info.Rotated {
			t.Errorf("an access token that is none: %v, %v", info, err)
		}
		c.pass(10 * time.Second)
		if _, err := s.Token(t.Context(), ""); err != nil { // with the refresh token that came beside it
			t.Error(err)
		}
		c.pass(time.Hour)
		i.Fail(oauthtest.Fault{Path: "/token", Times: 1, Status: 400, Body: `{"error":"invalid_grant","error_description":"Token has been expired or revoked."}`})
		_, err := s.Token(t.Context(), "")
		wantFault(t, err, ingest.Auth, ingest.CodeRefreshToken)
		if leaks(err, canary, file) != "" {
			t.Errorf("a secret is in %q", err)
		}
		file = i.MintRefresh("client:1") // somebody signed in again
		c.pass(10 * time.Second)
		if _, err := s.Token(t.Context(), ""); err != nil {
			t.Error(err)
		}
	}
}

func TestNewOAuth2RefusesWhatCannotWork(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*OAuth2Options)
		says   string
	}{
		{"no URL", func(o *OAuth2Options) { o.TokenURL = "://" }, "URL"},
		{"in clear", func(o *OAuth2Options) { o.TokenURL = "http://idp.example/token" }, "https"},
		{"a password in the URL", func(o *OAuth2Options) { o.TokenURL = "https://u:hunter2@idp.example/token" }, "user name"},
		{"no client", func(o *OAuth2Options) { o.ClientID = "" }, "client id"},
		{"nothing to prove it with", func(o *OAuth2Options) { o.Secret = nil }, "refresh token"},
		{"a parameter of ours", func(o *OAuth2Options) { o.Params = map[string]string{"grant_type": "password"} }, "grant_type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := OAuth2Options{TokenURL: "https://idp.example/token", ClientID: "c", Secret: static("s")}
			c.change(&o)
			if _, err := NewOAuth2(o); err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error = %v, want it to say %q", err, c.says)
			}
		})
	}
}

func TestABearerTokenFromAFileIsReadForEachSignIn(t *testing.T) {
	token := jwt(`{"exp":4102444800}`)
	current := "Authorization: Bearer " + token + "\r\n"
	src := Bearer(func(context.Context) (string, error) { return current, nil })
	tok, err := src.Token(t.Context(), "")
	if err != nil || tok.Value != token || !tok.Expires.Equal(time.Unix(4102444800, 0)) {
		t.Fatalf("Token = %q until %v, %v", tok.Value, tok.Expires, err)
	}
	_, err = src.Token(t.Context(), token)
	wantFault(t, err, ingest.Auth, ingest.CodeAuthRefused)
	for _, c := range []struct{ file, want string }{{"opaque/token==", "opaque/token=="}, {"bearer  x", "x"}} {
		current = c.file
		if tok, err := src.Token(t.Context(), token); err != nil || tok.Value != c.want || !tok.Expires.IsZero() {
			t.Errorf("%q: Token = %q, %v", c.file, tok.Value, err)
		}
	}
	for _, bad := range []string{"", "two words", "Basic dXNlcg==", "a\nb"} {
		current = bad
		_, err := src.Token(t.Context(), "")
		wantFault(t, err, ingest.Auth, ingest.CodeSecretMissing)
	}
}
