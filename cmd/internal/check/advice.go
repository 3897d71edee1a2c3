package check

import (
	"fmt"
	"strings"

	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/ingest/oauth"
)

// consentURL is where an administrator of the tenant grants what the registration lists.
func consentURL(c *config.Credential) string {
	return fmt.Sprintf("%s/%s/adminconsent?client_id=%s", strings.TrimRight(c.Authority, "/"), c.Tenant, c.ClientID)
}

// portalURL is a page of an app registration in the portal of the public cloud.
func portalURL(page string, c *config.Credential) string {
	return "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/" + page + "/appId/" + c.ClientID
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

// mailboxAdvice says what Exchange needs of one mailbox, with the ids of the token in hand. Exchange
// says the same to all of it, so the likeliest comes first. Other servers say what they miss.
func mailboxAdvice(code ingest.Code, m *config.Mailbox, says oauth.Claims) []string {
	if m.Provider != config.Microsoft365 && !forExchange(says) {
		return nil
	}
	app, oid := says.AppID, says.ObjectID
	if app == "" || oid == "" {
		app, oid = m.Credential.ClientID, "<object id of the Enterprise application>"
	}
	known := []string{
		fmt.Sprintf("Get-ServicePrincipal | Where-Object AppId -eq '%s'   # its ObjectId has to be %s; another one: Remove-ServicePrincipal first", app, oid),
		fmt.Sprintf("New-ServicePrincipal -AppId %s -ObjectId %s -DisplayName mailflume", app, oid),
	}
	rights := fmt.Sprintf("Add-MailboxPermission -Identity %s -User %s -AccessRights FullAccess -AutoMapping:$false", m.User, oid)
	on := fmt.Sprintf("Set-CASMailbox %s -ImapEnabled $true", m.User)
	if m.Protocol == config.POP3 {
		on = fmt.Sprintf("Set-CASMailbox %s -PopEnabled $true", m.User)
	}
	intro := []string{"in Exchange Online PowerShell (Connect-ExchangeOnline -Organization " + m.Credential.Tenant + "); it takes minutes, sometimes hours, until it holds:"}
	switch code {
	case ingest.CodeAuthRefused:
		return append(append(intro, known...), rights, on)
	case ingest.CodeNotConnected:
		return append(append(intro, rights, on), known...)
	}
	return nil
}
