package oauth

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"log"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"mailflume/ingest/oauth/oauthtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// canary is a secret with characters that every encoding changes.
const canary = "Canary~8Q&+/ =\"<secret>ü%41-0123456789"

// signingKey is one key for all issuers: making them would be most of these tests' time.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func static(s string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return s, nil }
}

func startIssuer(t *testing.T, o oauthtest.Options) *oauthtest.Issuer {
	t.Helper()
	if o.Secret == "" {
		o.Secret = canary
	}
	o.Key = signingKey()
	i, err := oauthtest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	})
	return i
}

func optionsFor(i *oauthtest.Issuer) EntraOptions {
	return EntraOptions{
		Tenant: "contoso.onmicrosoft.com", ClientID: "11112222-bbbb-3333-cccc-4444dddd5555",
		Authority: i.URL(), Secret: static(canary), Common: Common{RootCAs: i.CAPool()},
	}
}

func startEntra(t *testing.T, o EntraOptions) *Source {
	t.Helper()
	e, err := NewEntra(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
