package sourcetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync"
	"time"

	"mailflume/ingest"
	"mailflume/publish"
)

// Mailbox is a mailbox in memory and a Source for it. It is safe for concurrent use. Its messages
// have increasing UIDs in the folder INBOX.
type Mailbox struct {
	Start ingest.Start
	After ingest.After
	Flags []string // of every message

	mu      sync.Mutex
	mail    map[uint32]stored
	next    uint32
	life    uint32 // how often the UIDs became void
	opens   int
	settled []ingest.Ref
	news    chan struct{}

	// The faults, each used up as it strikes. They are called with the message's UID.
	OpenFault    func(attempt int) error                    // nil error: no fault
	MessageFault func(uid uint32) error                     // the message is yielded with this error
	BodyFault    func(uid uint32, body io.Reader) io.Reader // wraps the body
	SettleFault  func(refs []ingest.Ref) error              // Settle does nothing and returns it
	OnMessage    func(ctx context.Context, uid uint32)      // called before a message is yielded
	Waits        bool                                       // the sessions are Waiters
}

type stored struct {
	body []byte
	at   time.Time
}

// NewMailbox returns an empty mailbox whose Source starts at start.
func NewMailbox(start ingest.Start, after ingest.After) *Mailbox {
	return &Mailbox{Start: start, After: after, mail: map[uint32]stored{}, next: 1, news: make(chan struct{}, 1)}
}

// Add delivers a message and returns its UID.
func (m *Mailbox) Add(body []byte) uint32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	uid := m.next
	m.next++
	m.mail[uid] = stored{bytes.Clone(body), time.Now()}
	select {
	case m.news <- struct{}{}:
	default:
	}
	return uid
}

// receivedAt is when a message was added.
func (m *Mailbox) receivedAt(uid uint32) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mail[uid].at
}

func (m *Mailbox) sizeOf(uid uint32) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(len(m.mail[uid].body))
}

// Len returns how many messages are left.
func (m *Mailbox) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.mail)
}

// Opens returns how many sessions were opened.
func (m *Mailbox) Opens() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.opens
}

// Settled returns the refs that were settled, in order.
func (m *Mailbox) Settled() []ingest.Ref {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.settled)
}

// memoryCursor is everything up to Low, and Done above it.
type memoryCursor struct {
	Low   uint32    `json:"low"`
	Done  []uint32  `json:"done,omitempty"`
	Life  uint32    `json:"life,omitempty"`
	Again uint32    `json:"again,omitempty"` // messages up to this one were there when the life began
	Known []uint32  `json:"known,omitempty"` // recognised in this life
	Since time.Time `json:"since"`           // of the base
}

func (c *memoryCursor) has(uid uint32) bool {
	_, ok := slices.BinarySearch(c.Done, uid)
	return uid <= c.Low || ok
}

func (c *memoryCursor) finish(uid uint32) {
	if i, ok := slices.BinarySearch(c.Done, uid); !ok && uid > c.Low {
		c.Done = slices.Insert(c.Done, i, uid)
	}
	for len(c.Done) > 0 && c.Done[0] == c.Low+1 {
		c.Low, c.Done = c.Done[0], c.Done[1:]
	}
}

const refPrefix = "m/"

// RefOf returns the Ref of a UID.
func RefOf(uid uint32) ingest.Ref { return refIn(0, uid) }

func decodeCursor(c ingest.Cursor) (memoryCursor, error) {
	var out memoryCursor
	if len(c) == 0 {
		return out, nil
	}
	if err := json.Unmarshal(c, &out); err != nil {
		return out, fmt.Errorf("decode the cursor: %w", err)
	}
	return out, nil
}

// Fold implements ingest.Source.
func (m *Mailbox) Fold(at ingest.Cursor, entries iter.Seq[ingest.Entry]) (ingest.Cursor, error) {
	c, err := decodeCursor(at)
	if err != nil {
		return nil, err
	}
	for e := range entries {
		c.fold(e)
	}
	return json.Marshal(c)
}

// StartingAt returns a Source for the same mailbox that starts elsewhere.
func (m *Mailbox) StartingAt(start ingest.Start) ingest.Source { return &elsewhere{m, start} }

type elsewhere struct {
	*Mailbox
	start ingest.Start
}

// Open implements ingest.Source.
func (e *elsewhere) Open(ctx context.Context) (ingest.Session, error) { return e.open(ctx, e.start) }

// Open implements ingest.Source.
func (m *Mailbox) Open(ctx context.Context) (ingest.Session, error) { return m.open(ctx, m.Start) }

