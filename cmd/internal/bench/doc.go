// Command bench measures what the program costs over the bare limit of the machine and the server.
//
// In one run, round by round: the same mailbox of a real Dovecot is read over IMAPS and POP3S by a
// reader that throws every octet away (the limit), and by `mailflume run --once` into a real
// nats-server, to acknowledged events and stored blobs. It prints medians and the ratio of each
// pair, so that a busy machine slows both sides.
//
//	make bench BENCHARGS="-messages 5000 -rounds 3"
package main
