// Package ingest is the engine: it carries messages from a mailbox to the mailbox's log, each one
// once, in order, whole.
//
// A [Source] is one mailbox on one server (imapsource, pop3source, sourcetest's in-memory one). A
// runner owns it: it claims the mailbox's log, takes its position from there, opens a session,
// reads each message as a stream, stores its octets, appends its event, and only then, a grace
// period later, lets the Source change anything on the server. A [Fleet] keeps one runner for each
// configured mailbox and brings the running set to the desired one.
//
// Workers that know of each other through a [Membership] share the mailboxes: each finds by rendezvous
// hashing which are its own, so none has to tell another. A joining worker waits one beat, a leaving
// one has released what it had, a dead one is replaced when its last beat expires. When workers do not
// hear of each other they go on with what they have; if two hold the same mailbox, its log lets only
// the later one write, and the earlier one stops and comes back when it knows whose it is.
//
// People may pause a mailbox, resume it, or have it looked at now, through the Fleet that has it. A pause is
// kept in [Pauses], not in the mailbox's log: it holds for whoever has the mailbox next, it can be seen
// without claiming the log, and a mailbox that nobody can read yet can be paused too. While it is not known
// what is paused, nothing starts.
//
// They may also have it do a [Job]: publish what the start passed over, try again what was set aside, publish
// again from the store. A job is done by the runner, under its claim, in slices between two looks at the
// mailbox; it reads through a Source of its own, and the runner's position never goes back for it.
//
// What it promises:
//
//   - nothing upstream is changed before what it produced is acknowledged downstream and its grace is over,
//     by the log's own clock ([publish.Clock]): no worker's clock shortens it;
//   - the position never passes an unfinished message: it is the last snapshot in the log folded
//     with the Refs that were published after it;
//   - when a server makes the Refs of a folder or maildrop void, one reset event begins a new life, and
//     what was published before is recognised by its content, as is a message that alone gets another
//     Ref; what was set aside unread is asked for again, and has a second event at the worst;
//   - one mailbox's trouble is its own: own goroutine, own backoff, and a shared byte budget that
//     no message can hold while it waits for the network;
//   - a message that kills its worker is set aside: after an owner that did not let the mailbox go,
//     messages are taken one by one and noted on the log, and none is touched after three deaths;
//   - every error becomes a [Fault] by [FaultOf] alone: a class that says when to try again and a
//     code that [Explain] turns into the next step.
//
// The Fleet owns all goroutines it starts and waits for them in Stop. Packages below cmd never log:
// the engine reports through [Hooks].
package ingest
