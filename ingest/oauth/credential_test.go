package oauth

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf16"

	"mailflume/ingest"
	"mailflume/ingest/oauth/oauthtest"
)

// clock is a Now that the test moves.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time       { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) pass(d time.Duration) { c.ahead.Add(int64(d)) }
func clientPEM(t *testing.T, from, until time.Time) (*x509.Certificate, []byte) {
	t.Helper()
	cert, text, err := oauthtest.ClientCertificate(from, until)
	if err != nil {
		t.Fatal(err)
	}
	return cert, text
}

func TestASecretThatIsRotatedOnDiskIsPickedUp(t *testing.T) {
	i := startIssuer(t, oauthtest.Options{Secret: "old"})
	file := filepath.Join(t.TempDir(), "secret")
	write := func(s string) {
		tmp := file + ".new"
		if err := errors.Join(os.WriteFile(tmp, []byte(s), 0o600), os.Rename(tmp, file)); err != nil {
			t.Fatal(err)
		}
	}
	o, c := optionsFor(i), &clock{}
	o.Now = c.now
	o.Secret = func(context.Context) (string, error) { b, err := os.ReadFile(file); return string(b), err }
	e := startEntra(t, o)

	_, err := e.Token(t.Context(), "")
	wantFault(t, err, ingest.Auth, ingest.CodeSecretMissing)
	if !strings.Contains(err.Error(), "no such file") || i.Requests("") != 0 {
		t.Errorf("error = %q after %d requests", err, i.Requests(""))
	}
	write("old\r\n")
	c.pass(10 * time.Second)
	first, err := e.Token(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	i.SetSecret("new")
	c.pass(2 * time.Hour)
	_, err = e.Token(t.Context(), "")
	wantFault(t, err, ingest.Auth, ingest.CodeClientSecret)
	write("\ufeffnew\n")
	c.pass(10 * time.Second)
	second, err := e.Token(t.Context(), "")
	if err != nil || second.Value == first.Value {
		t.Errorf("after the rotation: %v", err)
	}
}

func TestASecretThatCannotBeOneIsNotSent(t *testing.T) {
	i := startIssuer(t, oauthtest.Options{})
	for _, s := range []string{"", "\n", "two\nlines", "nul\x00", strings.Repeat("x", 5000)} {
		o := optionsFor(i)
		o.Secret = static(s)
		_, err := startEntra(t, o).Token(t.Context(), "")
		wantFault(t, err, ingest.Auth, ingest.CodeSecretMissing)
	}
	if n := i.Requests(""); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func certOptions(i *oauthtest.Issuer, text []byte) EntraOptions {
	o := optionsFor(i)
	o.Secret = nil
	o.Certificate = func(context.Context) ([]byte, error) { return text, nil }
	return o
}

func TestACertificateSignsInWithAnAssertionThatVerifies(t *testing.T) {
	i := startIssuer(t, oauthtest.Options{})
	cert, text := clientPEM(t, time.Now().Add(-time.Hour), time.Now().Add(48*time.Hour))
	var info RefreshInfo
	o := certOptions(i, append(i.CAPEM(), text...)) // another certificate first: the key's own is found
	o.Hooks.Refreshed = func(got RefreshInfo) { info = got }

	e := startEntra(t, o)
	_, err := e.Token(t.Context(), "")
	wantFault(t, err, ingest.Auth, ingest.CodeCertificate)
	if !strings.Contains(err.Error(), thumbprint(cert)) {
		t.Errorf("error = %q, want the thumbprint %s", err, thumbprint(cert))
	}
	key := string(text[strings.Index(string(text), "PRIVATE KEY")+20:][:200])
	if leaked := leaks(err, key, strings.ReplaceAll(key, "\n", "")); leaked != "" {
		t.Errorf("the key is in %q", leaked)
	}

	i.Register(cert)
	e = startEntra(t, o)
	tok, err := e.Token(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.Verify(tok.Value); err != nil {
		t.Error(err)
	}
	if !info.CertExpires.Equal(cert.NotAfter) {
		t.Errorf("the report says the certificate ends %v, want %v", info.CertExpires, cert.NotAfter)
	}
	if _, err := e.Token(t.Context(), tok.Value); err != nil { // a new assertion each time
		t.Error(err)
	}
}

func TestACertificateThatCannotWorkIsToldBeforeAnyRequest(t *testing.T) {
	i := startIssuer(t, oauthtest.Options{})
	now := time.Now()
	old, oldPEM := clientPEM(t, now.Add(-48*time.Hour), now.Add(-time.Hour))
	_, early := clientPEM(t, now.Add(time.Hour), now.Add(48*time.Hour))
	_, good := clientPEM(t, now.Add(-time.Hour), now.Add(time.Hour))
	certOnly := good[:strings.Index(string(good), "-----BEGIN PRIVATE")]
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) []byte {
		return append(append([]byte{}, certOnly...), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
	}
	for _, c := range []struct {
		name string
		text []byte
		says string
	}{
		{"expired", oldPEM, thumbprint(old)},
		{"not yet valid", early, "not valid before"},
		{"no key", certOnly, "no private key"},
		{"nothing", nil, "neither PEM"},
		{"another key", append(append([]byte{}, certOnly...), oldPEM[strings.Index(string(oldPEM), "-----BEGIN PRIVATE"):]...), "doesn't match"},
		{"an EC key", block("EC PRIVATE KEY", []byte{1}), "RSA"},
		{"an EC key in PKCS 8", block("PRIVATE KEY", pkcs8), "RSA"},
		{"an encrypted key", block("ENCRYPTED PRIVATE KEY", []byte{1}), "passphrase"},
		{"a key that an old openssl has encrypted", append(bytes.Clone(certOnly), pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"DEK-Info": "AES-128-CBC,00"}, Bytes: []byte{1}})...), "passphrase"},
		{"DER", old.Raw, "without its private key"},
		{"a huge file", make([]byte, 1<<20), "longer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := startEntra(t, certOptions(i, c.text)).Token(t.Context(), "")
			wantFault(t, err, ingest.Auth, ingest.CodeCertificate)
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("error = %q, want it to say %q", err, c.says)
			}
		})
	}
	if n := i.Requests(""); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestAFileIsReadHoweverAnEditorHasWrittenIt(t *testing.T) {
	cert, text := clientPEM(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	wide := func(order binary.AppendByteOrder, s string) []byte {
		var b []byte
		for _, u := range utf16.Encode([]rune("\ufeff" + s)) {
			b = order.AppendUint16(b, u)
		}
		return b
	}
	for name, as := range map[string]func(string) []byte{
		"CRLF":              func(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) },
		"a byte order mark": func(s string) []byte { return []byte("\ufeff" + s) },
		"PowerShell":        func(s string) []byte { return wide(binary.LittleEndian, s+"\r\n") },
		"UTF-16, big end":   func(s string) []byte { return wide(binary.BigEndian, s) },
	} {
		id, err := certIdentity(as(string(text)), "", time.Now())
		if err != nil || id.thumb != thumbprint(cert) {
			t.Errorf("%s: %v", name, err)
		}
		if s, err := readSecret(t.Context(), static(string(as("sécret~8Q\n")))); err != nil || s != "sécret~8Q" {
			t.Errorf("%s: %q, %v", name, s, err)
		}
	}
}

func TestPasswordIsReadForEachSignIn(t *testing.T) {
	current := "first\n"
	src := Password(func(context.Context) (string, error) { return current, nil })
	if tok, err := src.Token(t.Context(), ""); err != nil || tok.Value != "first" || !tok.Expires.IsZero() {
		t.Fatalf("Token = %q until %v, %v", tok.Value, tok.Expires, err)
	}
	_, err := src.Token(t.Context(), "first")
	wantFault(t, err, ingest.Auth, ingest.CodePasswordRefused)
	current = "second with spaces "
	if tok, err := src.Token(t.Context(), "first"); err != nil || tok.Value != current {
		t.Fatalf("Token = %q, %v", tok.Value, err)
	}
	for _, bad := range []string{"", "two\r\nlines"} {
		current = bad
		_, err := src.Token(t.Context(), "")
		wantFault(t, err, ingest.Auth, ingest.CodeSecretMissing)
	}
	missing := Password(func(context.Context) (string, error) { return "", fs.ErrNotExist })
	_, err = missing.Token(t.Context(), "")
	wantFault(t, err, ingest.Auth, ingest.CodeSecretMissing)
}