func (m *Mailbox) open(ctx context.Context, start ingest.Start) (ingest.Session, error) {
	m.mu.Lock()
	m.opens++
	attempt, fault := m.opens, m.OpenFault
	m.mu.Unlock()
	if fault != nil {
		if err := fault(attempt); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if m.Waits {
		return &waitingSession{session{m: m, start: start}}, nil
	}
	return &session{m: m, start: start}, nil
}

type session struct {
	m      *Mailbox
	start  ingest.Start
	resets []ingest.Renewal
	sizes  func(context.Context, string) (func(int64) bool, error)
}

// Sync implements ingest.Session.
func (s *session) Sync(_ context.Context, at ingest.Cursor) (ingest.Cursor, error) {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if len(at) > 0 {
		return s.renewed(at)
	}
	c := memoryCursor{Low: s.m.next - 1, Life: s.m.life, Since: time.Now()}
	if s.start.All || !s.start.Since.IsZero() {
		c.Low, c.Since = 0, s.start.Since
		for uid, mail := range s.m.mail {
			if mail.at.Before(s.start.Since) {
				c.finish(uid)
			}
		}
	}
	return json.Marshal(c)
}

// Messages implements ingest.Session.
func (s *session) Messages(ctx context.Context, from ingest.Cursor, limit int) iter.Seq2[*ingest.Message, error] {
	return func(yield func(*ingest.Message, error) bool) {
		c, err := decodeCursor(from)
		if err != nil {
			yield(nil, err)
			return
		}
		n := 0
		uids, err := s.due(ctx, c)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, uid := range uids {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if n++; limit > 0 && n > limit {
				return
			}
			if !s.yield(ctx, c, uid, yield) {
				return
			}
		}
	}
}

func (s *session) wanted(c memoryCursor) []uint32 {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	var uids []uint32
	for uid := range s.m.mail {
		if !c.has(uid) {
			uids = append(uids, uid)
		}
	}
	slices.Sort(uids)
	return uids
}

// yield hands one message out and checks that its body is dead afterwards.
func (s *session) yield(ctx context.Context, c memoryCursor, uid uint32, yield func(*ingest.Message, error) bool) bool {
	s.m.mu.Lock()
	msg, ok := s.m.mail[uid]
	s.m.mu.Unlock()
	if !ok {
		return true
	}
	if s.m.OnMessage != nil {
		s.m.OnMessage(ctx, uid)
	}
	out := &ingest.Message{
		Ref: refIn(c.Life, uid), Folder: &publish.Folder{Path: inbox, UIDValidity: c.Life + 1}, UID: uid, Size: int64(len(msg.body)), Received: msg.at, Flags: s.m.Flags,
	}
	if uid <= c.Again {
		out.Again, out.Since = true, c.Since
	}
	if s.m.MessageFault != nil {
		if err := s.m.MessageFault(uid); err != nil {
			if more := yield(out, err); !more || ingest.FaultOf(err).Code != ingest.CodeMessageTooLarge {
				return more
			}
			// Its rest is not read, here as in the sources of servers.
			yield(nil, &ingest.Error{Fault: ingest.Fault{Class: ingest.SessionOver, Code: ingest.CodeConnLost}})
			return false
		}
	}
	var body io.Reader = bytes.NewReader(msg.body)
	if s.m.BodyFault != nil {
		body = s.m.BodyFault(uid, body)
	}
	mortal := &mortalReader{r: body}
	defer mortal.kill()
	out.Body = mortal
	return yield(out, nil)
}

// Settle implements ingest.Session: only delete changes anything.
func (s *session) Settle(_ context.Context, refs []ingest.Ref) ([]ingest.Ref, error) {
	if s.m.SettleFault != nil {
		if err := s.m.SettleFault(refs); err != nil {
			return nil, err
		}
	}
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	for _, r := range refs {
		if life, uid, ok := uidOf(r); ok && life == s.m.life && s.m.After.Action == ingest.ActionDelete {
			delete(s.m.mail, uid)
		}
		s.m.settled = append(s.m.settled, r)
	}
	return refs, nil
}

// Close implements ingest.Session.
func (s *session) Close() error { return nil }

type waitingSession struct{ session }

// Wait implements ingest.Waiter.
func (s *waitingSession) Wait(ctx context.Context, atMost time.Duration) error {
	t := time.NewTimer(atMost)
	defer t.Stop()
	select {
	case <-s.m.news:
	case <-t.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// ErrDead is what a body answers after its loop has advanced.
var ErrDead = errors.New("the message is dead: its loop has advanced")

type mortalReader struct {
	mu sync.Mutex
	r  io.Reader
}

// Read implements io.Reader.
func (m *mortalReader) Read(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.r == nil {
		return 0, ErrDead
	}
	return m.r.Read(p)
}

func (m *mortalReader) kill() {
	m.mu.Lock()
	m.r = nil
	m.mu.Unlock()
}
