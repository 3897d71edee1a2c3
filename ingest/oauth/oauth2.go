package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"mailflume/ingest"
)

// OAuth2Options describe a client of an issuer that is neither Entra nor Google's service accounts.
type OAuth2Options struct {
	TokenURL string // of the token endpoint: https
	ClientID string

	// Secret reads the client secret, RefreshToken a refresh token. Without RefreshToken the client
	// asks for itself (client credentials) and needs a Secret; with it the Secret may be nil, for a
	// public client. Both are read anew for every real token request.
	Secret       func(ctx context.Context) (string, error)
	RefreshToken func(ctx context.Context) (string, error)

	Scope      string            // "": the issuer's default
	SecretPost bool              // the secret goes into the form instead of the Authorization header
	Params     map[string]string // added to the form: audience, resource (RFC 8707) and the like

	Common
}

// clientSource is an OAuth2 client. One request is under way at a time, so its fields need no lock.
type clientSource struct {
	opt     OAuth2Options
	at      *endpoint
	read    string // refresh token as last read
	current string // what it was exchanged for since
}

// NewOAuth2 checks the options and makes a source of tokens by client credentials or by a refresh
// token (RFC 6749 sections 4.4 and 6). It does no I/O.
//
// A refresh token that the issuer replaces is kept in memory, until what RefreshToken reads changes;
// RefreshInfo.Rotated tells of it, since after a restart only the old one is left.
func NewOAuth2(o OAuth2Options) (*Source, error) {
	o.fill()
	client := newHTTPClient(o.RootCAs)
	at, err := newEndpoint(o.TokenURL, client, o.Now)
	if err := errors.Join(err, checkClientID(o.ClientID), o.check()); err != nil {
		return nil, fmt.Errorf("oauth2: %w", err)
	}
	c := &clientSource{opt: o, at: at}
	own := o.Common
	own.Timeout = time.Hour // of the wait at the gate; the request itself has its own
	return newSource("oauth2 "+originOf(at.url)+at.url.Path+" client "+o.ClientID+" scope "+cmp.Or(o.Scope, "(default)"), client, c.mint, own), nil
}

func (o *OAuth2Options) check() error {
	if o.Secret == nil && o.RefreshToken == nil {
		return errors.New("set a secret, or a refresh token, or both")
	}
	for _, name := range slices.Sorted(maps.Keys(o.Params)) {
		if slices.Contains(OwnParams(), name) {
			return fmt.Errorf("the parameter %q is set by the source itself", name)
		}
	}
	return nil
}

// OwnParams are the parameters of a token request that Params may not set.
func OwnParams() []string {
	return []string{"grant_type", "client_id", "client_secret", "refresh_token", "scope", "assertion", "client_assertion", "client_assertion_type"}
}

// mint makes one real token request. The way in which the secret travels is set and never found out
// by trying: a wrong secret would count twice, and accounts are locked by counting.
func (c *clientSource) mint(ctx context.Context) (minted, *ingest.Error) {
	name := fmt.Sprintf("%p", c) // each source is one account
	if e := c.opt.Gate.enter(ctx, name); e != nil {
		return minted{shared: true}, e
	}
	ctx, cancel := context.WithTimeout(ctx, c.opt.Timeout)
	defer cancel()
	m, failure := c.ask(ctx)
	c.opt.Gate.leave(name, failure)
	return m, failure
}

func (c *clientSource) ask(ctx context.Context) (minted, *ingest.Error) {
	defer c.at.http.CloseIdleConnections()
	id := identity{grant: grantClient}
	form := url.Values{"grant_type": {"client_credentials"}}
	for k, v := range c.opt.Params {
		form.Set(k, v)
	}
	if c.opt.Scope != "" {
		form.Set("scope", c.opt.Scope)
	}
	if err := c.refreshToken(ctx, &id, form); err != nil {
		return minted{}, classify(&id, nil, err)
	}
	client, err := c.client(ctx, &id, form)
	if err != nil {
		return minted{}, classify(&id, nil, err)
	}
	m, a, failure := c.at.post(ctx, &id, form, client)
	if id.grant == grantRefresh && a.RefreshToken != "" && a.RefreshToken != form.Get("refresh_token") {
		c.current, m.rotated = a.RefreshToken, true
	}
	return m, failure
}

// client puts the client's id and secret where the issuer wants them.
func (c *clientSource) client(ctx context.Context, id *identity, form url.Values) (*url.Userinfo, error) {
	if c.opt.Secret == nil {
		form.Set("client_id", c.opt.ClientID)
		return nil, nil //nolint:nilnil // a public client
	}
	s, err := readSecret(ctx, c.opt.Secret)
	if err != nil {
		return nil, &credentialError{err: fmt.Errorf("client secret: %w", err)}
	}
	id.secrets = append(id.secrets, s)
	if !c.opt.SecretPost {
		return url.UserPassword(c.opt.ClientID, s), nil
	}
	form.Set("client_id", c.opt.ClientID)
	form.Set("client_secret", s)
	return nil, nil //nolint:nilnil // it is in the form
}

// refreshToken puts the newest refresh token into the form. What is read counts when it has changed:
// somebody signed in again.
func (c *clientSource) refreshToken(ctx context.Context, id *identity, form url.Values) error {
	if c.opt.RefreshToken == nil {
		return nil
	}
	s, err := readLine(ctx, c.opt.RefreshToken, maxToken)
	if err != nil {
		return &credentialError{err: fmt.Errorf("refresh token: %w", err)}
	}
	if s != c.read {
		c.read, c.current = s, s
	}
	id.grant, id.secrets = grantRefresh, append(id.secrets, s, c.current)
	form.Set("grant_type", "refresh_token")
	form.Set("refresh_token", c.current)
	return nil
}
