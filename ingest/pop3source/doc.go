// Package pop3source is an ingest.Source over POP3.
//
// What it promises:
//
//   - a message is known by its UIDL alone, never by its number: numbers die with the session. The
//     position is the set of finished UIDLs, kept as 8-byte keyed digests; a UIDL is forgotten only
//     after it was missing from every list for seven days;
//   - a new UIDL is no proof of a new message: while others are missing, the octets tell. When nearly all
//     UIDLs of a larger maildrop are new that is a reset. Messages with the same octets are one only if
//     the earlier one is missing, and was not deleted by us;
//   - a Body ends with io.EOF only after the terminator of its RETR: a lost connection never looks
//     like a complete message;
//   - nothing is consumed before it is acknowledged: DELE is sent in Settle only, for numbers whose
//     UIDL was read in the same session, and counts as done only when QUIT was answered +OK. Where
//     QUIT by itself consumes what was read (EXPIRE 0, as Gmail's), QUIT is sent only when every
//     message that this session yielded is known to be acknowledged: it was named to Settle, or the
//     cursor given to a later Sync or Messages holds it. Otherwise the connection is just closed;
//   - credentials travel over verified TLS 1.2 or newer only;
//   - two messages with one UIDL are two messages: the later one gets a Ref and a UIDL of its own,
//     and neither is deleted unless both are settled together.
//
// A session whose Settle deleted something is finished: the deletions happen at QUIT. Its other
// methods then return an error of class SessionOver, and the engine opens a new one for the next poll.
//
// The package starts no goroutines. The caller's goroutine does all reading and writing.
//
//	src, err := pop3source.New(pop3source.Options{
//		Endpoint: ingest.Endpoint{Addr: "outlook.office365.com:995", Security: ingest.ImplicitTLS},
//		Login:    ingest.Login{User: "ann@example.org", Mechanism: ingest.XOAUTH2, Tokens: tokens},
//	})
package pop3source
