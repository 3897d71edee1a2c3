package oauthtest

import (
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// federated is a federated credential of an app registration: whose tokens are accepted in place of
// a secret, and what must stand in them.
type federated struct {
	issuer, subject, audience string
	key                       *rsa.PublicKey
}

// workloadClaims are those of a projected service account token of Kubernetes, as far as they matter.
type workloadClaims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  []string `json:"aud"`
	IssuedAt  int64    `json:"iat"`
	NotBefore int64    `json:"nbf"`
	Expires   int64    `json:"exp"`
}

// Trust adds a federated credential: from now on tokens of other are accepted as client assertions
// if their subject and audience are these, in the same case of letters.
func (i *Issuer) Trust(other *Issuer, subject, audience string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.trusted = append(i.trusted, federated{other.url, subject, audience, &other.key.PublicKey})
}

// Workload makes what Kubernetes projects into a pod, with this issuer as the cluster's.
func (i *Issuer) Workload(subject, audience string, ttl time.Duration) string {
	now := i.opt.Now()
	return must(sign(i.key, i.kid, workloadClaims{
		Issuer: i.url, Subject: subject, Audience: []string{audience}, IssuedAt: now.Unix(), NotBefore: now.Unix(), Expires: now.Add(ttl).Unix(),
	}))
}

// workload verifies a federated assertion in the order in which Entra complains.
func (i *Issuer) workload(p parsed) error {
	var c workloadClaims
	if json.Unmarshal(p.claims, &c) != nil {
		return refuse(http.StatusUnauthorized, "invalid_client", 50027, "JWT token is invalid or malformed.")
	}
	i.mu.Lock()
	known := slices.DeleteFunc(slices.Clone(i.trusted), func(f federated) bool { return f.issuer != c.Issuer })
	i.mu.Unlock()
	if len(known) == 0 {
		return refuse(http.StatusUnauthorized, "invalid_client", 700211, "No matching federated identity record found for presented assertion issuer '%s'.", c.Issuer)
	}
	if p.verify(known[0].key) != nil {
		return refuse(http.StatusUnauthorized, "invalid_client", 700027, "Client assertion failed signature validation.")
	}
	fits := func(f federated) bool { return f.subject == c.Subject }
	if !slices.ContainsFunc(known, fits) {
		return refuse(http.StatusUnauthorized, "invalid_client", 700213, "No matching federated identity record found for presented assertion subject '%s'.", c.Subject)
	}
	if !slices.ContainsFunc(known, func(f federated) bool { return fits(f) && slices.Contains(c.Audience, f.audience) }) {
		return refuse(http.StatusUnauthorized, "invalid_client", 700212, "No matching federated identity record found for presented assertion audience '%v'.", c.Audience)
	}
	if now := i.opt.Now().Unix(); c.Expires <= now || c.NotBefore > now+int64(5*time.Minute/time.Second) {
		return refuse(http.StatusUnauthorized, "invalid_client", 700024, "Client assertion is not within its valid time range.")
	}
	return nil
}
