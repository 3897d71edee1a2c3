package check_test

import (
	"strings"
	"testing"

	"mailflume/cmd/internal/check"
	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/ingest/oauth"
)

func TestAPersonWhoWasNotAskedForSendingIsAskedAnew(t *testing.T) {
	m := &config.Mailbox{Settings: config.Settings{Provider: config.Microsoft365}, Address: "box@contoso.example", Credential: &config.Credential{Name: "clerk", Type: config.TypeDelegated}}
	for scope, want := range map[string]bool{"IMAP.AccessAsUser.All": true, "SMTP.Send": false} {
		got := strings.Join(check.Advice(ingest.CodeSubmitRefused, m, oauth.Claims{Scopes: []string{scope}}), "\n")
		if strings.Contains(got, "mailflume login clerk") != want || strings.Contains(got, "SendAsApp") {
			t.Errorf("a token for %s: advice\n%s", scope, got)
		}
	}
}

func TestAnIssuersStepNamesTheKeysOfItsCredentials(t *testing.T) {
	for authority, key := range map[string]string{"https://login.example": "authority: of credentials.c", "": "token_url: of credentials.c"} {
		c := &config.Credential{Name: "c", Authority: authority, TokenURL: "https://login.example/token"}
		for _, code := range []ingest.Code{ingest.CodeHostUnknown, ingest.CodeConnRefused, ingest.CodeTimeout, ingest.CodeCertName} {
			o := check.OfIssuer(c, check.Outcome{Level: check.Failed, Code: code, Next: []string{"set host: to a name that is in the certificate"}})
			if text := strings.Join(o.Next, "\n"); !strings.Contains(text, key) || strings.Contains(text, "host:") {
				t.Errorf("%s: %s", code, text)
			}
		}
	}
}
