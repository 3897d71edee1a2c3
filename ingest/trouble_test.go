package ingest_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/sourcetest"
	"mailflume/publish"
	"mailflume/publish/logtest"
	"mailflume/publish/logtest/fault"
)

func TestABadMessageIsSetAsideAfterThreeTriesAndTheOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{Action: ingest.ActionDelete, Grace: time.Minute})
		w.add(sourcetest.Mail(5))
		tries := 0
		w.box.MessageFault = func(uid uint32) error {
			if uid != 3 {
				return nil
			}
			tries++
			return &ingest.Error{Fault: ingest.Fault{Class: ingest.BadMessage, Code: ingest.CodeMessageRefused}, Op: "fetch", Err: errors.New("NO")}
		}
		stop := w.serve(t)
		pass(10 * time.Minute)
		stop()
		events := w.log.Events(key)
		if len(events) != 5 || events[2].Kind != publish.Quarantined || tries != 3 {
			t.Fatalf("%d events, %d tries", len(events), tries)
		}
		if q := events[2].Data.Quarantine; q == nil || q.Code != string(ingest.CodeMessageRefused) || q.Attempts != 3 {
			t.Errorf("quarantine %+v", q)
		}
		if w.box.Len() != 1 || slices.Contains(w.box.Settled(), sourcetest.RefOf(3)) {
			t.Errorf("%d messages left, want only the one set aside", w.box.Len())
		}
	})
}

func TestFault_P3_APanicWhileReadingIsTheMessagesFault(t *testing.T) {
	w := newWorld(ingest.Start{All: true}, ingest.After{})
	w.add(sourcetest.Mail(3))
	var n atomic.Int32
	w.blobs.fault = func() error {
		if n.Add(1) <= 3 {
			panic("a bug")
		}
		return nil
	}
	w.opt.Parallel = 1
	if err := w.once(t); err != nil {
		t.Fatal(err)
	}
	events := w.log.Events(key)
	if len(events) != 3 || events[0].Kind != publish.Quarantined || events[0].Data.Quarantine.Code != string(ingest.CodeMessagePanic) {
		t.Fatalf("%d events, the first %+v", len(events), events[0].Data.Quarantine)
	}
	wantRaw(t, events[0], sourcetest.Mail(3)[0])
	fault.Note(t, fault.Row{
		ID: "P3", Fault: "reading a message panics", Outcome: "after three tries it is quarantined with its octets and the stack; the next one follows", Messages: 3,
	})
}

// wantRaw fails unless ev says where the octets of mail are.
func wantRaw(t *testing.T, ev logtest.Event, mail []byte) {
	t.Helper()
	if got := ev.Data.Raw; got == nil || got.SHA256 != fmt.Sprintf("%x", sha256.Sum256(mail)) || got.Size != int64(len(mail)) || got.Ref == "" {
		t.Errorf("raw %+v", got)
	}
}

func TestALargeMessageThatCannotBeReadIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		large := bytes.Repeat([]byte("Subject: x\r\n\r\nlarge\r\n"), 40_000)
		w.add([][]byte{large})
		var n atomic.Int32
		away := true
		w.blobs.fault = func() error {
			if n.Add(1) <= 2 {
				panic("a bug")
			}
			if away { // it must not lose its octets to an outage of the store either
				away = false
				return fmt.Errorf("put: %w", publish.ErrUnavailable)
			}
			return nil
		}
		stop := w.serve(t)
		pass(5 * time.Minute)
		stop()
		events := w.log.Events(key)
		if len(events) != 1 || events[0].Kind != publish.Quarantined || events[0].Data.Quarantine.Code != string(ingest.CodeMessagePanic) {
			t.Fatalf("%d events", len(events))
		}
		wantRaw(t, events[0], large)
	})
}

func TestAStoreThatIsAwayIsWaitedForWithoutAskingTheServerAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		mail := sourcetest.Mail(10)
		w.add(mail)
		until := time.Now().Add(30 * time.Second)
		w.blobs.fault = func() error {
			if time.Now().Before(until) {
				return fmt.Errorf("put: %w", publish.ErrUnavailable)
			}
			return nil
		}
		stop := w.serve(t)
		pass(5 * time.Minute)
		stop()
		w.check(t, mail)
		if s, ok := w.saw(ingest.StateNATSUnavailable); !ok || s.Fault.Code != ingest.CodeNATSDown {
			t.Errorf("the state said nothing of it: %+v", s)
		}
	})
}

func TestACutConnectionPublishesNothingOfTheMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		mail := append(sourcetest.Mail(2), bytes.Repeat([]byte("Subject: x\r\n\r\nlarge\r\n"), 40_000))
		w.add(mail)
		cuts := map[uint32]int{2: 10, 3: 500_000}
		w.box.BodyFault = func(uid uint32, body io.Reader) io.Reader {
			n, ok := cuts[uid]
			if !ok {
				return body
			}
			delete(cuts, uid)
			return io.MultiReader(io.LimitReader(body, int64(n)), errReader{io.ErrUnexpectedEOF})
		}
		stop := w.serve(t)
		pass(5 * time.Minute)
		stop()
		w.check(t, mail)
	})
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

