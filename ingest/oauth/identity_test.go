package oauth

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"mailflume/ingest"
	"mailflume/ingest/oauth/oauthtest"
)

// asPFX packs the certificate and key of a PEM text.
func asPFX(t *testing.T, text []byte, password string, with *pkcs12.Encoder) []byte {
	t.Helper()
	certs, key, err := readChain(text, "")
	if err != nil {
		t.Fatal(err)
	}
	der, err := with.Encode(key, certs[0], certs[1:], password)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestAPFXSignsIn(t *testing.T) {
	i := startIssuer(t, oauthtest.Options{})
	cert, text := clientPEM(t, time.Now().Add(-time.Hour), time.Now().Add(48*time.Hour))
	i.Register(cert)
	modern := asPFX(t, text, "p w", pkcs12.Modern)
	for _, c := range []struct {
		name, password string
		file           []byte
		says           string // "": it works
	}{
		{"as Windows and the vaults write it", "p w\n", asPFX(t, text, "p w", pkcs12.LegacyDES), ""},
		{"with modern ciphers", "p w", modern, ""},
		{"without a password", "", asPFX(t, text, "", pkcs12.Passwordless), ""},
		{"in base64", "p w", []byte(base64.StdEncoding.EncodeToString(modern) + "\n"), ""},
		{"the wrong password", "other", modern, "certificate_password"},
		{"no password where one is needed", "", modern, "certificate_password"},
		{"cut short", "p w", modern[:len(modern)/2], "cannot be read"},
		{"a password for an encrypted key in PEM", "p w", append(bytes.Clone(text), pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{1}})...), "or as PFX with certificate_password"},
		{"a password for PEM", "p w", text, "remove certificate_password"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := certOptions(i, c.file)
			if c.password != "" {
				o.CertificatePassword = static(c.password)
			}
			_, err := startEntra(t, o).Token(t.Context(), "")
			if c.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantFault(t, err, ingest.Auth, ingest.CodeCertificate)
			if !strings.Contains(err.Error(), c.says) || leaks(err, "p w") != "" {
				t.Errorf("error = %q, want it to say %q", err, c.says)
			}
		})
	}
}

func TestAPFXWithAnotherKindOfKeyIsTold(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert, _ := clientPEM(t, time.Now(), time.Now().Add(time.Hour))
	der, err := pkcs12.Modern.Encode(ec, cert, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := readChain(der, ""); err == nil || !strings.Contains(err.Error(), "RSA") {
		t.Errorf("error = %v", err)
	}
}

func FuzzCertificateFile(f *testing.F) {
	f.Add([]byte{0x30, 0x82, 0x01, 0x00}, "")
	f.Add([]byte("MIIB"), "x")
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}}), "")
	f.Fuzz(func(t *testing.T, text []byte, password string) {
		certs, key, err := readChain(text, password)
		if err == nil && (len(certs) == 0 || key == nil) {
			t.Error("neither an error nor a certificate with its key")
		}
	})
}

func TestAFederatedTokenIsReadForEachRequest(t *testing.T) {
	entra, cluster := startIssuer(t, oauthtest.Options{TTL: 10 * time.Minute}), startIssuer(t, oauthtest.Options{})
	const subject, audience = "system:serviceaccount:mail:mailflume", "api://AzureADTokenExchange"
	file := cluster.Workload(subject, audience, time.Hour)
	o, c := optionsFor(entra), &clock{}
	o.Secret, o.Now = nil, c.now
	o.Federated = func(context.Context) (string, error) { return file, nil }

	_, err := startEntra(t, o).Token(t.Context(), "")
	wantFault(t, err, ingest.Auth, ingest.CodeFederation)
	for _, want := range []string{cluster.URL(), subject, audience} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error = %q, want it to say %q", err, want)
		}
	}
	if leaks(err, file) != "" {
		t.Errorf("the token is in %q", err)
	}

	entra.Trust(cluster, subject, audience)
	e := startEntra(t, o)
	first, err := e.Token(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	file = cluster.Workload(subject, audience, -time.Minute) // nobody renews it any more
	c.pass(time.Hour)
	_, err = e.Token(t.Context(), first.Value)
	wantFault(t, err, ingest.Auth, ingest.CodeClockOrAssertion)
	file = cluster.Workload(subject, audience, time.Hour)
	c.pass(2 * time.Minute)
	if tok, err := e.Token(t.Context(), first.Value); err != nil || tok.Value == first.Value {
		t.Errorf("after the file was renewed: %v", err)
	}
}

