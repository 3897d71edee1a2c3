package oauth

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
)

// Bounds for what is read: a path that names the wrong file must not fill the memory or the wire.
const (
	maxSecret = 4 << 10
	maxPEM    = 256 << 10
)

// identity is the credential of one token request.
type identity struct {
	cred   confidential.Credential
	secret string    // only to keep it out of error texts
	thumb  string    // SHA-256 of the certificate, for people
	ends   time.Time // of the certificate
}

// credentialError is a credential that cannot be used, found before any request.
type credentialError struct {
	certificate bool // it could be read, but it is not usable
	err         error
}

func (e *credentialError) Error() string { return e.err.Error() }
func (e *credentialError) Unwrap() error { return e.err }

// identify reads the credential that is configured, anew for every request.
func (e *Entra) identify(ctx context.Context) (identity, error) {
	if e.opt.Secret != nil {
		return secretIdentity(ctx, e.opt.Secret)
	}
	text, err := e.opt.Certificate(ctx)
	if err != nil {
		return identity{}, &credentialError{err: fmt.Errorf("certificate: %w", err)}
	}
	id, err := certIdentity(text, e.opt.Now())
	if err != nil {
		return id, &credentialError{certificate: true, err: err}
	}
	return id, nil
}

// secretIdentity hands the secret to MSAL, which posts it as client_secret (RFC 6749 section 2.3.1).
func secretIdentity(ctx context.Context, read func(context.Context) (string, error)) (identity, error) {
	s, err := readSecret(ctx, read)
	if err != nil {
		return identity{}, &credentialError{err: fmt.Errorf("client secret: %w", err)}
	}
	cred, err := confidential.NewCredFromSecret(s)
	if err != nil {
		return identity{}, &credentialError{err: err}
	}
	return identity{cred: cred, secret: s}, nil
}

// readSecret reads a one-line secret. Editors end files with a line break, some of them start them
// with a byte order mark; neither is part of it.
func readSecret(ctx context.Context, read func(context.Context) (string, error)) (string, error) {
	s, err := read(ctx)
	if err != nil {
		return "", err
	}
	s = strings.TrimRight(strings.TrimPrefix(s, "\ufeff"), "\r\n")
	switch {
	case s == "":
		return "", errors.New("it is empty")
	case len(s) > maxSecret:
		return "", fmt.Errorf("it is longer than %d bytes: is this the right file?", maxSecret)
	case strings.ContainsAny(s, "\r\n\x00"):
		return "", errors.New("it has more than one line, or a NUL: is this the right file?")
	}
	return s, nil
}

// certIdentity takes a certificate and its key. MSAL signs with an expired certificate without a
// word, and the issuer's refusal does not name the reason, so its dates are checked here.
func certIdentity(text []byte, now time.Time) (identity, error) {
	if len(text) > maxPEM {
		return identity{}, fmt.Errorf("the certificate file is longer than %d bytes", maxPEM)
	}
	if err := checkKey(text); err != nil {
		return identity{}, err
	}
	certs, key, err := confidential.CertFromPEM(text, "")
	if err != nil {
		return identity{}, err
	}
	cred, err := confidential.NewCredFromCert(certs, key)
	if err != nil {
		return identity{thumb: thumbprint(certs[0])}, fmt.Errorf("%w (the first certificate in the file is SHA-256 %s)", err, thumbprint(certs[0]))
	}
	own := ownCert(certs, key.(*rsa.PrivateKey)) // NewCredFromCert takes nothing else
	id := identity{cred: cred, thumb: thumbprint(own), ends: own.NotAfter}
	switch {
	case now.After(own.NotAfter):
		return id, fmt.Errorf("the certificate SHA-256 %s expired on %s", id.thumb, day(own.NotAfter))
	case now.Before(own.NotBefore):
		return id, fmt.Errorf("the certificate SHA-256 %s is not valid before %s: check this machine's clock", id.thumb, day(own.NotBefore))
	}
	return id, nil
}

// checkKey finds what CertFromPEM only calls "no private key found".
func checkKey(text []byte) error {
	for {
		var b *pem.Block
		if b, text = pem.Decode(text); b == nil {
			return nil
		}
		switch b.Type {
		case "ENCRYPTED PRIVATE KEY":
			return errors.New("the private key is encrypted: store it without a passphrase (openssl pkcs8 -in KEY -out PLAIN) and protect the file's mode")
		case "EC PRIVATE KEY":
			return errors.New("the private key is an EC key: Entra takes RSA keys only")
		case "PRIVATE KEY":
			if k, err := x509.ParsePKCS8PrivateKey(b.Bytes); err == nil {
				if _, ec := k.(*ecdsa.PrivateKey); ec {
					return errors.New("the private key is an EC key: Entra takes RSA keys only")
				}
			}
		}
	}
}

// ownCert is the certificate of the chain that the key belongs to.
func ownCert(certs []*x509.Certificate, key *rsa.PrivateKey) *x509.Certificate {
	for _, c := range certs {
		if key.PublicKey.Equal(c.PublicKey) {
			return c
		}
	}
	return certs[0]
}

// thumbprint is written as the portal and openssl x509 -fingerprint -sha256 show it, without colons.
func thumbprint(c *x509.Certificate) string { return fmt.Sprintf("%X", sha256.Sum256(c.Raw)) }

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }
