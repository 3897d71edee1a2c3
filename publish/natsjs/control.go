package natsjs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"mailflume/publish"
)

// Requests to a mailbox go to mailflume.v1.ctl.<tenant>.<mailbox>.<verb>; with another stream NAME the
// first token is mailflume-NAME. Every worker hears them and only the one that has the mailbox answers, so
// that nobody has to know who that is: at once with its name, then with whatever there is to tell, and
// with an end. Silence means that nobody has the mailbox now; that no worker is there at all, the server says.

// controlVersion is the version of requests and answers that this package writes and the newest it reads.
const controlVersion = 1

const (
	controlService = "mailflume" // as nats micro ls shows it
	maxRequests    = 16          // that a worker serves at once
	maxRequest     = 64 << 10    // octets
	stillEvery     = 3 * time.Second
	heardWithin    = 250 * time.Millisecond // the server says at once that nobody listens
	silence        = 5 * stillEvery         // of a worker that took a request: it is gone
)

// Request is what somebody asks of a mailbox's worker.
type Request struct {
	Box  publish.Key
	Verb string
	Args json.RawMessage // as the verb says; may be nil
}

// ControlError is an error that a worker has answered with.
type ControlError struct{ Code, Text string }

// Error returns the text.
func (e *ControlError) Error() string { return e.Text }

// Handler is how a worker serves requests.
type Handler struct {
	// Has reports whether the mailbox is this worker's now. It must not block.
	Has func(box publish.Key) bool
	// Do does what is asked. It may call tell, one call at a time, to say how far it is; ctx ends when
	// the service does. What it returns is encoded as JSON.
	Do func(ctx context.Context, r Request, tell func(progress any)) (result any, err error)
	// Code names an error of Do; Busy is the one of too many requests, Unknown of one that is not understood.
	Code          func(err error) string
	Busy, Unknown string
	// Report is what the worker answers when all are asked (Survey); Worker is filled in. It must not wait.
	Report func() Report
}

// controlRequest and controlAnswer are what goes over the wire.
type controlRequest struct {
	Version int             `json:"v"`
	Tenant  string          `json:"tenant"`
	Mailbox string          `json:"mailbox"`
	Verb    string          `json:"verb"`
	Args    json.RawMessage `json:"args,omitempty"`
}

type controlAnswer struct {
	Version  int             `json:"v"`
	Worker   string          `json:"worker"`
	Progress json.RawMessage `json:"progress,omitempty"`
	Done     bool            `json:"done,omitempty"` // no more comes
	Result   json.RawMessage `json:"result,omitempty"`
	Code     string          `json:"code,omitempty"` // of the error it ended with
	Error    string          `json:"error,omitempty"`
}

// Service answers requests until Close.
type Service struct {
	c      *Conn
	h      Handler
	ctx    context.Context //nolint:containedctx // of all that is being done
	cancel context.CancelFunc
	turns  chan struct{}
	micro  micro.Service

	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
}

// controlSubject is where requests to a mailbox go.
func controlSubject(s streamInfo, tenant, mailbox, verb string) string {
	return bucketOf(s) + ".v1.ctl." + tenant + "." + mailbox + "." + verb
}

// Serve answers the requests to this worker's mailboxes, as a service that any NATS client can find
// ($SRV.INFO.mailflume). Call EnsureStream first.
func (c *Conn) Serve(h Handler) (*Service, error) {
	s := &Service{c: c, h: h, turns: make(chan struct{}, maxRequests)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	var err error
	s.micro, err = micro.AddService(c.nc, micro.Config{
		Name: controlService, Version: "1.0.0", Description: "reads mailboxes into NATS JetStream", QueueGroupDisabled: true,
		Metadata: map[string]string{"worker": c.opt.Worker},
	})
	if err == nil {
		subject := controlSubject(c.streamInfo(), "*", "*", "*")
		err = s.micro.AddEndpoint("mailbox", micro.HandlerFunc(s.hear), micro.WithEndpointSubject(subject))
	}
	if err == nil && h.Report != nil {
		err = s.micro.AddEndpoint("report", micro.HandlerFunc(s.report), micro.WithEndpointSubject(surveySubject(c.streamInfo())))
	}
	if err != nil {
		s.cancel()
		return nil, fmt.Errorf("serve requests: %w", classify(err))
	}
	_ = c.nc.FlushTimeout(c.opt.PublishTimeout) // heard from now on; without a server, from when there is one
	return s, nil
}

// Close stops what is being done for requests, says so to those who asked, and waits for that.
func (s *Service) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.wg.Wait()
	if err := s.micro.Stop(); err != nil {
		return fmt.Errorf("stop serving requests: %w", classify(err))
	}
	return nil
}

