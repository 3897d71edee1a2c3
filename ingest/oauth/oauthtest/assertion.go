package oauthtest

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" // RFC 7523 section 2.2

// assertionClaims are what RFC 7523 section 3 requires of a client's assertion.
type assertionClaims struct {
	Audience  string `json:"aud"`
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	ID        string `json:"jti"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp"`
}

// assertion verifies a signed client assertion against the registered certificates.
func (i *Issuer) assertion(f url.Values, token, endpoint string) error {
	if f.Get("client_assertion_type") != assertionType {
		return refuse(http.StatusBadRequest, "invalid_request", 900144, "The request body must contain the following parameter: 'client_assertion_type'.")
	}
	p, err := parseJWS(token)
	if err != nil {
		return refuse(http.StatusUnauthorized, "invalid_client", 50027, "JWT token is invalid or malformed.")
	}
	if p.header.X5t == "" && p.header.X5tS256 == "" {
		return i.workload(p) // it names no certificate: somebody else's
	}
	cert, thumb := i.registered(p.header)
	if cert == nil {
		return refuse(http.StatusUnauthorized, "invalid_client", 700027, "Client assertion failed signature validation. [Reason - The key was not found., Thumbprint of key used by client: '%s']", thumb)
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || p.verify(key) != nil {
		return refuse(http.StatusUnauthorized, "invalid_client", 700027, "Client assertion failed signature validation. [Reason - The signature does not match., Thumbprint of key used by client: '%s']", thumb)
	}
	if now := i.opt.Now(); now.After(cert.NotAfter) || now.Before(cert.NotBefore) {
		return refuse(http.StatusUnauthorized, "invalid_client", 700027, "Client assertion failed signature validation. [Reason - The key used is expired., Thumbprint of key used by client: '%s']", thumb)
	}
	var c assertionClaims
	if json.Unmarshal(p.claims, &c) != nil {
		return refuse(http.StatusUnauthorized, "invalid_client", 50027, "JWT token is invalid or malformed.")
	}
	return i.assertionClaims(c, f.Get("client_id"), endpoint)
}

// assertionClaims allows Entra's five minutes of difference between the clocks.
func (i *Issuer) assertionClaims(c assertionClaims, clientID, endpoint string) error {
	now := i.opt.Now().Unix()
	skew := int64(5 * time.Minute / time.Second)
	switch {
	case c.Issuer != clientID || c.Subject != clientID:
		return refuse(http.StatusUnauthorized, "invalid_client", 700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
	case !strings.EqualFold(c.Audience, endpoint):
		return refuse(http.StatusUnauthorized, "invalid_client", 700023, "Client assertion audience claim does not match the token endpoint.")
	case c.Expires <= now-skew, c.NotBefore > now+skew, c.Expires == 0:
		return refuse(http.StatusUnauthorized, "invalid_client", 700024, "Client assertion is not within its valid time range.")
	case c.ID == "" || !i.firstUse(c.ID, c.Expires+skew, now):
		return refuse(http.StatusUnauthorized, "invalid_client", 700027, "Client assertion was used before.")
	}
	return nil
}

// firstUse remembers an assertion until it has ended, and forgets those that have.
func (i *Issuer) firstUse(jti string, until, now int64) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	for id, end := range i.seen {
		if end < now {
			delete(i.seen, id)
		}
	}
	if _, used := i.seen[jti]; used {
		return false
	}
	i.seen[jti] = until
	return true
}

// registered finds the certificate that an assertion's header names by x5t#S256 (RFC 7515 section
// 4.1.8). MSAL writes the thumbprint in standard base64, the RFC asks for the URL alphabet: both are taken.
func (i *Issuer) registered(h header) (cert *x509.Certificate, thumb string) {
	sum, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(h.X5tS256), "="))
	if err != nil || len(sum) != sha256.Size {
		return nil, h.X5t
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.certs[string(sum)], strings.ToUpper(hex.EncodeToString(sum))
}
