package ingest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/publish"
)

// slow is a store that takes its time, and counts how many large contents it has in hand.
type slow struct {
	*blobs
	now, most *atomic.Int32
}

func (s slow) Put(ctx context.Context, kind string, r io.Reader) (publish.Blob, error) {
	if n := s.now.Add(1); n > s.most.Load() {
		s.most.Store(n)
	}
	defer s.now.Add(-1)
	<-time.After(time.Second)
	return s.blobs.Put(ctx, kind, r)
}

func TestWhatAStoreHoldsOfLargeMessagesCountsAsMemory(t *testing.T) {
	for _, c := range []struct{ holds, most int64 }{{0, 8}, {10 << 20, 2}, {1 << 40, 1}} { // of 8 mailboxes and 22 MiB
		synctest.Test(t, func(t *testing.T) {
			var now, most atomic.Int32
			first := newWorld(ingest.Start{All: true}, ingest.After{})
			first.opt.Memory = 22 << 20
			var all []ingest.Mailbox
			for i := range 8 {
				w := newWorld(ingest.Start{All: true}, ingest.After{})
				w.add([][]byte{append([]byte(fmt.Sprintf("Subject: %d\r\n\r\n", i)), bytes.Repeat([]byte("x\r\n"), 300_000)...)})
				m := w.mailbox()
				m.Key.Mailbox = fmt.Sprint("box", i)
				m.Blobs, m.Holds, m.Attachments = slow{w.blobs, &now, &most}, c.holds, false
				all = append(all, m)
			}
			f := ingest.New(first.opt)
			if err := f.Once(t.Context(), all, 0); err != nil {
				t.Error(err)
			}
			if err := f.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			if got := int64(most.Load()); got > 2*c.most || c.holds == 0 && got < 8 { // the original and its text
				t.Errorf("a store that holds %d: %d large contents at a time", c.holds, got)
			}
			for _, m := range all {
				if n := len(first.log.Events(m.Key)); n != 1 {
					t.Errorf("%s: %d events", m.Key, n)
				}
			}
		})
	}
}
