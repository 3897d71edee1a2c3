// Command soak proves for as long as it is let that faults lose nothing: `make soak DURATION=10m`.
//
// Mail comes in all the time, to mailboxes on an IMAP and a POP3 server in this process; three
// workers, the built program, carry it to a nats-server, each in a process of its own. A run is made
// of rounds. In each, at a random moment, a worker or the server is killed (SIGKILL) or frozen
// (SIGSTOP) for a random time: often a moment, sometimes so long that the others take over and the
// frozen one wakes up as a stranger. At the end everything is let run until it is quiet; then the
// stream is read from its first event to its last and compared with what was sent: every message
// once, in the order of its mailbox, octets as sent, the hash chain whole, the raw message in the
// blob store. A message may also have been set aside: one that three workers in a row died with is
// believed to be why they died. The line counts those.
//
// [Storm] is a run, [Agenda] its clock, [Stage] the servers, [Post] the mail: every message follows
// from the seed, its mailbox and its number, so nothing about it has to be kept. What is kept, in the
// folder of the run beside the store of NATS, is [State]: a run that was interrupted, by whatever,
// goes on there when it is started again. The folder of a run that lost nothing is removed.
//
// One goroutine does everything but follow the stream; children end with this process.
package main
