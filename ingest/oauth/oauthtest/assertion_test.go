package oauthtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"
)

func verifyOptions(ca *CA, host string) x509.VerifyOptions {
	return x509.VerifyOptions{Roots: ca.Pool(), DNSName: host}
}

// client signs assertions.
type client struct {
	cert *x509.Certificate
	key  *rsa.PrivateKey
}

func newClient(t *testing.T, until time.Time) client {
	t.Helper()
	cert, text, err := ClientCertificate(until.Add(-24*time.Hour), until)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		t.Fatal(err)
	}
	return client{cert, pair.PrivateKey.(*rsa.PrivateKey)}
}

func (c client) sign(t *testing.T, alg string, claims assertionClaims) string {
	t.Helper()
	sum := sha256.Sum256(c.cert.Raw)
	h := must(json.Marshal(header{Alg: alg, X5tS256: base64.StdEncoding.EncodeToString(sum[:])}))
	enc := base64.RawURLEncoding
	input := enc.EncodeToString(h) + "." + enc.EncodeToString(must(json.Marshal(claims)))
	digest := sha256.Sum256([]byte(input))
	var sig []byte
	if alg == "PS256" {
		sig = must(rsa.SignPSS(rand.Reader, c.key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}))
	} else {
		sig = must(rsa.SignPKCS1v15(rand.Reader, c.key, crypto.SHA256, digest[:]))
	}
	return input + "." + enc.EncodeToString(sig)
}

func TestAssertionsAreReallyVerified(t *testing.T) {
	i, c := start(t, Options{})
	now := time.Now()
	known, stranger, old := newClient(t, now.Add(time.Hour)), newClient(t, now.Add(time.Hour)), newClient(t, now.Add(-time.Hour))
	i.Register(known.cert)
	i.Register(old.cert)
	endpoint := i.URL() + "/t/oauth2/v2.0/token"
	good := assertionClaims{Audience: endpoint, Issuer: "app", Subject: "app", ID: "1", NotBefore: now.Unix(), Expires: now.Add(10 * time.Minute).Unix()}
	with := func(change func(*assertionClaims)) assertionClaims {
		claims := good
		claims.ID = rand.Text()
		change(&claims)
		return claims
	}
	same := func(*assertionClaims) {}
	impostor := client{known.cert, stranger.key}
	for _, tc := range []struct {
		name, token, want string
	}{
		{"PS256", known.sign(t, "PS256", good), ""},
		{"the same once more", known.sign(t, "PS256", good), "700027"},
		{"RS256", known.sign(t, "RS256", with(same)), ""},
		{"a key that is not registered", stranger.sign(t, "PS256", with(same)), "700027"},
		{"another key under a registered certificate", impostor.sign(t, "PS256", with(same)), "700027"},
		{"an algorithm that is not allowed", known.sign(t, "HS256", with(same)), "700027"},
		{"an expired certificate", old.sign(t, "PS256", with(same)), "700027"},
		{"another audience", known.sign(t, "PS256", with(func(c *assertionClaims) { c.Audience = "https://x" })), "700023"},
		{"another subject", known.sign(t, "PS256", with(func(c *assertionClaims) { c.Subject = "x" })), "700021"},
		{"over", known.sign(t, "PS256", with(func(c *assertionClaims) { c.Expires = now.Add(-time.Hour).Unix() })), "700024"},
		{"not yet", known.sign(t, "PS256", with(func(c *assertionClaims) { c.NotBefore = now.Add(time.Hour).Unix() })), "700024"},
		{"without an id", known.sign(t, "PS256", with(func(c *assertionClaims) { c.ID = "" })), "700027"},
		{"garbage", "a.b", "50027"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status, got := post(t, c, endpoint, url.Values{
				"grant_type": {"client_credentials"}, "client_id": {"app"}, "scope": {"https://outlook.office365.com/.default"},
				"client_assertion_type": {assertionType}, "client_assertion": {tc.token},
			})
			text, _ := got["error_description"].(string)
			if tc.want == "" && status != 200 || tc.want != "" && !strings.Contains(text, "AADSTS"+tc.want+":") {
				t.Errorf("HTTP %d %v, want %q", status, got, tc.want)
			}
		})
	}
}