// hear takes one request in. It is the client's goroutine and must not wait.
func (s *Service) hear(req micro.Request) {
	if req.Reply() == "" {
		return
	}
	r, err := decodeRequest(req.Data())
	if err != nil {
		// Nobody can tell whose it is. Were all silent, whoever asks would blame the network.
		s.answer(req, controlAnswer{Done: true, Code: s.h.Unknown, Error: err.Error()})
		return
	}
	if !s.h.Has(r.Box) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	select {
	case s.turns <- struct{}{}:
	default:
		s.answer(req, controlAnswer{Done: true, Code: s.h.Busy, Error: fmt.Sprintf("this worker is busy with %d requests", maxRequests)})
		return
	}
	s.wg.Go(func() {
		defer func() { <-s.turns }()
		if s.awaited(req) {
			s.serve(req, r)
		}
	})
}

// awaited says who takes the request, and reports whether somebody listens there. A worker that was frozen or
// cut off finds requests on waking whose askers were told that nobody took them: those are void. Clients of
// services that do not know us do not answer, but they are there.
func (s *Service) awaited(req micro.Request) bool {
	b, err := s.still()
	if err != nil {
		return false
	}
	wait, cancel := context.WithTimeout(s.ctx, heardWithin)
	defer cancel()
	_, err = s.c.nc.RequestWithContext(wait, req.Reply(), b)
	return !errors.Is(err, nats.ErrNoResponders)
}

// still is the answer that there is nothing to tell yet.
func (s *Service) still() ([]byte, error) {
	return publish.Marshal(controlAnswer{Version: controlVersion, Worker: s.c.opt.Worker})
}

// serve does what is asked, as long as whoever asked is there to hear of it.
func (s *Service) serve(req micro.Request, r Request) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	var beats sync.WaitGroup
	beats.Go(func() {
		s.beat(ctx, req)
		cancel()
	})
	result, err := s.h.Do(ctx, r, func(progress any) {
		if b, err := publish.Marshal(progress); err == nil {
			s.answer(req, controlAnswer{Progress: b})
		}
	})
	cancel()
	beats.Wait()
	last := controlAnswer{Done: true}
	if err == nil && result != nil {
		last.Result, err = publish.Marshal(result)
	}
	if err != nil {
		last.Code, last.Error = s.h.Code(err), err.Error()
	}
	s.answer(req, last)
}

// beat tells whoever asked that the work goes on, until ctx ends or nobody hears it for two beats.
func (s *Service) beat(ctx context.Context, req micro.Request) {
	tick := time.NewTicker(stillEvery)
	defer tick.Stop()
	b, err := s.still()
	for deaf := 0; err == nil && deaf < 2; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		wait, cancel := context.WithTimeout(ctx, stillEvery)
		_, heard := s.c.nc.RequestWithContext(wait, req.Reply(), b)
		cancel()
		if deaf++; !errors.Is(heard, nats.ErrNoResponders) {
			deaf = 0
		}
	}
}

// answer sends one answer. That it does not arrive is for the other side to notice. It does not go through the
// request: that is the service's again once its handler has returned, and most answers come later.
func (s *Service) answer(req micro.Request, a controlAnswer) {
	a.Version, a.Worker = controlVersion, s.c.opt.Worker
	b, err := publish.Marshal(a)
	if err != nil {
		return
	}
	msg := &nats.Msg{Subject: req.Reply(), Data: b}
	if a.Code != "" { // also for clients that know services and not us
		msg.Header = nats.Header{micro.ErrorCodeHeader: {a.Code}, micro.ErrorHeader: {cmp.Or(a.Error, a.Code)}}
	}
	_ = s.c.nc.PublishMsg(msg)
}

// decodeRequest reads a request.
func decodeRequest(b []byte) (Request, error) {
	var r controlRequest
	if len(b) > maxRequest {
		return Request{}, fmt.Errorf("a request of %d octets", len(b))
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return Request{}, fmt.Errorf("a request that cannot be read: %w", err)
	}
	if r.Version != controlVersion {
		return Request{}, fmt.Errorf("a request of version %d; this worker knows %d", r.Version, controlVersion)
	}
	if r.Mailbox == "" || r.Verb == "" {
		return Request{}, errors.New("a request without a mailbox or a verb")
	}
	return Request{Box: publish.Key{Tenant: r.Tenant, Mailbox: r.Mailbox}, Verb: r.Verb, Args: r.Args}, nil
}
