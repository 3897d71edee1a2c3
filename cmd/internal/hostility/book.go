package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"mailflume/publish/natsjs"
)

// arm is one side of a comparison: how long messages took that arrived in its phases.
type arm struct{ imap, pop3 []time.Duration }

// mail is one message on its way.
type mail struct {
	box  string
	at   time.Time // when its server got it
	arm  *arm      // nil: it arrived between two phases
	seen int
}

// book knows every message sent to a healthy mailbox and what became of it.
type book struct {
	mu      sync.Mutex
	mail    map[string]*mail
	arm     *arm
	waiting int
	changed chan struct{}
}

func newBook() *book { return &book{mail: map[string]*mail{}, changed: make(chan struct{}, 1)} }

// side says which arm the messages from now on belong to.
func (b *book) side(a *arm) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.arm = a
}

// send notes a message that is about to arrive and returns its octets.
func (b *book) send(box string) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := fmt.Sprintf("message %d", len(b.mail))
	b.mail[id] = &mail{box: box, at: time.Now(), arm: b.arm}
	b.waiting++
	return fmt.Appendf(nil, "From: a@example.com\r\nTo: %s@example.com\r\nSubject: %s\r\n\r\nIt has just arrived.\r\n", box, id)
}

// got notes an event.
func (b *book) got(box, subject string, pop3 bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.mail[subject]
	if m == nil || m.box != box {
		return // of a hostile mailbox
	}
	if m.seen++; m.seen > 1 {
		return
	}
	b.waiting--
	if took := time.Since(m.at); m.arm != nil && pop3 {
		m.arm.pop3 = append(m.arm.pop3, took)
	} else if m.arm != nil {
		m.arm.imap = append(m.arm.imap, took)
	}
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// follow reads the stream until ctx ends.
func (b *book) follow(ctx context.Context, conn *natsjs.Conn) {
	for d, err := range conn.Events(ctx, natsjs.Filter{FromStart: true, Follow: true}) {
		if err == nil {
			b.got(d.Event.Data.Mailbox.ID, d.Event.Data.Subject, d.Event.Data.Mailbox.Protocol == "pop3")
		}
	}
}

// settled returns when every message has its event, or with ctx.
func (b *book) settled(ctx context.Context) {
	for {
		b.mu.Lock()
		left := b.waiting
		b.mu.Unlock()
		if left == 0 {
			return
		}
		select {
		case <-b.changed:
		case <-ctx.Done():
			return
		}
	}
}

// account counts what was sent, what has no event and what has several.
func (b *book) account() (sent, lost, doubled int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.mail {
		if m.seen > 1 {
			doubled++
		}
	}
	return len(b.mail), b.waiting, doubled
}

// quantile returns the time that a share of the messages did not exceed.
func quantile(l []time.Duration, share float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	slices.Sort(l)
	return l[min(int(share*float64(len(l))), len(l)-1)]
}
