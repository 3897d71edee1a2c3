package oauth

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
)

// Bounds for what is read: a path that names the wrong file must not fill the memory or the wire.
const (
	maxSecret = 4 << 10
	maxPEM    = 256 << 10
)

// identity is the credential of one token request.
type identity struct {
	cred    confidential.Credential
	grant   grant
	secrets []string  // only to keep them out of error texts
	thumb   string    // SHA-256 of the certificate, for people
	ends    time.Time // of the certificate
	about   string    // what the issuer may be told about it, for people
}

// credentialError is a credential that cannot be used, found before any request.
type credentialError struct {
	certificate bool // it could be read, but it is not usable
	err         error
}

func (e *credentialError) Error() string { return e.err.Error() }
func (e *credentialError) Unwrap() error { return e.err }

// identify reads the credential that is configured, anew for every request.
func (e *entra) identify(ctx context.Context) (identity, error) {
	switch {
	case e.opt.Secret != nil:
		return secretIdentity(ctx, e.opt.Secret)
	case e.opt.Federated != nil:
		return federatedIdentity(ctx, e.opt.Federated)
	}
	return e.certificateIdentity(ctx)
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
	return identity{cred: cred, secrets: []string{s}}, nil
}

// federatedIdentity hands over what another issuer signed for this application (RFC 7523 section
// 2.2), on Kubernetes the projected token of a service account, which lives for an hour or a day.
func federatedIdentity(ctx context.Context, read func(context.Context) (string, error)) (identity, error) {
	s, err := readLine(ctx, read, maxToken)
	if err != nil {
		return identity{}, &credentialError{err: fmt.Errorf("federated token: %w", err)}
	}
	id := identity{
		cred:    confidential.NewCredFromAssertionCallback(func(context.Context, confidential.AssertionRequestOptions) (string, error) { return s, nil }),
		grant:   grantFederated,
		secrets: []string{s},
	}
	if c, ok := Describe(s); ok {
		// What the federated credential of the app registration must say, letter for letter.
		id.about = fmt.Sprintf("the federated token has issuer %s, subject %s, audience %s, and ends %s", c.Issuer, c.Subject, strings.Join(c.Audience, " "), day(c.Expires))
	}
	return id, nil
}

// readSecret reads a one-line secret.
func readSecret(ctx context.Context, read func(context.Context) (string, error)) (string, error) {
	return readLine(ctx, read, maxSecret)
}

// unmarked takes the byte order mark from a text that an editor or a shell has written, and decodes UTF-16,
// which Windows PowerShell writes.
func unmarked(text []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(text, []byte{0xFF, 0xFE}):
		order = binary.LittleEndian
	case bytes.HasPrefix(text, []byte{0xFE, 0xFF}):
		order = binary.BigEndian
	default:
		return bytes.TrimPrefix(text, []byte("\ufeff"))
	}
	var units []uint16
	for text = text[2:]; len(text) > 1; text = text[2:] {
		units = append(units, order.Uint16(text))
	}
	return []byte(string(utf16.Decode(units)))
}

// readLine reads one line. Editors end files with a line break, some of them start them with a byte
// order mark; neither is part of it.
func readLine(ctx context.Context, read func(context.Context) (string, error), limit int) (string, error) {
	s, err := read(ctx)
	if err != nil {
		return "", err
	}
	s = strings.TrimRight(string(unmarked([]byte(s))), "\r\n")
	switch {
	case s == "":
		return "", errors.New("it is empty")
	case len(s) > limit:
		return "", fmt.Errorf("it is longer than %d bytes: is this the right file?", limit)
	case strings.ContainsAny(s, "\r\n\x00"):
		return "", errors.New("it has more than one line, or a NUL: is this the right file?")
	}
	return s, nil
}
