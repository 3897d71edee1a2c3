package ingest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"mailflume/publish"
)

// smallMessage is the largest message that is buffered, so that it can be parsed and stored beside
// others and tried again without asking the server. Larger ones stream.
const smallMessage = 512 << 10

// job is one message between its fetch and its append.
type job struct {
	msg     Message // without Body
	started time.Time
	event   *publish.Event
	err     error
	ready   chan struct{}

	former  Ref     // under which it was set aside, if that is void now
	recall  *recall // if it may have been published under another Ref
	verdict publish.EventType
	content publish.Content
}

// pass carries the messages of one Messages loop to the log: fetched in order, prepared side by
// side, appended in order. The runner's goroutine owns it; preparing goroutines end before it does.
type pass struct {
	r     *runner
	claim publish.Claim
	queue []*job
	busy  sync.WaitGroup
	count int
	late  *late // if it is a part of that
}

// drain reads everything the position does not hold and appends it. It returns how many events it
// appended; an error ends the session.
func (r *runner) drain(ctx context.Context, s Session, claim publish.Claim) (int, error) {
	if err := r.pos.fold(); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	p := &pass{r: r, claim: claim}
	defer p.busy.Wait()
	defer cancel()
	for m, err := range s.Messages(ctx, r.pos.cursor, 0) {
		if m == nil {
			// The session is over, but what was fetched before is whole.
			return p.count, errors.Join(err, p.flush(ctx))
		}
		if err = p.take(ctx, m, err); err != nil {
			return p.count, err
		}
	}
	if err := p.flush(ctx); err != nil {
		return p.count, err
	}
	return p.count, errors.Join(r.leave(r.careful.open), ctx.Err())
}

// take brings one message as far as it goes without waiting for others.
func (p *pass) take(ctx context.Context, m *Message, failed error) error {
	if p.count == 0 && len(p.queue) == 0 {
		p.r.set(StateFetching, nil)
	}
	if p.r.careful.left > 0 {
		return p.alone(ctx, m, failed)
	}
	return p.fetch(ctx, m, failed)
}

func (p *pass) job(ctx context.Context, m *Message) (j *job, err error) {
	j = &job{msg: *m, started: p.r.opt.Now(), ready: make(chan struct{})}
	j.msg.Body = nil
	if m.Again {
		j.recall, err = p.r.recallFor(ctx, p.r.pos.keys.scope(m.Ref))
	}
	return j, err
}

// fetch reads one message and has it prepared.
func (p *pass) fetch(ctx context.Context, m *Message, failed error) error {
	j, err := p.job(ctx, m)
	if err != nil {
		return err
	}
	if failed != nil {
		j.err = failed
		close(j.ready)
		return p.enqueue(ctx, j)
	}
	free, err := p.reserve(ctx)
	if err != nil {
		return err
	}
	buf := bytes.NewBuffer(make([]byte, 0, min(max(m.Size, 0)+bytes.MinRead, smallMessage+bytes.MinRead)))
	n, err := buf.ReadFrom(io.LimitReader(m.Body, smallMessage+1))
	switch {
	case err != nil:
		free()
		j.err = fmt.Errorf("read message %s: %w", m.Ref, err)
		close(j.ready)
		return p.enqueue(ctx, j)
	case n > smallMessage:
		return p.stream(ctx, j, io.MultiReader(buf, m.Body), free)
	}
	p.busy.Go(func() {
		defer free()
		defer close(j.ready)
		p.r.prepare(ctx, j, buf.Bytes())
	})
	return p.enqueue(ctx, j)
}

// reserve takes the memory for one small message. Whoever must wait for memory first hands on what
// it holds itself: no two passes can wait for each other.
func (p *pass) reserve(ctx context.Context) (func(), error) {
	if free, ok := p.r.memory.tryTake(smallMessage); ok {
		return free, nil
	}
	if err := p.flush(ctx); err != nil {
		return nil, err
	}
	return p.r.memory.take(ctx, smallMessage)
}

// enqueue puts j behind those before it and appends what is ready at the front.
func (p *pass) enqueue(ctx context.Context, j *job) error {
	p.queue = append(p.queue, j)
	for len(p.queue) > 0 {
		if len(p.queue) < p.r.opt.Parallel {
			select {
			case <-p.queue[0].ready:
			default:
				return nil
			}
		}
		if err := p.appendFirst(ctx); err != nil {
			return err
		}
	}
	return nil
}

