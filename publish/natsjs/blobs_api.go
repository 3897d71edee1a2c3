package natsjs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
)

// blobMsg is a message as a stream holds it.
type blobMsg struct {
	Seq  uint64    `json:"seq"`
	Data []byte    `json:"data"`
	Time time.Time `json:"time"`
}

// at is where the message stands; zero, the fence of a first message, if there is none.
func (m *blobMsg) at() uint64 {
	if m == nil {
		return 0
	}
	return m.Seq
}

// blobGet asks for one message: the last of a subject, or the first of one from a sequence on.
type blobGet struct {
	Seq  uint64 `json:"seq,omitempty"`
	Last string `json:"last_by_subj,omitempty"`
	Next string `json:"next_by_subj,omitempty"`
}

// apiPrefix is what JetStream API subjects begin with on this connection.
func (b *Blobs) apiPrefix() string {
	o := b.c.js.Options()
	switch {
	case o.APIPrefix != "" && o.APIPrefix[len(o.APIPrefix)-1] == '.':
		return o.APIPrefix
	case o.APIPrefix != "":
		return o.APIPrefix + "."
	case o.Domain != "":
		return "$JS." + o.Domain + ".API."
	}
	return "$JS.API."
}

// api asks the stream's leader, once. The library's Stream answers reads from any replica where
// direct gets are allowed, which is no proof of what the leader holds.
func (b *Blobs) api(ctx context.Context, verb string, req, resp any) error {
	body, err := json.Marshal(req)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, b.c.opt.PublishTimeout)
	defer cancel()
	m, err := b.c.nc.RequestWithContext(ctx, b.apiPrefix()+verb+"."+b.streamName(), body)
	if err != nil {
		return err
	}
	// Every answer of the API has either its content or an error in it, in one JSON object.
	var fail struct {
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &fail); err != nil {
		return fmt.Errorf("read the answer to %s: %w", verb, err)
	}
	if fail.Error != nil {
		return fail.Error
	}
	return json.Unmarshal(m.Data, resp)
}

// leaderGet reads a message from the stream's leader; nil if there is none.
func (b *Blobs) leaderGet(ctx context.Context, req blobGet) (*blobMsg, error) {
	var resp struct {
		Message *blobMsg `json:"message"`
	}
	err := b.api(ctx, "STREAM.MSG.GET", req, &resp)
	if errorCode(err) == jetstream.JSErrCodeMessageNotFound {
		return nil, nil
	}
	return resp.Message, err
}

// directGet reads a message from any replica; nil if that replica has none.
func (b *Blobs) directGet(ctx context.Context, bk *bucket, req blobGet) (*blobMsg, error) {
	ctx, cancel := context.WithTimeout(ctx, b.c.opt.PublishTimeout)
	defer cancel()
	var m *jetstream.RawStreamMsg
	var err error
	// The server keeps a subject of its own for "last of a subject", which permissions can tell apart.
	if req.Last != "" {
		m, err = bk.stream.GetLastMsgForSubject(ctx, req.Last)
	} else {
		m, err = bk.stream.GetMsg(ctx, max(1, req.Seq), jetstream.WithGetMsgSubject(req.Next))
	}
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &blobMsg{Seq: m.Sequence, Data: m.Data, Time: m.Time}, nil
}

// anyGet reads a message from any replica and believes only the leader that there is none.
func (b *Blobs) anyGet(ctx context.Context, bk *bucket, req blobGet) (*blobMsg, error) {
	m, err := b.directGet(ctx, bk, req)
	if err != nil || m != nil {
		return m, err
	}
	return b.leaderGet(ctx, req)
}

// count returns how many messages the leader holds on subject.
func (b *Blobs) count(ctx context.Context, subject string) (uint64, error) {
	p, err := b.subjects(ctx, subject, 0)
	return p.State.Subjects[subject], err
}

// blobSubjects is the part of a stream's info that lists subjects, in order, with their counts.
type blobSubjects struct {
	Now   time.Time `json:"ts"` // by the server's clock, like the age of everything in it
	Total int       `json:"total"`
	State struct {
		Subjects map[string]uint64 `json:"subjects"`
	} `json:"state"`
}

// blobBucket is the part of a stream's info that tells it from another one of its name.
type blobBucket struct {
	Created time.Time `json:"created"`
}

// subjects lists the subjects that match filter, from the offset-th on. The server sorts them and
// gives at most 100,000 in one answer.
func (b *Blobs) subjects(ctx context.Context, filter string, offset int) (blobSubjects, error) {
	var p blobSubjects
	err := b.api(ctx, "STREAM.INFO", struct {
		Filter string `json:"subjects_filter"`
		Offset int    `json:"offset,omitempty"`
	}{filter, offset}, &p)
	return p, err
}

// errorCode is the server's error code in err, or zero.
func errorCode(err error) jetstream.ErrorCode {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.ErrorCode
	}
	return 0
}

// blobFinal says whether an error stays the same however often the request is repeated.
func blobFinal(err error) bool {
	if errors.Is(err, errBlobLost) || errors.Is(err, errBlobRaced) || errors.Is(err, nats.ErrConnectionClosed) {
		return true
	}
	err = classify(err)
	for _, e := range []error{publish.ErrFull, publish.ErrDenied, publish.ErrUnsafe, publish.ErrTooLarge, publish.ErrNotFound, publish.ErrCorrupt} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// persist repeats do while the server is away, until RetryFor after the first failure. It is the only
// place that decides whether something is tried again; do only says what happened. A full bucket is
// not waited for: the caller holds a connection to a mail server that could do better things.
func (b *Blobs) persist(ctx context.Context, do func(context.Context) error) error {
	var until time.Time
	for try := 0; ; try++ {
		woken, began := b.c.woken(), time.Now() // before the attempt, or a reconnect in it is missed
		once, cancel := b.attempt(ctx, woken)
		err := do(once)
		cancel()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%w (last answer: %w)", context.Cause(ctx), err)
		case blobFinal(err):
			return blobError(err)
		}
		if denied := b.c.deniedSince(began); denied != nil && errors.Is(err, context.DeadlineExceeded) {
			return blobError(denied) // the server does not answer what it forbids
		}
		if until.IsZero() {
			until = time.Now().Add(b.o.RetryFor)
		} else if time.Now().After(until) {
			return blobError(err)
		}
		if err := blobPause(ctx, woken, try); err != nil {
			return err
		}
	}
}

// attempt limits one attempt: to its time, and to the connection it began on, whose answer is lost
// with it.
func (b *Blobs) attempt(ctx context.Context, woken <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, b.c.opt.PublishTimeout)
	go func() {
		select {
		case <-woken:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// blobError makes an error of the store one that BlobStore promises. A server that takes smaller
// messages than the one the chunks were measured for is a server to wait for.
func blobError(err error) error {
	switch {
	case errors.Is(err, errBlobLost), errors.Is(err, errBlobRaced):
		return err
	case errors.Is(err, publish.ErrUnavailable), !errors.Is(classify(err), publish.ErrTooLarge):
		return classify(err)
	}
	return fmt.Errorf("%w: %w", publish.ErrUnavailable, err)
}

// blobPause waits before the next try: 20 ms doubling to 2 s, the upper half of it random, so that
// workers cut off together do not come back together; less if the connection comes back.
func blobPause(ctx context.Context, woken <-chan struct{}, try int) error {
	d := min(20*time.Millisecond<<min(try, 7), 2*time.Second)
	t := time.NewTimer(d/2 + rand.N(d/2))
	defer t.Stop()
	select {
	case <-woken:
		return ctx.Err()
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
