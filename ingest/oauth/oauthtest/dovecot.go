package oauthtest

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
)

// WriteDovecotKey writes the issuer's public key where Dovecot 2.3 looks for it when it validates
// tokens itself: <dir>/<azp, or "default">/<alg>/<kid>. The settings that go with it are
//
//	introspection_mode = local
//	local_validation_key_dict = fs:posix:prefix=<dir>/
//	issuers = <URL()>
//	username_attribute = upn
//
// and username_format = app-only if one token is to open every mailbox.
func (i *Issuer) WriteDovecotKey(dir string) error {
	der, err := x509.MarshalPKIXPublicKey(&i.key.PublicKey)
	if err != nil {
		return fmt.Errorf("issuer's public key: %w", err)
	}
	at := filepath.Join(dir, "default", "RS256")
	if err := os.MkdirAll(at, 0o755); err != nil {
		return fmt.Errorf("dovecot key: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	if err := os.WriteFile(filepath.Join(at, i.kid), text, 0o644); err != nil {
		return fmt.Errorf("dovecot key: %w", err)
	}
	return nil
}
