package oauthtest

import (
	"net/http"
	"net/url"
	"testing"
	"time"
)

const testVerifier = "a-verifier-of-forty-three-characters-or-more"

// testChallenge is the S256 challenge of testVerifier.
const testChallenge = "y5UF_tmp_ICTDGza-Ou2vUvx2cu7DBN-Xwf_z0RDfTw"

// authorizeAt opens the authorization page and returns what it sends back.
func authorizeAt(t *testing.T, i *Issuer, hc *http.Client, change func(url.Values)) (status int, back url.Values) {
	t.Helper()
	q := url.Values{
		"response_type": {"code"}, "client_id": {"app"}, "redirect_uri": {"http://127.0.0.1:9"}, "state": {"s"}, "scope": {"mail"},
		"code_challenge": {testChallenge}, "code_challenge_method": {"S256"},
	}
	change(q)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, i.AuthURL()+"?"+q.Encode(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := hc.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if to, err := resp.Location(); err == nil {
		back = to.Query()
	}
	return resp.StatusCode, back
}

func codeForm(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "client_id": {"app"}, "code": {code}, "redirect_uri": {"http://127.0.0.1:9"}, "code_verifier": {testVerifier}}
}

func TestACodeIsGoodOnceForWhoeverAskedForIt(t *testing.T) {
	i, hc := start(t, Options{Public: true})
	i.SetPeople(People{User: "a@b"})
	for _, c := range []struct {
		name   string
		change func(url.Values)
		ok     bool
	}{
		{"as asked for", func(url.Values) {}, true},
		{"another verifier", func(v url.Values) { v.Set("code_verifier", testVerifier+"x") }, false},
		{"another redirect", func(v url.Values) { v.Set("redirect_uri", "http://127.0.0.1:10") }, false},
		{"another client", func(v url.Values) { v.Set("client_id", "b") }, false},
		{"another code", func(v url.Values) { v.Set("code", "x") }, false},
	} {
		_, back := authorizeAt(t, i, hc, func(url.Values) {})
		form := codeForm(back.Get("code"))
		c.change(form)
		if _, a := post(t, hc, i.TokenURL(), form); (a["access_token"] != nil) != c.ok {
			t.Errorf("%s: %v", c.name, a)
		}
		if _, a := post(t, hc, i.TokenURL(), codeForm(back.Get("code"))); c.ok && a["error"] != "invalid_grant" {
			t.Errorf("%s, again: %v", c.name, a)
		}
	}
}

func TestNobodyIsSentAwayFromThisMachineOrWithoutPKCE(t *testing.T) {
	i, hc := start(t, Options{})
	for _, to := range []string{"https://127.0.0.1", "http://example.com", "http://localhost.example.com", "mailflume:x", "://"} {
		if status, back := authorizeAt(t, i, hc, func(q url.Values) { q.Set("redirect_uri", to) }); status != http.StatusBadRequest || back != nil {
			t.Errorf("%s: %d", to, status)
		}
	}
	if _, back := authorizeAt(t, i, hc, func(q url.Values) { q.Set("code_challenge_method", "plain") }); back.Get("error") != "invalid_request" || back.Get("state") != "s" {
		t.Errorf("without S256: %v", back)
	}
}

func TestASpentRefreshTokenRevokesItsFamily(t *testing.T) {
	i, hc := start(t, Options{Public: true})
	i.SetPeople(People{User: "a@b"})
	_, back := authorizeAt(t, i, hc, func(url.Values) {})
	refresh := func(token any) map[string]any {
		s, _ := token.(string)
		_, a := post(t, hc, i.TokenURL(), url.Values{"grant_type": {"refresh_token"}, "client_id": {"app"}, "refresh_token": {s}})
		return a
	}
	_, first := post(t, hc, i.TokenURL(), codeForm(back.Get("code")))
	second := refresh(first["refresh_token"])
	if c, err := i.Verify(second["access_token"].(string)); err != nil || c.UPN != "a@b" {
		t.Errorf("claims %+v, %v", c, err)
	}
	if a := refresh(first["refresh_token"]); a["error"] != "invalid_grant" {
		t.Errorf("a spent token: %v", a)
	}
	if a := refresh(second["refresh_token"]); a["error"] != "invalid_grant" {
		t.Errorf("the newest of a revoked family: %v", a)
	}
}

func TestADeviceCodeIsAskedForNoFasterThanItsInterval(t *testing.T) {
	i, hc := start(t, Options{Public: true, DeviceInterval: time.Minute})
	i.mu.Lock()
	i.devices["d"] = &person{client: "app", ends: time.Now().Add(time.Hour), interval: time.Minute}
	i.mu.Unlock()
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {"app"}, "device_code": {"d"}}
	for _, want := range []string{"authorization_pending", "slow_down"} {
		if _, a := post(t, hc, i.TokenURL(), form); a["error"] != want {
			t.Errorf("%v, want %s", a, want)
		}
	}
	if i.TooEarly() != 1 {
		t.Errorf("%d questions too early", i.TooEarly())
	}
}