// flush appends all that is queued.
func (p *pass) flush(ctx context.Context) error {
	for len(p.queue) > 0 {
		if err := p.appendFirst(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stream carries a large message: nothing beside it, one pass from the socket to the store. free gives back what
// was reserved for a small one. What the store holds besides is waited for while nothing is held: no two passes
// can wait for each other.
func (p *pass) stream(ctx context.Context, j *job, body io.Reader, free func()) error {
	defer func() { free() }()
	if err := p.flush(ctx); err != nil {
		return err
	}
	if more := p.r.box.Holds; more > 0 {
		free()
		larger, err := p.r.memory.take(ctx, smallMessage+more)
		if err != nil {
			return err
		}
		free = larger
	}
	p.r.buildLarge(ctx, j, body)
	close(j.ready)
	return p.enqueue(ctx, j)
}

// appendFirst waits for the oldest message to be prepared and appends its event.
func (p *pass) appendFirst(ctx context.Context) error {
	j := p.queue[0]
	<-j.ready
	p.queue = p.queue[1:]
	r := p.r
	if p.late != nil {
		if take, err := p.late.judge(ctx, j); !take {
			return err
		}
	} else if j.err != nil {
		if err := r.blame(ctx, j); err != nil {
			return err
		}
	}
	if verdict, err := j.judge(); verdict != "" || err != nil {
		return p.pass(j, err)
	}
	if err := p.claim.Append(r.hard, j.event, cmp.Or(j.former, j.msg.Ref)); err != nil {
		return err // it names the event
	}
	p.count++
	r.progress()
	r.canary.saw(j.event)
	delete(r.failures, j.msg.Ref)
	if r.inRow++; j.event.Kind == publish.Received {
		r.inRow = 0
	}
	r.pos.add(r.pos.entry(j.msg.Ref, j.event.Kind, publish.ContentOf(j.event.Data)))
	r.opt.Hooks.delivered(r.box.Key, deliveryOf(j, r.opt.Now()))
	return p.next(j)
}

// next goes on after a message whose fate the position holds.
func (p *pass) next(j *job) error {
	if p.late != nil {
		p.late.settled(j)
	}
	if p.r.pos.entries >= saveEntries {
		return p.r.save(p.claim)
	}
	return nil
}

// pass finishes a message that needs no event.
func (p *pass) pass(j *job, err error) error {
	if err != nil {
		return err
	}
	r := p.r
	p.count++
	r.progress()
	delete(r.failures, j.msg.Ref)
	r.pos.add(r.pos.entry(j.msg.Ref, j.verdict, j.content))
	r.opt.Hooks.judged(r.box.Key, j.msg.Ref, j.verdict)
	return p.next(j)
}

func deliveryOf(j *job, now time.Time) Delivery {
	d := Delivery{
		ID: j.event.ID, Type: j.event.Kind, Ref: j.msg.Ref, Size: max(j.msg.Size, 0), Received: j.event.Time,
		Took: now.Sub(j.started), Err: j.err,
	}
	if data := j.event.Data; data != nil {
		if data.Raw != nil {
			d.Size = data.Raw.Size
		}
		d.Attachments = len(data.Attachments)
		for _, a := range data.Attachments {
			d.AttachBytes += a.Size
		}
	}
	return d
}

// storeWait is how long a message waits for its store in memory. All mailboxes share that memory, so
// one whose store stays away gives it back, ends its session, and reads the message again later.
const storeWait = 20 * time.Second

// prepare parses and stores a buffered message: a store that is away is waited for a while, a message
// that fails by itself gets three tries.
func (r *runner) prepare(ctx context.Context, j *job, raw []byte) {
	if j.foresee(raw) {
		return
	}
	var b backoff
	until := r.opt.Now().Add(storeWait)
	for own := 0; ; {
		j.event, j.err = r.build(ctx, &j.msg, bytes.NewReader(raw), raw)
		if j.err == nil || ctx.Err() != nil {
			return
		}
		if FaultOf(j.err).Class == BadMessage {
			if own++; own < tries {
				continue
			}
			err := r.setAside(ctx, j, own, bytes.NewReader(raw))
			if err == nil {
				return
			}
			j.err = err
		}
		f := FaultOf(j.err)
		wait := b.next(f)
		if r.opt.Now().Add(wait).After(until) {
			return
		}
		r.trouble(j.err, f, wait)
		if !sleep(ctx, wait) {
			return
		}
	}
}

// build makes the event of one message. A panic while reading is the message's fault.
func (r *runner) build(ctx context.Context, m *Message, body io.Reader, raw []byte) (ev *publish.Event, err error) {
	defer func() {
		if v := recover(); v != nil {
			ev = nil
			err = &Error{Fault{Class: BadMessage, Code: CodeMessagePanic}, "read message " + string(m.Ref), fmt.Errorf("%v\n%s", v, debug.Stack())}
		}
	}()
	fetched := r.opt.Now()
	data := r.envelope(m, fetched)
	if err := r.composer.Compose(ctx, body, raw, data); err != nil {
		return nil, err
	}
	at := receivedAt(m, data.Headers, fetched)
	data.ReceivedAt = &at
	ev = publish.NewEvent(r.box.Key, publish.Received, r.eventID(m), at, data)
	ev.Subject = data.MessageID
	return fit(ctx, ev, r.opt.Log.MaxEvent(), r.box.Blobs)
}

// envelope is what is known of a message before it is read.
func (r *runner) envelope(m *Message, fetched time.Time) *publish.Data {
	return &publish.Data{
		Mailbox: r.box.Info, Folder: m.Folder, UID: m.UID, UIDL: m.UIDL, Flags: m.Flags,
		Ingest: &publish.Ingest{Worker: r.opt.Worker, Attempt: 1, FetchedAt: fetched.UTC(), Late: r.late},
	}
}

func (r *runner) eventID(m *Message) string {
	switch {
	case m.Folder != nil && m.Life > 0:
		epoch := fmt.Sprintf("%d.%d", m.Folder.UIDValidity, m.Life)
		return publish.NewID(r.box.Key.Tenant, r.box.Key.Mailbox, m.Folder.Path, epoch, strconv.FormatUint(uint64(m.UID), 10))
	case m.Folder != nil:
		return publish.MessageID(r.box.Key, m.Folder.Path, m.Folder.UIDValidity, m.UID)
	}
	return publish.MaildropID(r.box.Key, m.UIDL)
}
