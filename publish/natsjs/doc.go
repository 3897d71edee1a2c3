// Package natsjs keeps mailbox logs and blobs on NATS JetStream.
//
// # What a log promises
//
// All logs lie in one stream, the log of a mailbox under mail.v1.<tenant>.<mailbox>.>. Every message
// is published with the sequence its writer believes to be the log's last, so the server itself
// refuses whoever is not up to date: a worker that was frozen, cut off or replaced cannot write,
// whatever it believes. An event carries the Ref it was made from in a header, so the event and the
// progress it stands for are one write. Claiming a log is writing a small message with a random
// token; from then on every other owner is out.
//
// A write without a usable answer is looked up before anything else is written: the log's last
// message, read from the stream's leader, says whether it landed, did not, or whether the log has
// another owner (publish.ErrFenced) or is not what this one believes (publish.ErrLogMoved). If the
// caller's context ends before that is known, the claim ends too.
//
// The position is the last complete snapshot and the Refs after it. Snapshots lie in two places in
// turn, cursor-a-<k> and cursor-b-<k>, in pieces with digests; one that is not whole counts as none.
// One is overwritten only while the other is safe on the server's disk. If that cannot be had
// because snapshots follow each other faster than the server's sync interval, the newer one is
// replaced, and the older, safe one stays.
//
// Each event names the SHA-256 of the event before (Mf-Prev), its sequence (Mf-Last), and a digest over
// all events before (Mf-Chain); claims and snapshots do too. [Conn.History] reads a log without
// claiming it and says where it is not what was written.
//
// # The stream
//
// [Conn.EnsureStream] refuses a stream that would lose mail. It can be edited or deleted later, and the next
// server of the URL list may have another one: so writes look at it again after every reconnect, when nobody
// stores them, and every few minutes ([Options]). While it is unsafe they wait, and say why
// (publish.ErrUnsafe); a managed one that is gone is made again, and the owners of its logs find theirs
// moved. Limits that an administrator has changed meanwhile stay as they are.
//
// # Connections
//
// [Connect] returns a connection that never gives up: it reconnects for ever, and a write waits with
// it until its context ends. What waits and why is told to [Hooks]. But for a [Service], the package starts no
// goroutines of its own; the client library's end with [Conn.Close], which waits for them.
//
// # Other workers
//
// [Conn.Members] is how workers know of each other: each announces itself every few seconds in a KV
// bucket, with the mailboxes it could serve, and watches the others. It only says who should work on
// what; that two never write the same log is the log's doing.
//
// # Requests
//
// [Conn.Serve] answers what people ask of a mailbox (mailflume.v1.ctl.<tenant>.<mailbox>.<verb>), [Conn.Ask]
// asks from any machine: only the worker that has the mailbox answers, and it says at once that it does. A
// [Service] owns the goroutines of what it does for requests; they end with it, and when whoever asked is
// gone. [Pauses] keeps what has to outlive an owner in the bucket of the workers.
//
// # Sign-ins
//
// [Conn.Tokens] is a KV bucket for what workers must agree on and not lose, such as refresh tokens that
// are good once: values that its user has sealed, written by compare-and-swap.
//
// # Reading
//
// [Conn.Events] reads events as a consumer would; any JetStream client can do the same.
//
//	conn, err := natsjs.Connect(ctx, natsjs.Options{URL: "nats://127.0.0.1:4222", Worker: "w1"})
//	if err != nil { … }
//	defer conn.Close()
//	if err := conn.EnsureStream(ctx, natsjs.StreamConfig{Manage: true}); err != nil { … }
//	claim, err := conn.Log().Claim(ctx, publish.Key{Tenant: "acme", Mailbox: "jane"})
package natsjs
