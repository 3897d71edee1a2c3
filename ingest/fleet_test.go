package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/sourcetest"
	"mailflume/publish"
	"mailflume/publish/logtest"
)

var key = publish.Key{Tenant: "acme", Mailbox: "support"}

// world is one mailbox, one log and the states that were reported.
type world struct {
	box    *sourcetest.Mailbox
	log    *logtest.Memory
	blobs  *blobs
	after  ingest.After
	opt    ingest.Options
	mu     sync.Mutex
	states []ingest.Status
}

func newWorld(start ingest.Start, after ingest.After) *world {
	w := &world{box: sourcetest.NewMailbox(start, after), log: logtest.NewMemory(), blobs: newBlobs(), after: after}
	w.opt = ingest.Options{Log: w.log, Worker: "test", Hooks: ingest.Hooks{State: func(_ publish.Key, s ingest.Status) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.states = append(w.states, s)
	}}}
	return w
}

func (w *world) mailbox() ingest.Mailbox {
	return ingest.Mailbox{
		Key: key, Info: publish.MailboxInfo{ID: key.Mailbox}, Host: "h", Source: w.box, Start: w.box.Start, Blobs: w.blobs, Raw: true, Attachments: true,
		After: w.after, PollEvery: time.Minute, Definition: "1", Restart: func(s ingest.Start) (ingest.Source, error) { return w.box.StartingAt(s), nil },
	}
}

// once runs one pass.
func (w *world) once(t *testing.T) error {
	t.Helper()
	f := ingest.New(w.opt)
	err := f.Once(t.Context(), []ingest.Mailbox{w.mailbox()}, 0)
	if err := f.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	return err
}

// serve runs the mailbox until stop.
func (w *world) serve(t *testing.T) (stop func()) {
	t.Helper()
	f := ingest.New(w.opt)
	if err := f.Apply([]ingest.Mailbox{w.mailbox()}); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := f.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// pass lets virtual time go by and everything that it wakes come to rest.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (w *world) saw(s ingest.State) (ingest.Status, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.states) - 1; i >= 0; i-- {
		if w.states[i].State == s {
			return w.states[i], true
		}
	}
	return ingest.Status{}, false
}

// check wants exactly these messages in the log, in order, whole.
func (w *world) check(t *testing.T, mail [][]byte) {
	t.Helper()
	events := slices.DeleteFunc(w.log.Events(key), func(ev logtest.Event) bool { // those about the mailbox itself count for no message
		return ev.Kind == publish.AuthFailed || ev.Kind == publish.Stalled || ev.Kind == publish.Recovered
	})
	if len(events) != len(mail) {
		t.Fatalf("%d events, want %d", len(events), len(mail))
	}
	for i, e := range events {
		if e.Ref != sourcetest.RefOf(uint32(i+1)) {
			t.Errorf("event %d is of %s", i, e.Ref)
		}
		if e.Data.Raw == nil || e.Data.Raw.SHA256 != hexSum(mail[i]) || !w.blobs.has(e.Data.Raw.SHA256, mail[i]) {
			t.Errorf("event %d: raw %+v, want the digest %s and the octets stored", i, e.Data.Raw, hexSum(mail[i]))
		}
	}
}

func (w *world) add(mail [][]byte) {
	for _, m := range mail {
		w.box.Add(m)
	}
}

func TestEveryMessageIsPublishedOnceInOrderAndWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		mail := sourcetest.Mail(60)
		w.add(mail[:50])
		stop := w.serve(t)
		pass(time.Second)
		w.check(t, mail[:50])
		w.add(mail[50:])
		pass(2 * time.Minute)
		stop()
		w.check(t, mail)
	})
}

func TestALargeMessageStreamsThrough(t *testing.T) {
	w := newWorld(ingest.Start{All: true}, ingest.After{})
	attachment := bytes.Repeat([]byte("0123456789abcdef"), 200_000)
	big := []byte("Subject: big\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n" +
		"--b\r\nContent-Type: application/x-y; name=f.bin\r\nContent-Disposition: attachment; filename=f.bin\r\n\r\n" + string(attachment) + "\r\n--b--\r\n")
	mail := [][]byte{sourcetest.Mail(1)[0], big, sourcetest.Mail(2)[1]}
	w.add(mail)
	if err := w.once(t); err != nil {
		t.Fatal(err)
	}
	w.check(t, mail)
	a := w.log.Events(key)[1].Data.Attachments
	if len(a) != 1 || a[0].SHA256 != hexSum(attachment) || !w.blobs.has(a[0].SHA256, attachment) || a[0].Filename != "f.bin" {
		t.Fatalf("attachments %+v", a)
	}
}

func TestARestartAnywhereLosesAndDoublesNothing(t *testing.T) {
	mail := sourcetest.Mail(12)
	for n := range 14 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(ingest.Start{All: true}, ingest.After{})
			w.add(mail)
			writes := 0
			w.log.Gate(func(_ context.Context, op logtest.Op) error {
				if op.Name == "Append" || op.Name == "Save" {
					if writes++; writes == n {
						w.log.LoseAck(1) // stored, and nobody knows
					}
				}
				return nil
			})
			for range 3 {
				_ = w.once(t)
			}
			w.check(t, mail)
		})
	}
}

