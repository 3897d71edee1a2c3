// Package imaptest is an IMAP server for tests and for `mailflume demo`, with mailboxes in memory,
// and a scripted one for what no honest server does.
//
// [Start] listens on a free port of 127.0.0.1 with a certificate of its own, signs in with XOAUTH2,
// OAUTHBEARER or PLAIN by the caller's Verify function, tells IDLE clients of what [Server.Add]
// brings, and returns messages octet for octet as they were added. [Script] answers line by line
// from a table, over any net.Conn, also a pipe in virtual time.
//
// The server owns a goroutine for each connection; Close ends them and waits for them.
//
//	srv, err := imaptest.Start(imaptest.Options{})
//	if err != nil {
//		return err
//	}
//	defer srv.Close()
//	err = srv.Add("anna@example.com", "INBOX", []byte("Subject: hello\r\n\r\nHi\r\n"), time.Now())
package imaptest
