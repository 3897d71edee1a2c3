// Command peers puts the programs that people use for the same job through the same faults as mailflume
// and counts what each of them made of it.
//
// The peers are the go-imap loop of the folder below, once collecting answers and once streaming
// them, getmail6, and fetchmail, the last two if they are installed. Each trial is one program, one
// fault and a mail server of its own on loopback; all see the same messages. mailflume and the loop
// publish to a real nats-server, getmail6 delivers to a Maildir, fetchmail to an SMTP server, as each
// is ordinarily used. A program that ends is started again after a second, as its unit or cron would.
//
// A trial ends when everything is delivered, or when nothing new was for a while. Counted are the
// messages that never came (lost), copies beyond the first (doubled), messages of which a copy is not
// what the server has (altered), and whether mail that arrived after the fault came at all (if none
// did, the program has stopped). What mailflume sets aside in its quarantine is not lost, and shown.
//
// A message that its server refuses for ever is no program's loss, and shown as left out. getmail6 now
// and then misses the end of its own delivery process, whatever the fault, and then starts over; such
// a trial is made again, and marked † if it never went without.
//
//	make peers
//	go run ./cmd/internal/peers -bin bin/mailflume -run kill -only mailflume,getmail6
package main
