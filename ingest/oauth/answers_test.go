package oauth

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/oauth/oauthtest"
)

func TestEveryAnswerOfAnIssuerHasItsFault(t *testing.T) {
	i := startIssuer(t, oauthtest.Options{})
	later := time.Now().Add(48 * time.Hour).UTC().Format(http.TimeFormat)
	entra := oauthtest.EntraError
	const onToken, onDiscovery = "/oauth2/v2.0/token", "/openid-configuration"
	for _, c := range []struct {
		name  string
		fault oauthtest.Fault
		class ingest.Class
		code  ingest.Code
		wait  time.Duration // 0: any backoff
		says  string
	}{
		{"429 with seconds", oauthtest.Fault{Path: onToken, Status: 429, RetryAfter: "17", Body: "{}"}, ingest.Throttled, ingest.CodeTokenThrottled, 17 * time.Second, "429"},
		{"429 with a date is capped", oauthtest.Fault{Path: onToken, Status: 429, RetryAfter: later}, ingest.Throttled, ingest.CodeTokenThrottled, 24 * time.Hour, ""},
		{"429 without a time", oauthtest.Fault{Path: onToken, Status: 429}, ingest.Throttled, ingest.CodeTokenThrottled, 0, ""},
		{"429 on discovery", oauthtest.Fault{Path: onDiscovery, Status: 429, RetryAfter: "3"}, ingest.Throttled, ingest.CodeTokenThrottled, 3 * time.Second, ""},
		{"500 without a body", oauthtest.Fault{Path: onToken, Status: 500}, ingest.Transient, ingest.CodeTokenDown, 0, "500"},
		{"503 with a time", oauthtest.Fault{Path: onToken, Status: 503, RetryAfter: "40", Body: "<html>busy"}, ingest.Transient, ingest.CodeTokenDown, 40 * time.Second, "busy"},
		{"502 on discovery", oauthtest.Fault{Path: onDiscovery, Status: 502}, ingest.Transient, ingest.CodeTokenDown, 0, ""},
		{"500 that calls itself invalid_client", oauthtest.Fault{Path: onToken, Status: 500, Body: entra("invalid_client", 7000215, "no")}, ingest.Transient, ingest.CodeTokenDown, 0, ""},
		{"temporarily_unavailable", oauthtest.Fault{Path: onToken, Status: 400, Body: entra("temporarily_unavailable", 90033, "wait")}, ingest.Transient, ingest.CodeTokenDown, 0, "AADSTS90033"},
		{"loop detected", oauthtest.Fault{Path: onToken, Status: 429, Body: entra("invalid_request", 50196, "loop")}, ingest.Throttled, ingest.CodeTokenThrottled, 5 * time.Minute, ""},
		{"loop detected, called a refusal", oauthtest.Fault{Path: onToken, Status: 400, Body: entra("invalid_grant", 50196, "loop")}, ingest.Auth, ingest.CodeTokenThrottled, 5 * time.Minute, ""},
		{"an outage, called a refusal", oauthtest.Fault{Path: onToken, Status: 400, Body: entra("invalid_request", 90033, "wait")}, ingest.Auth, ingest.CodeTokenDown, 0, ""},
		{"a request that is called malformed", oauthtest.Fault{Path: onToken, Status: 400, Body: `{"error":"invalid_request"}`}, ingest.Auth, ingest.CodeTokenRequest, 0, "invalid_request"},
		{"HTML with 200", oauthtest.Fault{Path: onToken, Body: "<html><title>Sign in to the guest network</title>"}, ingest.Transient, ingest.CodeTokenAnswer, 0, "guest network"},
		{"HTML with 200 on discovery", oauthtest.Fault{Path: onDiscovery, Body: "<html>"}, ingest.Transient, ingest.CodeTokenAnswer, 0, ""},
		{"HTML with 403", oauthtest.Fault{Path: onToken, Status: 403, Body: "<html>blocked"}, ingest.Transient, ingest.CodeTokenAnswer, 0, "blocked"},
		{"nothing with 200", oauthtest.Fault{Path: onToken, Status: 200}, ingest.Transient, ingest.CodeTokenAnswer, 0, ""},
		{"a JSON list", oauthtest.Fault{Path: onToken, Body: "[]"}, ingest.Transient, ingest.CodeTokenAnswer, 0, ""},
		{"JSON without a token", oauthtest.Fault{Path: onToken, Body: `{"expires_in":3600}`}, ingest.Transient, ingest.CodeTokenAnswer, 0, ""},
		{"a fraction in expires_in", oauthtest.Fault{Path: onToken, Body: `{"access_token":"a","expires_in":1.5}`}, ingest.Transient, ingest.CodeTokenAnswer, 0, "whole-numbered"},
		{"a token that would end the SASL message", oauthtest.Fault{Path: onToken, Body: `{"access_token":"a\u0001b","expires_in":3600}`}, ingest.Transient, ingest.CodeTokenAnswer, 0, ""},
		{"another scope", oauthtest.Fault{Path: onToken, Body: `{"access_token":"a","expires_in":3600,"scope":"mail"}`}, ingest.Auth, ingest.CodeScope, 0, `"mail"`},
		{"the scope and a fraction", oauthtest.Fault{Path: onToken, Body: `{"access_token":"a","expires_in":1.5,"scope":"https://outlook.office365.com/.default"}`}, ingest.Transient, ingest.CodeTokenAnswer, 0, ""},
		{"a discovery document without endpoints", oauthtest.Fault{Path: onDiscovery, Body: `{}`}, ingest.Config, ingest.CodeTokenAnswer, 0, ""},
		{"an issuer that is not the authority", oauthtest.Fault{Path: onDiscovery, Body: `{"issuer":"https://evil.example/","token_endpoint":"` + i.TokenURL() + `","authorization_endpoint":"x"}`}, ingest.Config, ingest.CodeTokenAnswer, 0, "evil.example"},
		{"no discovery document", oauthtest.Fault{Path: onDiscovery, Status: 404, Body: "not here"}, ingest.Config, ingest.CodeTenantUnknown, 0, "404"},
		{"secret expired", oauthtest.Fault{Path: onToken, Status: 401, Body: entra("invalid_client", 7000222, "old")}, ingest.Auth, ingest.CodeSecretExpired, 0, "correlation_id="},
		{"client unknown", oauthtest.Fault{Path: onToken, Status: 400, Body: entra("unauthorized_client", 700016, "who")}, ingest.Auth, ingest.CodeAppUnknown, 0, "trace_id="},
		{"tenant unknown", oauthtest.Fault{Path: onDiscovery, Status: 400, Body: entra("invalid_tenant", 90002, "where")}, ingest.Auth, ingest.CodeTenantUnknown, 0, "AADSTS90002"},
		{"no consent", oauthtest.Fault{Path: onToken, Status: 400, Body: entra("invalid_grant", 65001, "consent")}, ingest.Auth, ingest.CodeConsent, 0, ""},
		{"no such resource", oauthtest.Fault{Path: onToken, Status: 400, Body: entra("invalid_resource", 500011, "principal")}, ingest.Auth, ingest.CodeScope, 0, ""},
		{"the clock", oauthtest.Fault{Path: onToken, Status: 401, Body: entra("invalid_client", 700024, "range")}, ingest.Auth, ingest.CodeClockOrAssertion, 0, ""},
		{"Conditional Access", oauthtest.Fault{Path: onToken, Status: 400, Body: entra("invalid_grant", 53003, "blocked by policy")}, ingest.Auth, ingest.CodePolicy, 0, "blocked by policy"},
		{"a number that nobody knows", oauthtest.Fault{Path: onToken, Status: 401, Body: entra("invalid_client", 99999999, "new")}, ingest.Auth, ingest.CodeClientSecret, 0, ""},
		{"fields of other types", oauthtest.Fault{Path: onToken, Status: 401, Body: `{"error_description":[1],"correlation_id":7,"error":"invalid_client","trace_id":{}}`}, ingest.Auth, ingest.CodeClientSecret, 0, "invalid_client"},
		{"an error that is none", oauthtest.Fault{Path: onToken, Status: 400, Body: `{"error":{"code":400}}`}, ingest.Transient, ingest.CodeTokenAnswer, 0, ""},
		{"an error that nobody knows", oauthtest.Fault{Path: onToken, Status: 400, Body: `{"error":"brand_new","error_codes":["x"]}`}, ingest.Auth, ingest.CodeTokenOther, 0, "brand_new"},
		{"an error under 200", oauthtest.Fault{Path: onToken, Body: entra("invalid_scope", 70011, "scope")}, ingest.Auth, ingest.CodeScope, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			i.ClearFaults()
			i.Fail(c.fault)
			e := startEntra(t, optionsFor(i))
			_, err := e.Token(t.Context(), "")
			f := wantFault(t, err, c.class, c.code)
			lo, hi := c.wait, c.wait+c.wait/10+time.Second
			if c.wait == 0 {
				lo, hi = holdOffMin, holdOffMin*6/5
			}
			if f.Wait < lo || f.Wait > hi {
				t.Errorf("wait = %v, want %v to %v", f.Wait, lo, hi)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("error = %q, want it to say %q", err, c.says)
			}
			if text := leaks(err, canary); text != "" {
				t.Errorf("the secret is in %q", text)
			}
			before := i.Requests("")
			if _, err := e.Token(t.Context(), ""); err == nil || i.Requests("") != before {
				t.Errorf("a second call at once: %v, %d requests", err, i.Requests("")-before)
			}
		})
	}
}

