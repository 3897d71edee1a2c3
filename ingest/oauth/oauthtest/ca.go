package oauthtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// CA is a certificate authority that lives in memory: one for the issuer and every mail server of a
// test or demo. Its keys are EC P-256. It is safe for concurrent use.
//
// Its methods panic if the system cannot make a key or a certificate, which happens only where
// nothing else could work either.
type CA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewCA makes an authority that is valid from an hour ago for ten years.
func NewCA() *CA {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	now := time.Now()
	tmpl := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: "mailflume test authority"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der := must(x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key))
	return &CA{cert: must(x509.ParseCertificate(der)), key: key}
}

// Pool returns a pool that holds this authority alone.
func (ca *CA) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(ca.cert)
	return p
}

// PEM returns the authority's certificate, for a ca_file.
func (ca *CA) PEM() []byte { return certPEM(ca.cert.Raw) }

// Server makes a server certificate for the hosts (names or addresses), valid for a year. Without
// hosts it is for localhost, 127.0.0.1 and ::1.
func (ca *CA) Server(hosts ...string) tls.Certificate {
	now := time.Now()
	return ca.server(now.Add(-time.Hour), now.AddDate(1, 0, 0), hosts)
}

// ExpiredServer makes a server certificate that ended an hour ago.
func (ca *CA) ExpiredServer(hosts ...string) tls.Certificate {
	now := time.Now()
	return ca.server(now.AddDate(0, -1, 0), now.Add(-time.Hour), hosts)
}

// server puts the authority's certificate into the chain too: clients that trust it do not need it,
// but openssl s_client shows it to people.
func (ca *CA) server(from, until time.Time, hosts []string) tls.Certificate {
	if len(hosts) == 0 {
		hosts = []string{"localhost", "127.0.0.1", "::1"}
	}
	tmpl := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: hosts[0]},
		NotBefore:    from,
		NotAfter:     until,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			tmpl.IPAddresses = append(tmpl.IPAddresses, ip)
		} else {
			tmpl.DNSNames = append(tmpl.DNSNames, h)
		}
	}
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	der := must(x509.CreateCertificate(rand.Reader, tmpl, ca.cert, &key.PublicKey, ca.key))
	return tls.Certificate{Certificate: [][]byte{der, ca.cert.Raw}, PrivateKey: key, Leaf: must(x509.ParseCertificate(der))}
}

// ServerPEM returns a certificate of Server as two PEM files: the chain and the key, for a server
// that runs in another process.
func ServerPEM(c tls.Certificate) (chain, key []byte, err error) {
	for _, der := range c.Certificate {
		chain = append(chain, certPEM(der)...)
	}
	key, err = keyPEM(c.PrivateKey)
	return chain, key, err
}

// ClientCertificate makes what an app registration has: a self-signed certificate, valid between
// the two times, and one PEM text with the certificate and its key (RSA 2048, PKCS #8).
func ClientCertificate(notBefore, notAfter time.Time) (cert *x509.Certificate, pemText []byte, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, nil, fmt.Errorf("client key: %w", err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: "mailflume test client"},
		NotBefore:    notBefore,
		NotAfter:     notAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		return nil, nil, fmt.Errorf("client certificate: %w", err)
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		return nil, nil, fmt.Errorf("client certificate: %w", err)
	}
	k, err := keyPEM(key)
	return cert, append(certPEM(der), k...), err
}

func certPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// keyPEM writes PKCS #8, which OpenSSL, Dovecot and MSAL all read.
func keyPEM(key crypto.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// serial is random and positive, below the 20 octets of RFC 5280 section 4.1.2.2.
func serial() *big.Int {
	return must(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)))
}

// must is for what fails only if the system has no randomness or a template here is wrong.
func must[T any](v T, err error) T {
	if err != nil {
		panic("oauthtest: " + err.Error())
	}
	return v
}
