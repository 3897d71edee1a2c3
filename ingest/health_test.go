package ingest_test

import (
	"context"
	"errors"
	"fmt"
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

func refusal() error {
	return &ingest.Error{Fault: ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAuthRefused}, Op: "imap login", Err: errors.New("NO")}
}

// news lists the events about the mailbox itself, with their codes.
func (w *world) news() string {
	var out []string
	for _, ev := range w.log.Events(key) {
		if ev.Kind == publish.Received {
			continue
		}
		line := string(ev.Kind)
		if p := ev.Data.Problem; p != nil {
			line += " " + p.Code
		}
		if ev.Ref != "" {
			line += " with a Ref"
		}
		out = append(out, line)
	}
	return strings.Join(out, ", ")
}

func TestEachChangeOfAMailboxsHealthIsToldOnce(t *testing.T) {
	refused, down := refusal(), errors.New("connection reset")
	for name, tc := range map[string]struct {
		fault error
		lasts time.Duration
		want  string
	}{
		"refused for hours":           {refused, 5 * time.Hour, "auth_failed MF-AUTH-001, recovered"},
		"refused once or twice":       {refused, 90 * time.Second, ""},
		"away for hours":              {down, 5 * time.Hour, "stalled MF-GEN-001, recovered"},
		"away for less than 3 polls":  {down, 100 * time.Second, ""},
		"never away":                  {nil, 5 * time.Hour, ""},
		"away, and then it refuses":   {fmt.Errorf("both"), 5 * time.Hour, "stalled MF-GEN-001, auth_failed MF-AUTH-001, recovered"},
		"a folder that is not there":  {&ingest.Error{Fault: ingest.Fault{Class: ingest.Config, Code: ingest.CodeFolderMissing}}, 5 * time.Hour, "stalled MF-BOX-001, recovered"},
		"a token endpoint that fails": {&ingest.Error{Fault: ingest.Fault{Code: ingest.CodeTokenDown}}, 5 * time.Hour, "stalled MF-AUTH-009, recovered"},
	} {
		simulated(t, name, func(t *testing.T) {
			w := newWorld(ingest.Start{All: true}, ingest.After{Action: ingest.ActionSeen, Grace: time.Minute})
			mail := sourcetest.Mail(6)
			w.add(mail[:3])
			begin := time.Now().Add(10 * time.Minute)
			w.box.OpenFault = func(int) error {
				switch age := time.Since(begin); {
				case age < 0, age > tc.lasts:
					return nil
				case tc.fault != nil && tc.fault.Error() == "both" && age < time.Hour:
					return down
				case tc.fault != nil && tc.fault.Error() == "both":
					return refused
				}
				return tc.fault
			}
			stop := w.serve(t)
			pass(10*time.Minute + tc.lasts)
			w.add(mail[3:])
			pass(2 * time.Hour)
			stop()
			if got := w.news(); got != tc.want {
				t.Errorf("told %q, want %q", got, tc.want)
			}
			received := 0
			for _, ev := range w.log.Events(key) {
				if ev.Kind == publish.Received {
					received++
				}
			}
			if received != len(mail) || len(w.box.Settled()) != len(mail) {
				t.Errorf("%d received and %d settled of %d", received, len(w.box.Settled()), len(mail))
			}
		})
	}
}

func TestTheNextOwnerKnowsWhatWasTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{}, ingest.After{})
		broken := true
		w.box.OpenFault = func(int) error {
			if broken {
				return refusal()
			}
			return nil
		}
		for range 3 { // three workers, one after the other
			stop := w.serve(t)
			pass(2 * time.Hour)
			stop()
		}
		if got := w.news(); got != "auth_failed MF-AUTH-001" {
			t.Errorf("told %q", got)
		}
		broken = false
		for range 3 {
			if err := w.once(t); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.news(); got != "auth_failed MF-AUTH-001, recovered" {
			t.Errorf("told %q", got)
		}
	})
}

// TestAnOwnerThatEndsWhileItTellsLosesNothing ends one at each of its three writes.
func TestAnOwnerThatEndsWhileItTellsLosesNothing(t *testing.T) {
	for nth, doubled := range []bool{false, false, true} {
		simulated(t, fmt.Sprint("at write ", nth+1), func(t *testing.T) {
			w := newWorld(ingest.Start{}, ingest.After{})
			w.box.OpenFault = func(int) error { return refusal() }
			writes, ended := -4, false // the word of the claim and those of two refusals come first
			w.log.Gate(func(_ context.Context, op logtest.Op) error {
				if op.Name != "Note" && op.Name != "Append" {
					return nil
				}
				if writes++; writes == nth && !ended {
					ended = true
					return publish.ErrFenced
				}
				return nil
			})
			stop := w.serve(t)
			pass(5 * time.Hour)
			stop()
			events := w.log.Events(key)
			want := 1
			if doubled { // whether it was written could not be known: then it is the same event
				want = 2
			}
			if !ended || len(events) != want || events[0].ID != events[want-1].ID {
				t.Errorf("ended %v; %d events: %s", ended, len(events), w.news())
			}
		})
	}
}

