package check

import (
	"context"
	"errors"
	"slices"
	"time"

	"mailflume/cmd/internal/config"
	send "mailflume/cmd/internal/probe"
	"mailflume/cmd/internal/submit"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
)

// probeTime is how long a probe may take until it is delivered; the worker's next look at the mailbox comes on top.
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
	if err := r.published(ctx, b.m); err != nil {
		return failed(err)
	}
	opt, err := r.parts.Submission(b.m)
	if err != nil {
		return failed(err)
	}
	legs, err := send.Send(ctx, send.Options{Box: b.m.Key(), Address: b.m.Address, Submit: opt, Stream: r.link.conn})
	if err != nil {
		out := b.failed(err)
		out.Text += "; so far: " + legs.Legs.String()
		return out
	}
	return fine(legs.String())
}

// submission signs in where probes are submitted, and sends none.
func (r *run) submission(ctx context.Context, b *signedIn) Outcome {
	opt, err := r.parts.Submission(b.m)
	if err != nil {
		return failed(err)
	}
	legs, err := submit.SignIn(ctx, opt)
	if err != nil {
		return b.failed(err)
	}
	return fine(opt.Endpoint.Addr + " takes the sign-in; nothing was sent (check --send does): " + legs.String())
}

// published says why nobody would publish a probe, before one is sent.
func (r *run) published(ctx context.Context, m *config.Mailbox) error {
	r.asked.Do(func() { r.workers, r.mute = worker.Survey(ctx, r.link.conn, r.cfg.NATS.Stream.Name) })
	nothing := func(c ingest.Code, why string) error {
		return &ingest.Error{Fault: ingest.Fault{Code: c}, Err: errors.New("nothing was sent: " + why)}
	}
	if r.mute != nil {
		return nothing(ingest.FaultOf(r.mute).Code, r.mute.Error())
	}
	at := slices.IndexFunc(r.workers.Rows, func(row worker.Row) bool { return row.Mailbox == m.ID && row.Tenant == m.Tenant })
	switch {
	case at < 0:
		return nothing(ingest.CodeNotServed, "no worker has the mailbox")
	case r.workers.Rows[at].State == string(ingest.StatePaused):
		return nothing(ingest.CodePaused, "the mailbox is paused")
	}
	return nil
}
