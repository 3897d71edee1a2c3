package oauth

import (
	"fmt"
	"testing"

	"mailflume/ingest"
	"mailflume/ingest/oauth/oauthtest"
)

// TestAccountsOfOneClientShareWhatTheIssuerSaysToTheClient: thirty people who signed in through one app.
func TestAccountsOfOneClientShareWhatTheIssuerSaysToTheClient(t *testing.T) {
	const accounts = 30
	for _, c := range []struct {
		name  string
		fault oauthtest.Fault
		asked int
		code  ingest.Code
	}{
		{"throttled", oauthtest.Fault{Status: 429, RetryAfter: "60"}, 1, ingest.CodeTokenThrottled},
		{"down", oauthtest.Fault{Status: 503}, 1, ingest.CodeTokenDown},
		{"a wrong secret", oauthtest.Fault{Status: 401, Body: `{"error":"invalid_client"}`}, 3, ""},
		{"revoked, each", oauthtest.Fault{Status: 400, Body: `{"error":"invalid_grant"}`}, accounts, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := startIssuer(t, oauthtest.Options{Public: true})
			c.fault.Path = "/token"
			gate := NewGate()
			people, clients := []*Source(nil), []*Source(nil)
			for n := range accounts {
				p := &personTest{issuer: i, store: &memory{}, clock: &clock{}}
				o := clientFor(i)
				o.RefreshToken, o.Gate = static(i.MintRefresh(fmt.Sprint("client:", n))), gate
				clients = append(clients, startOAuth2(t, o))
				p.opt = DelegatedOptions{
					Name: fmt.Sprint("account", n), Stream: "MAIL", TokenURL: i.TokenURL(), ClientID: "app", Store: p.store,
					Keys: TokenKeys{Current: keyOf(newKey(t))}, Common: Common{RootCAs: i.CAPool(), Now: p.clock.now, Gate: gate},
				}
				p.put(t, func(r *record) { r.Refresh = "a refresh token" })
				people = append(people, p.source(t))
			}
			for kind, sources := range map[string][]*Source{"people": people, "clients": clients} {
				i.ClearFaults()
				i.Fail(c.fault)
				gate.gate = NewGate().gate
				before := i.Requests("/token")
				for _, s := range sources {
					_, err := s.Token(t.Context(), "")
					if f := ingest.FaultOf(err); err == nil || c.code != "" && f.Code != c.code || f.Wait <= 0 {
						t.Errorf("%s: %v, %v", kind, f, err)
					}
				}
				if asked := i.Requests("/token") - before; asked > c.asked || c.asked == accounts && asked != accounts {
					t.Errorf("%s: %d requests of %d accounts", kind, asked, accounts)
				}
			}
		})
	}
}
