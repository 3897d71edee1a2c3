// Package imapsource is an ingest.Source over IMAP4rev1 (RFC 3501, RFC 9051), on go-imap v2.
//
// What it promises:
//
//   - nothing is sent before TLS but STARTTLS itself, and nothing heard before TLS is believed;
//   - a message's Body ends in io.EOF only when the announced octets came and the server has gone
//     on after them; a cut, refused, missing or oversized message is an error with a code;
//   - the position is a set, never the highest UID: per folder and UIDVALIDITY a low-water mark that
//     passes finished and absent UIDs only, and the finished ones above it. The last absent ones are
//     looked for again every hour: a message may become visible late;
//   - a folder with another UIDVALIDITY, or on a server that was set back (its UIDs are lower than they
//     were, or are for other octets), is left alone until the engine has begun its new life; then what
//     is there is yielded to be judged by its octets;
//   - every wait has a deadline that each octet renews, drips are given up, and the end of the
//     context ends everything; what a server may send outside messages is bounded;
//   - two windows of small messages are in flight; a large message is alone and streams;
//   - one message that a server cannot give, or that kills each session, does not hold up the rest.
//
// A session has one owner. go-imap's reader is its only lasting goroutine; it, and the short ones
// beside a fetch, have ended when Close returns. The guard (guard.go) makes up for what go-imap
// leaves open: deadlines, limits, cut literals, the server's last words.
//
//	src, err := imapsource.New(imapsource.Options{
//		Endpoint: ingest.Endpoint{Addr: "outlook.office365.com:993", Security: ingest.ImplicitTLS},
//		Login:    ingest.Login{User: "anna@example.com", Mechanism: ingest.XOAUTH2, Tokens: tokens},
//	})
//	sess, err := src.Open(ctx)
//	at, err = sess.Sync(ctx, at)
//	for m, err := range sess.Messages(ctx, at, 100) { … }
package imapsource
