//go:build interop

package interop_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailflume/cmd/internal/rig"
	"mailflume/ingest/oauth/oauthtest"
)

// TestInteropPOP3SourceAgainstDovecot runs the tests of package pop3source that look inside of a session, which cannot
// start a server of their own.
func TestInteropPOP3SourceAgainstDovecot(t *testing.T) {
	build(t)
	s := stage(t)
	addUser(t, s, "maildrop")
	if _, err := s.Dovecot.Fill(rig.FillOptions{User: "maildrop", N: 12}); err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, s.Issuer.CA().PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	token := s.Issuer.Mint(oauthtest.MintOptions{ClientID: "app", Tenant: "t", TTL: time.Hour})
	cmd := exec.CommandContext(t.Context(), "go", "test", "-tags", "interop", "-count=1", "-v", "-run", "^TestRealServer", "mailflume/ingest/pop3source")
	cmd.Env = append(os.Environ(), "MAILFLUME_POP3S="+s.Dovecot.POP3S, "MAILFLUME_POP3="+s.Dovecot.POP3, "MAILFLUME_POP3_CA="+ca,
		"MAILFLUME_POP3_USER=maildrop", "MAILFLUME_POP3_TOKEN="+token)
	out, err := cmd.CombinedOutput()
	if text := string(out); err != nil || strings.Contains(text, "--- SKIP") || strings.Count(text, "--- PASS: TestRealServer") < 3 {
		t.Errorf("%v\n%s", err, text)
	}
}
