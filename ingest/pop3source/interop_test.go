//go:build interop

package pop3source

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"os"
	"testing"

	"mailflume/ingest"
)

// real returns a Source of a real server, which the environment names:
//
//	MAILFLUME_POP3S, MAILFLUME_POP3  host:port with implicit TLS, and with STLS
//	MAILFLUME_POP3_CA                PEM file of its authority
//	MAILFLUME_POP3_USER, _TOKEN      a maildrop with at least ten messages, and a bearer token for it
func real(t *testing.T, mod ...func(*Options)) *Source {
	t.Helper()
	addr := os.Getenv("MAILFLUME_POP3S")
	if addr == "" {
		if os.Getenv("MAILFLUME_CI") == "1" {
			t.Fatal("MAILFLUME_POP3S is not set")
		}
		t.Skip("MAILFLUME_POP3S is not set")
	}
	pem, err := os.ReadFile(os.Getenv("MAILFLUME_POP3_CA"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	opt := Options{
		Endpoint: ingest.Endpoint{Addr: addr, TLS: &tls.Config{RootCAs: pool}},
		Login: ingest.Login{
			User: os.Getenv("MAILFLUME_POP3_USER"), Mechanism: ingest.XOAUTH2,
			Tokens: &tokens{values: []string{os.Getenv("MAILFLUME_POP3_TOKEN")}},
		},
		Start: ingest.Start{All: true},
	}
	for _, m := range mod {
		m(&opt)
	}
	src, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func TestRealServerReadsEverythingAndDeletesInALaterSession(t *testing.T) {
	src := real(t, deleting)
	s := open(t, src)
	at := synced(t, s, nil)
	var all []got
	for m, err := range s.Messages(t.Context(), at, 0) {
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, m.Body)
		if err != nil || n != m.Size {
			t.Fatalf("%s: %d octets, %d announced, %v", m.Ref, n, m.Size, err)
		}
		all = append(all, got{ref: m.Ref})
	}
	if len(all) < 10 {
		t.Fatalf("%d messages", len(all))
	}
	at = fold(t, src, at, all...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, src)
	at = synced(t, s, at)
	if again := readAll(t, s, at, 0); len(again) != 0 {
		t.Fatalf("%d messages came again", len(again))
	}
	if done, err := s.Settle(t.Context(), refs(all[:3])); len(done) != 3 || err != nil {
		t.Fatalf("done %v, %v", done, err)
	}
	s = open(t, src)
	if box, err := s.(*session).maildrop(t.Context()); err != nil || len(box) != len(all)-3 {
		t.Errorf("%d messages left of %d, %v", len(box), len(all), err)
	}
}

func TestRealServerEveryWayIn(t *testing.T) {
	for name, mod := range map[string]func(*Options){
		"OAUTHBEARER": signedInBy(ingest.OAUTHBEARER),
		"STLS": func(o *Options) {
			o.Endpoint.Addr, o.Endpoint.Security = os.Getenv("MAILFLUME_POP3"), ingest.StartTLS
		},
	} {
		s, err := real(t, mod).Open(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = s.Close()
	}
}

func TestRealServerRefusalsAreClassified(t *testing.T) {
	_, err := real(t, with("not.a.token")).Open(t.Context())
	wantCode(t, err, ingest.Auth, ingest.CodeAuthRefused)
	_, err = real(t, signedInBy(ingest.Password), with("wrong")).Open(t.Context())
	wantCode(t, err, ingest.Auth, ingest.CodePasswordRefused)
	_, err = real(t, with(long())).Open(t.Context())
	wantCode(t, err, ingest.Auth, ingest.CodeTokenTooLong)
	src := real(t)
	held := open(t, src)
	_, err = src.Open(t.Context())
	t.Logf("a second session: %v", err)
	_ = held.Close()
}

func long() string {
	b := make([]byte, 9000)
	for i := range b {
		b[i] = 'x'
	}
	return string(b)
}
