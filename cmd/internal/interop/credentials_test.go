//go:build interop

package interop_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"testing"

	"mailflume/cmd/internal/rig"
	"mailflume/ingest"
	"mailflume/ingest/imapsource"
	"mailflume/ingest/oauth"
	"mailflume/ingest/oauth/oauthtest"
	"mailflume/ingest/pop3source"
)

// TestInteropTokensSignInAsTheServerOffers: one configuration for servers that know one mechanism, the
// other, or both.
func TestInteropTokensSignInAsTheServerOffers(t *testing.T) {
	build(t)
	for _, offer := range [][]string{{"xoauth2"}, {"oauthbearer"}, {"oauthbearer", "xoauth2"}} {
		t.Run(fmt.Sprint(offer), func(t *testing.T) {
			i, d := offering(t, offer)
			// A service account's token is that of one mailbox, and Dovecot here takes it for no other.
			g, err := oauth.NewGoogle(oauth.GoogleOptions{
				Key: func(context.Context) ([]byte, error) {
					return i.ServiceAccount("robot@example.com", oauth.GoogleIMAP), nil
				},
				Common: oauth.Common{RootCAs: i.CAPool()},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			for _, protocol := range []string{"imap", "pop3"} {
				for user, code := range map[string]ingest.Code{"anna": "", "bert": ingest.CodeAuthRefused} {
					err := signIn(t, d, protocol, ingest.Login{User: "anna", Mechanism: ingest.Bearer, Tokens: g.Mailbox(user)}, i)
					if (err != nil) != (code != "") || err != nil && ingest.FaultOf(err).Code != code {
						t.Errorf("%s with the token of %s: %v", protocol, user, err)
					}
				}
			}
		})
	}
}

// offering starts a Dovecot that offers these mechanisms for tokens of an issuer of its own.
func offering(t *testing.T, mechanisms []string) (*oauthtest.Issuer, *rig.Dovecot) {
	t.Helper()
	i, err := oauthtest.Start(oauthtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.Close() })
	chain, key, err := oauthtest.ServerPEM(i.CA().Server())
	if err != nil {
		t.Fatal(err)
	}
	d, err := rig.Start(rig.Options{Issuer: i.URL(), WriteKey: i.WriteDovecotKey, TLSCert: chain, TLSKey: key, Mechanisms: mechanisms})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Stop() })
	if err := d.AddUser("anna", "password"); err != nil {
		t.Fatal(err)
	}
	return i, d
}

func signIn(t *testing.T, d *rig.Dovecot, protocol string, login ingest.Login, i *oauthtest.Issuer) error {
	t.Helper()
	at := ingest.Endpoint{Addr: d.IMAPS, Security: ingest.ImplicitTLS, TLS: &tls.Config{RootCAs: i.CAPool(), MinVersion: tls.VersionTLS12}}
	var src ingest.Source
	var err error
	if protocol == "pop3" {
		at.Addr = d.POP3S
		src, err = pop3source.New(pop3source.Options{Endpoint: at, Login: login})
	} else {
		src, err = imapsource.New(imapsource.Options{Endpoint: at, Login: login})
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := src.Open(t.Context())
	if err == nil {
		_ = s.Close()
	}
	return err
}
