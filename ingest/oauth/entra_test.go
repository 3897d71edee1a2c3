package oauth

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mailflume/ingest/oauth/oauthtest"
)

func TestATokenIsFetchedOnceAndThenServedFromTheCache(t *testing.T) {
	i := startIssuer(t, oauthtest.Options{})
	e := startEntra(t, optionsFor(i))
	first, err := e.Token(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := i.Verify(first.Value)
	if err != nil {
		t.Fatal(err)
	}
	if c.Audience != oauthtest.DefaultAudience || c.Tenant != "contoso.onmicrosoft.com" || c.AppID != "11112222-bbbb-3333-cccc-4444dddd5555" {
		t.Errorf("claims = %+v", c)
	}
	if left := time.Until(first.Expires); left < 59*time.Minute || left > time.Hour {
		t.Errorf("expires in %v, want an hour", left)
	}
	for range 1000 {
		again, err := e.Token(t.Context(), "")
		if err != nil || again.Value != first.Value {
			t.Fatalf("second call = %v, %v", again, err)
		}
	}
	if n := i.Requests("/oauth2/v2.0/token"); n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
}

func TestASourceThatIsPrintedShowsNeitherSecretNorToken(t *testing.T) {
	i := startIssuer(t, oauthtest.Options{})
	e := startEntra(t, optionsFor(i))
	tok, err := e.Token(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s", e, e, e, e), fmt.Sprintf("%v %+v %#v %q", tok, tok, tok, tok)} {
		if strings.Contains(text, tok.Value) || strings.Contains(text, canary) {
			t.Errorf("printed: %s", text)
		}
	}
	if !strings.Contains(e.String(), i.URL()) {
		t.Errorf("String = %q", e)
	}
}
