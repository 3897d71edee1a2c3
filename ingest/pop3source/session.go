package pop3source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"mailflume/ingest"
	"mailflume/pop3"
)

// quitTimeout bounds the polite end: nothing depends on it.
const quitTimeout = 5 * time.Second

var errFinished = errors.New("the session has ended with QUIT: open a new one")

// session is one signed-in connection. The engine's goroutine owns it.
type session struct {
	src      *Source
	c        *pop3.Client
	caps     pop3.Capabilities
	box      []item // the maildrop, which stands still for the session (RFC 1939 section 4)
	listed   bool
	unlisted int                 // messages that LIST has and UIDL has not
	unacked  map[ingest.Ref]bool // read in this session and not yet known to be acknowledged
	over     bool
	ends     time.Time // when the session has to end because its token does; zero: never

	resets   []ingest.Renewal // what the last Sync found
	recall   func(ctx context.Context, scope string) (func(int64) bool, error)
	judging  bool // the messages that are read may have been published in an earlier life
	vanished *vanished
}

// item is one message of the maildrop.
type item struct {
	number int
	size   int64  // as announced, -1 if unknown
	id     string // the UIDL as listed
	nth    int    // among the messages with this UIDL, from 1
	twins  bool   // there are others with this UIDL
}

// ref is made when it is needed: maildrops of a million messages would hold as many strings.
func (it item) ref() ingest.Ref { return refOf(it.id, it.nth) }

// situation is what classify is told about an error of this session, which has signed in.
func (s *session) situation(op string) situation {
	return situation{op: op, caps: s.caps, login: s.src.opt.Login.Mechanism, worked: int(s.src.worked.Load()), sent: &s.src.sent}
}

// ended is the answer of a session that has said QUIT.
func (s *session) ended() error {
	return &ingest.Error{
		Fault: ingest.Fault{Class: ingest.SessionOver, Code: ingest.CodeBye},
		Op:    "pop3", Err: errFinished,
	}
}

// expired ends a session before its token does: servers cut it then, in the middle of a message.
func (s *session) expired() error {
	if s.ends.IsZero() || s.src.opt.Now().Before(s.ends) {
		return nil
	}
	return &ingest.Error{
		Fault: ingest.Fault{Class: ingest.SessionOver, Code: ingest.CodeTokenExpired},
		Op:    "pop3", Err: errors.New("the token is about to expire"),
	}
}

// maildrop lists the messages once per session, oldest first. LIST goes first: what arrives between
// the two, on servers whose maildrop does not stand still, then only lacks its size.
func (s *session) maildrop(ctx context.Context) ([]item, error) {
	if s.over {
		return nil, s.ended()
	}
	if s.listed {
		return s.box, nil
	}
	sizes, err := s.c.List(ctx)
	if e, refused := errors.AsType[*pop3.Error](err); err != nil && (!refused || e.Code != "" || e.Backoff > 0) {
		return nil, classify(err, s.situation("pop3 LIST"))
	}
	ids, err := s.c.UIDL(ctx)
	if err != nil {
		return nil, classify(err, s.situation("pop3 UIDL"))
	}
	if s.box, s.unlisted, err = join(sizes, ids); err != nil {
		return nil, classify(err, s.situation("pop3 UIDL"))
	}
	s.listed = true
	return s.box, nil
}

// join makes items of the two lists. A number with two UIDLs is an error: whichever were taken, the
// other message would never be read.
func join(sizes []pop3.Listing, ids []pop3.UniqueID) (box []item, unlisted int, err error) {
	announced := make(map[int]int64, len(sizes))
	for _, l := range sizes {
		announced[l.Number] = l.Size
	}
	slices.SortStableFunc(ids, func(a, b pop3.UniqueID) int { return cmp.Compare(a.Number, b.Number) })
	box = make([]item, 0, len(ids))
	first := make(map[string]int, len(ids)) // UIDL to its first place in box
	times := map[string]int{}               // of those that came again
	for i, id := range ids {
		if i > 0 && ids[i-1].Number == id.Number {
			return nil, 0, fmt.Errorf("%w: UIDL lists message %d twice", pop3.ErrSyntax, id.Number)
		}
		it := item{number: id.Number, size: -1, id: id.ID, nth: 1}
		if size, ok := announced[id.Number]; ok {
			it.size = size
			delete(announced, id.Number)
		}
		if at, again := first[id.ID]; again {
			times[id.ID]++
			it.nth = times[id.ID] + 1
			it.twins, box[at].twins = true, true
		} else {
			first[id.ID] = i
		}
		box = append(box, it)
	}
	return box, len(announced), nil
}

// acknowledge forgets what a position holds as finished.
func (s *session) acknowledge(p *position) {
	for ref := range s.unacked {
		if p.holds(ref) {
			delete(s.unacked, ref)
		}
	}
}

// mayQuit is false while QUIT would consume what nobody has acknowledged.
func (s *session) mayQuit() bool { return len(s.unacked) == 0 || !s.caps.Expire.AtQuit() }

// Close says QUIT if the session is whole and QUIT consumes nothing unacknowledged; otherwise it
// cuts the connection, and the server keeps everything.
func (s *session) Close() error {
	if s.over || !s.mayQuit() {
		_ = s.c.Close()
		s.over = true
		return nil
	}
	s.over = true
	ctx, cancel := context.WithTimeout(context.Background(), quitTimeout)
	defer cancel()
	_ = s.c.Quit(ctx) // the position does not depend on the answer: nothing was deleted
	return nil
}
