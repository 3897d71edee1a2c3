package check_test

import (
	"path/filepath"
	"strings"
	"testing"

	"mailflume/cmd/internal/check"
	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/ingest/oauth"
	"mailflume/pop3/pop3test"
)

func TestAServiceAccountHasATokenForEachMailbox(t *testing.T) {
	for _, c := range []struct {
		name   string
		scopes []string
		code   ingest.Code // of the token of the one that is not fine
		says   []string
	}{
		{"nothing is delegated", nil, ingest.CodeDelegation, []string{oauth.GoogleIMAP, "Domain-wide delegation"}},
		{"one user is suspended", []string{oauth.GoogleIMAP}, ingest.CodeSubject, []string{"not suspended"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t, imaptest.Options{Verify: func(string, string) error { return nil }}, pop3test.Options{})
			s.write(t, "key", s.issuer.ServiceAccount("robot@project.iam.gserviceaccount.com", c.scopes...))
			s.issuer.Suspend("gone@contoso.example")
			s.write(t, "mailflume.yaml", []byte(`nats: {data_dir: nats}
credentials:
  robot: {type: google, service_account: "file:key", ca_file: issuer.pem}
defaults: {provider: gmail, host: 127.0.0.1, credentials: robot}
mailboxes:
`+s.box("imap", "support", "")+s.box("imap", "gone", "")+`http: {listen: "off"}
`))
			cfg, err := config.Load(filepath.Join(s.dir, "mailflume.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			r := look(t, cfg)
			if st := step(t, r, check.Mailbox, "support", "token"); (st.Level == check.OK) != (c.scopes != nil) {
				t.Errorf("%s %s", st.Level, st.Text)
			}
			st := step(t, r, check.Mailbox, "gone", "token")
			all := st.Text + "\n" + strings.Join(st.Next, "\n")
			if st.Level != check.Failed || st.Code != c.code {
				t.Errorf("%s %s: %s", st.Level, st.Code, all)
			}
			for _, want := range c.says {
				if !strings.Contains(all, want) {
					t.Errorf("it does not say %q: %s", want, all)
				}
			}
			if login := step(t, r, check.Mailbox, "gone", "login"); login.Level != check.NotDone {
				t.Errorf("without a token, login is %s", login.Level)
			}
			if r.Cause() != check.Authentication {
				t.Errorf("cause %d\n%s", r.Cause(), text(t, r))
			}
		})
	}
}
