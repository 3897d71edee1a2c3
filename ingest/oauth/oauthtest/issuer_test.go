package oauthtest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// signingKey is one key for all issuers: making them would be most of these tests' time.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })

func start(t *testing.T, o Options) (*Issuer, *http.Client) {
	t.Helper()
	o.Key = signingKey()
	i, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: i.CAPool()}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	})
	return i, client
}

// post sends a form and returns the answer's JSON.
func post(t *testing.T, c *http.Client, to string, form url.Values, basic ...string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if len(basic) == 2 {
		req.SetBasicAuth(basic[0], basic[1])
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	out := map[string]any{}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatalf("HTTP %d: %v", resp.StatusCode, err)
	}
	return resp.StatusCode, out
}

func TestTheEntraEndpointRefusesAsEntraDoes(t *testing.T) {
	i, c := start(t, Options{Secret: "s", ClientID: "app", Tenant: "t1"})
	good := url.Values{"grant_type": {"client_credentials"}, "client_id": {"app"}, "client_secret": {"s"}, "scope": {"https://outlook.office365.com/.default openid"}}
	for _, tc := range []struct {
		name, tenant, key, value string
		status                   int
		field, code              string
	}{
		{"good", "t1", "client_id", "app", 200, "", ""},
		{"tenant in capitals", "T1", "client_id", "app", 200, "", ""},
		{"secret", "t1", "client_secret", "x", 401, "invalid_client", "AADSTS7000215"},
		{"no secret", "t1", "client_secret", "", 401, "invalid_client", "AADSTS7000218"},
		{"client", "t1", "client_id", "x", 400, "unauthorized_client", "AADSTS700016"},
		{"no client", "t1", "client_id", "", 400, "invalid_request", "AADSTS900144"},
		{"tenant", "t2", "client_id", "app", 400, "invalid_tenant", "AADSTS90002"},
		{"grant", "t1", "grant_type", "password", 400, "unsupported_grant_type", "AADSTS70003"},
		{"no scope", "t1", "scope", "", 400, "invalid_scope", "AADSTS70011"},
		{"scope", "t1", "scope", "https://outlook.office365.com/IMAP.AccessAsUser.All", 400, "invalid_scope", "AADSTS1002012"},
		{"two scopes", "t1", "scope", "https://a/.default https://b/.default", 400, "invalid_scope", "AADSTS1002012"},
		{"assertion", "t1", "client_assertion", "a.b.c", 400, "invalid_request", "client_assertion_type"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			form := url.Values{}
			for k, v := range good {
				form[k] = v
			}
			form.Set(tc.key, tc.value)
			status, got := post(t, c, i.URL()+"/"+tc.tenant+"/oauth2/v2.0/token", form)
			if status != tc.status {
				t.Fatalf("HTTP %d %v", status, got)
			}
			if status == 200 {
				if _, err := i.Verify(got["access_token"].(string)); err != nil || got["expires_in"] != 3600.0 {
					t.Errorf("token: %v, %v", err, got)
				}
				return
			}
			text, _ := got["error_description"].(string)
			if got["error"] != tc.field || !strings.Contains(text, tc.code) || got["correlation_id"] == nil || got["trace_id"] == nil {
				t.Errorf("answer = %v", got)
			}
		})
	}
}

func TestVerifyRefusesWhatAMailServerMustRefuse(t *testing.T) {
	i, _ := start(t, Options{})
	revoked := i.Mint(MintOptions{})
	i.Revoke(revoked)
	good := i.Mint(MintOptions{Subject: "a@b.example", ClientID: "app", Tenant: "t"})
	parts := strings.Split(good, ".")
	none := "eyJhbGciOiJub25lIn0." + parts[1] + "."
	for _, tc := range []struct {
		name, token string
		want        error
	}{
		{"good", good, nil},
		{"expired", i.Mint(MintOptions{TTL: -time.Second}), ErrExpired},
		{"not yet valid", i.Mint(MintOptions{NotBefore: time.Minute}), ErrExpired},
		{"another key", i.Mint(MintOptions{BadSignature: true}), ErrSignature},
		{"another issuer", i.Mint(MintOptions{Issuer: "https://evil.example"}), ErrMalformed},
		{"revoked", revoked, ErrRevoked},
		{"changed claims", parts[0] + "." + parts[1] + "A." + parts[2], ErrMalformed},
		{"alg none", none, ErrSignature},
		{"garbage", "x", ErrMalformed},
		{"empty", "", ErrMalformed},
	} {
		if _, err := i.Verify(tc.token); (tc.want == nil) != (err == nil) || tc.want != nil && !errors.Is(err, tc.want) && !errors.Is(err, ErrSignature) {
			t.Errorf("%s: Verify = %v, want %v", tc.name, err, tc.want)
		}
	}
	c, err := i.Verify(good)
	if err != nil || c.UPN != "a@b.example" || c.AppID != "app" || c.Tenant != "t" || len(c.Roles) != 2 || c.Expires-c.IssuedAt != 3600 || c.ID == "" {
		t.Errorf("claims = %+v, %v", c, err)
	}
	if strings.Contains(string(must(json.Marshal(c))), "azp") {
		t.Error("a token with azp makes Dovecot look for its key elsewhere")
	}
}

