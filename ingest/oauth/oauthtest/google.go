package oauthtest

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const grantJWT = "urn:ietf:params:oauth:grant-type:jwt-bearer" // RFC 7523 section 2.1

// mailboxClaims are those of a service account that acts for a mailbox.
type mailboxClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Scope    string `json:"scope"`
	Audience string `json:"aud"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// ServiceAccount makes a service account as Google has them and returns its key file. It may act for
// every mailbox, with the scopes that an administrator would have delegated to it. All accounts sign
// with the issuer's own key.
func (i *Issuer) ServiceAccount(email string, scopes ...string) []byte {
	i.mu.Lock()
	i.delegated[email] = scopes
	i.mu.Unlock()
	der := must(x509.MarshalPKCS8PrivateKey(i.key))
	return must(json.Marshal(map[string]string{
		"type": "service_account", "client_email": email, "client_id": "100000000000000000001", "private_key_id": i.kid,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": i.TokenURL(),
	}))
}

// Suspend makes the issuer refuse tokens for this mailbox, which may also never have existed.
func (i *Issuer) Suspend(address string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.suspended[strings.ToLower(address)] = true
}

// mailboxGrant is Google's side of domain-wide delegation, with Google's words.
func (i *Issuer) mailboxGrant(f url.Values) (MintOptions, error) {
	grant := func(format string, args ...any) (MintOptions, error) {
		return MintOptions{}, refuse(http.StatusBadRequest, "invalid_grant", 0, format, args...)
	}
	p, err := parseJWS(f.Get("assertion"))
	var c mailboxClaims
	if err != nil || json.Unmarshal(p.claims, &c) != nil {
		return grant("Invalid JWT")
	}
	i.mu.Lock()
	scopes, known := i.delegated[c.Issuer]
	suspended := i.suspended[strings.ToLower(c.Subject)]
	i.mu.Unlock()
	now := i.opt.Now().Unix()
	switch {
	case !known:
		return grant("Invalid grant: account not found")
	case p.header.Alg != "RS256" || p.header.Kid != i.kid || p.verify(&i.key.PublicKey) != nil:
		return grant("Invalid JWT Signature.")
	case c.Audience != i.TokenURL():
		return grant("Invalid JWT: Failed audience check")
	case c.Expires-c.IssuedAt > int64(time.Hour/time.Second), c.Expires <= now, c.IssuedAt > now+300:
		return grant("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.")
	case !containsAll(scopes, strings.Fields(c.Scope)):
		return MintOptions{}, refuse(http.StatusUnauthorized, "unauthorized_client", 0,
			"Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.")
	case suspended || c.Subject == "":
		return grant("Invalid email or User ID")
	}
	return MintOptions{ClientID: c.Issuer, Subject: c.Subject, Audience: "https://mail.google.com/"}, nil
}

func containsAll(have, want []string) bool {
	set := map[string]bool{}
	for _, s := range have {
		set[s] = true
	}
	for _, s := range want {
		if !set[s] {
			return false
		}
	}
	return len(want) > 0
}
