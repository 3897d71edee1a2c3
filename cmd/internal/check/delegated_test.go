package check_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailflume/cmd/internal/check"
	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/ingest/oauth"
	"mailflume/ingest/oauth/oauthtest"
	"mailflume/pop3/pop3test"
	"mailflume/publish/natsjs"
)

func TestADelegatedCredentialNeedsItsLogin(t *testing.T) {
	s := newStage(t, imaptest.Options{Verify: func(_, _ string) error { return nil }}, pop3test.Options{})
	s.issuer.SetPeople(oauthtest.People{User: "support@contoso.example"})
	s.write(t, "key", []byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7, 99, 200, 31}, 8))))
	s.write(t, "mailflume.yaml", []byte(`nats: {data_dir: nats}
credentials:
  person: {type: delegated, provider: generic, client_id: `+client+`, client_secret: "file:secret", client_auth: post, auth_url: "`+s.issuer.AuthURL()+`", device_url: "`+s.issuer.DeviceURL()+`", token_url: "`+s.issuer.TokenURL()+`", scope: mail offline_access, token_key: "file:key", ca_file: issuer.pem}
defaults: {provider: generic, host: 127.0.0.1, credentials: person}
mailboxes:
`+s.box("imap", "support", "")+`http: {listen: "off"}
`))
	cfg, err := config.Load(filepath.Join(s.dir, "mailflume.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	wantLogin := func(when string) {
		t.Helper()
		r := look(t, cfg)
		token := step(t, r, check.Credential, "person", "token")
		if token.Code != ingest.CodeLoginNeeded || !strings.Contains(text(t, r), "mailflume login person -c "+cfg.Path) || r.Cause() != check.Authentication {
			t.Errorf("%s: %s, cause %v\n%s", when, token.Code, r.Cause(), text(t, r))
		}
	}
	wantLogin("before the first run")
	if err := os.MkdirAll(filepath.Join(s.dir, "nats"), 0o700); err != nil {
		t.Fatal(err)
	}
	wantLogin("before the login")
	signIn(t, cfg)
	if r := look(t, cfg); r.Count(check.Failed)+r.Count(check.NotDone) > 0 {
		t.Errorf("after the login:\n%s", text(t, r))
	}
}

func TestWhatAUserWasNotAskedForIsNamed(t *testing.T) {
	roles := []string{"IMAP.AccessAsApp", "POP.AccessAsApp"}
	for want, scopes := range map[string][]string{
		"":                       {"imap.accessasuser.all", "POP.AccessAsUser.All", "offline_access"},
		"POP.AccessAsUser.All":   {"IMAP.AccessAsUser.All"},
		"IMAP.AccessAsUser.All,": {"SMTP.Send", "POP.AccessAsUser.All"},
	} {
		if got := strings.Join(check.Unasked(roles, scopes), ","); got != strings.TrimSuffix(want, ",") {
			t.Errorf("%v lacks %q, want %q", scopes, got, want)
		}
	}
	if got := check.Unasked(roles, nil); len(got) > 0 {
		t.Errorf("a token that does not say lacks %q", got)
	}
}

// signIn does what mailflume login --device does, on the server of the data directory.
func signIn(t *testing.T, cfg *config.Config) {
	t.Helper()
	server, err := worker.StartEmbedded(t.Context(), cfg, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Shutdown()
	conn, err := natsjs.Connect(context.Background(), server.Options())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in, err := worker.OpenSignIn(cfg, conn, cfg.Credentials["person"])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Device(t.Context(), func(oauth.DeviceCode) {}); err != nil {
		t.Fatal(err)
	}
}
