package ingest_test

import (
	"bytes"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/sourcetest"
)

func TestALostTailIsReadAgain(t *testing.T) {
	for _, lost := range []int{1, 3, 100} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(ingest.Start{All: true}, ingest.After{})
			mail := sourcetest.Mail(10)
			w.add(mail[:9])
			stop := w.serve(t)
			pass(time.Second)
			w.check(t, mail[:9])
			w.log.LoseTail(key, lost)
			w.add(mail[9:])
			pass(5 * time.Minute)
			pass(time.Second)
			stop()
			w.check(t, mail)
		})
	}
}

func TestALostTailIsReadAgainThoughNoNewMailComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		mail := sourcetest.Mail(9)
		w.add(mail)
		stop := w.serve(t)
		pass(time.Second)
		w.log.LoseTail(key, 3)
		pass(2 * time.Minute)
		stop()
		w.check(t, mail)
	})
}

func TestAnEmptiedLogStartsAgainFromItsBaseNotFromNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{}, ingest.After{})
		w.box.Add([]byte("Subject: from before\r\n\r\n"))
		stop := w.serve(t)
		defer stop()
		pass(time.Second)
		mail := sourcetest.Mail(2)
		w.box.Add(mail[0])
		pass(2 * time.Minute)
		w.log.Empty(key)
		w.box.Add(mail[1])
		pass(5 * time.Minute)
		events := w.log.Events(key)
		if len(events) != 2 || events[0].Ref != sourcetest.RefOf(2) || events[1].Ref != sourcetest.RefOf(3) {
			t.Fatalf("%d events, want the two that came after the base", len(events))
		}
	})
}

func TestAPositionWithoutSnapshotsBeginsAtItsFirstEventNotNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{}, ingest.After{})
		w.box.Add([]byte("Subject: from before\r\n\r\n"))
		stop := w.serve(t)
		pass(time.Hour)
		mail := sourcetest.Mail(3)
		w.add(mail[:2])
		pass(2 * time.Minute)
		stop()
		w.log.LoseSnapshots(key)
		w.box.Add(mail[2]) // nobody is here
		pass(time.Hour)
		defer w.serve(t)()
		pass(2 * time.Minute)
		if n := len(w.log.Events(key)); n != 3 {
			t.Errorf("%d events, want 3", n)
		}
	})
}

func TestThePositionIsSavedInTimeThoughTheMailServerIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		w.opt.SaveEvery = func() time.Duration { return time.Hour }
		w.add(sourcetest.Mail(3))
		var away atomic.Bool
		w.box.OpenFault = func(int) error {
			if away.Load() {
				return &ingest.Error{Fault: ingest.Fault{Class: ingest.Auth, Code: ingest.CodePasswordRefused}}
			}
			return nil
		}
		stop := w.serve(t)
		defer stop()
		pass(time.Second)
		base := w.log.Snapshot(key)
		away.Store(true)
		pass(90 * time.Minute)
		if bytes.Equal(w.log.Snapshot(key), base) {
			t.Error("three events have waited for a snapshot for longer than SaveEvery")
		}
	})
}

func TestAPositionIsNotSavedAPollLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		w.opt.SaveEvery = func() time.Duration { return 5 * time.Second }
		w.add(sourcetest.Mail(3))
		stop := w.serve(t)
		defer stop()
		pass(time.Second)
		base := w.log.Snapshot(key)
		pass(7 * time.Second)
		if bytes.Equal(w.log.Snapshot(key), base) {
			t.Error("the position waits for the next poll")
		}
	})
}
