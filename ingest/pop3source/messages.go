package pop3source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"mailflume/ingest"
	"mailflume/pop3"
)

// maxSkip is how much of a message that nobody wants to read on is read to keep the session.
const maxSkip = 8 << 20

// windowBytes is how many announced octets may be on their way at once. A larger message goes alone,
// with nothing in flight behind it.
const windowBytes = 4 << 20

// stretch is how many messages are read between two looks at the token's end: then nothing is in
// flight, and the session can end with QUIT.
const stretch = 200

var (
	errNoUIDL  = errors.New("LIST has messages that UIDL has not")
	errNothing = errors.New("the server answered +OK and sent no octets")
	errUnread  = errors.New("the session ends within a large message, whose rest is not read")
)

// Messages yields the messages of the maildrop that from does not hold as finished, oldest first:
// in the order of their numbers. After a message whose octets passed the limit the session ends,
// because the rest of it can only be skipped by reading it.
func (s *session) Messages(ctx context.Context, from ingest.Cursor, limit int) iter.Seq2[*ingest.Message, error] {
	return func(yield func(*ingest.Message, error) bool) {
		want, whole, err := s.unfinished(ctx, from, limit)
		if err != nil {
			yield(nil, err)
			return
		}
		for len(want) > 0 {
			if err := s.expired(); err != nil {
				yield(nil, err)
				return
			}
			n := s.run(want)
			if !s.ends.IsZero() {
				n = min(n, stretch)
			}
			if n == 0 {
				if !yield(s.message(want[0]), ingest.TooLarge("pop3 RETR", want[0].size, s.src.opt.MaxMessage)) {
					return
				}
				n = 1
			} else if !s.read(ctx, want[:n], yield) {
				return
			}
			want = want[n:]
		}
		if whole && s.unlisted > 0 {
			// They cannot be told apart from mail that was read already. Nothing else waits for them.
			yield(nil, &ingest.Error{
				Fault: ingest.Fault{Class: ingest.Transient, Code: ingest.CodeNoUIDL}, Op: "pop3 UIDL",
				Err: fmt.Errorf("%w: %d of them", errNoUIDL, s.unlisted),
			})
		}
	}
}

// unfinished returns what is wanted, and whether that is all of it.
func (s *session) unfinished(ctx context.Context, from ingest.Cursor, limit int) (want []item, whole bool, err error) {
	p, err := decode(from)
	if err != nil {
		return nil, false, positionError(err)
	}
	box, err := s.maildrop(ctx)
	if err != nil {
		return nil, false, err
	}
	s.acknowledge(p)
	p.look(box)
	s.judging, s.vanished = p.judging, p.vanished(s.src.hour(), s.caps.Expire.AtQuit())
	for _, it := range box {
		if p.holds(it.ref()) {
			continue
		}
		if limit > 0 && len(want) == limit {
			return want, false, nil
		}
		want = append(want, it)
	}
	return want, true, nil
}

// run returns how many messages at the front of want can be asked for: those up to one that is
// announced so large that it is refused unread. LIST sizes are estimates (Exchange): only twice the
// limit is beyond doubt.
func (s *session) run(want []item) int {
	limit := s.src.opt.MaxMessage
	if limit <= 0 {
		return len(want)
	}
	for i, it := range want {
		if it.size/2 > limit {
			return i
		}
	}
	return len(want)
}

// read yields messages as the server sends them, and returns false when the loop is over.
func (s *session) read(ctx context.Context, want []item, yield func(*ingest.Message, error) bool) bool {
	list := make([]pop3.Listing, len(want))
	for i, it := range want {
		list[i] = pop3.Listing{Number: it.number, Size: it.size}
	}
	win := pop3.Window{Count: s.src.opt.MaxInFlight, Bytes: windowBytes}
	i := -1
	for b, err := range s.c.RetrEach(ctx, list, win) {
		i++
		switch {
		case b == nil:
			yield(nil, classify(err, s.situation("pop3 RETR")))
			return false
		case err != nil:
			if !s.refused(want[i], err, yield) {
				return false
			}
		case !s.give(want[i], b, yield):
			return false
		}
	}
	return true
}

// refused yields a message that the server would not give. A refusal that is about the mailbox ends
// the loop instead.
func (s *session) refused(it item, err error, yield func(*ingest.Message, error) bool) bool {
	err = classify(err, s.situation("pop3 RETR"))
	if ingest.FaultOf(err).Class != ingest.BadMessage {
		yield(nil, err)
		return false
	}
	return yield(s.message(it), err)
}

// give yields one message with its octets.
func (s *session) give(it item, b *pop3.Body, yield func(*ingest.Message, error) bool) bool {
	if s.caps.Expire.AtQuit() {
		s.unacked[it.ref()] = true
	}
	r := &body{b: b, s: s, announced: it.size}
	m := s.message(it)
	m.Body = r
	if !yield(m, nil) {
		return false
	}
	if r.skip(); r.err == nil || ingest.FaultOf(r.err).Code == ingest.CodeMessageTooLarge {
		yield(nil, &ingest.Error{
			Fault: ingest.Fault{Class: ingest.SessionOver, Code: ingest.CodeMessageTooLarge},
			Op:    "pop3 RETR", Err: errUnread,
		})
		return false
	}
	return true
}

// message is what is known of an item without reading it.
func (s *session) message(it item) *ingest.Message {
	m := &ingest.Message{Ref: it.ref(), UIDL: distinct(it.id, it.nth), Size: it.size}
	m.Again, m.Since = s.judging, s.vanished.since(it, s.judging)
	if s.vanished.some || s.judging {
		m.Was = s.vanished.was
	}
	return m
}

// body is a message's octets with the source's errors.
type body struct {
	b         *pop3.Body
	s         *session
	announced int64
	n         int64
	err       error
}

// Read returns io.EOF only after the whole message. The limit counts real octets.
func (r *body) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.b.Read(p)
	limit := r.s.src.opt.MaxMessage
	if limit > 0 && r.n+int64(n) > limit {
		n = int(limit - r.n)
		err = ingest.TooLarge("pop3 RETR", max(limit+1, r.announced), limit)
	}
	r.n += int64(n)
	switch {
	case err == io.EOF && r.n == 0 && r.announced != 0: //nolint:errorlint // Body returns it bare
		r.err = &ingest.Error{
			Fault: ingest.Fault{Class: ingest.BadMessage, Code: ingest.CodeMessageMissing}, Op: "pop3 RETR", Err: errNothing,
		}
	case err == io.EOF: //nolint:errorlint // as above
		r.err = err
	default:
		r.err = classify(err, r.s.situation("pop3 RETR"))
	}
	return n, r.err
}

// skip reads the rest for nobody, up to maxSkip. A server may send without end.
func (r *body) skip() {
	if r.err == nil {
		_, _ = io.CopyN(io.Discard, r, maxSkip) // r.err keeps the error
	}
}
