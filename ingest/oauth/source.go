package oauth

import (
	"context"
	"crypto/x509"
	"net/http"
	"time"

	"mailflume/ingest"
)

// Source gives the tokens of one issuer for one purpose and keeps one of them alive. It is safe for
// concurrent use.
type Source struct {
	name   string
	http   *http.Client
	gate   *Gate
	tokens *renewer
}

var _ ingest.TokenSource = (*Source)(nil)

func newSource(name string, client *http.Client, mint func(context.Context) (minted, *ingest.Error), c Common) *Source {
	return &Source{name: name, http: client, gate: c.Gate, tokens: newRenewer(mint, c.Now, c.Timeout, c.Hooks.Refreshed)}
}

// Token returns the cached token without I/O while it is good, and otherwise waits for the one
// request that is under way. See [ingest.TokenSource].
func (s *Source) Token(ctx context.Context, refused string) (ingest.Token, error) {
	return s.tokens.Token(ctx, refused)
}

// Reread says that the credential may have changed: the next Token asks at once, whatever failed before.
// That is heard once a minute.
func (s *Source) Reread() {
	if s.gate != nil {
		s.gate.reread()
	}
	s.tokens.reread()
}

// String names the source without its credential and token.
func (s *Source) String() string { return s.name }

// GoString is String: %#v would follow pointers that lead to the credential.
func (s *Source) GoString() string { return s.name }

// Close ends a request that is under way, stops renewing and waits. Token fails from then on.
func (s *Source) Close() error {
	s.tokens.close()
	s.http.CloseIdleConnections()
	return nil
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
	CertExpires time.Time // of the client certificate; zero with another credential
	Rotated     bool      // the issuer gave another refresh token, which lives in memory only
}

// Common are the options that every source has.
type Common struct {
	RootCAs *x509.CertPool   // nil: the system's
	Timeout time.Duration    // of one token request; default 30 s
	Now     func() time.Time // default time.Now
	Hooks   Hooks
	Gate    *Gate // of the client at its issuer, where that has several accounts; nil: it has one
}

func (c *Common) fill() {
	if c.Timeout <= 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Gate == nil {
		c.Gate = NewGate()
	}
}
