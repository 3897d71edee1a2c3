package oauth

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mailflume/ingest"
)

// EntraOptions describe an application and how it proves itself.
type EntraOptions struct {
	Tenant   string // GUID or domain; never common, organizations or consumers
	ClientID string

	// Secret reads the client secret, Certificate the certificate (or chain) with its RSA key in
	// PEM. Exactly one is set. It is called for every real token request, so a rotated file is
	// picked up without a restart; it must return when its context ends.
	Secret      func(ctx context.Context) (string, error)
	Certificate func(ctx context.Context) (pem []byte, err error)

	// Cloud is public (default), usgov, dod or china: a shorthand for Authority and Scope, each of
	// which wins over it.
	Cloud     string
	Authority string // https://login.microsoftonline.com; the tenant is appended unless it is there
	Scope     string // https://outlook.office365.com/.default

	RootCAs *x509.CertPool   // nil: the system's
	Timeout time.Duration    // of one token request; default 30 s
	Now     func() time.Time // default time.Now
	Hooks   Hooks
}

// Hooks report what a source does. They are called from the source's goroutine, one at a time, and
// must neither block nor call the source.
type Hooks struct {
	Refreshed func(RefreshInfo) // after every real token request
}

// RefreshInfo is one token request. It holds no secret.
type RefreshInfo struct {
	Took        time.Duration
	Expires     time.Time // of the new token
	Err         error     // nil: there is a new token
	CertExpires time.Time // of the client certificate; zero with a secret
}

// Entra is a source of application tokens from Entra ID. It is safe for concurrent use.
type Entra struct {
	opt    EntraOptions
	http   *http.Client
	tokens *renewer
	host   string // of the authority
}

var _ ingest.TokenSource = (*Entra)(nil)

// NewEntra checks the options and makes a source. It does no I/O.
func NewEntra(o EntraOptions) (*Entra, error) {
	o, err := o.complete()
	if err != nil {
		return nil, fmt.Errorf("entra: %w", err)
	}
	u, err := url.Parse(o.Authority)
	if err != nil {
		return nil, fmt.Errorf("entra: authority: %w", err)
	}
	e := &Entra{opt: o, http: newHTTPClient(o.RootCAs), host: u.Host}
	e.tokens = newRenewer(e.mint, o.Now, o.Timeout, o.Hooks.Refreshed)
	return e, nil
}

// Token returns the cached token without I/O while it is good, and otherwise waits for the one
// request that is under way. See [ingest.TokenSource].
func (e *Entra) Token(ctx context.Context, refused string) (ingest.Token, error) {
	return e.tokens.Token(ctx, refused)
}

// String names the source without its credential and token.
func (e *Entra) String() string {
	return "entra " + e.opt.Authority + " client " + e.opt.ClientID + " scope " + e.opt.Scope
}

// GoString is String: %#v would follow pointers that lead to the credential.
func (e *Entra) GoString() string { return e.String() }

// Close ends a request that is under way, stops renewing and waits. Token fails from then on.
func (e *Entra) Close() error {
	e.tokens.close()
	e.http.CloseIdleConnections()
	return nil
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
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
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
	if (o.Secret == nil) == (o.Certificate == nil) {
		return errors.New("set exactly one of secret and certificate")
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
