package oauth

import (
	"cmp"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"mailflume/ingest"
)

// The scopes for mailboxes of Google Workspace. GoogleIMAP shows all mail whatever the user's own
// IMAP settings hide; it is for domain-wide delegation and for IMAP alone. GoogleMail is for POP3.
const (
	GoogleIMAP = "https://www.googleapis.com/auth/gmail.imap_admin"
	GoogleMail = "https://mail.google.com/"
)

const (
	googleTokenURL = "https://oauth2.googleapis.com/token"
	assertionLife  = time.Hour        // the longest that Google takes
	assertionBack  = 30 * time.Second // a clock that is a little ahead must not sign in the future
)

// GoogleOptions describe a service account with domain-wide delegation.
type GoogleOptions struct {
	// Key reads the service account's key, the JSON file as Google gives it, anew for every real token
	// request.
	Key      func(ctx context.Context) ([]byte, error)
	Scope    string // what the administrator has delegated; default GoogleIMAP
	TokenURL string // default: the key's, which is Google's

	Common
}

// Google is a service account that acts for mailboxes. It is safe for concurrent use.
type Google struct {
	opt  GoogleOptions
	http *http.Client
	gate *gate

	mu      sync.Mutex
	closed  bool
	sources map[string]*Source // by mailbox
}

// NewGoogle checks the options. It does no I/O.
func NewGoogle(o GoogleOptions) (*Google, error) {
	o.fill()
	o.Scope = cmp.Or(o.Scope, GoogleIMAP)
	if o.Key == nil {
		return nil, errors.New("google: set the key of a service account")
	}
	if o.TokenURL != "" {
		if _, err := newEndpoint(o.TokenURL, nil, o.Now); err != nil {
			return nil, fmt.Errorf("google: %w", err)
		}
	}
	return &Google{opt: o, http: newHTTPClient(o.RootCAs), gate: newGate(o.Now), sources: map[string]*Source{}}, nil
}

// Mailbox returns the source of the tokens of one user of the Workspace, the same one each time.
func (g *Google) Mailbox(address string) *Source {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.sources[address]
	if s == nil {
		own := g.opt.Common
		own.Timeout = time.Hour // of the wait at the gate; the request itself has its own
		s = newSource("google "+address+" scope "+g.opt.Scope, g.http, func(ctx context.Context) (minted, *ingest.Error) { return g.mint(ctx, address) }, own)
		g.sources[address] = s
		if g.closed {
			s.tokens.close()
		}
	}
	return s
}

// Reread says that the key may have changed: the next Token asks at once, whatever failed before.
func (g *Google) Reread() {
	g.gate.reread()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.sources {
		s.Reread()
	}
}

// String names the source without its key.
func (g *Google) String() string { return "google scope " + g.opt.Scope }

// GoString hides what String hides.
func (g *Google) GoString() string { return g.String() }

// Close closes the sources of all mailboxes.
func (g *Google) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	var wg sync.WaitGroup
	for _, s := range g.sources {
		wg.Go(s.tokens.close)
	}
	wg.Wait()
	g.http.CloseIdleConnections()
	return nil
}

// mint makes one real token request for a mailbox, once the gate lets it.
func (g *Google) mint(ctx context.Context, address string) (minted, *ingest.Error) {
	if e := g.gate.enter(ctx, address); e != nil {
		return minted{shared: true}, e
	}
	ctx, cancel := context.WithTimeout(ctx, g.opt.Timeout)
	defer cancel()
	m, failure := g.ask(ctx, address)
	g.gate.leave(address, failure)
	return m, failure
}

// ask trades a signed assertion for a token (RFC 7523 section 2.1).
func (g *Google) ask(ctx context.Context, address string) (minted, *ingest.Error) {
	id := identity{grant: grantMailbox}
	text, err := g.opt.Key(ctx)
	if err != nil {
		return minted{}, classify(&id, nil, &credentialError{err: fmt.Errorf("service account: %w", err)})
	}
	key, err := parseKey(text)
	if err != nil {
		return minted{}, classify(&id, nil, &credentialError{err: fmt.Errorf("service account: %w", err)})
	}
	id.secrets = []string{key.PrivateKey}
	id.about = fmt.Sprintf("service account %s, client id %s, mailbox %s, scope %s", clean(key.Email, 200), clean(key.ClientID, 60), address, g.opt.Scope)
	at, err := newEndpoint(cmp.Or(g.opt.TokenURL, key.TokenURI, googleTokenURL), g.http, g.opt.Now)
	if err != nil {
		return minted{}, classify(&id, nil, err)
	}
	assertion, err := key.sign(mailboxClaims(key, at.url.String(), address, g.opt.Scope, g.opt.Now()))
	if err != nil {
		return minted{}, classify(&id, nil, err)
	}
	m, _, failure := at.post(ctx, &id, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}, nil)
	return m, failure
}

// accountKey is the JSON file of a service account.
type accountKey struct {
	Type       string `json:"type"`
	Email      string `json:"client_email"`
	ClientID   string `json:"client_id"`
	KeyID      string `json:"private_key_id"`
	PrivateKey string `json:"private_key"`
	TokenURI   string `json:"token_uri"`

	rsa *rsa.PrivateKey
}

// parseKey reads a key. Its errors never quote the file.
func parseKey(text []byte) (*accountKey, error) {
	if len(text) > maxPEM {
		return nil, fmt.Errorf("the key is longer than %d bytes: is this the right file?", maxPEM)
	}
	k := &accountKey{}
	if json.Unmarshal(text, k) != nil {
		return nil, errors.New("the key is no JSON: it is the file that Google gives when a key is made (IAM > Service accounts > Keys > JSON)")
	}
	if k.Type != "service_account" || k.Email == "" {
		return nil, fmt.Errorf("the key is of type %q, not of a service_account", clean(k.Type, 40))
	}
	block, _ := pem.Decode([]byte(k.PrivateKey))
	if block == nil {
		return nil, errors.New("the key has no private_key")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("the private_key of the key cannot be read")
	}
	var ok bool
	if k.rsa, ok = parsed.(*rsa.PrivateKey); !ok {
		return nil, errors.New("the private_key of the key is no RSA key")
	}
	return k, nil
}

// mailboxClaims say who asks for which mailbox (RFC 7523 section 3; sub is domain-wide delegation).
func mailboxClaims(k *accountKey, audience, address, scope string, now time.Time) map[string]any {
	issued := now.Add(-assertionBack)
	return map[string]any{
		"iss": k.Email, "sub": address, "scope": scope, "aud": audience,
		"iat": issued.Unix(), "exp": issued.Add(assertionLife).Unix(),
	}
}

// sign makes a compact JWS with RS256 (RFC 7515 section 3.1).
func (k *accountKey) sign(claims map[string]any) (string, error) {
	head, _ := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": k.KeyID}) // strings always marshal
	body, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("assertion: %w", err)
	}
	enc := base64.RawURLEncoding
	input := enc.EncodeToString(head) + "." + enc.EncodeToString(body)
	sum := sha256.Sum256([]byte(input))
	sig, err := rsa.SignPKCS1v15(rand.Reader, k.rsa, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("assertion: %w", err)
	}
	return strings.Join([]string{input, enc.EncodeToString(sig)}, "."), nil
}
