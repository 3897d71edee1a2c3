package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/ingest/oauth"
)

// consentURL is where an administrator of the tenant grants what the registration lists.
func consentURL(c *config.Credential) string {
	return fmt.Sprintf("%s/%s/adminconsent?client_id=%s", strings.TrimRight(c.Authority, "/"), c.Tenant, c.ClientID)
}

// portalURL is a page of an app registration in the portal of its cloud.
func portalURL(page string, c *config.Credential) string {
	portal := "https://entra.microsoft.com"
	switch c.Cloud {
	case config.CloudUSGov, config.CloudDoD:
		portal = "https://portal.azure.us"
	case config.CloudChina:
		portal = "https://portal.azure.cn"
	}
	return portal + "/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/" + page + "/appId/" + c.ClientID
}

// roleAdvice is for a token without an application permission.
func roleAdvice(c *config.Credential, lacking []string) []string {
	return []string{
		"app registration > API permissions > APIs my organization uses > Office 365 Exchange Online > Application permissions: add " + strings.Join(lacking, " and "),
		"the page: " + portalURL("CallAnAPI", c),
		"then have an administrator consent: " + consentURL(c),
		"a new token has the role after some minutes",
	}
}

// tokenAdvice adds the links to what a refused token request means.
func tokenAdvice(o Outcome, c *config.Credential) Outcome {
	if c.Type != config.TypeEntra {
		return o
	}
	switch o.Code {
	case ingest.CodeClientSecret, ingest.CodeSecretExpired, ingest.CodeCertificate:
		o.Next = append(o.Next, "the page: "+portalURL("Credentials", c))
	case ingest.CodeConsent, ingest.CodeAppUnknown:
		o.Next = append(o.Next, "admin consent: "+consentURL(c))
	}
	return o
}

// Advice says what Exchange needs of one mailbox, as lines for its PowerShell with the ids of the token in hand;
// nil: the code's own advice is better. Exchange says the same to all of it, so the likeliest comes first. Other
// servers say what they miss.
func Advice(code ingest.Code, m *config.Mailbox, says oauth.Claims) []string {
	if m.Provider != config.Microsoft365 && !forExchange(says) {
		if code != ingest.CodeAuthRefused || says.Fingerprint == "" {
			return nil
		}
		return []string{"compare the token with what the server wants: " + words(says), "the server's own log says what it misses (Dovecot: auth_verbose = yes)"}
	}
	who, known := principal(m, says)
	box := quoted(m.User)
	var rights []string
	if who != "" {
		rights = []string{fmt.Sprintf("Add-MailboxPermission -Identity %s -User %s -AccessRights FullAccess -AutoMapping:$false", box, who)}
	}
	on := fmt.Sprintf("Set-CASMailbox %s -ImapEnabled $true", box)
	if m.Protocol == config.POP3 {
		on = fmt.Sprintf("Set-CASMailbox %s -PopEnabled $true", box)
	}
	intro := []string{"in Exchange Online PowerShell (" + connectLine(m.Credential) + "); it takes minutes, sometimes hours, until it holds:"}
	switch code {
	case ingest.CodeAuthRefused:
		intro = append(intro, "Get-Mailbox "+box+"   # none? then correct address:")
		return slices.Concat(intro, known, rights, []string{on})
	case ingest.CodeNotConnected:
		return slices.Concat(intro, rights, []string{on}, known)
	case ingest.CodeSubmitRefused, ingest.CodeSubmitOff, ingest.CodeSendAs:
		return slices.Concat(mayNotSend(m, says), intro, sendLines(code, m, cmp.Or(who, quoted(m.User))))
	}
	return nil
}

// principal is whom rights are given to: the application, which Exchange has to know, or the account that a person
// signed in to, which needs none for its own mailbox.
func principal(m *config.Mailbox, says oauth.Claims) (who string, known []string) {
	if m.Credential.Type == config.TypeDelegated {
		if account := m.Credential.Account; account != "" && !strings.EqualFold(account, m.User) {
			who = quoted(account)
		}
		return who, nil
	}
	app, oid := says.AppID, says.ObjectID
	if app == "" || oid == "" {
		app, oid = m.Credential.ClientID, "<object id of the Enterprise application>"
	}
	return oid, []string{
		fmt.Sprintf("Get-ServicePrincipal | Where-Object AppId -eq '%s'   # its ObjectId has to be %s; another one: Remove-ServicePrincipal first", app, oid),
		fmt.Sprintf("New-ServicePrincipal -AppId %s -ObjectId %s -DisplayName mailflume", app, oid),
	}
}

// What submission needs: an application's permission, or a person's.
const (
	sendAsApp  = "SMTP.SendAsApp"
	sendAsUser = "SMTP.Send"
)

// mayNotSend is for a token that cannot submit whatever Exchange says.
func mayNotSend(m *config.Mailbox, says oauth.Claims) []string {
	if m.Credential.Type == config.TypeDelegated && len(says.Scopes) > 0 && !slices.Contains(says.Scopes, sendAsUser) {
		return []string{
			"the user was not asked for " + sendAsUser + ": app registration > API permissions > Microsoft Graph > Delegated permissions: add it",
			"give the mailbox a canary: (or write it into scope: of credentials." + m.Credential.Name + "), and sign in again: mailflume login " + m.Credential.Name,
		}
	}
	if m.Credential.Type != config.TypeEntra || says.AppID == "" || says.HasRole(sendAsApp) {
		return nil
	}
	return roleAdvice(m.Credential, []string{sendAsApp})
}

// sendLines let who submit as a mailbox.
func sendLines(code ingest.Code, m *config.Mailbox, who string) []string {
	box := quoted(m.Address)
	as := fmt.Sprintf("Add-RecipientPermission -Identity %s -Trustee %s -AccessRights SendAs -Confirm:$false", box, who)
	on := []string{
		fmt.Sprintf("Set-CASMailbox -Identity %s -SmtpClientAuthenticationDisabled $false", box),
		"Get-TransportConfig | Format-List SmtpClientAuthenticationDisabled   # True: the tenant has it switched off for every mailbox that does not say $false itself",
	}
	switch code {
	case ingest.CodeSubmitOff:
		return append(on, as)
	case ingest.CodeSendAs:
		return []string{as}
	}
	return append([]string{as}, on...)
}

// connectLine opens a session of Exchange Online PowerShell for the credential's cloud. A tenant's GUID names no
// organisation there.
func connectLine(c *config.Credential) string {
	line := "Connect-ExchangeOnline"
	switch c.Cloud {
	case config.CloudUSGov:
		line += " -ExchangeEnvironmentName O365USGovGCCHigh"
	case config.CloudDoD:
		line += " -ExchangeEnvironmentName O365USGovDoD"
	case config.CloudChina:
		line += " -ExchangeEnvironmentName O365China"
	}
	if strings.Contains(c.Tenant, ".") {
		line += " -Organization " + c.Tenant
	}
	return line
}

// quoted is an argument for PowerShell, which takes most addresses as they are.
func quoted(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-@", r)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}
