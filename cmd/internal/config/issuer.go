package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"mailflume/ingest/oauth"
)

// google checks credentials of type google.
func (c *Credential) google(bad report) {
	if c.ServiceAccount.IsZero() {
		bad("", "these credentials have no service_account", "add service_account: file:/path/to/the/key.json")
	}
	if c.TokenURL != "" {
		c.tokenURL(bad)
	}
	if strings.ContainsAny(c.Scope, " \t\n") {
		bad("scope", quote(c.Scope)+" is not one scope", "write "+oauth.GoogleIMAP+" or "+oauth.GoogleMail+", as it was delegated in the admin console")
	}
}

// oauth2 checks credentials of type oauth2: a token from a file, or a client of an issuer.
func (c *Credential) oauth2(bad report) {
	if !c.Token.IsZero() {
		for _, key := range []string{"token_url", "client_id", "client_secret", "client_secret_expires", "client_auth", "scope", "params", "refresh_token", "ca_file"} {
			if _, given := c.places[key]; given {
				bad(key, "token does not go with "+key, "keep token alone, or remove it to have mailflume ask for tokens")
			}
		}
		return
	}
	if c.TokenURL == "" {
		bad("", "these credentials have no token_url", "add token_url: with the https URL of the token endpoint, or token: file:/path if something else keeps a token fresh")
	} else {
		c.tokenURL(bad)
	}
	switch {
	case c.ClientID == "":
		bad("client_id", "these credentials have no client_id", "add client_id:")
	case !regexp.MustCompile(`^[!-~]{1,256}$`).MatchString(c.ClientID):
		bad("client_id", "this is not a client id", "write it without spaces")
	}
	if c.ClientSecret.IsZero() && c.RefreshToken.IsZero() {
		bad("", "these credentials have neither client_secret nor refresh_token", "add client_secret: file:/path/to/it for client credentials, or refresh_token: file:/path/to/it")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Params)) {
		if slices.Contains(oauth.OwnParams(), name) {
			bad("params."+name, name+" is set by mailflume itself", "remove it")
		}
	}
	if c.ClientAuth == "" {
		c.ClientAuth = ClientAuthBasic
	}
}

// tokenURL: RFC 6749 section 3.2 requires TLS.
func (c *Credential) tokenURL(bad report) {
	if hint := endpointHint(c.TokenURL); hint != "" {
		bad("token_url", quote(c.TokenURL)+" cannot be a token endpoint", hint)
	}
}
