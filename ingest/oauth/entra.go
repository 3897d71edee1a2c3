package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// EntraOptions describe an application and how it proves itself.
type EntraOptions struct {
	Tenant   string // GUID or domain; never common, organizations or consumers
	ClientID string

	// What proves the application's identity: exactly one of these is set. Each is called for every
	// real token request, so a rotated file is picked up without a restart; it must return when its
	// context ends.
	Secret      func(ctx context.Context) (string, error) // the client secret
	Certificate func(ctx context.Context) ([]byte, error) // certificate (or chain) and its RSA key, in PEM or as PFX
	Federated   func(ctx context.Context) (string, error) // a token of another issuer that Entra was told to trust (RFC 7523)

	// CertificatePassword opens a PFX; nil: it has none.
	CertificatePassword func(ctx context.Context) (string, error)

	// Cloud is public (default), usgov, dod or china: a shorthand for Authority and Scope, each of
	// which wins over it.
	Cloud     string
	Authority string // https://login.microsoftonline.com; the tenant is appended unless it is there
	Scope     string // https://outlook.office365.com/.default

	Common
}

// entra asks Entra ID through MSAL.
type entra struct {
	opt  EntraOptions
	http *http.Client
	host string // of the authority
}

// NewEntra checks the options and makes a source of application tokens from Entra ID. It does no I/O.
func NewEntra(o EntraOptions) (*Source, error) {
	o, err := o.complete()
	if err != nil {
		return nil, fmt.Errorf("entra: %w", err)
	}
	u, err := url.Parse(o.Authority)
	if err != nil {
		return nil, fmt.Errorf("entra: authority: %w", err)
	}
	e := &entra{opt: o, http: newHTTPClient(o.RootCAs), host: u.Host}
	return newSource("entra "+o.Authority+" client "+o.ClientID+" scope "+o.Scope, e.http, e.mint, o.Common), nil
}

// Key names what a token is for: authority with tenant, client and scope, with all defaults filled
// in. Mailboxes with the same Key share one Entra. The options must be valid.
func (o EntraOptions) Key() (string, error) {
	c, err := o.complete()
	if err != nil {
		return "", fmt.Errorf("entra: %w", err)
	}
	return strings.ToLower(c.Authority + " " + c.ClientID + " " + c.Scope), nil
}

// complete fills defaults in and validates. Authority ends in the tenant afterwards.
func (o EntraOptions) complete() (EntraOptions, error) {
	authority, scope, err := cloudDefaults(o.Cloud)
	if err != nil {
		return o, err
	}
	if o.Authority == "" {
		o.Authority = authority
	}
	if o.Scope == "" {
		o.Scope = scope
	}
	o.fill()
	if err := errors.Join(checkTenant(o.Tenant), checkClientID(o.ClientID), checkScope(o.Scope), checkCredential(o)); err != nil {
		return o, err
	}
	o.Authority, err = joinAuthority(o.Authority, o.Tenant)
	return o, err
}

// cloudDefaults are Microsoft's national clouds. The scopes of usgov, dod and china are by analogy
// with the delegated ones, Microsoft does not document them for applications: Scope overrides.
func cloudDefaults(cloud string) (authority, scope string, err error) {
	switch cloud {
	case "", "public":
		return "https://login.microsoftonline.com", "https://outlook.office365.com/.default", nil
	case "usgov", "dod":
		return "https://login.microsoftonline.us", "https://outlook.office365.us/.default", nil
	case "china":
		return "https://login.partner.microsoftonline.cn", "https://partner.outlook.cn/.default", nil
	}
	return "", "", fmt.Errorf("cloud %q is not known: use public, usgov, dod or china", cloud)
}

func checkTenant(t string) error {
	switch strings.ToLower(t) {
	case "":
		return errors.New("tenant is missing: set the GUID or a domain of the organisation")
	case "common", "consumers", "organizations": // AADSTS9001023
		return fmt.Errorf("tenant %q cannot be used without a user: set the GUID or a domain of the organisation", t)
	case "adfs", "dstsv2": // words that switch MSAL to another protocol
		return fmt.Errorf("tenant %q is not an Entra tenant", t)
	}
	if len(t) > 255 || strings.Trim(t, ".") == "" || strings.ContainsFunc(t, notNameRune) {
		return fmt.Errorf("tenant %.60q is neither a GUID nor a domain", t)
	}
	return nil
}

// notNameRune is true for what neither a GUID nor a domain has. The tenant becomes a path segment:
// a slash or a dot-dot would address something else.
func notNameRune(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
}

// checkClientID does not insist on a GUID: issuers other than Entra have other ids.
func checkClientID(id string) error {
	if id == "" {
		return errors.New("client id is missing: set the Application (client) ID")
	}
	if len(id) > 255 || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("client id %.60q is not one", id)
	}
	return nil
}

// checkScope wants what client credentials need: exactly one <resource>/.default.
func checkScope(s string) error {
	res, ok := strings.CutSuffix(s, "/.default")
	if !ok || res == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("scope %.120q is not one resource followed by /.default", s)
	}
	return nil
}

// checkCredential refuses two credentials as well as none: which of them was used must never be a guess.
func checkCredential(o EntraOptions) error {
	given := 0
	for _, is := range []bool{o.Secret != nil, o.Certificate != nil, o.Federated != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		return errors.New("set exactly one of secret, certificate and federated token")
	}
	return nil
}

// joinAuthority checks the authority and returns it with the tenant as its path, the only form that
// MSAL takes. A path of another kind (a token URL, /v2.0) is refused rather than cut: it shows that
// something else was meant.
func joinAuthority(authority, tenant string) (string, error) {
	u, err := url.Parse(authority)
	if err != nil {
		return "", errors.New("authority is not a URL") // url.Error would print it, with a password if it has one
	}
	switch {
	case u.User != nil:
		return "", errors.New("authority must not hold a user name or password")
	case u.Scheme != "https" || u.Hostname() == "":
		return "", fmt.Errorf("authority %.120q must start with https:// and a host", authority)
	case u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("authority %.120q must not have a query or fragment", authority)
	}
	path := strings.Trim(u.Path, "/")
	if path != "" && !strings.EqualFold(path, tenant) {
		return "", fmt.Errorf("authority %.120q must have no path, or the tenant %q as its path", authority, tenant)
	}
	return "https://" + u.Host + "/" + tenant, nil
}
