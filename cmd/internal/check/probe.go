package check

import (
	"context"
	"errors"
	"time"

	send "mailflume/cmd/internal/probe"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
)

// probeTime is how long a probe may take: delivery, and a poll of the worker that is to find it.
const probeTime = 5 * time.Minute

// probe submits a message to the mailbox and waits for its event, which a worker publishes. Its own
// session ends before: a maildrop is open to one at a time.
func (r *run) probe(ctx context.Context, b *signedIn) Outcome {
	b.close()
	if r.link.conn == nil {
		return failed(&ingest.Error{
			Fault: ingest.Fault{Code: ingest.CodeNoWorker}, Err: errors.New("nothing was sent: nobody would publish it"),
		}, "start a worker, then check again: mailflume run")
	}
	stream := worker.StreamConfig(r.cfg)
	stream.Manage = false // a reader creates nothing
	if err := r.link.conn.EnsureStream(ctx, stream); err != nil {
		return failed(err)
	}
	opt, err := r.parts.Submission(b.m)
	if err != nil {
		return failed(err)
	}
	legs, err := send.Send(ctx, send.Options{Box: b.m.Key(), Address: b.m.Address, Submit: opt, Stream: r.link.conn})
	if err != nil {
		return b.failed(err)
	}
	return fine(legs.String())
}
