//go:build interop

package interop_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailflume/cmd/internal/interop"
	"mailflume/cmd/internal/rig"
	"mailflume/publish"
)

func TestInteropTwentyKillsLoseAndDoubleNothing(t *testing.T) {
	const messages, kills = 2000, 20
	b, s := build(t), stage(t)
	const user = "kill@rig.test"
	addUser(t, s, user)
	filled, err := s.Dovecot.Fill(rig.FillOptions{User: user, N: messages, Seed: 3, MedianBytes: 6 << 10, Sigma: 0.8, LargeShare: 0.002})
	if err != nil {
		t.Fatal(err)
	}
	for _, protocol := range []string{"imap", "pop3"} {
		for _, external := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, external NATS %v", protocol, external), func(t *testing.T) {
				o := interop.Setup{Boxes: []interop.Box{{ID: "kill", User: user, Protocol: protocol}}}
				if external {
					o.NATS = natsServer(t, b).URL
				}
				cfg := config(t, s, o)
				inside := 0
				for i := range kills {
					n := killOnce(t, b, cfg, messages/(kills+4))
					if n > 0 {
						inside++
					}
					_ = i
				}
				once(t, b, cfg)
				checkOnceInOrder(t, tap(t, b, cfg), filled.Digests)
				t.Logf("%d of %d kills after the first and before the last event", inside, kills)
				if inside < 15 {
					t.Errorf("only %d kills struck while messages were under way", inside)
				}
			})
		}
	}
}

// killOnce starts the worker and kills it after a random number of messages up to most, and a
// random moment more. It returns how many messages it had published.
func killOnce(t *testing.T, b binaries, cfg string, most int) int {
	t.Helper()
	w, err := interop.StartWorker(b.mailflume, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := w.AwaitPublished(ctx, 1+rand.IntN(most)); err != nil {
		t.Error(err)
	}
	<-time.After(rand.N(5 * time.Millisecond))
	w.Signal(syscall.SIGKILL)
	_ = w.Wait()
	return strings.Count(w.Log(), `"message":"received"`)
}

func TestInteropNATSAwayForHalfAMinuteLosesAndDoublesNothing(t *testing.T) {
	b, s := build(t), stage(t)
	const user = "away@rig.test"
	addUser(t, s, user)
	filled, err := s.Dovecot.Fill(rig.FillOptions{User: user, N: 1500, Seed: 5, MedianBytes: 8 << 10})
	if err != nil {
		t.Fatal(err)
	}
	n := natsServer(t, b)
	cfg := config(t, s, interop.Setup{NATS: n.URL, Boxes: []interop.Box{
		{ID: "imap", User: user, Protocol: "imap", Extra: "after: {action: delete, grace: 0s}"}, {ID: "pop3", User: user, Protocol: "pop3"},
	}})
	w, err := interop.StartWorker(b.mailflume, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if err := w.AwaitPublished(ctx, 300); err != nil {
		t.Fatal(err)
	}
	n.Signal(syscall.SIGKILL)
	before := len(files(t, s.Dovecot.MailDir(user)))
	<-time.After(30 * time.Second)
	if now := len(files(t, s.Dovecot.MailDir(user))); now != before || now != filled.N {
		t.Errorf("%d messages in the mailbox, %d before: it was touched while nothing could be acknowledged", now, before)
	}
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	if err := w.AwaitPublished(ctx, 2*filled.N); err != nil {
		t.Errorf("%v\n%s", err, tail(w.Log()))
	}
	w.Signal(syscall.SIGTERM)
	if err := w.Wait(); err != nil {
		t.Errorf("the worker ended with %v", err)
	}
	byBox := map[string][]publish.Event{}
	for _, ev := range tap(t, b, cfg) {
		byBox[ev.Data.Mailbox.ID] = append(byBox[ev.Data.Mailbox.ID], ev)
	}
	for _, id := range []string{"imap", "pop3"} {
		checkOnceInOrder(t, byBox[id], filled.Digests)
	}
	if !strings.Contains(w.Log(), "MF-NATS-001") {
		t.Error("the log does not say that NATS was away")
	}
}

func tail(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