func TestNothingIsSettledBeforeItsGraceOrWhenTheLogLostIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{Action: ingest.ActionDelete, Grace: 10 * time.Minute})
		mail := sourcetest.Mail(4)
		w.add(mail)
		stop := w.serve(t)
		defer stop()
		pass(9 * time.Minute)
		if w.box.Len() != 4 {
			t.Fatalf("%d messages left before the grace was over", w.box.Len())
		}
		w.log.LoseTail(key, 2) // a power cut took two acknowledged events
		pass(6 * time.Minute)
		if w.box.Len() < 2 {
			t.Fatalf("%d messages left: something was deleted whose event is gone", w.box.Len())
		}
		pass(30 * time.Minute)
		w.check(t, mail)
		if w.box.Len() != 0 {
			t.Errorf("%d messages left in the end", w.box.Len())
		}
	})
}

// One worker after the other has the mailbox, with clocks of their own; the grace is by the log's.
func TestNoWorkersClockShortensOrStretchesTheGrace(t *testing.T) {
	for _, ahead := range []time.Duration{time.Hour, -time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(ingest.Start{All: true}, ingest.After{Action: ingest.ActionDelete, Grace: 10 * time.Minute})
			at := func(off time.Duration) { w.opt.Now = func() time.Time { return time.Now().Add(off) } }
			w.log.SetClock(func() time.Time { return time.Now().Add(5 * time.Hour) })
			w.add(sourcetest.Mail(2))
			at(-ahead)
			stop := w.serve(t) // it appends, and saves when it is stopped
			pass(time.Minute)
			stop()
			at(ahead)
			stop = w.serve(t)
			pass(time.Minute)
			w.add(sourcetest.Mail(3)[2:])
			pass(2 * time.Minute)
			w.log.Fence(key) // so that the next one finds what it appended behind the snapshot
			stop()
			at(0)
			stop = w.serve(t)
			pass(5 * time.Minute)
			if w.box.Len() != 3 {
				t.Errorf("%v: %d messages left before the grace was over", ahead, w.box.Len())
			}
			pass(2 * time.Minute)
			if w.box.Len() != 1 {
				t.Errorf("%v: %d messages left, one's grace was not over", ahead, w.box.Len())
			}
			pass(3 * time.Minute)
			stop()
			if w.box.Len() != 0 {
				t.Errorf("%v: %d messages left in the end", ahead, w.box.Len())
			}
		})
	}
}

func TestPostActionsSurviveARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{Action: ingest.ActionDelete, Grace: 10 * time.Minute})
		w.add(sourcetest.Mail(3))
		w.serve(t)()
		stop := w.serve(t)
		pass(time.Minute)
		stop()
		stop = w.serve(t)
		pass(20 * time.Minute)
		stop()
		if w.box.Len() != 0 {
			t.Errorf("%d messages were forgotten", w.box.Len())
		}
	})
}

func TestAnEventLargerThanTheServerTakesGoesByReference(t *testing.T) {
	w := newWorld(ingest.Start{All: true}, ingest.After{})
	w.log.SetMaxEvent(8 << 10)
	msg := []byte("From: a@example.com\r\nSubject: " + strings.Repeat("long ", 100) + "\r\nTo: " + strings.Repeat("someone@example.com,\r\n ", 2000) +
		"last@example.com\r\n\r\n" + strings.Repeat("text\r\n", 3000))
	w.add([][]byte{msg})
	if err := w.once(t); err != nil {
		t.Fatal(err)
	}
	ev := w.log.Events(key)[0]
	if len(ev.Body) > 8<<10 || ev.DataRef == "" || !slices.Contains(ev.Data.TruncatedFields, "to") || len(ev.Data.From) != 1 {
		t.Fatalf("%d bytes, dataref %q, truncated %v", len(ev.Body), ev.DataRef, ev.Data.TruncatedFields)
	}
	full := w.blobs.m[strings.TrimPrefix(ev.DataRef, "mem:")]
	if bytes.Count(full, []byte("someone@example.com")) < 2000 {
		t.Errorf("the full data (%d bytes) lacks the recipients", len(full))
	}
}

func TestALongBodyIsStoredAndCutOnACharacter(t *testing.T) {
	w := newWorld(ingest.Start{All: true}, ingest.After{})
	body := strings.Repeat("ü", 100_000)
	w.add([][]byte{[]byte("Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + body)})
	if err := w.once(t); err != nil {
		t.Fatal(err)
	}
	text := w.log.Events(key)[0].Data.Text
	if text == nil || !text.Truncated || text.Size != 200_000 || len(text.Content) > 64<<10 || strings.ContainsRune(text.Content, '\ufffd') {
		t.Fatalf("text %+v", text)
	}
	if !w.blobs.has(hexSum([]byte(body)), []byte(body)) {
		t.Error("the whole text is not stored")
	}
}

func TestAMessageIsSetAsideHoweverMuchItsServerSaysOfIt(t *testing.T) {
	w := newWorld(ingest.Start{All: true}, ingest.After{})
	w.log.SetMaxEvent(8 << 10)
	w.add(sourcetest.Mail(2))
	w.box.Flags = []string{strings.Repeat("flag", 5000)}
	var n atomic.Int32
	w.blobs.fault = func() error {
		if n.Add(1) <= 3 {
			panic(strings.Repeat("\x00", 5000))
		}
		return nil
	}
	w.opt.Parallel = 1
	if err := w.once(t); err != nil {
		t.Fatal(err)
	}
	events := w.log.Events(key)
	if len(events) != 2 || events[0].Kind != publish.Quarantined || events[0].Data.Quarantine.Code != string(ingest.CodeMessagePanic) {
		t.Fatalf("%d events", len(events))
	}
	wantRaw(t, events[0], sourcetest.Mail(1)[0])
	if got := events[0].Data.TruncatedFields; !slices.Contains(got, "flags") {
		t.Errorf("left out %v", got)
	}
}
