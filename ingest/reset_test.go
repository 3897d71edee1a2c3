package ingest_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/logtest"
)

// letters are n small messages, all different.
func letters(from, n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = fmt.Appendf(nil, "From: a@example.com\r\nSubject: letter %d\r\nMessage-ID: <%d@example.com>\r\n\r\nHello %d.\r\n", from+i, from+i, from+i)
	}
	return out
}

// tally counts the events of a log: how often each message was published, and the resets.
func (w *world) tally() (published map[string]int, resets int) { return tally(w.log) }

func tally(log *logtest.Memory) (published map[string]int, resets int) {
	published = map[string]int{}
	for _, e := range log.Events(key) {
		switch e.Kind {
		case publish.Received:
			published[e.Data.Raw.SHA256]++
		case publish.Reset:
			resets++
		}
	}
	return published, resets
}

// wantEach wants each message published once and so many resets.
func (w *world) wantEach(t *testing.T, mail [][]byte, resets int) {
	t.Helper()
	got, n := w.tally()
	want := map[string]int{}
	for _, m := range mail {
		want[hexSum(m)]++
	}
	if !maps.Equal(got, want) {
		lost, doubled := 0, 0
		for sum, n := range want {
			lost += max(n-got[sum], 0)
		}
		for sum, n := range got {
			doubled += max(n-want[sum], 0)
		}
		t.Errorf("%d lost, %d doubled of %d", lost, doubled, len(mail))
	}
	if n != resets {
		t.Errorf("%d reset events, want %d", n, resets)
	}
}

func (w *world) mustOnce(t *testing.T) {
	t.Helper()
	if err := w.once(t); err != nil {
		t.Fatal(err)
	}
}

func TestAfterAResetNothingIsPublishedTwiceAndNothingLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		mail := letters(0, 1003)
		w.add(mail[:1000])
		w.mustOnce(t)
		w.box.Renumber()
		w.add(mail[1000:]) // in the same moment
		w.mustOnce(t)
		w.wantEach(t, mail, 1)
		w.mustOnce(t)
		w.wantEach(t, mail, 1)
		report := w.audit(t)
		if !report.Clean() || report.Recognised != 1000 || report.Published != 3 {
			t.Errorf("the audit says %+v", report)
		}
	})
}

func TestAResetEventIsTheSwitchItself(t *testing.T) {
	for name, fault := range map[string]func(*logtest.Memory){
		"its acknowledgement is lost": func(m *logtest.Memory) { m.LoseAck(1) },
		"it is not stored":            func(m *logtest.Memory) { m.FailNext(1, publish.ErrLogMoved) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(ingest.Start{All: true}, ingest.After{})
				mail := letters(0, 20)
				w.add(mail)
				w.mustOnce(t)
				w.box.Renumber()
				struck := false
				w.log.Gate(func(_ context.Context, op logtest.Op) error {
					if op.Name == "Append" && !struck {
						struck = true
						go fault(w.log) // the gate holds no lock, but the write is about to take one
						synctest.Wait()
					}
					return nil
				})
				w.mustOnce(t)
				w.mustOnce(t)
				w.wantEach(t, mail, 1)
			})
		})
	}
}

func TestAWorkerThatEndsInTheMiddleOfJudgingLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		mail := letters(0, 300)
		w.add(mail[:250])
		w.mustOnce(t)
		w.box.Renumber()
		w.add(mail[250:])
		for _, end := range []uint32{1, 100, 255, 280} { // a crash: nothing is saved
			ctx, cancel := context.WithCancel(t.Context())
			w.box.OnMessage = func(_ context.Context, uid uint32) {
				if uid == end {
					w.log.Fence(key)
					cancel()
				}
			}
			f := ingest.New(w.opt)
			_ = f.Once(ctx, []ingest.Mailbox{w.mailbox()}, 0)
			_ = f.Stop(t.Context())
		}
		w.box.OnMessage = nil
		w.mustOnce(t)
		w.wantEach(t, mail, 1)
	})
}

func TestASecondResetWhileTheFirstIsJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		mail := letters(0, 210)
		w.add(mail[:200])
		w.mustOnce(t)
		w.box.Renumber()
		w.add(mail[200:205])
		w.box.MessageFault = func(uid uint32) error {
			if uid == 150 {
				return &ingest.Error{Fault: ingest.Fault{Class: ingest.Permanent, Code: ingest.CodeNotConnected}}
			}
			return nil
		}
		if err := w.once(t); err == nil {
			t.Fatal("the pass came to its end")
		}
		w.box.MessageFault = nil
		w.box.Renumber()
		w.add(mail[205:])
		w.mustOnce(t)
		w.wantEach(t, mail, 2)
	})
}

func TestOfEqualMessagesEachIsKnownByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		same := letters(0, 1)[0]
		mail := [][]byte{same, letters(1, 1)[0], same, letters(2, 1)[0]}
		w.add(mail)
		w.mustOnce(t)
		w.box.Renumber()
		w.add([][]byte{same})
		ctx, cancel := context.WithCancel(t.Context())
		w.box.OnMessage = func(_ context.Context, uid uint32) {
			if uid == 5 {
				cancel() // the ones before are recognised
			}
		}
		f := ingest.New(w.opt)
		_ = f.Once(ctx, []ingest.Mailbox{w.mailbox()}, 0)
		_ = f.Stop(t.Context())
		w.box.OnMessage = nil
		for range 2 {
			w.mustOnce(t)
			w.wantEach(t, append(slices.Clone(mail), same), 1)
		}
	})
}

func TestWhatTheStartPassedOverStaysSoAfterAReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{}, ingest.After{})
		mail := letters(0, 60)
		w.add(mail[:40])
		pass(time.Second)
		w.mustOnce(t)
		w.add(mail[40:50])
		w.mustOnce(t)
		w.box.Renumber()
		w.add(mail[50:])
		read := 0
		w.box.OnMessage = func(context.Context, uint32) { read++ }
		w.mustOnce(t)
		w.wantEach(t, mail[40:], 1)
		if read != 50 { // the first ten have another size than what was published
			t.Errorf("%d messages were read, want 50", read)
		}
	})
}

func TestAPostActionFollowsItsMessageThroughAReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{}, ingest.After{Action: ingest.ActionDelete, Grace: time.Hour})
		mail := letters(100, 30)
		w.add(mail[:10])
		pass(time.Second)
		stop := w.serve(t)
		pass(2 * time.Minute)
		w.add(mail[10:20])
		pass(2 * time.Minute)
		w.box.Renumber()
		pass(2 * time.Minute)
		w.wantEach(t, mail[10:20], 1)
		if n := len(w.box.Settled()); n != 0 {
			t.Errorf("%d messages are settled before their time", n)
		}
		pass(2 * time.Hour)
		stop()
		if w.box.Len() != 10 {
			t.Errorf("%d messages are left, want the 10 that the start passed over", w.box.Len())
		}
	})
}

func TestTooManyResetsInADayPauseTheMailbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		mail := letters(0, 30)
		w.add(mail)
		w.mustOnce(t)
		for range 3 {
			w.box.Renumber()
			w.mustOnce(t)
		}
		w.box.Renumber()
		if err := w.once(t); ingest.FaultOf(err).Code != ingest.CodeUIDLReset {
			t.Errorf("the fourth within a day gives %v", err)
		}
		w.wantEach(t, mail, 3)
		w.opt.Now = func() time.Time { return time.Now().Add(25 * time.Hour) } // another worker, whose clock is wrong
		if err := w.once(t); ingest.FaultOf(err).Code != ingest.CodeUIDLReset {
			t.Errorf("where the clock is ahead, the fourth within a day gives %v", err)
		}
		w.wantEach(t, mail, 3)
		w.opt.Now = func() time.Time { return time.Now().Add(-25 * time.Hour) }
		pass(24 * time.Hour)
		w.mustOnce(t)
		w.wantEach(t, mail, 4)
	})
}

func TestContentsThatAreNotKnownAnyMorePauseTheMailbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		mail := letters(0, 1610)
		w.add(mail[:1600])
		w.mustOnce(t)
		stored := maps.Clone(w.blobs.m)
		maps.DeleteFunc(w.blobs.m, func(_ string, b []byte) bool { return string(b[:3]) == "MFK" })
		if len(stored) == len(w.blobs.m) {
			t.Fatal("no contents are in the store")
		}
		w.box.Renumber()
		pass(time.Hour)
		w.add(mail[1600:])
		err := w.once(t)
		if f := ingest.FaultOf(err); f.Code != ingest.CodeContentLost || f.Class != ingest.Config {
			t.Fatalf("the pass ended with %v", err)
		}
		w.wantEach(t, mail[:1600], 1)
		w.blobs.m = stored
		w.mustOnce(t)
		w.wantEach(t, mail, 1)
	})
}

func (w *world) audit(t *testing.T) *ingest.AuditReport {
	t.Helper()
	a := ingest.NewAudit(w.box)
	for _, e := range w.log.Events(key) {
		a.Event(ingest.Entry{Ref: e.Ref, Type: e.Kind, Time: e.Stored, Content: publish.ContentOf(e.Data)}, true)
	}
	report, err := a.Compare(t.Context(), w.log.Snapshot(key), ingest.Aged{})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestABackfillAfterAResetPublishesOnlyWhatNobodyHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{}, ingest.After{})
		since := time.Now()
		mail := letters(0, 30)
		w.add(mail[:10])
		pass(time.Hour)
		w.mustOnce(t)
		w.add(mail[10:30])
		w.mustOnce(t)
		w.box.Renumber()
		f := w.employ(t)
		got, err := f.Do(t.Context(), key, ingest.NewBackfill(w.journal(), since, time.Time{}, nil))
		if err != nil || got.Published != 10 {
			t.Errorf("%+v, %v", got, err)
		}
		must(t, f.Stop(t.Context()))
		w.wantEach(t, mail, 1)
	})
}
