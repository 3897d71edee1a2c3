package oauth

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"software.sslmate.com/src/go-pkcs12"
)

// certificateIdentity reads the certificate and, for a PFX, its password.
func (e *entra) certificateIdentity(ctx context.Context) (identity, error) {
	text, err := e.opt.Certificate(ctx)
	if err != nil {
		return identity{}, &credentialError{err: fmt.Errorf("certificate: %w", err)}
	}
	password := ""
	if e.opt.CertificatePassword != nil {
		if password, err = readSecret(ctx, e.opt.CertificatePassword); err != nil {
			return identity{}, &credentialError{err: fmt.Errorf("certificate password: %w", err)}
		}
	}
	id, err := certIdentity(text, password, e.opt.Now())
	if err != nil {
		return id, &credentialError{certificate: true, err: err}
	}
	return id, nil
}

// Certificate reads a certificate as EntraOptions takes it and tells its SHA-256 and its end. It is an error
// what no token could be asked for with.
func Certificate(text []byte, password string, now time.Time) (thumb string, ends time.Time, err error) {
	id, err := certIdentity(text, password, now)
	return id.thumb, id.ends, err
}

// certIdentity takes a certificate and its key. MSAL signs with an expired certificate without a
// word, and the issuer's refusal does not name the reason, so its dates are checked here.
func certIdentity(text []byte, password string, now time.Time) (identity, error) {
	certs, key, err := readChain(text, password)
	if err != nil {
		return identity{}, err
	}
	cred, err := confidential.NewCredFromCert(certs, key)
	if err != nil {
		return identity{thumb: thumbprint(certs[0])}, fmt.Errorf("%w (the first certificate in the file is SHA-256 %s)", err, thumbprint(certs[0]))
	}
	own := ownCert(certs, key.(*rsa.PrivateKey)) // NewCredFromCert takes nothing else
	id := identity{cred: cred, grant: grantCertificate, thumb: thumbprint(own), ends: own.NotAfter}
	switch {
	case now.After(own.NotAfter):
		return id, fmt.Errorf("the certificate SHA-256 %s expired on %s", id.thumb, day(own.NotAfter))
	case now.Before(own.NotBefore):
		return id, fmt.Errorf("the certificate SHA-256 %s is not valid before %s: check this machine's clock", id.thumb, day(own.NotBefore))
	}
	return id, nil
}

// readChain reads PEM, or a PFX (PKCS #12, RFC 7292) as it is or in base64, the form in which vaults
// hand it out.
func readChain(text []byte, password string) ([]*x509.Certificate, crypto.PrivateKey, error) {
	if len(text) > maxPEM {
		return nil, nil, fmt.Errorf("the certificate file is longer than %d bytes", maxPEM)
	}
	text = unmarked(text)
	if der, ok := pfx(text); ok {
		if _, err := x509.ParseCertificate(der); err == nil {
			return nil, nil, errors.New("it is a certificate without its private key: store both, as PEM or PFX")
		}
		return readPFX(der, password)
	}
	if block, _ := pem.Decode(text); block == nil {
		return nil, nil, errors.New("the file is neither PEM (-----BEGIN …) nor a PFX: name the one with the certificate and its key")
	}
	if err := checkKey(text); err != nil {
		return nil, nil, err
	}
	if password != "" {
		return nil, nil, errors.New("there is a password, but the certificate is PEM, whose key needs none: remove certificate_password")
	}
	return confidential.CertFromPEM(text, "")
}

// pfx tells a PFX by its first octets, those of a SEQUENCE with a long length.
func pfx(text []byte) (der []byte, ok bool) {
	if bytes.HasPrefix(text, []byte{0x30, 0x82}) || bytes.HasPrefix(text, []byte{0x30, 0x83}) {
		return text, true
	}
	der, err := base64.StdEncoding.AppendDecode(nil, bytes.TrimSpace(text))
	return der, err == nil && len(der) > 0 && der[0] == 0x30
}

func readPFX(der []byte, password string) ([]*x509.Certificate, crypto.PrivateKey, error) {
	key, own, others, err := pkcs12.DecodeChain(der, password)
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return nil, nil, errors.New("the password of the PFX is wrong: correct certificate_password")
	case err != nil:
		return nil, nil, fmt.Errorf("the PFX cannot be read: %w", err)
	}
	if _, ok := key.(*rsa.PrivateKey); !ok {
		return nil, nil, errNotRSA
	}
	return append([]*x509.Certificate{own}, others...), key, nil
}

var errNotRSA = errors.New("the private key is no RSA key: Entra takes RSA keys only")

// checkKey finds what CertFromPEM only calls "no private key found".
func checkKey(text []byte) error {
	for {
		var b *pem.Block
		if b, text = pem.Decode(text); b == nil {
			return nil
		}
		_, old := b.Headers["DEK-Info"] // RFC 1421 section 4.6.1.3
		switch {
		case old, b.Type == "ENCRYPTED PRIVATE KEY":
			return errors.New("the private key is encrypted: store it without a passphrase (openssl pkcs8 -in KEY -out PLAIN) and protect the file's mode, or as PFX with certificate_password")
		case b.Type == "EC PRIVATE KEY":
			return errNotRSA
		case b.Type == "PRIVATE KEY":
			if k, err := x509.ParsePKCS8PrivateKey(b.Bytes); err == nil {
				if _, is := k.(*rsa.PrivateKey); !is {
					return errNotRSA
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