func TestTheIssuersWordsAreOneShortPrintableLine(t *testing.T) {
	i := startIssuer(t, oauthtest.Options{})
	i.Fail(oauthtest.Fault{Path: "/token", Status: 400, Body: `{"error":"invalid_request","error_description":"a\r\nb\u001b[31m\u202e ` + strings.Repeat("x ", 5000) + `"}`})
	_, err := startEntra(t, optionsFor(i)).Token(t.Context(), "")
	if err == nil || len(err.Error()) > 450 || strings.ContainsAny(err.Error(), "\r\n\x1b\u202e") || !strings.Contains(err.Error(), "a b[31m") {
		t.Errorf("error = %q", err)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	var visits atomic.Int32
	other := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	defer other.Close()
	i := startIssuer(t, oauthtest.Options{})
	for _, path := range []string{"/token", "/openid-configuration"} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			i.ClearFaults()
			i.Fail(oauthtest.Fault{Path: path, Status: status, Redirect: other.URL + "/?q=x"})
			o := optionsFor(i)
			o.RootCAs.AddCert(other.Certificate())
			_, err := startEntra(t, o).Token(t.Context(), "")
			wantFault(t, err, ingest.Config, ingest.CodeTokenRedirect)
			if !strings.Contains(err.Error(), other.URL+";") {
				t.Errorf("error = %q, want it to name the place", err)
			}
		}
	}
	if visits.Load() != 0 {
		t.Errorf("%d requests came to the other origin", visits.Load())
	}
}

