// Package rig starts a real Dovecot 2.3 for one test, fills its mailboxes and takes it away again.
//
// A mail server written for tests agrees with whoever wrote it. This one does not: it has the
// opinions of an implementation that half of the world's mailboxes live on. It listens on free
// ports of 127.0.0.1 for IMAP and POP3, each with TLS from the start and with STARTTLS/STLS, takes
// passwords and, by XOAUTH2 and OAUTHBEARER, RS256 tokens that it validates against a public key.
//
// What it promises: no privileges are needed (as root everything runs as nobody), nothing outside
// its own temporary folder is touched, nothing is found by name: the server is a child in its own
// process group and is ended by that id, also when the test binary dies. The same seed fills a
// mailbox with the same octets.
//
// One goroutine per running server waits for the child; [Dovecot.Stop] and [Dovecot.Restart] wait
// for that goroutine. A Dovecot is not safe for concurrent use, except that mail may be delivered
// while clients read.
//
// Dovecot takes a client that comes from the server's own address for a secured one, even without
// TLS. Dial from 127.0.0.2 to see what a stranger sees (LOGINDISABLED).
//
//	d, err := rig.Start(rig.Options{Issuer: issuer.URL, WriteKey: issuer.WriteDovecotKey, AppOnly: true})
//	if err != nil { … }
//	defer d.Stop()
//	err = d.AddUser("box@example.org", "secret")
//	filled, err := d.Fill(rig.FillOptions{User: "box@example.org", N: 500, Seed: 1})
package rig