func startManaged(t *testing.T, o ManagedIdentityOptions) *Source {
	t.Helper()
	s, err := NewManagedIdentity(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestAManagedIdentityNeedsNoSecret(t *testing.T) {
	i := startIssuer(t, oauthtest.Options{ClientID: "user-assigned", TTL: 24 * time.Hour})
	endpoint, header := i.Platform()
	t.Setenv("IDENTITY_ENDPOINT", endpoint)
	t.Setenv("IDENTITY_HEADER", header)
	o := ManagedIdentityOptions{ClientID: "user-assigned", Common: Common{RootCAs: i.CAPool()}}
	s := startManaged(t, o)
	tok, err := s.Token(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if c, err := i.Verify(tok.Value); err != nil || c.Audience != oauthtest.DefaultAudience {
		t.Errorf("claims = %+v, %v", c, err)
	}
	if left := time.Until(tok.Expires); left < 23*time.Hour || left > 24*time.Hour {
		t.Errorf("it ends in %v", left)
	}
	if fresh, err := s.Token(t.Context(), tok.Value); err != nil || fresh.Value == tok.Value {
		t.Errorf("after a refusal: the same token, or %v", err)
	}
	if n := i.Requests("/msi/token"); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
	for _, c := range []struct {
		name  string
		fault oauthtest.Fault
		class ingest.Class
		code  ingest.Code
	}{
		{"not assigned", oauthtest.Fault{Status: 400, Body: `{"statusCode":400,"message":"No User Assigned or Delegated Managed Identity found"}`}, ingest.Config, ingest.CodeIdentity},
		{"not assigned, as the metadata service says it", oauthtest.Fault{Status: 400, Body: `{"error":"invalid_request","error_description":"Identity not found"}`}, ingest.Config, ingest.CodeIdentity},
		{"being updated", oauthtest.Fault{Status: 410}, ingest.Transient, ingest.CodeTokenDown},
		{"no such path", oauthtest.Fault{Status: 404}, ingest.Config, ingest.CodeIdentity},
		{"throttled", oauthtest.Fault{Status: 429, RetryAfter: "7"}, ingest.Throttled, ingest.CodeTokenThrottled},
		{"failing", oauthtest.Fault{Status: 500}, ingest.Transient, ingest.CodeTokenDown},
		{"redirected", oauthtest.Fault{Redirect: "https://evil.example/"}, ingest.Config, ingest.CodeTokenRedirect},
		{"endless", oauthtest.Fault{Body: strings.Repeat("x", maxAnswer+2)}, ingest.Transient, ingest.CodeTokenAnswer},
	} {
		t.Run(c.name, func(t *testing.T) {
			i.ClearFaults()
			i.Fail(c.fault)
			before := i.Requests("/msi/token")
			_, err := startManaged(t, o).Token(t.Context(), "")
			wantFault(t, err, c.class, c.code)
			if n := i.Requests("/msi/token") - before; n != 1 || leaks(err, header) != "" {
				t.Errorf("%d requests, error %q", n, err)
			}
		})
	}
}

func TestAMachinesIdentityComesFromItsMetadataService(t *testing.T) {
	t.Setenv("IDENTITY_ENDPOINT", "")
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	imds := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Metadata") != "true" || r.URL.Query().Get("resource") != "https://outlook.office365.com" || r.Host != "169.254.169.254" {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = w.Write([]byte(`{"access_token":"machine","expires_in":"86399","token_type":"Bearer"}`))
	}))
	defer imds.Close()
	s := startManaged(t, ManagedIdentityOptions{})
	s.http.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, imds.Listener.Addr().String())
	}
	if tok, err := s.Token(t.Context(), ""); err != nil || tok.Value != "machine" {
		t.Errorf("Token = %v", err)
	}
	imds.Close()
	_, err := startManagedAt(t, imds.Listener.Addr().String()).Token(t.Context(), "")
	wantFault(t, err, ingest.Config, ingest.CodeIdentity)
}

func startManagedAt(t *testing.T, addr string) *Source {
	s := startManaged(t, ManagedIdentityOptions{})
	s.http.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
	return s
}

// TestThePFXReaderKeepsTheWholeChain: Entra looks for the issuer of a certificate in x5c.
func TestThePFXReaderKeepsTheWholeChain(t *testing.T) {
	now := time.Now()
	own, text := clientPEM(t, now, now.Add(time.Hour))
	other, _ := clientPEM(t, now, now.Add(time.Hour))
	_, key, err := readChain(text, "")
	if err != nil {
		t.Fatal(err)
	}
	der, err := pkcs12.Modern.Encode(key, own, []*x509.Certificate{other}, "")
	if err != nil {
		t.Fatal(err)
	}
	certs, got, err := readChain(der, "")
	if err != nil || len(certs) != 2 || !bytes.Equal(certs[1].Raw, other.Raw) || !key.(*rsa.PrivateKey).Equal(got) {
		t.Errorf("%d certificates, %v", len(certs), err)
	}
}
