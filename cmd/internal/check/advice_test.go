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
