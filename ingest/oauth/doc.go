// Package oauth gives the tokens that mailboxes are signed in with. Its sources implement
// [ingest.TokenSource].
//
// A [Source] keeps one token. [NewEntra] makes that of an application of Entra ID (a client secret, a
// certificate, or a federated token such as Kubernetes gives to a workload) and [NewManagedIdentity]
// that of Azure's managed identities, both through MSAL; [NewOAuth2] that of any other issuer (client
// credentials, refresh token); [NewGoogle] one for each mailbox of a Google Workspace. What they have in
// common makes that they can be trusted with a credential that opens every mailbox:
//
//   - the issuer is asked once at a time and never for a caller that gave up: a thousand mailboxes
//     that start together, or whose token is refused together, cost one request;
//   - a token is renewed in the background long before its end, and a token that is still valid is
//     served while the issuer is down, so an outage of the issuer is no outage of the mailboxes;
//   - after a failure the issuer is left alone (Retry-After, else 5 s to 5 min) and callers get the
//     failure at once, with the time that is left in Fault.Wait;
//   - the mailboxes of a Google service account, which have a token each, share what is not their own:
//     when the account is refused, one of them tries again, not a thousand; and so do accounts that
//     people have signed in to through one client ([Gate]);
//   - the secret goes to the authority and to nobody else: redirects are not followed, answers are
//     bounded, and no error, hook or log can lead back to it;
//   - what a person has signed in to ([SignIn], [NewDelegated]) is sealed in a [TokenStore] that all workers
//     share: one of them exchanges the refresh token, the others wait for what it brings, and the new one
//     is stored before the token that came with it is used;
//   - secrets are read anew for each request, so a rotated file needs no restart.
//
// [Bearer] is for a token that something else keeps fresh, [Password] for mail servers without OAuth. [Describe] shows what a token claims, for diagnosis.
//
//	src, err := oauth.NewEntra(oauth.EntraOptions{
//		Tenant:   "contoso.onmicrosoft.com",
//		ClientID: "00001111-aaaa-2222-bbbb-3333cccc4444",
//		Secret:   readSecretFile,
//	})
//	if err != nil { … }
//	defer src.Close()
//	token, err := src.Token(ctx, "")
//	// the mail server rejects it: never get that one again
//	token, err = src.Token(ctx, token.Value)
//
// Use one Source for each authority, tenant, client and scope ([EntraOptions.Key]). It starts
// nothing before the first Token; what it starts, Close ends and waits for. Errors of Token are
// *[ingest.Error] made in one place, or the caller's own context error.
package oauth
