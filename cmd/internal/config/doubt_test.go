package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSlipsOfPastingASecretAreNamedWithoutIt(t *testing.T) {
	const value = "q7Q8Q~abcdefghijklmnopqrstuvwxyz0123456"
	for _, c := range []struct{ name, text, says string }{
		{"as it is", value, ""},
		{"with the newline of an editor", value + "\n", ""},
		{"with that of Windows", value + "\r\n", ""},
		{"with a byte order mark", "\ufeff" + value + "\r\n", ""},
		{"in quotes", `"` + value + "\"\n", "quotes"},
		{"a space at its end", value + " \n", "space"},
		{"an empty line", value + "\n\n", ""},
		{"its ID in place of its value", "0b1c2d3e-1111-2222-3333-444455556666\n", "Value"},
		{"two words", "client secret\n", "a space in it"},
		{"UTF-16", "\xff\xfeq\x007\x00", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "s"), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, err := Parse(filepath.Join(dir, "mailflume.yaml"), []byte("credentials: {c: {type: entra, tenant: contoso.com, client_id: x, client_secret: \"file:s\"}}\nmailboxes: [{address: a@contoso.com}]\n"))
			if err != nil {
				t.Fatal(err)
			}
			doubts := strings.Join(cfg.DoubtSecrets(t.Context()), "\n")
			if (c.says == "") != (doubts == "") || !strings.Contains(doubts, c.says) || strings.Contains(doubts, value[:8]) {
				t.Errorf("doubts = %q, want %q", doubts, c.says)
			}
		})
	}
}

func TestAPersonIsAskedForSendingOnlyWhereProbesAreSent(t *testing.T) {
	for canary, want := range map[string]bool{"": false, ", canary: {every: 15m}": true} {
		cfg, err := Parse("mailflume.yaml", []byte("credentials: {c: {type: delegated, tenant: contoso.com, client_id: x, token_key: \"file:k\"}}\nmailboxes: [{address: a@contoso.com"+canary+"}]\n"))
		if err != nil {
			t.Fatal(err)
		}
		if scope := cfg.Credentials["c"].SignInScope(); strings.Contains(scope, "https://outlook.office.com/SMTP.Send ") != want {
			t.Errorf("canary %q: scope %q", canary, scope)
		}
	}
}
