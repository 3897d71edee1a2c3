package config

import (
	"strings"
	"testing"
)

func TestTheHintSaysWhatWasMeant(t *testing.T) {
	const mailbox = "mailboxes: [{address: a@contoso.com, credentials: c, provider: generic, host: \"HOST\"}]\n"
	for _, c := range []struct{ name, text, hint string }{
		{"no space after a colon", "credentials:\n  c:\n    type: password\n    password:file:pw\n" + mailbox, "put a space after the colon"},
		{"an IPv6 address as in a URL", "credentials: {c: {type: password, password: \"file:pw\"}}\n" + strings.Replace(mailbox, "HOST", "[2001:db8::1]", 1), `write host: "2001:db8::1"`},
	} {
		_, err := Parse("mailflume.yaml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.hint) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAKeyThatIsNotThereIsMade(t *testing.T) {
	cfg, err := Parse(t.TempDir()+"/mailflume.yaml", []byte("credentials: {c: {type: delegated, tenant: contoso.com, client_id: x, token_key: \"file:k\"}}\nmailboxes: [{address: a@contoso.com}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.CheckSecrets(t.Context()); err == nil || !strings.Contains(err.Error(), "openssl rand -base64 32 >"+cfg.Credentials["c"].TokenKey.Path()) {
		t.Error(err)
	}
}
