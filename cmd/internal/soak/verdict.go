package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// Verdict is what the stream holds beside what was sent.
type Verdict struct {
	Lost      int // messages without an event
	Doubled   int // events more than messages
	Disorder  int // events that came before an earlier message of the mailbox
	Changed   int // events whose raw digest is not that of what was sent, and blobs that are not it
	Strange   int // events of other messages or other types
	Broken    int // mailboxes whose hash chain is not whole
	Aside     int // messages that were set aside: a message that three workers died with is believed to be why
	Events    int
	Takeovers int // times a mailbox's next event came from another worker
	Blobs     int // raw messages that were opened
}

func (v *Verdict) good() bool {
	return v.Lost+v.Doubled+v.Disorder+v.Changed+v.Strange+v.Broken == 0
}

// reading is the log of one mailbox as far as it was read.
type reading struct {
	times  []int // of each message
	last   int   // message
	worker string
}

// blobsEvery is the share of raw messages that are opened: one in so many.
const blobsEvery = 20

// judge reads the whole stream.
func (s *Storm) judge(ctx context.Context) (*Verdict, error) {
	v := &Verdict{}
	logs := map[string]*reading{}
	index := map[string]int{}
	for b := range s.Boxes {
		logs[s.post.box(b)] = &reading{times: make([]int, s.post.each()+1)}
		index[s.post.box(b)] = b
	}
	blobs := s.conn.Blobs(config.DefaultTenant, natsjs.BlobOptions{})
	for d, err := range s.conn.Events(ctx, natsjs.Filter{FromStart: true}) {
		if d == nil {
			return nil, err
		}
		v.Events++
		b, n, ok := s.identify(index, d)
		if !ok {
			v.Strange++
			fmt.Fprintf(s.out, "soak: event %d on %s is of no message that was sent\n", d.Sequence, d.Subject)
			continue
		}
		v.add(logs[s.post.box(b)], n, d.Header.Get("Mf-Worker"))
		if d.Event.Kind == publish.Quarantined {
			v.Aside++
			continue
		}
		want := digest(s.post.message(b, n))
		if raw := d.Event.Data.Raw; raw == nil || raw.SHA256 != want {
			v.Changed++
			continue
		}
		if n%blobsEvery == 0 {
			v.Blobs++
			if err := open(ctx, blobs, want); err != nil {
				v.Changed++
				fmt.Fprintf(s.out, "soak: the raw message of event %d: %v\n", d.Sequence, err)
			}
		}
	}
	for b := range s.Boxes {
		v.sum(logs[s.post.box(b)])
		if err := s.chain(ctx, v, b); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// identify finds the message of an event. One that was set aside unread is known by its place: the
// servers number from 1.
func (s *Storm) identify(index map[string]int, d *natsjs.Delivered) (b, n int, ok bool) {
	if d.Event == nil || d.Event.Data == nil {
		return 0, 0, false
	}
	data := d.Event.Data
	if b, ok = index[data.Mailbox.ID]; !ok {
		return 0, 0, false
	}
	switch d.Event.Kind {
	case publish.Received:
		n, ok = s.post.number(b, data.MessageID)
	case publish.Quarantined:
		n, ok = int(data.UID), true
		if s.post.pop3(b) {
			at, err := strconv.ParseUint(data.UIDL, 16, 32)
			n, ok = int(at), err == nil
		}
	default:
		ok = false
	}
	return b, n, ok && n >= 1 && n <= s.post.each()
}

// add counts one event of a mailbox.
func (v *Verdict) add(r *reading, n int, worker string) {
	r.times[n]++
	if n < r.last {
		v.Disorder++
	}
	if r.worker != "" && r.worker != worker {
		v.Takeovers++
	}
	r.last, r.worker = n, worker
}

// sum counts what is missing and what came more than once.
func (v *Verdict) sum(r *reading) {
	for _, times := range r.times[1:] {
		if times == 0 {
			v.Lost++
		}
		v.Doubled += max(0, times-1)
	}
}

// chain verifies a mailbox's log as `mailflume audit --chain` does.
func (s *Storm) chain(ctx context.Context, v *Verdict, b int) error {
	h, err := s.conn.History(ctx, publish.Key{Tenant: config.DefaultTenant, Mailbox: s.post.box(b)}, natsjs.Reading{Chain: true})
	if err != nil {
		return err
	}
	if h.Break != nil {
		v.Broken++
		fmt.Fprintf(s.out, "soak: the chain of %s breaks at number %d: %s\n", s.post.box(b), h.Break.Sequence, h.Break.Reason)
	}
	return nil
}

// open reads a blob to its end, which verifies its digest.
func open(ctx context.Context, blobs publish.BlobOpener, sha256 string) error {
	r, err := blobs.Open(ctx, sha256)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	return errors.Join(err, r.Close())
}

// line is the whole run in one line.
func (s *Storm) line(v *Verdict) string {
	return fmt.Sprintf("soak: rounds %d (%s; %d with mail under way), messages %d in %d mailboxes, lost %d, doubled %d, out of order %d, "+
		"octets changed %d, chains broken %d, other events %d, set aside %d, takeovers %d, fenced %d, raw messages opened %d, trouble %d, resumed %d, %.0f s, seed %d",
		s.Done, s.strikes(), s.UnderWay, s.Messages, s.Boxes, v.Lost, v.Doubled, v.Disorder, v.Changed, v.Broken, v.Strange, v.Aside,
		v.Takeovers, s.Fenced, v.Blobs, s.Trouble, s.Resumed, s.Elapsed.Round(time.Second).Seconds(), s.Seed)
}
