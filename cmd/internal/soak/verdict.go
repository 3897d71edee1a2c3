package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// Verdict is what the stream holds beside what was sent.
type Verdict struct {
	Lost      int // messages without an event
	Doubled   int // events more than messages
	Disorder  int // events that came before an earlier message of the mailbox
	Changed   int // events whose octets are not those of what was sent: the message, its attachment, what lies in the store
	Strange   int // events of other messages or other types, and messages set aside for another reason than Aside
	Broken    int // mailboxes whose hash chain is not whole
	Aside     int // messages that were set aside: a message that three workers died with is believed to be why
	Events    int
	Takeovers int // times a mailbox's next event came from another worker
	Blobs     int // messages whose octets in the store were read
}

// good reports whether every count of what must not be is zero: one must not make up for another.
func (v *Verdict) good() bool {
	return *v == Verdict{Aside: v.Aside, Events: v.Events, Takeovers: v.Takeovers, Blobs: v.Blobs}
}

// reading is the log of one mailbox as far as it was read.
type reading struct {
	times  []int // of each message
	last   int   // message
	worker string
}

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
			s.aside(v, d)
			continue
		}
		if err := s.octets(ctx, v, blobs, s.post.message(b, n), n, d.Event.Data); err != nil {
			v.Changed++
			fmt.Fprintf(s.out, "soak: event %d of message %d of %s: %v\n", d.Sequence, n, s.post.box(b), err)
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

// blobsEvery is the share of messages whose octets are read, besides all long ones: one in so many.
const blobsEvery = 20

// octets compares what an event says of its message, and what lies in the store, with what was sent.
func (s *Storm) octets(ctx context.Context, v *Verdict, blobs publish.BlobOpener, sent []byte, n int, data *publish.Data) error {
	want := []publish.Stored{{SHA256: digest(sent), Size: int64(len(sent))}}
	if a := attachment(sent); a != nil {
		want = append(want, publish.Stored{SHA256: digest(a), Size: int64(len(a))})
	}
	got := []publish.Stored{{}}
	if data.Raw != nil {
		got[0] = publish.Stored{SHA256: data.Raw.SHA256, Size: data.Raw.Size}
	}
	for _, a := range data.Attachments {
		got = append(got, publish.Stored{SHA256: a.SHA256, Size: a.Size})
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("it names %v, and %v was sent", got, want)
	}
	if n%blobsEvery != 0 && len(sent) < longSize {
		return nil
	}
	v.Blobs++
	for _, w := range want {
		if err := open(ctx, blobs, w.SHA256); err != nil {
			return err
		}
	}
	return nil
}

// aside counts a message that was set aside. Only dying workers are a reason here: all octets are good, and
// nothing else makes them unreadable.
func (s *Storm) aside(v *Verdict, d *natsjs.Delivered) {
	q := d.Event.Data.Quarantine
	if q != nil && q.Code == string(ingest.CodeMessageSuspect) && q.Attempts >= 3 {
		v.Aside++
		return
	}
	v.Strange++
	fmt.Fprintf(s.out, "soak: event %d on %s sets a message aside: %+v\n", d.Sequence, d.Subject, q)
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
