package oauth

import (
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/oauth/oauthtest"
)

func TestAPersonSignsInWithADeviceCode(t *testing.T) {
	p := startPerson(t, oauthtest.People{}) // nobody is there yet
	var shown DeviceCode
	got, err := p.signIn(t).Device(t.Context(), func(d DeviceCode) {
		shown = d
		time.AfterFunc(150*time.Millisecond, func() { p.issuer.SetPeople(ada()) })
	})
	if err != nil || got.Account != "Sales@contoso.com" {
		t.Fatalf("SignedIn = %+v, %v", got, err)
	}
	if shown.Code == "" || shown.Page != p.issuer.URL()+"/device" || shown.WithCode != shown.Page+"?user_code="+shown.Code {
		t.Errorf("shown: %+v", shown)
	}
	// The issuer asks for 20 ms; the interval of 5 of these seconds is kept.
	if n := p.issuer.TooEarly(); n > 1 {
		t.Errorf("asked too early %d times", n)
	}
	mustToken(t, p.source(t))
}

func TestADeviceCodeIsAskedForMoreSlowlyWhenTheIssuerWantsIt(t *testing.T) {
	p := startPerson(t, ada())
	p.issuer.Fail(oauthtest.Fault{Path: "/token", Times: 2, Status: 400, Body: `{"error":"slow_down"}`})
	p.issuer.Fail(oauthtest.Fault{Path: "/token", Times: 1, Status: 503, Body: `<html>`})
	s := p.signIn(t)
	began := time.Now()
	if _, err := s.Device(t.Context(), func(DeviceCode) {}); err != nil {
		t.Fatal(err)
	}
	// 5, 10, 15 and then 30 of these seconds.
	if took, least := time.Since(began), 60*s.second; took < least {
		t.Errorf("four questions took %v, want at least %v", took, least)
	}
}

func TestAnIssuerThatWritesItsDeviceCodesInItsOwnWayIsUnderstood(t *testing.T) {
	p := startPerson(t, oauthtest.People{})
	p.issuer.Fail(oauthtest.Fault{Path: "/devicecode", Body: `{"device_code":"d","user_code":"\u001b]0;x\u0007U-1\u202e","verification_uri":"https://x/\u001b[2J","expires_in":"900","interval":"300","message":7}`})
	p.issuer.Fail(oauthtest.Fault{Path: "/token", Times: 1, Body: `{"error":"authorization_pending"}`})
	p.issuer.Fail(oauthtest.Fault{Path: "/token", Times: 1, Status: 503})
	p.issuer.Fail(oauthtest.Fault{Path: "/token", Body: `{"access_token":"t","refresh_token":"r","expires_in":3600}`})
	s := p.signIn(t)
	s.second = time.Millisecond
	var shown DeviceCode
	began := time.Now()
	if _, err := s.Device(t.Context(), func(d DeviceCode) { shown = d }); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 900*s.second || shown.Code != "]0;xU-1" || shown.Page != "https://x/[2J" {
		t.Errorf("three questions, 300 of %v apart, took %v; %+v", s.second, took, shown)
	}
}

func TestADeviceCodeThatLeadsToNothingSaysWhy(t *testing.T) {
	for _, c := range []struct {
		name  string
		error string
		code  ingest.Code
	}{
		{"denied", "access_denied", ingest.CodeLoginDenied},
		{"denied at Entra", "authorization_declined", ingest.CodeLoginDenied},
		{"expired", "expired_token", ingest.CodeLoginExpired},
		{"a code that is unknown by now", "bad_verification_code", ingest.CodeLoginExpired},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := startPerson(t, oauthtest.People{Error: c.error})
			_, err := p.signIn(t).Device(t.Context(), func(DeviceCode) {})
			wantFault(t, err, ingest.Auth, c.code)
		})
	}
	t.Run("the issuer has none", func(t *testing.T) {
		p := startPerson(t, ada())
		p.opt.DeviceURL = ""
		_, err := p.signIn(t).Device(t.Context(), nil)
		wantFault(t, err, ingest.Config, ingest.CodeLoginDevice)
	})
	t.Run("the code ends", func(t *testing.T) {
		p := startPerson(t, oauthtest.People{})
		p.issuer.Fail(oauthtest.Fault{Path: "/devicecode", Body: `{"device_code":"d","user_code":"u","verification_url":"https://x/","expires_in":0.05,"interval":1}`})
		_, err := p.signIn(t).Device(t.Context(), func(DeviceCode) {})
		wantFault(t, err, ingest.Auth, ingest.CodeLoginExpired)
	})
	t.Run("a page of a proxy", func(t *testing.T) {
		p := startPerson(t, ada())
		p.issuer.Fail(oauthtest.Fault{Path: "/devicecode", Body: `<html>sign in to the hotel</html>`})
		_, err := p.signIn(t).Device(t.Context(), nil)
		wantFault(t, err, ingest.Transient, ingest.CodeTokenAnswer)
	})
}