func TestTheGenericEndpointRotatesRefreshTokens(t *testing.T) {
	i, c := start(t, Options{Secret: "p:w%"})
	form := url.Values{"grant_type": {"client_credentials"}}
	status, got := post(t, c, i.TokenURL(), form, "app", url.QueryEscape("p:w%"))
	if status != 200 {
		t.Fatalf("HTTP %d %v", status, got)
	}
	rt, _ := got["refresh_token"].(string)
	form = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {rt}, "client_id": {"app"}, "client_secret": {"p:w%"}}
	status, got = post(t, c, i.TokenURL(), form)
	if next, _ := got["refresh_token"].(string); status != 200 || next == "" || next == rt {
		t.Fatalf("HTTP %d %v", status, got)
	}
	if status, got = post(t, c, i.TokenURL(), form); status != 400 || got["error"] != "invalid_grant" {
		t.Errorf("a used refresh token: HTTP %d %v", status, got)
	}
	form.Set("refresh_token", i.MintRefresh("other"))
	if status, got = post(t, c, i.TokenURL(), form); status != 400 {
		t.Errorf("another client's refresh token: HTTP %d %v", status, got)
	}
}

func TestIntrospectionNeedsTheSecretAndTellsTheTruth(t *testing.T) {
	i, c := start(t, Options{Secret: "s"})
	token := i.Mint(MintOptions{Subject: "a@b.example"})
	form := url.Values{"token": {token}}
	if status, _ := post(t, c, i.URL()+"/introspect", form); status != 401 {
		t.Errorf("without credentials: HTTP %d", status)
	}
	status, got := post(t, c, i.URL()+"/introspect", form, "dovecot", "s")
	if status != 200 || got["active"] != true || got["username"] != "a@b.example" {
		t.Errorf("HTTP %d %v", status, got)
	}
	i.Revoke(token)
	if _, got = post(t, c, i.URL()+"/introspect", form, "dovecot", "s"); got["active"] != false || len(got) != 1 {
		t.Errorf("revoked: %v", got)
	}
}

func TestFaultsEndAfterTheirTimesAndAreCounted(t *testing.T) {
	i, c := start(t, Options{Secret: "s"})
	i.Fail(Fault{Path: "/token", Times: 2, Status: 429, RetryAfter: "7", Body: `{"n":1}`})
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"a"}, "client_secret": {"s"}}
	for n, want := range []int{429, 429, 200} {
		if status, got := post(t, c, i.TokenURL(), form); status != want {
			t.Errorf("request %d: HTTP %d %v, want %d", n+1, status, got, want)
		}
	}
	if n := i.Requests("/token"); n != 3 {
		t.Errorf("%d requests counted, want 3", n)
	}
}

func TestCloseCutsARequestThatIsHeld(t *testing.T) {
	i, c := start(t, Options{})
	i.Fail(Fault{Delay: time.Hour})
	done := make(chan error, 1)
	go func() {
		resp, err := c.Get(i.URL() + "/jwks")
		if err == nil {
			err = resp.Body.Close()
		}
		done <- err
	}()
	for deadline := time.Now().Add(10 * time.Second); i.Requests("/jwks") == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the request did not arrive")
		}
		<-time.After(time.Millisecond)
	}
	if err := i.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("the held request was answered")
	}
}

func TestStartListensOnLoopbackOnly(t *testing.T) {
	if i, err := Start(Options{Addr: "0.0.0.0:0"}); err == nil {
		t.Errorf("listens on every address: %v", i.Close())
	}
}

func TestOneAuthoritySignsSeveralServers(t *testing.T) {
	ca := NewCA()
	chain, key, err := ServerPEM(ca.Server("imap.example", "127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		t.Fatal(err)
	}
	opts := verifyOptions(ca, "imap.example")
	if _, err := pair.Leaf.Verify(opts); err != nil {
		t.Error(err)
	}
	if _, err := pair.Leaf.Verify(verifyOptions(NewCA(), "imap.example")); err == nil {
		t.Error("another authority vouches for it")
	}
	if _, err := ca.ExpiredServer("imap.example").Leaf.Verify(opts); err == nil {
		t.Error("the expired certificate verifies")
	}
	if _, err := ca.Server().Leaf.Verify(verifyOptions(ca, "localhost")); err != nil {
		t.Error(err)
	}
}

func TestTheKeyForDovecotIsWhereItsDictionaryLooks(t *testing.T) {
	i, _ := start(t, Options{})
	dir := t.TempDir()
	if err := i.WriteDovecotKey(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "default", "RS256", i.kid))
	if err != nil || !strings.HasPrefix(string(text), "-----BEGIN PUBLIC KEY-----") {
		t.Errorf("key = %q, %v", text, err)
	}
}

func FuzzVerify(f *testing.F) {
	i, err := Start(Options{})
	if err != nil {
		f.Fatal(err)
	}
	defer func() { _ = i.Close() }()
	f.Add(i.Mint(MintOptions{BadSignature: true}))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		if c, err := i.Verify(token); err == nil {
			t.Errorf("a token that was never minted verifies: %+v", c)
		}
	})
}
