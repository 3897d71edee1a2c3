// Package oauthtest is an OAuth 2.0 issuer that runs inside the process: what the tests of
// mailflume, its demo and a Dovecot beside it use in place of Entra ID.
//
// It speaks HTTPS with a certificate of its own authority and answers on the paths that Entra has
// (discovery, client credentials with a secret or a signed assertion that is really verified) and
// on the generic ones (/token with refresh tokens, /introspect after RFC 7662, /jwks), and where
// [People] sign in (authorization codes with PKCE, device codes, refresh tokens whose reuse is taken
// for theft). Tokens are RS256 JWTs. Whatever a token endpoint can do wrong is a [Fault].
//
//	ca := oauthtest.NewCA()
//	issuer, err := oauthtest.Start(oauthtest.Options{CA: ca, Secret: "s3cret"})
//	if err != nil { … }
//	defer issuer.Close()
//	imap := tlsListener(ca.Server("localhost")) // other servers under the same authority
//	claims, err := issuer.Verify(token)         // what such a server does with a bearer token
//
// An Issuer owns the goroutines of its HTTP server; Close ends them, cuts connections that are
// still open and waits. It is safe for concurrent use. It is no issuer for production: it keeps
// its keys in memory and believes every client that has the secret.
package oauthtest