func TestASecretIsNotPostedToATokenEndpointElsewhere(t *testing.T) {
	var visits atomic.Int32
	other := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	defer other.Close()
	plain := httptest.NewServer(other.Config.Handler)
	defer plain.Close()
	i := startIssuer(t, oauthtest.Options{})
	for _, endpoint := range []string{other.URL + "/token", plain.URL + "/token", strings.Replace(i.TokenURL(), "https:", "http:", 1)} {
		i.ClearFaults()
		i.Fail(oauthtest.Fault{Path: "/openid-configuration", Body: fmt.Sprintf(`{"issuer":%q,"token_endpoint":%q,"authorization_endpoint":"x"}`, i.URL(), endpoint)})
		o := optionsFor(i)
		o.RootCAs.AddCert(other.Certificate())
		_, err := startEntra(t, o).Token(t.Context(), "")
		wantFault(t, err, ingest.Config, ingest.CodeTokenRedirect)
	}
	if visits.Load() != 0 || i.Requests("/token") != 0 {
		t.Errorf("%d requests came elsewhere, %d in clear", visits.Load(), i.Requests("/token"))
	}
}

func TestMicrosoftsOwnNamesOfThePublicCloudAreOneAuthority(t *testing.T) {
	for _, c := range []struct {
		authority, host string
		same            bool
	}{
		{"login.microsoftonline.com", "login.microsoftonline.com:443", true},
		{"login.microsoftonline.com", "login.windows.net", true},
		{"LOGIN.microsoftonline.com", "login.microsoftonline.com", true},
		{"login.microsoftonline.com", "login.microsoftonline.us", false},
		{"login.microsoftonline.com", "login.microsoftonline.com.evil.example", false},
		{"login.microsoftonline.com", "login.microsoftonline.com:444", false},
		{"localhost:8443", "localhost:8444", false},
		{"idp.example", "login.microsoftonline.com", false},
		{"localhost:8443", "127.0.0.1:8443", true},
		{"localhost:8443", "[::1]:8443", true},
		{"localhost", "127.0.0.1:443", true},
		{"localhost:8443", "localhost.evil.example:8443", false},
		{"10.0.0.1:8443", "127.0.0.1:8443", false},
		{"[2001:db8::1]", "[2001:db8::1]:443", true},
	} {
		if got := sameAuthority(c.authority, c.host); got != c.same {
			t.Errorf("sameAuthority(%q, %q) = %v", c.authority, c.host, got)
		}
	}
}

