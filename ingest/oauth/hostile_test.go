package oauth

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/oauth/oauthtest"
)

func TestWhateverAnIssuerCallsATokenIsOneOrIsNot(t *testing.T) {
	i := startIssuer(t, oauthtest.Options{})
	short := jwt(`{"iat":1700000000,"exp":1700000600}`)
	for _, c := range []struct {
		name  string
		body  string
		life  time.Duration // 0: no token
		entra bool          // MSAL takes it, too
	}{
		{"a byte order mark", "\ufeff" + `{"access_token":"t","expires_in":3600,"token_type":"Bearer"}`, time.Hour, true},
		{"a number in a string", `{"access_token":"t","expires_in":"3600","ext_expires_in":"7200"}`, time.Hour, true},
		{"a float", `{"access_token":"t","expires_in":3600.0}`, time.Hour, false},
		{"an exponent", `{"access_token":"t","expires_in":3.6e3}`, time.Hour, false},
		{"a million years", `{"access_token":"t","expires_in":1000000000000}`, maxLifetime, true},
		{"more than a number", `{"access_token":"t","expires_in":1e999}`, 5 * time.Minute, false},
		{"an instant", `{"access_token":"t","expires_in":0.001}`, holdOffMin, false},
		{"one second", `{"access_token":"t","expires_in":1}`, holdOffMin, true},
		{"its own end comes first", `{"access_token":"` + short + `","expires_in":86400}`, 10 * time.Minute, true},
		{"keys twice", `{"access_token":"a","access_token":"t","expires_in":60,"expires_in":3600}`, time.Hour, true},
		{"an odd case", `{"access_token":"t","expires_in":3600,"token_type":"bEaReR"}`, time.Hour, true},
		{"no type of a token", `{"access_token":"t","expires_in":3600,"token_type":null}`, time.Hour, true},
		{"another type", `{"access_token":"t","expires_in":3600,"token_type":"pop"}`, 0, false},
		{"a type that is none", `{"access_token":"t","expires_in":3600,"token_type":["Bearer"]}`, 0, false},
		{"scopes in a list", `{"access_token":"t","expires_in":3600,"scope":["https://outlook.office365.com/.default"]}`, time.Hour, false},
		{"a refresh token that is none", `{"access_token":"t","expires_in":3600,"refresh_token":7}`, time.Hour, false},
		{"no token", `{"access_token":null,"expires_in":3600}`, 0, false},
		{"an empty token", `{"access_token":"","expires_in":3600}`, 0, false},
		{"a number for a token", `{"access_token":7,"expires_in":3600}`, 0, false},
		{"a line break", `{"access_token":"t\r\nA1 LOGOUT","expires_in":3600}`, 0, false},
		{"a NUL", `{"access_token":"t\u0000","expires_in":3600}`, 0, false},
		{"a field of SASL", `{"access_token":"t\u0001user=root","expires_in":3600}`, 0, false},
		{"a space", `{"access_token":"t t","expires_in":3600}`, 0, false},
		{"100 KB", `{"access_token":"` + strings.Repeat("t", 100<<10) + `","expires_in":3600}`, 0, false},
		{"something behind it", `{"access_token":"t","expires_in":3600} <!-- proxy -->`, 0, false},
		{"half of it", `{"access_token":"t","expires_in":36`, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			i.ClearFaults()
			i.Fail(oauthtest.Fault{Path: "/token", Body: c.body})
			o := optionsFor(i)
			generic, err := NewOAuth2(OAuth2Options{TokenURL: i.TokenURL(), ClientID: "c", Secret: static(canary), Common: o.Common})
			if err != nil {
				t.Fatal(err)
			}
			defer generic.Close()
			for name, s := range map[string]*Source{"oauth2": generic, "entra": startEntra(t, o)} {
				tok, err := s.Token(t.Context(), "")
				if c.life == 0 || !c.entra && name == "entra" {
					if f := ingest.FaultOf(err); err == nil || f.Code != ingest.CodeTokenAnswer || leaks(err, canary) != "" {
						t.Errorf("%s: %q, %v", name, tok.Value, err)
					}
					continue
				}
				if left := time.Until(tok.Expires); err != nil || left > c.life || left < c.life-time.Minute {
					t.Errorf("%s: ends in %v, %v", name, left, err)
				}
			}
		})
	}
}

func TestARefusalIsUnderstoodWhateverStandsBesideIt(t *testing.T) {
	i := startIssuer(t, oauthtest.Options{})
	for _, body := range []string{
		`{"error":"invalid_client","error_description":["no"],"error_codes":"7000222","correlation_id":7,"trace_id":{},"timestamp":null}`,
		"\ufeff" + `{"error":"invalid_client","error_codes":[7000222]}`,
		`{"error":"invalid_client","error_codes":[7000222],"scope":[1,2],"access_token":null}`,
	} {
		i.ClearFaults()
		i.Fail(oauthtest.Fault{Path: "/token", Status: 401, Body: body})
		_, err := startEntra(t, optionsFor(i)).Token(t.Context(), "")
		if f := ingest.FaultOf(err); f.Class != ingest.Auth || !f.Lasting {
			t.Errorf("%s: %v %v", body, f, err)
		}
	}
}

