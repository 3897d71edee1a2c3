package worker

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/ingest/oauth"
	"mailflume/ingest/oauth/oauthtest"
)

func startIssuer(t *testing.T, o oauthtest.Options) *oauthtest.Issuer {
	t.Helper()
	i, err := oauthtest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.Close() })
	return i
}

// TestEveryKindOfCredentialsGivesTokens goes from the file to the token.
func TestEveryKindOfCredentialsGivesTokens(t *testing.T) {
	i := startIssuer(t, oauthtest.Options{Secret: "s3cret", Public: true})
	cluster := startIssuer(t, oauthtest.Options{})
	i.Trust(cluster, "pod", "entra")
	cert, text, err := oauthtest.ClientCertificate(time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	i.Register(cert)
	dir := t.TempDir()
	for name, b := range map[string][]byte{
		"ca.pem": i.CAPEM(), "secret": []byte("s3cret\n"), "cert.pem": text, "pod": []byte(cluster.Workload("pod", "entra", time.Hour)),
		"key.json": i.ServiceAccount("robot@example.com", oauth.GoogleIMAP), "refresh": []byte(i.MintRefresh("app")), "token": []byte("Bearer " + i.Mint(oauthtest.MintOptions{})),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	endpoint, header := i.Platform()
	t.Setenv("IDENTITY_ENDPOINT", endpoint)
	t.Setenv("IDENTITY_HEADER", header)
	entra := "type: entra, tenant: contoso.com, client_id: app, ca_file: ca.pem, authority: '" + i.URL() + "', "
	for name, credential := range map[string]string{
		"secret":        entra + "client_secret: file:secret",
		"certificate":   entra + "certificate: file:cert.pem",
		"federated":     entra + "federated_token: file:pod",
		"managed":       "type: entra, managed_identity: true, ca_file: ca.pem",
		"google":        "type: google, service_account: file:key.json, ca_file: ca.pem",
		"client":        "type: oauth2, token_url: '" + i.TokenURL() + "', client_id: app, client_secret: file:secret, ca_file: ca.pem",
		"refresh token": "type: oauth2, token_url: '" + i.TokenURL() + "', client_id: app, refresh_token: file:refresh, ca_file: ca.pem",
		"token":         "type: oauth2, token: file:token",
		"password":      "type: password, password: file:secret",
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := config.Parse(filepath.Join(dir, "mailflume.yaml"), fmt.Appendf(nil, "credentials: {c: {%s}}\nmailboxes: [{address: a@contoso.com, host: localhost}, {address: b@contoso.com, host: localhost}]", credential))
			if err != nil {
				t.Fatal(err)
			}
			b := newBuilder(nil)
			b.onToken = func(string, oauth.RefreshInfo) {}
			defer func() { _ = b.close() }()
			for _, m := range cfg.Mailboxes {
				src, err := b.tokenSource(m)
				if err != nil {
					t.Fatal(err)
				}
				tok, err := src.Token(t.Context(), "")
				if err != nil {
					t.Fatal(err)
				}
				if _, err := i.Verify(tok.Value); err != nil && name != "password" {
					t.Error(err)
				}
			}
			if len(b.tokens) > 1 {
				t.Errorf("%d sources for one credential", len(b.tokens))
			}
		})
	}
}

func TestTheEndOfACertificateIsAnnouncedOnceADay(t *testing.T) {
	var out bytes.Buffer
	w := &Worker{log: zerolog.New(&out), metrics: newMetrics("", 1)}
	for range 3 {
		w.tokenRefreshed("contoso", oauth.RefreshInfo{CertExpires: time.Now().Add(29 * 24 * time.Hour), Expires: time.Now(), Rotated: true})
		w.tokenRefreshed("far", oauth.RefreshInfo{CertExpires: time.Now().Add(31 * 24 * time.Hour)})
	}
	for _, code := range []ingest.Code{ingest.CodeEndsSoon, ingest.CodeRotated} {
		if n := strings.Count(out.String(), string(code)); n != 1 {
			t.Errorf("%s is logged %d times:\n%s", code, n, &out)
		}
	}
	families, err := w.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, f := range families {
		found[f.GetName()] = len(f.GetMetric())
	}
	for name, want := range map[string]int{
		"mailflume_credential_expiry_seconds": 2, "mailflume_token_expiry_seconds": 2, "mailflume_token_issued_seconds": 2, "mailflume_token_refresh_total": 2,
	} {
		if found[name] != want {
			t.Errorf("%s has %d series, want %d", name, found[name], want)
		}
	}
}
