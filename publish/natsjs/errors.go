package natsjs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
)

// ErrGap says that events which a claim's position needs are gone from the log, expired or deleted
// before a snapshot covered them: messages they stood for may be published again. It reaches
// [Hooks.Error]; it does not end the claim.
var ErrGap = errors.New("events after the last snapshot are gone from the log")

// Error codes of the JetStream API that the client library has no names for.
const (
	codeResources      jetstream.ErrorCode = 10023 // insufficient resources: an account limit
	codeMemory         jetstream.ErrorCode = 10028
	codeStorage        jetstream.ErrorCode = 10047
	codeStoreFailed    jetstream.ErrorCode = 10077 // DiscardNew: maximum bytes or messages exceeded
	codeHeaderTooLarge jetstream.ErrorCode = 10097
	codeSealed         jetstream.ErrorCode = 10109
	codeRollup         jetstream.ErrorCode = 10111 // the stream does not allow it
	codeTTLDisabled    jetstream.ErrorCode = 10166
)

// classify wraps an error of NATS in the sentinel of package publish that tells callers what to do.
// Errors that wrap one already, and nil, pass unchanged. Whatever is not known is ErrUnavailable:
// waiting is always safe, since every write is fenced.
func classify(err error) error {
	if err == nil {
		return nil
	}
	if known(err) {
		return err
	}
	kind := publish.ErrUnavailable
	var api *jetstream.APIError
	switch {
	case errors.Is(err, nats.ErrReconnectBufExceeded): // the client's way to say it: there is no such buffer here
		err = inWords{"not connected to NATS", err}
	case errors.As(err, &api):
		kind = apiKind(api.ErrorCode)
	case isDenied(err):
		kind = publish.ErrDenied
	case errors.Is(err, nats.ErrMaxPayload):
		kind = publish.ErrTooLarge
	case errors.Is(err, jetstream.ErrMsgNotFound), errors.Is(err, jetstream.ErrObjectNotFound), errors.Is(err, jetstream.ErrKeyNotFound):
		kind = publish.ErrNotFound
	}
	return fmt.Errorf("%w: %w", kind, err)
}

// lacksJetStream reports whether err, of a request to the API, says that nobody serves that.
func lacksJetStream(err error) bool {
	return errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrJetStreamNotEnabled)
}

// inWords is an error of the client that an operator would not understand.
type inWords struct {
	text string
	err  error
}

func (e inWords) Error() string { return e.text }

func (e inWords) Unwrap() error { return e.err }

// known reports whether err wraps a sentinel of package publish.
func known(err error) bool {
	for _, s := range []error{
		publish.ErrFenced, publish.ErrLogMoved, publish.ErrTooLarge, publish.ErrNewerFormat, publish.ErrUnavailable,
		publish.ErrFull, publish.ErrDenied, publish.ErrUnsafe, publish.ErrNotFound, publish.ErrCorrupt,
	} {
		if errors.Is(err, s) {
			return true
		}
	}
	return false
}

func apiKind(code jetstream.ErrorCode) error {
	switch code {
	case codeStoreFailed, codeResources, codeStorage, codeMemory:
		return publish.ErrFull
	case codeSealed, codeRollup, codeTTLDisabled: // since the start somebody has edited the stream, or made another
		return publish.ErrUnsafe
	case jetstream.JSErrCodeStreamMessageExceedsMaximum, codeHeaderTooLarge:
		return publish.ErrTooLarge
	case jetstream.JSErrCodeMessageNotFound:
		return publish.ErrNotFound
	}
	return publish.ErrUnavailable
}

// isDenied reports whether err is about credentials or permissions.
func isDenied(err error) bool {
	return errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrAuthRevoked) ||
		errors.Is(err, nats.ErrAccountAuthExpired) || errors.Is(err, nats.ErrNkeysNotSupported) || errors.Is(err, nats.ErrPermissionViolation)
}

// isAbsent reports whether err says that nobody is there: nothing listens, or the name is unknown.
func isAbsent(err error) bool {
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsNotFound || errors.Is(err, syscall.ECONNREFUSED)
}

// An outcome is what is known about a message after one attempt to publish it.
type outcome int

const (
	stored    outcome = iota // acknowledged
	notStored                // refused for a reason that passes, or never sent: the same bytes may go again
	unknown                  // it may be in the log: the log has to be read before anything else
	raced                    // refused because of a write still in flight on a replicated stream
	hopeless                 // refused for ever
)

// outcomeOf judges one attempt to publish.
func outcomeOf(ack *jetstream.PubAck, err error) outcome {
	var api *jetstream.APIError
	switch {
	case err == nil && !ack.Duplicate:
		return stored
	case err == nil:
		return unknown
	case errors.As(err, &api):
		return apiOutcome(api.ErrorCode)
	case errors.Is(err, nats.ErrMaxPayload):
		return hopeless
	case errors.Is(err, nats.ErrReconnectBufExceeded), errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, nats.ErrNoResponders):
		return notStored
	}
	return unknown
}

func apiOutcome(code jetstream.ErrorCode) outcome {
	switch code {
	case jetstream.JSErrCodeStreamWrongLastSequence:
		return unknown
	case jetstream.JSErrCodeStreamWrongLastSequenceConstant:
		return raced
	case jetstream.JSErrCodeStreamMessageExceedsMaximum, codeHeaderTooLarge:
		return hopeless
	case codeStoreFailed, codeResources, codeStorage, codeMemory, codeSealed, codeRollup, codeTTLDisabled:
		return notStored
	}
	return unknown
}

// outran reports whether a write was refused because another one came first.
func outran(err error) bool {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return false
	}
	return api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant
}

// ended wraps the end of a context, if that is what ended the waiting, in what was being waited for.
func ended(ctx context.Context, last error) error {
	if last == nil {
		last = publish.ErrUnavailable
	}
	if ctx.Err() == nil {
		return classify(last)
	}
	return fmt.Errorf("%w (%w)", classify(last), context.Cause(ctx))
}