func TestAnAnswerThatUnpacksWithoutEndIsBounded(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	if _, err := io.Copy(z, io.LimitReader(zeros{}, 8<<20)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	s := fakeAuthority(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})
	_, err := startEntra(t, optionsForServer(s)).Token(t.Context(), "")
	wantFault(t, err, ingest.Transient, ingest.CodeTokenAnswer)
}

func TestNoConnectionHoldsATokenRequestUp(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, says := range map[string]string{
		"nothing":                  "",
		"another protocol":         "220 mail.example ESMTP\r\n",
		"a change of the protocol": "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
		"half a header":            ok + "Content-Ty",
		"half a body":              ok + "Content-Length: 100\r\n\r\n{\"access_token\":",
		"a negative length":        ok + "Content-Length: -1\r\n\r\n{}",
		"a chunk of no size":       ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
		"a chunk without an end":   ok + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
		"what is not packed":       ok + "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
		"endless headers":          ok + strings.Repeat("X-A: b\r\n", 1<<14),
		"endless hints":            strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 1<<14),
		"status 0":                 "HTTP/1.1 000 no\r\nContent-Length: 2\r\n\r\n{}",
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			s := fakeAuthority(t, func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = conn.Write([]byte(says))
				_, _ = io.Copy(io.Discard, conn) // until the client hangs up
				_ = conn.Close()
			})
			o := optionsForServer(s)
			o.Timeout = 300 * time.Millisecond
			src, err := NewOAuth2(OAuth2Options{TokenURL: s.URL + "/token", ClientID: "c", Secret: o.Secret, Common: o.Common})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err = src.Token(ctx, "")
			if f := ingest.FaultOf(err); f.Class != ingest.Transient || f.Code != ingest.CodeTokenDown && f.Code != ingest.CodeTokenAnswer || asked.Load() != 1 {
				t.Errorf("asked %d times: %v", asked.Load(), err)
			}
			if ctx.Err() == nil { // what hangs does not end
				_ = src.Close()
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// answering is a transport that answers everything itself.
type answering func(r *http.Request) *http.Response

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) { return a(r), nil }

// FuzzAnswer: no answer of an issuer ends the process, or gets a secret into an error or a token that
// ends a SASL message early into use.
func FuzzAnswer(f *testing.F) {
	const good = `{"access_token":"t","expires_in":3600,"expires_on":"1","refresh_in":1,"token_type":"Bearer","scope":"x","id_token":"a.b.c","client_info":"e30","foci":"1"}`
	for _, body := range []string{good, `{"error":"invalid_client","error_codes":[7000215]}`, `[]`, `{"a":{"b":[1,{"c":null}]}}`, "\ufeff{}"} {
		f.Add(200, body, "", "7")
		f.Add(400, body, body, "Wed, 21 Oct 2015 07:28:00 GMT")
	}
	f.Fuzz(func(t *testing.T, status int, body, discovery, retry string) {
		if discovery == "" {
			discovery = `{"issuer":"https://idp.example/t/v2.0","token_endpoint":"https://idp.example/token","authorization_endpoint":"https://idp.example/authorize"}`
		}
		client := &http.Client{Transport: answering(func(r *http.Request) *http.Response {
			status, text := max(200, min(status, 599)), body
			if r.Method == http.MethodGet {
				status, text = 200, discovery
			}
			return &http.Response{
				StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Request: r, Body: io.NopCloser(strings.NewReader(text)),
				Header: http.Header{"Content-Type": {body}, "Retry-After": {retry}, "Location": {retry}, "Date": {retry}},
			}
		}), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		o, err := (EntraOptions{Tenant: "t", ClientID: "client", Authority: "https://idp.example", Secret: static(canary)}).complete()
		if err != nil {
			t.Fatal(err)
		}
		g := &clientSource{opt: OAuth2Options{ClientID: "client", Secret: static(canary), Common: o.Common}}
		if g.at, err = newEndpoint("https://idp.example/token", client, time.Now); err != nil {
			t.Fatal(err)
		}
		for name, mint := range map[string]func(context.Context) (minted, *ingest.Error){
			"entra": (&entra{opt: o, http: client, host: "idp.example"}).mint, "oauth2": g.mint,
		} {
			m, failure := mint(t.Context())
			switch {
			case failure == nil && (!bearer(m.value) || m.life <= 0):
				t.Errorf("%s: %q for %v", name, m.value, m.life)
			case failure != nil && (leaks(failure, canary) != "" || strings.ContainsAny(fmt.Sprint(failure), "\r\n\x1b")):
				t.Errorf("%s: %q", name, failure)
			}
		}
	})
}