func TestTheBaseIsSavedBeforeAnythingElse(t *testing.T) {
	w := newWorld(ingest.Start{All: true}, ingest.After{})
	w.add(sourcetest.Mail(1))
	var ops []string
	w.log.Gate(func(_ context.Context, op logtest.Op) error {
		ops = append(ops, op.Name)
		return nil
	})
	if err := w.once(t); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(ops[:4], []string{"Claim", "Note", "Save", "Append"}) {
		t.Fatalf("the log saw %v", ops)
	}
}

func TestTwoWorkersOnOneMailboxDoubleNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		mail := sourcetest.Mail(40)
		w.add(mail[:20])
		stopA := w.serve(t)
		stopB := w.serve(t)
		pass(time.Minute)
		w.add(mail[20:])
		pass(10 * time.Minute)
		stopA()
		stopB()
		w.check(t, mail)
	})
}

func TestManyMailboxesShareLittleMemoryWithoutWaitingForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logtest.NewMemory()
		f := ingest.New(ingest.Options{Log: log, Memory: 1, PerHost: 3})
		var boxes []ingest.Mailbox
		for i := range 20 {
			box := sourcetest.NewMailbox(ingest.Start{All: true}, ingest.After{})
			for _, m := range sourcetest.Mail(15) {
				box.Add(m)
			}
			k := publish.Key{Tenant: "t", Mailbox: fmt.Sprint("box", i)}
			boxes = append(boxes, ingest.Mailbox{Key: k, Host: "h", Source: box, Blobs: newBlobs(), Raw: true, PollEvery: time.Minute})
		}
		if err := f.Apply(boxes); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		if err := f.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, b := range boxes {
			if n := len(log.Events(b.Key)); n != 15 {
				t.Errorf("%s: %d events", b.Key, n)
			}
		}
	})
}

func TestApplyChangesOnlyWhatDiffers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		f := ingest.New(w.opt)
		a, b := w.mailbox(), w.mailbox()
		b.Key.Mailbox, b.Source = "second", sourcetest.NewMailbox(ingest.Start{}, ingest.After{})
		apply := func(boxes ...ingest.Mailbox) {
			t.Helper()
			if err := f.Apply(boxes); err != nil {
				t.Fatal(err)
			}
			pass(time.Second)
		}
		apply(a, b)
		apply(a, b)
		if n := w.log.Claims(key); n != 1 {
			t.Errorf("an unchanged mailbox was claimed %d times", n)
		}
		a.Definition = "2"
		apply(a, b)
		if n := w.log.Claims(key); n != 2 {
			t.Errorf("a changed mailbox was claimed %d times", n)
		}
		if n := w.log.Claims(b.Key); n != 1 {
			t.Errorf("its neighbour was claimed %d times", n)
		}
		apply(b)
		apply(a, b) // back with the same definition
		if n := w.log.Claims(key); n != 3 {
			t.Errorf("a mailbox that came back was claimed %d times", n)
		}
		if err := f.Apply([]ingest.Mailbox{a, a}); err == nil {
			t.Error("one key twice was accepted")
		}
		if err := f.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := f.Apply(nil); err == nil {
			t.Error("a stopped fleet took mailboxes")
		}
	})
}

func TestStopIsBoundedWhenTheLogHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		w.add(sourcetest.Mail(3))
		w.log.Gate(func(ctx context.Context, op logtest.Op) error {
			if op.Name == "Append" {
				<-ctx.Done()
			}
			return ctx.Err()
		})
		f := ingest.New(w.opt)
		if err := f.Apply([]ingest.Mailbox{w.mailbox()}); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		begin := time.Now()
		err := f.Stop(t.Context())
		if took := time.Since(begin); took > 25*time.Second || err == nil {
			t.Errorf("Stop took %v and returned %v", took, err)
		}
	})
}

func TestAFailingServerIsNotAskedInABusyLoopAndTheReasonIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		w.box.OpenFault = func(int) error {
			return &ingest.Error{Fault: ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAuthRefused}, Op: "imap login", Err: errors.New("NO")}
		}
		stop := w.serve(t)
		pass(time.Hour)
		stop()
		if n := w.box.Opens(); n < 4 || n > 12 {
			t.Errorf("%d sign-ins in an hour", n)
		}
		if s, ok := w.saw(ingest.StateAuthFailed); !ok || s.Fault.Code != ingest.CodeAuthRefused || s.Until.Before(s.At) {
			t.Errorf("reported %+v", s)
		}
	})
}

func TestNewsWakesAWaitingSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{}, ingest.After{})
		w.box.Waits = true
		stop := w.serve(t)
		defer stop()
		pass(time.Second)
		w.add(sourcetest.Mail(1))
		pass(time.Second)
		if n := len(w.log.Events(key)); n != 1 {
			t.Errorf("%d events a moment after the message came", n)
		}
		if w.box.Opens() != 1 {
			t.Errorf("%d sessions", w.box.Opens())
		}
	})
}
