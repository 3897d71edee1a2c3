package imapsource

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
)

func TestPostActions(t *testing.T) {
	for _, tc := range []struct {
		name    string
		after   ingest.After
		without []string
		code    ingest.Code
		flag    string
		left    int
		moved   int
	}{
		{name: "none", after: ingest.After{Action: ingest.ActionNone}, left: 4},
		{name: "seen", after: ingest.After{Action: ingest.ActionSeen}, flag: `\Seen`, left: 4},
		{name: "flag", after: ingest.After{Action: ingest.ActionFlag, Flag: "$Flumed"}, flag: "$Flumed", left: 4},
		{name: "delete", after: ingest.After{Action: ingest.ActionDelete}, left: 2},
		{name: "delete without UIDPLUS", after: ingest.After{Action: ingest.ActionDelete}, without: []string{"UIDPLUS"}, code: ingest.CodeActionUnsafe, left: 4},
		{name: "move", after: ingest.After{Action: ingest.ActionMove, Folder: "Done"}, left: 2, moved: 2},
		{name: "move without MOVE", after: ingest.After{Action: ingest.ActionMove, Folder: "Done"}, without: []string{"MOVE"}, left: 2, moved: 2},
		{name: "move with neither", after: ingest.After{Action: ingest.ActionMove, Folder: "Done"}, without: []string{"MOVE", "UIDPLUS"}, code: ingest.CodeActionUnsafe, left: 4},
		{name: "move to nowhere", after: ingest.After{Action: ingest.ActionMove, Folder: "Nowhere"}, code: ingest.CodeActionRefused, left: 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			srv := startServer(t, imaptest.Options{Without: tc.without})
			srv.Create(user, "Done")
			for i := range 4 {
				must(t, srv.Add(user, "INBOX", mail(i, 100), time.Now()))
			}
			src := sourceOn(t, srv, Options{After: tc.after, Start: ingest.Start{All: true}})
			sess := open(t, src)
			at := syncAt(t, sess, nil)
			refs := []ingest.Ref{"i/1/2/INBOX", "i/1/3/INBOX", "i/1/77/INBOX", "i/99/1/INBOX", "i/1/1/Gone", "not a ref"}
			for range 2 { // idempotent
				done, err := sess.Settle(t.Context(), refs)
				if tc.code != "" {
					if f := ingest.FaultOf(err); f.Code != tc.code || f.Class != ingest.Config {
						t.Errorf("%v", err)
					}
				} else if slices.Sort(done); err != nil || len(done) != len(refs) {
					t.Errorf("done %q, %v", done, err)
				}
			}
			left := srv.Messages(user, "INBOX")
			if len(left) != tc.left || len(srv.Messages(user, "Done")) != tc.moved {
				t.Errorf("left %d, moved %d", len(left), len(srv.Messages(user, "Done")))
			}
			for _, m := range left {
				if has := slices.Contains(m.Flags, tc.flag); tc.flag != "" && has != (m.UID == 2 || m.UID == 3) {
					t.Errorf("uid %d has flags %q", m.UID, m.Flags)
				}
			}
			if l, end := readAll(t, sess, at, 0); end != nil || len(l) != tc.left {
				t.Errorf("afterwards %d messages, %v", len(l), end)
			}
		})
	}
}

func TestTheSizeLimit(t *testing.T) {
	srv := startServer(t, imaptest.Options{})
	for i, size := range []int{500, 1500, 5000, 700} {
		must(t, srv.Add(user, "INBOX", mail(i, size), time.Now()))
	}
	src := sourceOn(t, srv, Options{Start: ingest.Start{All: true}, MaxMessage: 1000})
	codes, at := map[uint32]ingest.Code{}, ingest.Cursor(nil)
	for range 3 {
		sess := open(t, src)
		at = syncAt(t, sess, at)
		l, _ := readAll(t, sess, at, 0)
		for _, g := range l {
			codes[g.uid] = g.fault
		}
		_ = sess.Close()
	}
	if codes[1] != "" || codes[2] != ingest.CodeMessageTooLarge || codes[3] != ingest.CodeMessageTooLarge || codes[4] != "" || len(codes) != 4 {
		t.Errorf("%v", codes)
	}
}

func TestLeavingTheLoopEarly(t *testing.T) {
	srv := startServer(t, imaptest.Options{})
	for i := range 50 {
		must(t, srv.Add(user, "INBOX", mail(i, 20_000), time.Now()))
	}
	src := sourceOn(t, srv, Options{Start: ingest.Start{All: true}, WindowBytes: 100_000})
	for n := range 8 {
		sess := open(t, src)
		at := syncAt(t, sess, nil)
		i := 0
		for m, err := range sess.Messages(t.Context(), at, 0) {
			must(t, err)
			if n%2 == 0 {
				_, _ = io.CopyN(io.Discard, m.Body, 100)
			}
			if i++; i > n {
				break
			}
		}
		if err := sess.Close(); err != nil {
			t.Error(err)
		}
	}
	sess := open(t, src)
	at := syncAt(t, sess, nil)
	for _, err := range sess.Messages(t.Context(), at, 3) { // unread bodies are passed over
		must(t, err)
	}
	if l, end := readAll(t, sess, at, 0); len(l) != 50 || end != nil {
		t.Errorf("after an orderly end: %d, %v", len(l), end)
	}
}

