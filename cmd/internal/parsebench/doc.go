// Command parsebench measures package parse beside the Go readers that others would take: go-message,
// which streams like ours, and enmime, which holds the message.
//
// All do the same job: subject, from, to, date and message-id decoded, the text and HTML bodies in
// UTF-8, and of every other leaf its filename, type, size and SHA-256. Nobody hashes the raw message.
// Each reader is a child process of this binary, so that CPU time (user and system, by getrusage) and
// peak RSS are its own. The children take turns of a few milliseconds on the same messages, in random
// order, so that a busy machine slows all of them; what is compared is always one round. A row is a kind of mail: a folder of messages, or one
// base64 attachment of 1, 10 or 50 MB.
//
// Where the processor has no instructions for it SHA-256 hides all else. So each row is measured with and
// without it, and beside it bare SHA-256 and, for an attachment, the ceiling: what reads the message, hashes
// as many octets as the attachment has and does nothing else.
//
// It exits with 1 and the reason if a target is missed: on the folder 1.7 times go-message, on 10 and 50 MB
// three times, with digests and without; at 50 MB less than 16 MiB of memory; no message refused. Where
// SHA-256 does less than 1,000 MB per CPU second the ratios are those without digests, and with them 85 %
// of the ceiling is wanted.
//
// The command is a module of its own, so that enmime and what it needs stay out of the product's. No
// goroutine outlives main.
//
//	make bench-parse CORPUS=DIR
package main
