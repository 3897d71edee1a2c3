package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/sourcetest"
	"mailflume/publish"
	"mailflume/publish/logtest"
)

// fullStore has no room for anything.
type fullStore struct{}

func (fullStore) Put(_ context.Context, _ string, r io.Reader) (publish.Blob, error) {
	_, _ = io.Copy(io.Discard, r)
	return publish.Blob{}, publish.ErrFull
}

// One tenant's bucket is full. The other tenant's mail must go on.
func TestAttackAFullStoreOfOneTenantDoesNotStopTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logtest.NewMemory()
		f := ingest.New(ingest.Options{Log: log, Worker: "w", Memory: 8 << 20}) // 32 messages
		var boxes []ingest.Mailbox
		for i := range 4 { // 4 x 8 messages side by side
			m := sourcetest.NewMailbox(ingest.Start{All: true}, ingest.After{})
			for _, b := range sourcetest.Mail(20) {
				m.Add(b)
			}
			boxes = append(boxes, ingest.Mailbox{Key: publish.Key{Tenant: "full", Mailbox: fmt.Sprint(i)}, Source: m, Blobs: fullStore{}, Raw: true, PollEvery: time.Minute})
		}
		if err := f.Apply(boxes); err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Second)
		good := sourcetest.NewMailbox(ingest.Start{All: true}, ingest.After{})
		for _, b := range sourcetest.Mail(20) {
			good.Add(b)
		}
		k := publish.Key{Tenant: "good", Mailbox: "g"}
		boxes = append(boxes, ingest.Mailbox{Key: k, Source: good, Blobs: newBlobs(), Raw: true, PollEvery: time.Minute})
		if err := f.Apply(boxes); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		n := len(log.Events(k))
		if err := f.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if n != 20 {
			t.Errorf("after an hour %d of 20 messages of the healthy tenant are published", n)
		}
	})
}

// panicker panics in the middle of a large message.
type panicker struct {
	r io.Reader
	n int
}

func (p *panicker) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if p.n += n; p.n > 700<<10 {
		panic("a parser's bug")
	}
	return n, err
}

// holding is a store that reads to the end.
type holding struct{ open atomic.Int64 }

func (h *holding) Put(ctx context.Context, _ string, r io.Reader) (publish.Blob, error) {
	h.open.Add(1)
	defer h.open.Add(-1)
	n, err := io.Copy(io.Discard, r)
	return publish.Blob{SHA256: strings.Repeat("0", 64), Size: n}, err
}

func TestAttackAPanicWhileStreamingLeavesNoStoreOpen(t *testing.T) {
	log, store := logtest.NewMemory(), &holding{}
	m := sourcetest.NewMailbox(ingest.Start{All: true}, ingest.After{})
	big := []byte("Subject: x\r\n\r\n" + strings.Repeat("0123456789012345678901234567890123456789\r\n", 20000))
	for range 3 {
		m.Add(big)
	}
	m.BodyFault = func(_ uint32, r io.Reader) io.Reader { return &panicker{r: r} }
	f := ingest.New(ingest.Options{Log: log, Worker: "w"})
	k := publish.Key{Tenant: "t", Mailbox: "m"}
	err := f.Once(t.Context(), []ingest.Mailbox{{Key: k, Source: m, Blobs: store, Raw: true, Attachments: true, PollEvery: time.Minute}}, 1)
	_ = f.Stop(t.Context())
	t.Log(err, len(log.Events(k)))
	if n := store.open.Load(); n != 0 {
		buf := make([]byte, 1<<16)
		t.Errorf("%d stores wait for ever for a message that is over\n%s", n, buf[:min(runtime.Stack(buf, true), 3000)])
	}
}

// The post-action of what is pending is the one that held when it was acknowledged.
func TestAttackAChangedActionAppliesToLaterEventsOnly(t *testing.T) {
	for _, from := range []ingest.Action{ingest.ActionSeen, ingest.ActionNone} {
		for _, crash := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s to delete, crash %v", from, crash), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(ingest.Start{All: true}, ingest.After{Action: from, Grace: time.Hour})
					w.box.After = ingest.After{Action: ingest.ActionDelete}
					w.add(sourcetest.Mail(10))
					if crash {
						w.opt.Log = noSaves{w.log}
					}
					stop := w.serve(t)
					pass(10 * time.Second)
					stop()
					w.opt.Log = w.log
					w.after = ingest.After{Action: ingest.ActionDelete, Grace: time.Hour}
					stop = w.serve(t)
					pass(3 * time.Hour)
					stop()
					if n := w.box.Len(); n != 10 {
						t.Errorf("%d of 10 messages are left: those published under %q were deleted", n, from)
					}
				})
			})
		}
	}
}

// noSaves is a log whose owner dies before its last Save: all but the base is lost.
type noSaves struct{ publish.Log }

func (l noSaves) Claim(ctx context.Context, k publish.Key) (publish.Claim, error) {
	c, err := l.Log.Claim(ctx, k)
	return &noSave{Claim: c}, err
}

type noSave struct {
	publish.Claim
	saved int
}

var errDead = errors.New("dead")

func (c *noSave) Save(ctx context.Context, b []byte) error {
	if c.saved++; c.saved > 1 {
		return errDead
	}
	return c.Claim.Save(ctx, b)
}

// A folder whose post-action is refused must not hold up new mail.
func TestAttackARefusedPostActionDoesNotDelayNewMail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{Action: ingest.ActionDelete})
		w.box.SettleFault = func([]ingest.Ref) error {
			return &ingest.Error{Fault: ingest.Fault{Class: ingest.Config, Code: ingest.CodeActionRefused}, Op: "x", Err: errDead}
		}
		w.add(sourcetest.Mail(3))
		stop := w.serve(t)
		pass(2 * time.Hour) // PollEvery is a minute
		w.add(sourcetest.Mail(1))
		pass(3 * time.Minute)
		n := len(w.log.Events(key))
		pass(20 * time.Minute)
		late := len(w.log.Events(key))
		stop()
		if n != 4 {
			t.Errorf("%d events three minutes after the fourth message (later %d): new mail waits for the post-action's backoff", n, late)
		}
	})
}
