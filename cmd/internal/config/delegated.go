package config

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"mailflume/ingest/oauth"
)

// SignInProvider selects the endpoints at which a person signs in.
type SignInProvider string

// The providers of delegated sign-in.
const (
	SignInMicrosoft SignInProvider = "microsoft365"
	SignInGoogle    SignInProvider = "google"
	SignInGeneric   SignInProvider = "generic"
)

// use is what the mailboxes of delegated credentials say about them.
type use struct {
	imap, pop3, smtp bool
	implied          bool // Account was left open
}

// delegated checks credentials of type delegated and fills in the endpoints.
func (c *Credential) delegated(bad report) {
	if c.TokenKey.IsZero() {
		bad("", "these credentials have no token_key: the sign-in is stored, and must not be in clear",
			"make a key with openssl rand -base64 32 > token.key; chmod 600 token.key, and add token_key: file:token.key")
	}
	switch {
	case c.ClientID == "":
		bad("client_id", "these credentials have no client_id", "add client_id: with the id of the app registration")
	case !regexp.MustCompile(`^[!-~]{1,255}$`).MatchString(c.ClientID):
		bad("client_id", "this is not a client id", "write it without spaces")
	}
	if c.Account != "" && !validAddress(c.Account) {
		bad("account", quote(c.Account)+" is not the address of an account", "write name@example.com, as it is typed to sign in")
	}
	c.use.implied = c.Account == ""
	if c.SignIn == "" {
		c.SignIn = SignInMicrosoft
	}
	if c.SignIn != SignInMicrosoft {
		for _, key := range []string{"tenant", "cloud", "authority"} {
			if _, given := c.places[key]; given {
				bad(key, key+" belongs to provider microsoft365", "remove it")
			}
		}
	}
	c.signInEndpoints(bad)
	for _, name := range slices.Sorted(maps.Keys(c.Params)) {
		if slices.Contains(oauth.SignInParams(), name) {
			bad("params."+name, name+" is set by mailflume itself", "remove it")
		}
	}
}

// signInEndpoints fills in what is not set singly, and checks what is.
func (c *Credential) signInEndpoints(bad report) {
	switch c.SignIn {
	case SignInMicrosoft:
		c.microsoft(bad)
	case SignInGoogle:
		c.endpoints("https://accounts.google.com/o/oauth2/v2/auth", "", "https://oauth2.googleapis.com/token", ClientAuthPost)
		// Without these Google gives a refresh token the first time only, or none.
		c.param("access_type", "offline")
		c.param("prompt", "select_account consent")
	default:
		c.endpoints("", "", "", ClientAuthBasic)
		for _, key := range []string{"auth_url", "token_url", "scope"} {
			if _, given := c.places[key]; !given {
				bad("", "these credentials have no "+key, "add "+key+":, as the issuer's documentation names it")
			}
		}
	}
	for _, u := range []struct{ key, value string }{{"auth_url", c.AuthURL}, {"device_url", c.DeviceURL}, {"token_url", c.TokenURL}} {
		if hint := endpointHint(u.value); u.value != "" && hint != "" {
			bad(u.key, quote(u.value)+" cannot be an endpoint", hint)
		}
	}
}

// microsoft fills in the endpoints of Entra. A person may sign in through common, too.
func (c *Credential) microsoft(bad report) {
	private := c.Authority != ""
	switch hint := urlHint(c.Authority); {
	case private && hint != "":
		bad("authority", quote(c.Authority)+" cannot be an authority", hint)
		return
	case slices.Contains([]string{"common", "organizations", "consumers"}, strings.ToLower(c.Tenant)):
	default:
		c.checkTenant(bad, private)
	}
	if c.Cloud == "" {
		c.Cloud = CloudPublic
	}
	if !private {
		c.Authority = cloudOf(c.Cloud).authority
	}
	c.Authority = strings.TrimRight(c.Authority, "/")
	base := c.Authority + "/" + c.Tenant + "/oauth2/v2.0/"
	c.endpoints(base+"authorize", base+"devicecode", base+"token", ClientAuthPost)
	c.param("prompt", "select_account") // or the account that the browser knows is taken without a question
}

// param adds a parameter of the authorization request, unless it is set.
func (c *Credential) param(key, value string) {
	if _, given := c.Params[key]; given {
		return
	}
	c.Params = maps.Clone(c.Params) // an alias may share it with other credentials
	if c.Params == nil {
		c.Params = map[string]string{}
	}
	c.Params[key] = value
}

func (c *Credential) endpoints(auth, device, token string, by ClientAuth) {
	for _, e := range []struct {
		to   *string
		from string
	}{{&c.AuthURL, auth}, {&c.DeviceURL, device}, {&c.TokenURL, token}} {
		if *e.to == "" {
			*e.to = e.from
		}
	}
	if c.ClientAuth == "" {
		c.ClientAuth = by
	}
}

// endpointHint says what is wrong with an endpoint; "" if nothing is. RFC 6749 section 3 requires TLS.
func endpointHint(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "":
		return "write a URL, for example https://idp.example.com/oauth2/token"
	case u.Scheme != "https":
		return "the secret would travel in clear: write https://" + u.Host + u.Path
	case u.User != nil || u.Fragment != "":
		return "write it without user name and fragment"
	case !validPort(u.Port()):
		return "the port is a number from 1 to 65535"
	}
	return ""
}

// SignInScope is what a person is asked for: what is configured, or what the mailboxes need and no more.
func (c *Credential) SignInScope() string {
	if c.Scope != "" || c.SignIn == SignInGeneric {
		return c.Scope
	}
	if c.SignIn == SignInGoogle {
		return oauth.GoogleMail + " openid email"
	}
	resource := map[Cloud]string{
		CloudUSGov: "https://outlook.office365.us/", CloudDoD: "https://outlook.office365.us/", CloudChina: "https://partner.outlook.cn/",
	}[c.Cloud]
	if resource == "" {
		resource = "https://outlook.office.com/"
	}
	scope := ""
	if c.use.imap || !c.use.pop3 {
		scope += resource + "IMAP.AccessAsUser.All "
	}
	if c.use.pop3 {
		scope += resource + "POP.AccessAsUser.All "
	}
	if c.use.smtp {
		scope += resource + "SMTP.Send "
	}
	return scope + "offline_access openid profile"
}

// delegated notes what a mailbox needs of its delegated credentials. A person signs in to one account:
// more mailboxes than that account's own need it named.
func (r *resolver) delegated() {
	m, c := r.m, r.m.Credential
	c.use.imap = c.use.imap || m.Protocol == IMAP
	c.use.pop3 = c.use.pop3 || m.Protocol == POP3
	c.use.smtp = c.use.smtp || m.Canary.Every > 0
	switch {
	case !c.use.implied:
	case c.Account == "":
		c.Account = m.User
	case !strings.EqualFold(c.Account, m.User):
		r.bad("credentials", "a person signs in to one account with credentials "+quote(c.Name)+", and "+c.Account+" uses them too",
			"make credentials of type delegated for each mailbox; if one account opens both, name it there: account: "+c.Account)
	}
}
