package worker

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/ingest/oauth"
	"mailflume/ingest/oauth/oauthtest"
	"mailflume/publish/natsjs"
	"mailflume/publish/natsjs/embed"
)

// TestWorkersOnARealServerShareASignIn: the issuer takes the second use of a refresh token for theft.
func TestWorkersOnARealServerShareASignIn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		life      time.Duration
		exchanges int
	}{
		{"and the token that one of them gets", time.Hour, 1},
		{"and take turns when tokens are too short to share", 4 * time.Minute, 5 + 5}, // none takes another's
	} {
		t.Run(c.name, func(t *testing.T) {
			issuer := startIssuer(t, oauthtest.Options{Public: true, TTL: c.life, DeviceInterval: time.Second})
			issuer.SetPeople(oauthtest.People{User: "a@contoso.com"})
			cfg := delegatedConfig(t, issuer)
			server, err := embed.Start(t.Context(), embed.Options{DataDir: filepath.Join(t.TempDir(), "nats")})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(server.Shutdown)
			s, err := OpenSignIn(cfg, connect(t, server, cfg), cfg.Credentials["us"])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Device(t.Context(), func(oauth.DeviceCode) {}); err != nil {
				t.Fatal(err)
			}
			workers := make([]ingest.TokenSource, 5)
			for n := range workers {
				b := newBuilder(nil)
				b.signIns = signInsOf(cfg, connect(t, server, cfg))
				b.onToken = func(string, oauth.RefreshInfo) {}
				t.Cleanup(func() { _ = b.close() })
				if workers[n], err = b.tokenSource(cfg.Mailboxes[0]); err != nil {
					t.Fatal(err)
				}
			}
			before := issuer.Requests("/token")
			all(t, workers, all(t, workers, make([]string, len(workers))))
			if n := issuer.Requests("/token") - before; n != c.exchanges {
				t.Errorf("%d exchanges, want %d", n, c.exchanges)
			}
		})
	}
}

// all asks every worker for a token at once, in place of one that was refused.
func all(t *testing.T, workers []ingest.TokenSource, refused []string) []string {
	t.Helper()
	got := make([]string, len(workers))
	var wg sync.WaitGroup
	for n, w := range workers {
		wg.Go(func() {
			tok, err := w.Token(t.Context(), refused[n])
			if err != nil {
				t.Errorf("worker %d: %v", n, err)
			}
			got[n] = tok.Value
		})
	}
	wg.Wait()
	return got
}

func connect(t *testing.T, server *embed.Server, cfg *config.Config) *natsjs.Conn {
	t.Helper()
	conn, err := natsjs.Connect(t.Context(), server.Options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.EnsureStream(t.Context(), StreamConfig(cfg)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func delegatedConfig(t *testing.T, issuer *oauthtest.Issuer) *config.Config {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string][]byte{"issuer.pem": issuer.CAPEM(), "token.key": bytes.Repeat([]byte{0x80}, 32)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := config.Parse(filepath.Join(dir, "mailflume.yaml"), fmt.Appendf(nil, `credentials:
  us: {type: delegated, provider: generic, client_id: app, auth_url: '%s', device_url: '%s', token_url: '%s', scope: mail, ca_file: issuer.pem, token_key: file:token.key}
mailboxes: [{address: a@contoso.com, host: localhost}]`, issuer.AuthURL(), issuer.DeviceURL(), issuer.TokenURL()))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}
