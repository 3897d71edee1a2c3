package oauthtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestServiceAccountsAreReallyVerified: a client that signs anything wrong must notice here.
func TestServiceAccountsAreReallyVerified(t *testing.T) {
	i, c := start(t, Options{})
	i.ServiceAccount("robot@example.com", "scope:a", "scope:b")
	i.Suspend("Gone@example.com")
	now := time.Now().Unix()
	good := mailboxClaims{Issuer: "robot@example.com", Subject: "anna@example.com", Scope: "scope:b", Audience: i.TokenURL(), IssuedAt: now, Expires: now + 3600}
	for _, tc := range []struct {
		name   string
		change func(*mailboxClaims)
		forged bool
		want   string // error field; "": a token
	}{
		{"as it should be", func(*mailboxClaims) {}, false, ""},
		{"two scopes", func(m *mailboxClaims) { m.Scope = "scope:a scope:b" }, false, ""},
		{"a scope that was not delegated", func(m *mailboxClaims) { m.Scope = "scope:a scope:c" }, false, "unauthorized_client"},
		{"no scope", func(m *mailboxClaims) { m.Scope = "" }, false, "unauthorized_client"},
		{"another account", func(m *mailboxClaims) { m.Issuer = "x@example.com" }, false, "invalid_grant"},
		{"a mailbox that is gone", func(m *mailboxClaims) { m.Subject = "gone@example.com" }, false, "invalid_grant"},
		{"no mailbox", func(m *mailboxClaims) { m.Subject = "" }, false, "invalid_grant"},
		{"another audience", func(m *mailboxClaims) { m.Audience = i.URL() }, false, "invalid_grant"},
		{"too long a life", func(m *mailboxClaims) { m.Expires++ }, false, "invalid_grant"},
		{"ended", func(m *mailboxClaims) { m.IssuedAt, m.Expires = now-3600, now }, false, "invalid_grant"},
		{"of the future", func(m *mailboxClaims) { m.IssuedAt, m.Expires = now+600, now+1200 }, false, "invalid_grant"},
		{"signed by another key", func(*mailboxClaims) {}, true, "invalid_grant"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			claims, key := good, i.key
			tc.change(&claims)
			if tc.forged {
				key = i.forger()
			}
			got := field(t, c, i.TokenURL(), url.Values{"grant_type": {grantJWT}, "assertion": {must(sign(key, i.kid, claims))}})
			if got != tc.want {
				t.Errorf("answered %q, want %q", got, tc.want)
			}
		})
	}
}

func TestFederatedTokensAreReallyVerified(t *testing.T) {
	i, c := start(t, Options{})
	cluster, _ := start(t, Options{})
	stranger, _ := start(t, Options{})
	i.Trust(cluster, "pod", "entra")
	for _, tc := range []struct {
		name, token string
		want        string // AADSTS number; "": a token
	}{
		{"as it should be", cluster.Workload("pod", "entra", time.Hour), ""},
		{"again: it may be used until it ends", cluster.Workload("pod", "entra", time.Hour), ""},
		{"another cluster", stranger.Workload("pod", "entra", time.Hour), "AADSTS700211"},
		{"another case of letters", cluster.Workload("Pod", "entra", time.Hour), "AADSTS700213"},
		{"another audience", cluster.Workload("pod", "other", time.Hour), "AADSTS700212"},
		{"ended", cluster.Workload("pod", "entra", -time.Second), "AADSTS700024"},
		{"signed by another key", must(sign(cluster.forger(), "x", workloadClaims{Issuer: cluster.URL(), Subject: "pod", Audience: []string{"entra"}, Expires: time.Now().Unix() + 60})), "AADSTS700027"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"app"}, "scope": {"https://mail.example/.default"}, "client_assertion_type": {assertionType}, "client_assertion": {tc.token}}
			got := describe(t, c, i.URL()+"/contoso.example/oauth2/v2.0/token", form)
			if !strings.HasPrefix(got, tc.want) || (tc.want == "") != (got == "") {
				t.Errorf("answered %q, want %q", got, tc.want)
			}
		})
	}
}

func TestThePlatformKnowsItsApps(t *testing.T) {
	i, c := start(t, Options{ClientID: "mine"})
	endpoint, header := i.Platform()
	for _, tc := range []struct {
		name, query, header string
		status              int
	}{
		{"as it should be", "api-version=2019-08-01&resource=r&client_id=mine", header, http.StatusOK},
		{"another app", "api-version=2019-08-01&resource=r&client_id=mine", "x", http.StatusForbidden},
		{"another identity", "api-version=2019-08-01&resource=r", header, http.StatusBadRequest},
		{"no resource", "api-version=2019-08-01&client_id=mine", header, http.StatusBadRequest},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, endpoint+"?"+tc.query, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-IDENTITY-HEADER", tc.header)
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != tc.status {
			t.Errorf("%s: %d, want %d", tc.name, resp.StatusCode, tc.status)
		}
	}
}

// answerTo posts a form.
func answerTo(t *testing.T, c *http.Client, to string, form url.Values) (a struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}) {
	t.Helper()
	resp, err := c.PostForm(to, form)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

func field(t *testing.T, c *http.Client, to string, form url.Values) string {
	t.Helper()
	return answerTo(t, c, to, form).Error
}

func describe(t *testing.T, c *http.Client, to string, form url.Values) string {
	t.Helper()
	return answerTo(t, c, to, form).Description
}
