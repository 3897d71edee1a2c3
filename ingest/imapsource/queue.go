package imapsource

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// queue carries a window's messages from the goroutine that reads them to the consumer, each whole
// in memory: they are small. It exists because a server may answer the second of two commands first
// (RFC 9051 section 5.5; Dovecot does when its output is full), and go-imap's reader then waits for
// somebody to take what nobody wants yet. So the window ahead may fill, but only while the one before
// it is not complete; otherwise a message waits until the consumer has taken the one before it, and
// the connection with it.
type queue struct {
	before *queue // of the flight that the consumer reads first; nil: none
	filled chan struct{}

	mu      sync.Mutex
	changed *sync.Cond
	ready   []*arrival
	held    int64 // octets that came while the window before was open
	ended   bool
	dropped bool // nobody wants the rest
}

func newQueue(before *flight) *queue {
	q := &queue{filled: make(chan struct{})}
	q.changed = sync.NewCond(&q.mu)
	if before != nil {
		q.before = before.queue
	}
	return q
}

// push hands a message over. It waits while another one is ready, unless the window before still
// needs the connection.
func (q *queue) push(a *arrival) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.ready) > 0 && !q.dropped && !q.beforeIsOpen() {
		q.changed.Wait()
	}
	if !q.dropped {
		q.ready = append(q.ready, a)
	}
	q.changed.Broadcast()
}

// beforeIsOpen reports whether the window before is still being answered. Its end comes from the
// same connection that push would hold up, so it is never waited for here.
func (q *queue) beforeIsOpen() bool {
	if q.before == nil {
		return false
	}
	select {
	case <-q.before.filled:
		return false
	default:
		return true
	}
}

// mayHold says whether so many more octets may wait for the window before. Announced sizes bound a
// window, and Exchange only estimates them; but a server may announce nothing and send everything.
func (q *queue) mayHold(octets, limit int64) bool {
	if !q.beforeIsOpen() {
		return true
	}
	q.held += octets // by the goroutine that fills, alone
	return octets <= 4*aloneFrom && q.held <= limit
}

// pop returns the next message, nil after the last.
func (q *queue) pop() *arrival {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.ready) == 0 && !q.ended {
		q.changed.Wait()
	}
	if len(q.ready) == 0 {
		return nil
	}
	a := q.ready[0]
	q.ready = q.ready[1:]
	q.changed.Broadcast()
	return a
}

// end tells the consumer that nothing more comes.
func (q *queue) end() {
	q.mu.Lock()
	q.ended = true
	q.changed.Broadcast()
	q.mu.Unlock()
	close(q.filled)
}

// abandon lets the goroutine read the rest away.
func (q *queue) abandon() {
	q.mu.Lock()
	q.dropped, q.ready = true, nil
	q.changed.Broadcast()
	q.mu.Unlock()
}

// fill reads the window's messages until the command or the connection ends. A message is handed
// over when the server has gone on after it: to the next one or to the command's end. One that the
// connection did not bring whole is none.
func (f *flight) fill() {
	defer f.queue.end()
	var last *arrival
	for {
		m := f.cmd.Next()
		if last != nil && (m != nil || f.s.g.failure() == nil) {
			f.queue.push(last)
		}
		if m == nil {
			return
		}
		last = f.load(m)
		if f.broken {
			return
		}
		if last != nil && last.large {
			f.queue.push(last)
			return
		}
	}
}

// load reads one message into memory; nil if it has no body or is not whole. One that is so much
// larger than announced that it must stream comes unread: its end is the session's.
func (f *flight) load(m *imapclient.FetchMessageData) *arrival {
	a := toBody(m)
	if a == nil || a.lit == nil {
		return nil
	}
	if !f.queue.mayHold(a.lit.Size(), 2*f.s.src.opt.WindowBytes) {
		// Nobody can take it before the window before is complete, which waits behind it. So the
		// session ends, and the next ones ask for one window at a time.
		f.s.src.single.Store(true)
		f.broken = true
		_ = f.s.g.fail(errAbandoned)
		_, _ = io.Copy(io.Discard, a.lit) // lets go-imap's reader see the end
		return nil
	}
	if a.lit.Size() > 4*aloneFrom {
		return &arrival{uid: a.uid, lit: a.lit, large: true}
	}
	octets := make([]byte, a.lit.Size())
	if _, err := io.ReadFull(a.lit, octets); err != nil {
		// The connection is gone. To ask go-imap for more now would make it read beside its reader.
		f.broken = true
		_ = f.s.g.fail(io.ErrUnexpectedEOF)
		return nil
	}
	if n, err := a.lit.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		return nil
	}
	for data := m.Next(); data != nil; data = m.Next() {
		if d, ok := data.(imapclient.FetchItemDataUID); ok {
			if a.uid != 0 && a.uid != uint32(d.UID) {
				return nil
			}
			a.uid = uint32(d.UID)
		}
	}
	return &arrival{uid: a.uid, lit: &literal{bytes.NewReader(octets)}, all: true}
}

// literal is a body in memory.
type literal struct{ *bytes.Reader }

var _ imap.LiteralReader = (*literal)(nil)