// birds is a mailbox with a canary whose probes arrive after a while, or not.
func birds(w *world, arrives func() (after time.Duration, ok bool), sent *atomic.Int64) *ingest.Canary {
	return &ingest.Canary{Every: 15 * time.Minute, Timeout: 5 * time.Minute, Send: func(_ context.Context, probe string) error {
		sent.Add(1)
		if after, ok := arrives(); ok {
			time.AfterFunc(after, func() { w.box.Add([]byte("Subject: probe\r\n" + ingest.ProbeField + ": " + probe + "\r\n\r\n")) })
		}
		return nil
	}}
}

func (w *world) serveWith(t *testing.T, c *ingest.Canary) (f *ingest.Fleet, stop func()) {
	t.Helper()
	f, box := ingest.New(w.opt), w.mailbox()
	box.Canary = c
	if err := f.Apply([]ingest.Mailbox{box}); err != nil {
		t.Fatal(err)
	}
	return f, func() {
		if err := f.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestAProbeThatDoesNotComeIsToldOnceAndTakenBackByOneThatDoes(t *testing.T) {
	for name, tc := range map[string]struct {
		waits bool
		after time.Duration // of the probes of the second hour; 0: never
		want  string
	}{
		"lost, with IDLE":  {true, 0, "stalled MF-BOX-020, recovered"},
		"lost, polling":    {false, 0, "stalled MF-BOX-020, recovered"},
		"an hour too late": {true, time.Hour, "stalled MF-BOX-020, recovered"},
		"in time":          {true, 4 * time.Minute, ""},
	} {
		simulated(t, name, func(t *testing.T) {
			w := newWorld(ingest.Start{}, ingest.After{})
			w.box.Waits = tc.waits
			begin, sent := time.Now(), atomic.Int64{}
			var came, late atomic.Int64
			w.opt.Hooks.Probed = func(_ publish.Key, p ingest.Probe) {
				if p.Arrived {
					came.Add(1)
				} else if ingest.FaultOf(p.Err).Code == ingest.CodeCanaryLate {
					late.Add(1)
				}
			}
			_, stop := w.serveWith(t, birds(w, func() (time.Duration, bool) {
				if age := time.Since(begin); age > time.Hour && age < 2*time.Hour {
					return tc.after, tc.after > 0
				}
				return time.Second, true
			}, &sent))
			pass(4 * time.Hour)
			stop()
			if got := w.news(); got != tc.want {
				t.Errorf("told %q, want %q", got, tc.want)
			}
			if n := sent.Load(); n < 14 || n > 18 || came.Load()+late.Load() < n-1 || (late.Load() > 0) != (tc.want != "") {
				t.Errorf("%d sent, %d came, %d were late", n, came.Load(), late.Load())
			}
		})
	}
}

func TestNobodyProbesAMailboxThatIsPausedOrInTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, sent, broken := newWorld(ingest.Start{}, ingest.After{}), atomic.Int64{}, atomic.Bool{}
		w.box.OpenFault = func(int) error {
			if broken.Load() {
				return refusal()
			}
			return nil
		}
		f, stop := w.serveWith(t, birds(w, func() (time.Duration, bool) { return time.Second, true }, &sent))
		defer stop()
		pass(time.Hour)
		if sent.Load() < 3 {
			t.Fatalf("%d probes in an hour", sent.Load())
		}
		if err := f.Pause(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		before := sent.Load()
		pass(3 * time.Hour)
		if sent.Load() != before {
			t.Errorf("%d probes of a paused mailbox", sent.Load()-before)
		}
		broken.Store(true)
		if err := f.Resume(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		pass(3 * time.Hour)
		if sent.Load() != before {
			t.Errorf("%d probes of a mailbox in trouble", sent.Load()-before)
		}
	})
}

func TestAPassWithoutACanarySaysNothingAboutProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, sent := newWorld(ingest.Start{}, ingest.After{}), atomic.Int64{}
		bird := birds(w, func() (time.Duration, bool) { return 0, false }, &sent)
		_, stop := w.serveWith(t, bird)
		pass(time.Hour)
		stop()
		_, stop = w.serveWith(t, bird) // the next owner: no probe of its own yet
		pass(time.Second)
		stop()
		if got := w.news(); got != "stalled MF-BOX-020" {
			t.Errorf("told %q", got)
		}
		if err := w.once(t); err != nil { // the canary left the configuration
			t.Fatal(err)
		}
		if got := w.news(); got != "stalled MF-BOX-020, recovered" {
			t.Errorf("told %q", got)
		}
	})
}

func TestALateProbeDoesNotWaitForTheNextPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, sent := newWorld(ingest.Start{}, ingest.After{}), atomic.Int64{}
		w.box.Waits = true
		f, box := ingest.New(w.opt), w.mailbox()
		box.PollEvery, box.Canary = 6*time.Hour, birds(w, func() (time.Duration, bool) { return 0, false }, &sent)
		if err := f.Apply([]ingest.Mailbox{box}); err != nil {
			t.Fatal(err)
		}
		pass(25 * time.Minute)
		if got := w.news(); got != "stalled MF-BOX-020" || sent.Load() == 0 {
			t.Errorf("told %q after %d probes", got, sent.Load())
		}
		if err := f.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
