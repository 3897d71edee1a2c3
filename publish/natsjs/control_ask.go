package natsjs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"mailflume/publish"
)

// The answers of nobody.
var (
	// ErrNoWorker: no worker serves this stream.
	ErrNoWorker = errors.New("no worker is running")
	// ErrNotServed: there are workers, and none of them has the mailbox now.
	ErrNotServed = errors.New("no worker has the mailbox at the moment")
	// ErrSilent: the worker that took the request does not answer any more. What became of the request
	// is not known.
	ErrSilent = errors.New("the worker that took the request has gone silent")
)

// Asking is how a request is made.
type Asking struct {
	Wait     time.Duration                          // for a worker to take it; default 3 s
	Taken    func(worker string)                    // who took it; may be nil
	Progress func(worker string, p json.RawMessage) // may be nil
}

// Ask asks the worker that has a mailbox, from any machine, and waits for the end of what it does. An
// error that the worker answers with is a *ControlError.
func (c *Conn) Ask(ctx context.Context, r Request, a Asking) (result json.RawMessage, err error) {
	if a.Wait <= 0 {
		a.Wait = 3 * time.Second
	}
	body, err := publish.Marshal(controlRequest{controlVersion, r.Box.Tenant, r.Box.Mailbox, r.Verb, r.Args})
	if err == nil {
		result, err = c.ask(ctx, controlSubject(c.streamInfo(), Token(r.Box.Tenant), Token(r.Box.Mailbox), Token(r.Verb)), body, a)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.Verb, r.Box, err)
	}
	return result, nil
}

func (c *Conn) ask(ctx context.Context, subject string, body []byte, a Asking) (json.RawMessage, error) {
	started := time.Now()
	inbox := c.nc.NewInbox()
	answers, err := c.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, classify(err)
	}
	defer func() { _ = answers.Unsubscribe() }()
	if err := c.nc.PublishRequest(subject, inbox, body); err != nil {
		return nil, classify(err)
	}
	worker := ""
	for patience := a.Wait; ; patience = silence {
		next, cancel := context.WithTimeout(ctx, patience)
		m, err := answers.NextMsgWithContext(next)
		cancel()
		if err != nil {
			return nil, c.unanswered(ctx, err, worker, started)
		}
		if m.Reply != "" {
			_ = m.Respond(nil) // still listening
		}
		got, err := decodeAnswer(m.Data)
		switch {
		case err != nil:
			return nil, err
		case worker == "":
			if worker = got.Worker; a.Taken != nil {
				a.Taken(worker)
			}
		case got.Worker != worker:
			continue // the mailbox is moving, and two believe to have it: the first one's word counts
		}
		if got.Done {
			if got.Code != "" || got.Error != "" {
				return nil, &ControlError{got.Code, got.Error}
			}
			return got.Result, nil
		}
		if len(got.Progress) > 0 && a.Progress != nil {
			a.Progress(worker, got.Progress)
		}
	}
}

// unanswered says why there is no answer.
func (c *Conn) unanswered(ctx context.Context, err error, worker string, started time.Time) error {
	denied := c.deniedSince(started)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return ErrNoWorker
	case denied != nil:
		return fmt.Errorf("%w: %w", publish.ErrDenied, denied)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case !errors.Is(err, context.DeadlineExceeded), !c.nc.IsConnected():
		return classify(err)
	case worker != "":
		return fmt.Errorf("%w: %s", ErrSilent, worker)
	}
	return ErrNotServed
}

// decodeAnswer reads an answer.
func decodeAnswer(b []byte) (a controlAnswer, err error) {
	if err := json.Unmarshal(b, &a); err != nil {
		return a, fmt.Errorf("%w: an answer that cannot be read: %w", publish.ErrUnavailable, err)
	}
	if a.Version > controlVersion {
		return a, fmt.Errorf("%w: an answer of version %d", publish.ErrNewerFormat, a.Version)
	}
	return a, nil
}
