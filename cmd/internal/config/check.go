package config

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// CheckSecrets reads every secret and every certificate that the configuration refers to, and
// reports those that cannot be used, each where it is referred to. Its error is an Errors. It
// reads local files only; whether a server accepts them is another question.
func (c *Config) CheckSecrets(ctx context.Context) error {
	k := &secretCheck{ctx: ctx}
	for _, f := range []SecretFile{c.NATS.CredentialsFile, c.NATS.NKeySeedFile, c.NATS.PasswordFile, c.NATS.TLS.KeyFile, c.Blobs.CredentialsFile} {
		if !f.IsZero() {
			k.secret(f.secret(), false)
		}
	}
	k.authority(c.Path, "nats.tls.ca_file", c.NATS.TLS.CAFile)
	k.authority(c.Path, "nats.tls.cert_file", c.NATS.TLS.CertFile)
	k.authority(c.Path, "blobs.ca_file", c.Blobs.CAFile)
	for _, name := range c.CredentialNames() {
		cred := c.Credentials[name]
		for _, s := range cred.Secrets() {
			if !s.IsZero() {
				k.secret(s, s == cred.TokenKey)
			}
		}
		k.authority(c.Path, "credentials."+name+".ca_file", cred.CAFile)
	}
	for _, m := range c.Mailboxes {
		k.authority(c.Path, "ca_file of mailbox "+m.Name(), m.CAFile)
	}
	return k.problems.err()
}

// secretCheck collects what CheckSecrets finds. A file that many mailboxes name is looked at once.
type secretCheck struct {
	ctx      context.Context
	problems problems
	seen     map[string]bool
}

// secret reports a secret that cannot be read. One that makes is of the operator's own making, a key.
func (k *secretCheck) secret(s Secret, makes bool) {
	_, err := s.read(k.ctx)
	if err == nil {
		return
	}
	hint := err.Error()
	if makes && errors.Is(err, os.ErrNotExist) {
		hint = fmt.Sprintf("there is none yet: make it, with mode 0600: (umask 077; mkdir -p %s; openssl rand -base64 32 >%s), the same for all workers", filepath.Dir(s.ref.name), s.ref.name)
	}
	e := s.ref.at.problem("the secret "+s.Reference()+" cannot be used", hint)
	_, e.Err = s.Read(k.ctx)
	k.problems.add(e)
}

// authority reports a file that should hold certificates and does not.
func (k *secretCheck) authority(file, key, path string) {
	if path == "" || k.seen[path] {
		return
	}
	if k.seen == nil {
		k.seen = map[string]bool{}
	}
	k.seen[path] = true
	if err := checkPEM(path); err != nil {
		k.problems.add(&Error{File: file, Message: fmt.Sprintf("%s: %s cannot be used", key, path), Hint: err.Error(), Err: err})
	}
}

// checkPEM says what is wrong with a file of certificates. Only the first certificate is parsed:
// crypto/x509 skips what it cannot use in the rest of a bundle, and so does the mail connection.
func checkPEM(path string) error {
	b, err := readFile(path, maxSecretSize)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no such file: correct the path: %w", err)
	}
	if err != nil {
		return err
	}
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fmt.Errorf("a certificate in it cannot be read: %w", err)
		}
		return nil
	}
	return errors.New("it holds no certificate: it must be PEM, with -----BEGIN CERTIFICATE-----")
}
