package imapsource

import (
	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// flight is one FETCH for bodies. A message alone streams to the consumer; those of a window, which
// are small, come through a queue that the flight's own goroutine fills (see queue).
type flight struct {
	s     *session
	items []item
	alone bool
	cmd   *imapclient.FetchCommand
	queue *queue // nil: alone

	given   map[uint32]bool // handed to the consumer
	whole   map[uint32]bool // and read to the end
	next    *imapclient.FetchMessageData
	peeked  bool
	closed  bool
	broken  bool // a body ended in an error: go-imap reads on beside its reader if it is asked to drain that
	err     error
	asking  bool // a goroutine waits in cmd.Next
	msgs    chan *imapclient.FetchMessageData
	orphans chan arrival  // bodies without a UID before them, while alone
	over    chan struct{} // closed: no orphan is wanted any more
}

// arrival is a message whose body is about to come.
type arrival struct {
	msg   *imapclient.FetchMessageData
	uid   uint32 // 0: its UID comes after the body
	lit   imap.LiteralReader
	all   bool // the whole message is at hand and the server has gone on after it
	large bool // it came in a window and must go alone
}

// issue asks for the bodies of items and does not wait. before is the flight that is under way.
func (s *session) issue(items []item, alone bool, before *flight) *flight {
	f := &flight{s: s, items: items, alone: alone, given: map[uint32]bool{}, whole: map[uint32]bool{},
		msgs: make(chan *imapclient.FetchMessageData, 1), orphans: make(chan arrival), over: make(chan struct{})}
	if alone {
		s.adopter.Store(f)
	}
	var set imap.UIDSet
	for _, it := range items {
		set.AddNum(imap.UID(it.uid))
	}
	s.g.arm(s.src.opt.ProgressTimeout, normalBudget)
	f.cmd = s.c.Fetch(set, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}})
	if !alone {
		f.queue = newQueue(before)
		go f.fill()
	}
	return f
}

// await returns the next message with a body, nil when the command is complete.
func (f *flight) await() *arrival {
	if f.queue != nil {
		a := f.queue.pop()
		if a == nil {
			_ = f.close()
		}
		return a
	}
	for {
		var m *imapclient.FetchMessageData
		if f.peeked {
			m, f.next, f.peeked = f.next, nil, false
		} else {
			var o *arrival
			if m, o = f.step(); o != nil {
				return o
			}
		}
		if m == nil {
			_ = f.close() // kept, for whoever asks
			return nil
		}
		if a := toBody(m); a != nil && a.lit != nil {
			return a
		}
	}
}

// step waits for go-imap's next message or for one that go-imap could not attribute.
func (f *flight) step() (*imapclient.FetchMessageData, *arrival) {
	if !f.asking {
		f.asking = true
		go func() { f.msgs <- f.cmd.Next() }() // ends with the command, at the latest with the connection
	}
	select {
	case m := <-f.msgs:
		f.asking = false
		return m, nil
	case o := <-f.orphans:
		return nil, &o
	}
}

// close waits for the end of the command and keeps its error.
func (f *flight) close() error {
	if f.closed {
		return f.err
	}
	f.closed = true
	if f.alone {
		f.s.adopter.Store(nil)
		close(f.over)
	}
	if f.asking {
		<-f.msgs
		f.asking = false
	}
	if f.queue != nil {
		f.queue.abandon()
		<-f.queue.filled
	}
	if f.broken {
		f.err = f.s.g.failure()
	} else {
		f.err = f.cmd.Close()
	}
	if f.s.ahead.Load() == nil {
		f.s.g.disarm()
	}
	return f.err
}

// toBody reads a message's data up to its body; nil if there is none.
func toBody(m *imapclient.FetchMessageData) *arrival {
	a := &arrival{msg: m}
	for data := m.Next(); data != nil; data = m.Next() {
		switch d := data.(type) {
		case imapclient.FetchItemDataUID:
			a.uid = uint32(d.UID)
		case imapclient.FetchItemDataBodySection:
			if isWhole(d.Section) {
				a.lit = d.Literal
				return a
			}
		}
	}
	return nil
}

// isWhole says whether a section is the whole message: servers may send others unasked.
func isWhole(s *imap.FetchItemBodySection) bool {
	return s.Specifier == imap.PartSpecifierNone && len(s.Part) == 0 && s.Partial == nil
}

// unasked gets what go-imap can attribute to no command, in a goroutine of its own: flags that
// another client changed, and bodies whose UID comes after them or came before already. A message
// fetched alone can only be that one; any other body is drained here and asked for again.
func (s *session) unasked(m *imapclient.FetchMessageData) {
	a := toBody(m)
	if a == nil {
		return
	}
	if a.lit != nil && a.lit.Size() <= s.src.opt.MaxMessage {
		if f := s.adopter.Load(); f != nil && (a.uid == 0 || a.uid == f.items[0].uid) {
			select {
			case f.orphans <- *a:
				return
			case <-f.over:
			}
		}
	} else if a.lit != nil {
		_ = s.g.fail(limitError("message that was not asked for, over the size limit"))
	}
	s.unordered.Store(true)
	for m.Next() != nil { // go-imap's Next drains the literal before it
	}
}
