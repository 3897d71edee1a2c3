// Command hostility measures what hostile mail servers do to the mailboxes beside them.
//
// One worker (`mailflume run`, a process of its own) reads 50 mailboxes on loopback into a real
// nats-server. Mail arrives at 45 of them at a steady rate; the other five are on servers that do
// what the rows of [rows] say, one row after the other. Phases without and with hostile servers
// alternate within one life of the worker, so that a busy machine slows both alike; the row "none",
// whose five servers are healthy and quiet, shows how far two equal halves lie apart by chance. For
// each row it prints the healthy mailboxes' latency, from the message's arrival at its server to its
// event at a consumer, without and with, the worker's peak memory, what was lost or doubled, and
// what the worker said of the hostile ones.
//
//	make hostile-servers
//	go run ./cmd/internal/hostility -bin bin/mailflume -run I20 -for 10s -rounds 5
//
// It exits with 1 if a message of a healthy mailbox is lost or doubled, if the worker needs more than
// 256 MiB, or if a latency grows by more than a tenth in three measurements out of three; the table
// says how many it took. Its test does the same to a worker in the test's process, all rows at once,
// and asserts all that no clock decides.
package main
