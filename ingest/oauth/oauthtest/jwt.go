package oauthtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Claims are what a token of the issuer says.
type Claims struct {
	Issuer    string   `json:"iss"`
	Audience  string   `json:"aud"`
	Subject   string   `json:"sub"`
	Tenant    string   `json:"tid,omitempty"`
	AppID     string   `json:"appid,omitempty"` // not azp: Dovecot would look for the key under that name
	ObjectID  string   `json:"oid,omitempty"`
	UPN       string   `json:"upn,omitempty"` // the mailbox; AppOnly in an application's token
	Roles     []string `json:"roles,omitempty"`
	Scope     string   `json:"scp,omitempty"`
	ID        string   `json:"jti"`
	IssuedAt  int64    `json:"iat"`
	NotBefore int64    `json:"nbf"`
	Expires   int64    `json:"exp"`
}

// AppOnly is the upn of an application's token. Entra's have none; Dovecot needs a user name in
// every token, and its username_format = app-only makes this one fit every mailbox.
const AppOnly = "app-only"

// What Verify answers with.
var (
	ErrMalformed = errors.New("oauthtest: not a token of this issuer")
	ErrSignature = errors.New("oauthtest: the signature does not verify")
	ErrExpired   = errors.New("oauthtest: the token has expired or is not yet valid")
	ErrRevoked   = errors.New("oauthtest: the token was revoked")
)

// header is a JOSE header with what names a key (RFC 7515 section 4.1).
type header struct {
	Alg     string `json:"alg"`
	Typ     string `json:"typ,omitempty"`
	Kid     string `json:"kid,omitempty"`
	X5tS256 string `json:"x5t#S256,omitempty"`
	X5t     string `json:"x5t,omitempty"`
}

// sign makes a compact JWS with RS256 (RFC 7515 section 3.1, RFC 7518 section 3.3).
func sign(key *rsa.PrivateKey, kid string, claims any) (string, error) {
	h, err := json.Marshal(header{Alg: "RS256", Typ: "JWT", Kid: kid})
	if err != nil {
		return "", fmt.Errorf("token header: %w", err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("token claims: %w", err)
	}
	enc := base64.RawURLEncoding
	input := enc.EncodeToString(h) + "." + enc.EncodeToString(body)
	sum := sha256.Sum256([]byte(input))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("token signature: %w", err)
	}
	return input + "." + enc.EncodeToString(sig), nil
}

// parsed is a compact JWS taken apart, its signature not yet checked.
type parsed struct {
	header header
	claims []byte
	input  string
	sig    []byte
}

// parseJWS bounds the size first: test servers feed it whatever a client sends.
func parseJWS(token string) (parsed, error) {
	var p parsed
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(token) > 64<<10 {
		return p, ErrMalformed
	}
	var raw [3][]byte
	for i, s := range parts {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			return p, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		raw[i] = b
	}
	if err := json.Unmarshal(raw[0], &p.header); err != nil {
		return p, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	p.claims, p.sig, p.input = raw[1], raw[2], parts[0]+"."+parts[1]
	return p, nil
}

// verify checks the signature with the two algorithms that Entra takes in assertions.
func (p parsed) verify(key *rsa.PublicKey) error {
	sum := sha256.Sum256([]byte(p.input))
	var err error
	switch p.header.Alg {
	case "RS256":
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], p.sig)
	case "PS256":
		err = rsa.VerifyPSS(key, crypto.SHA256, sum[:], p.sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	default: // "none" and the HMAC family above all (RFC 8725 section 3.1)
		return ErrSignature
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

// Verify checks a bearer token as a mail server does: signature, key id, issuer, times, revocation.
func (i *Issuer) Verify(token string) (Claims, error) {
	p, err := parseJWS(token)
	if err != nil {
		return Claims{}, err
	}
	if p.header.Alg != "RS256" || p.header.Kid != i.kid {
		return Claims{}, ErrSignature
	}
	if err := p.verify(&i.key.PublicKey); err != nil {
		return Claims{}, err
	}
	var c Claims
	if err := json.Unmarshal(p.claims, &c); err != nil {
		return Claims{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	now := i.opt.Now().Unix()
	switch {
	case c.Issuer != i.url:
		return Claims{}, ErrMalformed
	case now >= c.Expires, now < c.NotBefore:
		return Claims{}, ErrExpired
	case i.isRevoked(c.ID):
		return Claims{}, ErrRevoked
	}
	return c, nil
}

// MintOptions says what a token made by Mint is like. The zero value is the token that the token
// endpoint gives to an application.
type MintOptions struct {
	Subject      string        // upn; default AppOnly
	TTL          time.Duration // default Options.TTL; negative: already expired
	NotBefore    time.Duration // from now; positive: not yet valid
	ClientID     string        // appid
	Tenant       string        // tid
	Audience     string        // default DefaultAudience
	Issuer       string        // default URL()
	Roles        []string      // nil: Options.Roles; empty: none
	BadSignature bool          // signed by a key that nobody knows
}

// Mint makes a token without asking for credentials: any token that a test wants.
func (i *Issuer) Mint(o MintOptions) string {
	key := i.key
	if o.BadSignature {
		key = i.forger()
	}
	return must(sign(key, i.kid, i.claims(o)))
}

// claims fills in what a token of Entra has. The same client in the same tenant has the same oid.
func (i *Issuer) claims(o MintOptions) Claims {
	now := i.opt.Now()
	ttl := o.TTL
	if ttl == 0 {
		ttl = i.opt.TTL
	}
	if o.Roles == nil {
		o.Roles = i.opt.Roles
	}
	issued := min(now.Unix(), now.Add(ttl).Unix()-1) // an expired token was issued before it ended
	oid := uuidOf("oid " + o.ClientID + o.Tenant)
	return Claims{
		Issuer: or(o.Issuer, i.url), Audience: or(o.Audience, DefaultAudience),
		Subject: oid, ObjectID: oid, Tenant: o.Tenant, AppID: o.ClientID,
		UPN: or(o.Subject, AppOnly), Roles: o.Roles, ID: rand.Text(),
		IssuedAt: issued, NotBefore: now.Add(o.NotBefore).Unix() + min(0, issued-now.Unix()),
		Expires: now.Add(ttl).Unix(),
	}
}

// Revoke makes Verify and introspection refuse this token from now on.
func (i *Issuer) Revoke(token string) {
	p, err := parseJWS(token)
	if err != nil {
		return
	}
	var c Claims
	if json.Unmarshal(p.claims, &c) != nil {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.revoked[c.ID] = true
}

// isRevoked knows tokens by their jti (RFC 7519 section 4.1.7).
func (i *Issuer) isRevoked(id string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.revoked[id]
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// uuidOf makes the same UUID-shaped name from the same text.
func uuidOf(s string) string {
	h := sha256.Sum256([]byte(s))
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
