// Package submit hands a message to a submission server (RFC 6409): for `check --send` and for the
// canary, which are the only ones in mailflume that send mail.
//
// It promises that nothing is said before TLS but the way to it (implicit TLS, or STARTTLS, which a
// server must offer); that the token goes over the wire alone on its line, never behind AUTH, because
// servers bound that line (Gmail: 555 5.5.2, Dovecot: 500 5.5.2 with a token of a kilobyte); that a
// refused token is asked for anew once; and that every error is an *ingest.Error, decided by reply code
// and enhanced status code (RFC 5321 section 4.2, RFC 3463), never by text. It starts no goroutine that
// outlives a call.
//
//	legs, err := submit.Send(ctx, submit.Options{
//		Endpoint: ingest.Endpoint{Addr: "smtp.office365.com:587", Security: ingest.StartTLS},
//		Login:    ingest.Login{User: "box@example.com", Mechanism: ingest.XOAUTH2, Tokens: tokens},
//	}, "box@example.com", "box@example.com", message)
package submit