func TestAnAnswerIsBoundedInBytesAndTime(t *testing.T) {
	endless := func(w http.ResponseWriter, r *http.Request) {
		line := strings.Repeat("x", 64<<10)
		for range 1 << 14 { // 1 GiB
			if _, err := fmt.Fprint(w, line); err != nil || r.Context().Err() != nil {
				return
			}
		}
		t.Error("a gibibyte was read")
	}
	_, err := startEntra(t, optionsForServer(fakeAuthority(t, endless))).Token(t.Context(), "")
	wantFault(t, err, ingest.Transient, ingest.CodeTokenAnswer)

	drip := func(w http.ResponseWriter, r *http.Request) {
		write(w, `{"access_token":"`)
		_ = http.NewResponseController(w).Flush() // a slow server; what matters is the client's patience
		<-r.Context().Done()
	}
	o := optionsForServer(fakeAuthority(t, drip))
	o.Timeout = 300 * time.Millisecond
	began := time.Now()
	_, err = startEntra(t, o).Token(t.Context(), "")
	wantFault(t, err, ingest.Transient, ingest.CodeTokenDown)
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("a silent body was waited for %v", d)
	}
}

func TestNetworkAndTLSFaultsKeepTheirCodes(t *testing.T) {
	ca := oauthtest.NewCA()
	i := startIssuer(t, oauthtest.Options{CA: ca})
	expired := startIssuer(t, oauthtest.Options{CA: ca, Certificate: ca.ExpiredServer()})
	misnamed := startIssuer(t, oauthtest.Options{CA: ca, Certificate: ca.Server("other.example")})
	gone, err := oauthtest.Start(oauthtest.Options{CA: ca})
	if err != nil {
		t.Fatal(err)
	}
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for _, c := range []struct {
		name      string
		authority string
		other     bool // trust another authority
		class     ingest.Class
		code      ingest.Code
	}{
		{"nobody listens", gone.URL(), false, ingest.Transient, ingest.CodeTokenDown},
		{"unknown authority", i.URL(), true, ingest.Config, ingest.CodeCertUnknownCA},
		{"expired certificate", expired.URL(), false, ingest.Config, ingest.CodeCertExpired},
		{"another name", misnamed.URL(), false, ingest.Config, ingest.CodeCertName},
		{"no TLS", strings.Replace(plain.URL, "http:", "https:", 1), false, ingest.Config, ingest.CodeNotTLS},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := optionsFor(i)
			o.Authority = c.authority
			if c.other {
				o.RootCAs = oauthtest.NewCA().Pool()
			}
			_, err := startEntra(t, o).Token(t.Context(), "")
			wantFault(t, err, c.class, c.code)
			if !strings.Contains(err.Error(), c.authority) {
				t.Errorf("error = %q, want it to name the authority", err)
			}
		})
	}
}

func TestAHerdOverHTTPSIsOneTokenRequest(t *testing.T) {
	i := startIssuer(t, oauthtest.Options{})
	i.Fail(oauthtest.Fault{Path: "/token", Times: 1, Delay: 50 * time.Millisecond})
	e := startEntra(t, optionsFor(i))
	ctx, cancel := context.WithCancel(t.Context())
	results := make(chan error, 100)
	for n := range 100 {
		mine := t.Context()
		if n == 0 {
			mine = ctx
		}
		go func() {
			_, err := e.Token(mine, "")
			results <- err
		}()
	}
	cancel()
	failed := 0
	for range 100 {
		if err := <-results; err != nil {
			failed++
		}
	}
	if failed > 1 {
		t.Errorf("%d callers failed, want at most the cancelled one", failed)
	}
	if n, d := i.Requests("/token"), i.Requests("/openid-configuration"); n != 1 || d != 1 {
		t.Errorf("%d token and %d discovery requests, want one each", n, d)
	}
}
