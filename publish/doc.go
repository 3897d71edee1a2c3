// Package publish is what mailflume says to the world and the promises it says it with.
//
// It holds three things and no transport:
//
//   - [Event] and [Data], the CloudEvents 1.0 contract, one event per message; its JSON Schema is
//     in the folder schema;
//   - [Log] and [Claim], the append-only log of one mailbox. Every message of the log carries the
//     [Ref] it was made from, so an event and the progress it stands for are one write, and every
//     write is fenced: whoever claims a log last is the only one that can still append to it;
//   - [BlobStore], content-addressed storage for raw messages and attachments.
//
// The packages below implement them: natsjs on NATS JetStream, fileblob in a folder, s3blob on S3. The package
// logtest holds the conformance suites that every implementation passes.
//
// The package starts no goroutines and does no I/O. A Log and a BlobStore are safe for concurrent
// use; a Claim belongs to one goroutine.
//
// A consumer decodes an event with encoding/json:
//
//	var ev publish.Event
//	if err := json.Unmarshal(msg.Data(), &ev); err != nil { … }
//	fmt.Println(ev.Data.Subject, len(ev.Data.Attachments))
package publish