func TestCancellingEndsEverything(t *testing.T) {
	srv := startServer(t, imaptest.Options{})
	for i := range 20 {
		must(t, srv.Add(user, "INBOX", mail(i, 200_000), time.Now()))
	}
	src := sourceOn(t, srv, Options{Start: ingest.Start{All: true}, Idle: true, WindowBytes: 300_000})
	sess := open(t, src)
	at := syncAt(t, sess, nil)
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	var last error
	for m, err := range sess.Messages(ctx, at, 0) {
		if err != nil {
			last = err
			break
		}
		if n++; n == 3 {
			cancel()
		}
		_, _ = io.Copy(io.Discard, m.Body)
	}
	if n > 6 || !errors.Is(last, context.Canceled) {
		t.Errorf("%d messages, %v", n, last)
	}
	must(t, sess.Close())
	sess = open(t, src)
	syncAt(t, sess, nil)
	ctx, cancel = context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- sess.(ingest.Waiter).Wait(ctx, time.Hour) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := src.Open(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: %v", err)
	}
}

func TestDroppedConnectionsLoseNothing(t *testing.T) {
	srv := startServer(t, imaptest.Options{})
	want := map[string]bool{}
	for i := range 40 {
		m := mail(i, 30_000)
		want[string(m)] = true
		must(t, srv.Add(user, "INBOX", m, time.Now()))
	}
	src := sourceOn(t, srv, Options{Start: ingest.Start{All: true}, WindowBytes: 200_000})
	var at ingest.Cursor
	n := 0
	for range 30 {
		sess, err := src.Open(t.Context())
		must(t, err)
		at = syncAt(t, sess, at)
		in := 0
		for m, err := range sess.Messages(t.Context(), at, 0) {
			if err != nil {
				break
			}
			if in++; in%7 == 5 {
				srv.Drop()
			}
			b, err := io.ReadAll(m.Body)
			if err != nil {
				continue
			}
			if !want[string(b)] {
				t.Fatalf("uid %d: not a message that was sent, or twice", m.UID)
			}
			delete(want, string(b))
			n++
			at = finish(t, src, at, []got{{ref: m.Ref}})
		}
		_ = sess.Close()
	}
	if len(want) != 0 || n != 40 {
		t.Errorf("%d read, %d lost", n, len(want))
	}
}

func TestServersWithOddNumbers(t *testing.T) {
	exam := func(next string) imaptest.Rule {
		return imaptest.Rule{Command: "EXAMINE", Answers: []string{"* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n" + next + "{tag} OK done\r\n"}}
	}
	last := imaptest.Rule{Command: "FETCH 2 (UID)", Answers: []string{"* 2 FETCH (UID 4000000000)\r\n{tag} OK\r\n"}}
	list := imaptest.Rule{Command: "UID FETCH", Answers: []string{"{tag} OK\r\n"}}
	open := "* 1 FETCH (UID 17 RFC822.SIZE -1)\r\n{tag} OK\r\n"
	for name, rules := range map[string][]imaptest.Rule{
		"no UIDNEXT":           {exam(""), last, list},
		"a UIDNEXT far away":   {exam("* OK [UIDNEXT 4000000001] ok\r\n"), list},
		"the highest UIDNEXT":  {exam("* OK [UIDNEXT 4294967295] ok\r\n"), list},
		"a size of -1, once":   {exam("* OK [UIDNEXT 18] ok\r\n"), {Command: "UID FETCH", Answers: []string{open, "{tag} OK\r\n"}}},
		"UIDNEXT that is low":  {exam("* OK [UIDNEXT 1] ok\r\n"), list},
		"more than it ordered": {exam("* OK [UIDNEXT 3] ok\r\n"), {Command: "UID FETCH", Answers: []string{"* 1 FETCH (UID 4294967295)\r\n{tag} OK\r\n"}}},
	} {
		t.Run(name, func(t *testing.T) {
			script := &imaptest.Script{Rules: rules}
			src, wait := scripted(t, script, Options{})
			defer wait()
			for range 2 {
				sess, err := src.Open(t.Context())
				must(t, err)
				_, err = sess.Sync(t.Context(), nil)
				_ = sess.Close()
				if err != nil && (name != "a size of -1, once" || ingest.FaultOf(err).Code != ingest.CodeProtocol) {
					t.Error(err)
				}
			}
			if n := len(script.Heard()); n > 60 {
				t.Errorf("%d commands", n)
			}
		})
	}
}
