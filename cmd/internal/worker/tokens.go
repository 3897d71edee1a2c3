package worker

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/ingest/oauth"
)

// issuing is a source of tokens that mailboxes share: an *oauth.Source or *oauth.Google.
type issuing interface {
	io.Closer
	Reread()
}

// reread has all sources try again at once.
func (b *builder) reread() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.tokens {
		s.Reread()
	}
}

// tokenSource returns what a mailbox is signed in with. Mailboxes of equal credentials share it.
func (b *builder) tokenSource(m *config.Mailbox) (ingest.TokenSource, error) {
	c := m.Credential
	switch {
	case c.Type == config.TypePassword:
		return oauth.Password(c.Password.Read), nil
	case c.Type == config.TypeOAuth2 && !c.Token.IsZero():
		return oauth.Bearer(c.Token.Read), nil
	case c.Type == config.TypeGoogle:
		scope := cmp.Or(c.Scope, googleScope(m.Protocol))
		g, err := shared(b, c, scope, func(o oauth.Common) (*oauth.Google, error) {
			return oauth.NewGoogle(oauth.GoogleOptions{Key: c.ServiceAccount.ReadBytes, Scope: scope, TokenURL: c.TokenURL, Common: o})
		})
		if err != nil {
			return nil, err
		}
		return g.Mailbox(m.User), nil
	case c.Type == config.TypeDelegated:
		s, err := shared(b, c, c.Name+" "+c.SignInScope(), func(o oauth.Common) (*oauth.Source, error) {
			return oauth.NewDelegated(b.signIns.options(c, o))
		})
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	s, err := shared(b, c, "", func(o oauth.Common) (*oauth.Source, error) { return newSource(c, o) })
	if err != nil {
		return nil, err
	}
	return s, nil
}

// googleScope is what shows all mail: for IMAP the administrator's view, which POP3 has not.
func googleScope(p config.Protocol) string {
	if p == config.POP3 {
		return oauth.GoogleMail
	}
	return oauth.GoogleIMAP
}

// shared finds or makes the one source of equal credentials.
func shared[T issuing](b *builder, c *config.Credential, variant string, build func(oauth.Common) (T, error)) (T, error) {
	key := c.Definition() + " " + variant
	if s, ok := b.tokens[key].(T); ok {
		return s, nil
	}
	o := oauth.Common{Now: b.now, Hooks: oauth.Hooks{Refreshed: func(i oauth.RefreshInfo) {
		if i.CertExpires.IsZero() {
			i.CertExpires = time.Time(c.ClientSecretExpires)
		}
		b.onToken(c.Name, i)
	}}}
	issuer := c.TokenURL + " " + c.ClientID
	if b.gates[issuer] == nil {
		b.gates[issuer] = oauth.NewGate()
	}
	o.Gate = b.gates[issuer]
	var none T
	if c.CAFile != "" {
		pool, err := certPool(c.CAFile)
		if err != nil {
			return none, fmt.Errorf("credentials.%s.ca_file: %w", c.Name, err)
		}
		o.RootCAs = pool
	}
	s, err := build(o)
	if err != nil {
		return none, fmt.Errorf("credentials.%s: %w", c.Name, err)
	}
	b.tokens[key] = s
	return s, nil
}

// newSource makes the source of credentials that give the same token to every mailbox.
func newSource(c *config.Credential, o oauth.Common) (*oauth.Source, error) {
	switch {
	case c.Type == config.TypeOAuth2:
		opt := oauth.OAuth2Options{
			TokenURL: c.TokenURL, ClientID: c.ClientID, Scope: c.Scope, Params: c.Params, SecretPost: c.ClientAuth == config.ClientAuthPost, Common: o,
		}
		if !c.ClientSecret.IsZero() {
			opt.Secret = c.ClientSecret.Read
		}
		if !c.RefreshToken.IsZero() {
			opt.RefreshToken = c.RefreshToken.Read
		}
		return oauth.NewOAuth2(opt)
	case c.ManagedIdentity:
		return oauth.NewManagedIdentity(oauth.ManagedIdentityOptions{ClientID: c.ClientID, Scope: c.Scope, Common: o})
	}
	opt := oauth.EntraOptions{Tenant: c.Tenant, ClientID: c.ClientID, Authority: c.Authority, Scope: c.Scope, Common: o}
	switch {
	case !c.Certificate.IsZero():
		opt.Certificate = c.Certificate.ReadBytes
		if !c.CertificatePassword.IsZero() {
			opt.CertificatePassword = c.CertificatePassword.Read
		}
	case !c.FederatedToken.IsZero():
		opt.Federated = c.FederatedToken.Read
	default:
		opt.Secret = c.ClientSecret.Read
	}
	return oauth.NewEntra(opt)
}

const (
	warnAhead = 30 * 24 * time.Hour // before a certificate or secret ends
	warnAgain = 24 * time.Hour
)

// tokenRefreshed notes a request at a token endpoint.
func (w *Worker) tokenRefreshed(credential string, i oauth.RefreshInfo) {
	result := "ok"
	if i.Err != nil {
		result = "failed"
	} else {
		w.metrics.tokenExpiry.WithLabelValues(credential).Set(float64(i.Expires.Unix()))
		w.metrics.tokenIssued.WithLabelValues(credential).SetToCurrentTime()
	}
	w.metrics.tokens.WithLabelValues(credential, result).Inc()
	w.log.Debug().Str("credential", credential).Str("result", result).Time("expires", i.Expires).Dur("took", i.Took).Msg("token request")
	if i.Rotated {
		w.warnOf(credential, ingest.CodeRotated, "the issuer replaced the refresh token; the new one is in memory only")
	}
	if i.CertExpires.IsZero() {
		return
	}
	w.metrics.credentialExpiry.WithLabelValues(credential).Set(float64(i.CertExpires.Unix()))
	if time.Until(i.CertExpires) < warnAhead {
		w.warnOf(credential, ingest.CodeEndsSoon, "the certificate or client secret ends on "+i.CertExpires.UTC().Format(time.DateOnly))
	}
}

// warnOf logs what will become a trouble, once a day.
func (w *Worker) warnOf(credential string, code ingest.Code, text string) {
	key, now := credential+" "+string(code), time.Now()
	if last, ok := w.warned.Load(key); ok && now.Sub(last.(time.Time)) < warnAgain {
		return
	}
	w.warned.Store(key, now)
	_, next := ingest.Explain(code)
	w.log.Warn().Str("credential", credential).Str("code", string(code)).Str("next", next).Msg(text)
}
