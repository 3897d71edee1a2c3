package check_test

import (
	"strings"
	"testing"

	"mailflume/cmd/internal/check"
	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/ingest/oauth"
	"mailflume/ingest/oauth/oauthtest"
	"mailflume/pop3/pop3test"
)

func TestAdviceForExchangeCanBeCopied(t *testing.T) {
	const oid = "9a2e0000-1111-2222-3333-444455556666"
	app := oauth.Claims{Audience: []string{"https://outlook.office365.com"}, AppID: client, ObjectID: oid, Roles: []string{"IMAP.AccessAsApp", "SMTP.SendAsApp"}}
	entra := &config.Credential{Name: "c", Type: config.TypeEntra, Tenant: tenant, ClientID: client, Authority: "https://login.microsoftonline.com"}
	for _, c := range []struct {
		name    string
		code    ingest.Code
		address string
		cred    *config.Credential
		says    oauth.Claims
		want    []string // in this order
		not     string
	}{
		{"a refused sign-in", ingest.CodeAuthRefused, "a@contoso.example", entra, app, []string{
			"Connect-ExchangeOnline -Organization contoso.example", "New-ServicePrincipal -AppId " + client + " -ObjectId " + oid, "Add-MailboxPermission -Identity a@contoso.example -User " + oid, "Set-CASMailbox a@contoso.example -ImapEnabled $true",
		}, "<"},
		{"an address with an apostrophe", ingest.CodeNotConnected, "pat.o'hara@contoso.example", entra, app, []string{"Add-MailboxPermission -Identity 'pat.o''hara@contoso.example' -User " + oid}, "-Identity pat"},
		{"a tenant by its id, in China", ingest.CodeNotConnected, "a@contoso.example", &config.Credential{Type: config.TypeEntra, Tenant: oid, Cloud: config.CloudChina}, app, []string{"(Connect-ExchangeOnline -ExchangeEnvironmentName O365China)"}, "-Organization"},
		{"a token without ids", ingest.CodeAuthRefused, "a@contoso.example", entra, oauth.Claims{}, []string{"New-ServicePrincipal -AppId " + client + " -ObjectId <object id of the Enterprise application>"}, ""},
		{"a shared mailbox of somebody who signed in", ingest.CodeAuthRefused, "box@contoso.example", &config.Credential{Type: config.TypeDelegated, Account: "ada@contoso.example"}, app, []string{"Add-MailboxPermission -Identity box@contoso.example -User ada@contoso.example", "Set-CASMailbox"}, "ServicePrincipal"},
		{"one's own mailbox", ingest.CodeAuthRefused, "ada@contoso.example", &config.Credential{Type: config.TypeDelegated, Account: "ada@contoso.example"}, app, []string{"Set-CASMailbox ada@contoso.example"}, "Add-MailboxPermission"},
		{"submission that is refused", ingest.CodeSubmitRefused, "a@contoso.example", entra, app, []string{"Add-RecipientPermission -Identity a@contoso.example -Trustee " + oid + " -AccessRights SendAs", "Set-CASMailbox -Identity a@contoso.example -SmtpClientAuthenticationDisabled $false"}, "API permissions"},
		{"submission by a token that may not", ingest.CodeSubmitRefused, "a@contoso.example", entra, oauth.Claims{AppID: client, ObjectID: oid}, []string{"add SMTP.SendAsApp", "adminconsent?client_id=" + client, "Add-RecipientPermission"}, ""},
		{"submission that is off", ingest.CodeSubmitOff, "a@contoso.example", entra, app, []string{"-SmtpClientAuthenticationDisabled $false", "Get-TransportConfig", "Add-RecipientPermission"}, ""},
		{"another sender", ingest.CodeSendAs, "a@contoso.example", entra, app, []string{"-Trustee " + oid}, "Set-CASMailbox"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &config.Mailbox{Address: c.address, Credential: c.cred}
			m.User, m.Protocol, m.Provider = c.address, config.IMAP, config.Microsoft365
			got := strings.Join(check.Advice(c.code, m, c.says), "\n")
			rest := got
			for _, want := range c.want {
				var ok bool
				if _, rest, ok = strings.Cut(rest, want); !ok {
					t.Errorf("it lacks %q, in its place:\n%s", want, got)
				}
			}
			if c.not != "" && strings.Contains(got, c.not) {
				t.Errorf("it says %q:\n%s", c.not, got)
			}
		})
	}
}

func TestClaimsThatWillBeRegrettedAreYellow(t *testing.T) {
	for _, c := range []struct {
		name  string
		mint  oauthtest.MintOptions
		more  string
		level check.Level
		says  string
	}{
		{"as little as needed", oauthtest.MintOptions{Roles: []string{"IMAP.AccessAsApp"}}, "", check.OK, "exp "},
		{"a canary and no right to send", oauthtest.MintOptions{Roles: []string{"IMAP.AccessAsApp"}}, ", canary: {every: 1h}", check.Warning, "lacks SMTP.SendAsApp"},
		{"a canary with it", oauthtest.MintOptions{Roles: []string{"IMAP.AccessAsApp", "SMTP.SendAsApp"}}, ", canary: {every: 1h}", check.OK, ""},
		{"more than is needed", oauthtest.MintOptions{Roles: []string{"IMAP.AccessAsApp", "POP.AccessAsApp", "Mail.ReadWrite"}}, "", check.Warning, "(POP.AccessAsApp Mail.ReadWrite)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t, imaptest.Options{}, pop3test.Options{})
			s.issue(c.mint)
			cfg := s.load(t, s.box("imap", "support", c.more+", smtp: {host: 127.0.0.1, port: 1}"), "")
			st := step(t, look(t, cfg), check.Credential, "", "claims")
			if all := st.Text + strings.Join(st.Next, "\n"); st.Level != c.level || !strings.Contains(all, c.says) {
				t.Errorf("%s %s, want %s with %q", st.Level, all, c.level, c.says)
			}
		})
	}
}

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
