package oauth_test

import (
	"context"
	"fmt"

	"mailflume/ingest/oauth"
	"mailflume/ingest/oauth/oauthtest"
)

func ExampleNewEntra() {
	issuer, err := oauthtest.Start(oauthtest.Options{Secret: "s3cret"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = issuer.Close() }()

	src, err := oauth.NewEntra(oauth.EntraOptions{
		Tenant:    "contoso.onmicrosoft.com",
		ClientID:  "00001111-aaaa-2222-bbbb-3333cccc4444",
		Secret:    func(context.Context) (string, error) { return "s3cret", nil }, // read a file here
		Authority: issuer.URL(),                                                   // only because this is no real Entra
		Common:    oauth.Common{RootCAs: issuer.CAPool()},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = src.Close() }()

	token, err := src.Token(context.Background(), "")
	if err != nil {
		fmt.Println(err)
		return
	}
	claims, _ := oauth.Describe(token.Value)
	fmt.Println(token, claims.Audience, claims.HasRole("IMAP.AccessAsApp"))
	// Output: *** [https://outlook.office365.com] true
}
