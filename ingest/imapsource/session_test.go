package imapsource

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
)

func errUnexpected() error { return io.ErrUnexpectedEOF }

func TestIDLEWakesOnANewMessage(t *testing.T) {
	srv := startServer(t, imaptest.Options{})
	src := sourceOn(t, srv, Options{Idle: true})
	sess := open(t, src)
	at := syncAt(t, sess, nil)
	waiter, ok := sess.(ingest.Waiter)
	if !ok {
		t.Fatal("the session cannot wait")
	}
	done := make(chan error, 1)
	go func() { done <- waiter.Wait(t.Context(), time.Minute) }()
	must(t, srv.Add(user, "INBOX", mail(1, 100), time.Now()))
	start := time.Now()
	must(t, <-done)
	if time.Since(start) > 10*time.Second {
		t.Errorf("it took %v", time.Since(start))
	}
	if l, end := readAll(t, sess, syncAt(t, sess, at), 0); len(l) != 1 || end != nil {
		t.Errorf("%d messages, %v", len(l), end)
	}
	must(t, waiter.Wait(t.Context(), 10*time.Millisecond))
	if _, ok := open(t, sourceOn(t, srv, Options{})).(ingest.Waiter); ok {
		t.Error("a session that shall not idle can wait")
	}
}

func TestIDLEIsRenewedAndEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := &imaptest.Script{Rules: []imaptest.Rule{box1(0), {Command: "IDLE", Answers: []string{"+ idling\r\n"}}}}
		src, wait := scripted(t, script, Options{Idle: true})
		sess, err := src.Open(t.Context())
		must(t, err)
		syncAt(t, sess, nil)
		start := time.Now()
		must(t, sess.(ingest.Waiter).Wait(t.Context(), 12*time.Minute))
		if took := time.Since(start); took != 12*time.Minute {
			t.Errorf("it took %v", took)
		}
		n := 0
		for _, c := range script.Heard() {
			if c == "IDLE" {
				n++
			}
		}
		if n != 3 {
			t.Errorf("%d IDLEs in 12 minutes", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := sess.(ingest.Waiter).Wait(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with its context over: %v", err)
		}
		_ = sess.Close()
		wait()
	})
}

func TestAHalfOpenIDLEIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := &imaptest.Script{Rules: []imaptest.Rule{box1(0), {Command: "IDLE", Answers: []string{"+ idling\r\n"}}, {Command: "DONE"}}}
		src, wait := scripted(t, script, Options{Idle: true})
		sess, err := src.Open(t.Context())
		must(t, err)
		syncAt(t, sess, nil)
		start := time.Now()
		err = sess.(ingest.Waiter).Wait(t.Context(), time.Hour)
		if took := time.Since(start); ingest.FaultOf(err).Code != ingest.CodeTimeout || took > 5*time.Minute+doneWait+time.Second {
			t.Errorf("after %v: %v", took, err)
		}
		_ = sess.Close()
		wait()
	})
}

func TestFolders(t *testing.T) {
	srv := startServer(t, imaptest.Options{})
	srv.Create(user, "Archive/2025", `\Archive`)
	srv.Create(user, "Archive/2026")
	srv.Create(user, "Sent", `\Sent`)
	srv.Create(user, "Jänner & Co")
	for _, f := range []string{"INBOX", "Archive/2025", "Archive/2026", "Sent", "Jänner & Co"} {
		must(t, srv.Add(user, f, []byte("in "+f), time.Now()))
	}
	for _, tc := range []struct {
		name             string
		folders, exclude []string
		want             []string
		code             ingest.Code
	}{
		{"INBOX by default", nil, nil, []string{"INBOX"}, ""},
		{"in the order of the configuration", []string{"Sent", "inbox"}, nil, []string{"Sent", "INBOX"}, ""},
		{"a glob goes over levels", []string{"Arch*"}, nil, []string{"Archive/2025", "Archive/2026"}, ""},
		{"one character", []string{"Archive/202?"}, []string{"*6"}, []string{"Archive/2025"}, ""},
		{"everything but", []string{"*"}, []string{`\Sent`, "Archive/*"}, []string{"INBOX", "Jänner & Co"}, ""},
		{"a special use", []string{`\archive`, "INBOX"}, nil, []string{"Archive/2025", "INBOX"}, ""},
		{"one is missing, the other goes on", []string{"Nowhere", "INBOX"}, nil, []string{"INBOX"}, ""},
		{"all are missing", []string{"Nowhere", "Else"}, nil, nil, ingest.CodeFolderMissing},
		{"no folder matches", []string{"X*"}, nil, nil, ingest.CodeFolderMissing},
	} {
		t.Run(tc.name, func(t *testing.T) {
			src := sourceOn(t, srv, Options{Folders: tc.folders, Exclude: tc.exclude, Start: ingest.Start{All: true}})
			sess := open(t, src)
			at, err := sess.Sync(t.Context(), nil)
			if tc.code != "" {
				if f := ingest.FaultOf(err); f.Code != tc.code || f.Class != ingest.Config || !strings.Contains(err.Error(), "Archive/2025, Archive/2026, INBOX") {
					t.Errorf("%v", err)
				}
				return
			}
			must(t, err)
			var names []string
			for m, err := range sess.Messages(t.Context(), at, 0) {
				must(t, err)
				b, _ := io.ReadAll(m.Body)
				if string(b) != "in "+m.Folder.Path {
					t.Errorf("%q in %q", b, m.Folder.Path)
				}
				names = append(names, m.Folder.Path)
			}
			if !slices.Equal(names, tc.want) {
				t.Errorf("folders %q", names)
			}
		})
	}
}

func TestNewFoldersAreReadFromTheirFirstMessage(t *testing.T) {
	srv := startServer(t, imaptest.Options{})
	must(t, srv.Add(user, "INBOX", mail(1, 100), time.Now()))
	must(t, srv.Add(user, "Other", mail(2, 100), time.Now()))
	src := sourceOn(t, srv, Options{Folders: []string{"INBOX", "Team*"}})
	sess := open(t, src)
	at := syncAt(t, sess, nil)
	must(t, srv.Add(user, "Team A", mail(3, 100), time.Now()))
	at = syncAt(t, sess, at)
	l, end := readAll(t, sess, at, 0)
	must(t, end)
	if len(l) != 1 || l[0].ref != "i/3/1/Team%20A" {
		t.Errorf("new on the server: %+v", l)
	}
	more := sourceOn(t, srv, Options{Folders: []string{"INBOX", "Team*", "Other"}})
	sess = open(t, more)
	at = syncAt(t, sess, finish(t, src, at, l))
	if l, end := readAll(t, sess, at, 0); len(l) != 0 || end != nil {
		t.Errorf("new in the configuration, start now: %+v, %v", l, end)
	}
}

func TestANewUIDValidityIsReadAgain(t *testing.T) {
	srv := startServer(t, imaptest.Options{})
	for i := range 3 {
		must(t, srv.Add(user, "INBOX", mail(i, 100), time.Now()))
	}
	src := sourceOn(t, srv, Options{})
	sess := open(t, src)
	at := syncAt(t, sess, nil)
	must(t, srv.Add(user, "INBOX", mail(4, 100), time.Now()))
	srv.Renumber(user, "INBOX")
	sess = open(t, src)
	at = syncAt(t, sess, at)
	l, end := readAll(t, sess, at, 0)
	if end != nil || !slices.Equal(uids(l), []uint32{1, 2, 3, 4}) || l[0].ref != "i/2/1/INBOX" {
		t.Errorf("%+v, %v", l, end)
	}
	srv.Renumber(user, "INBOX")
	if _, err := sess.Settle(t.Context(), nil); err != nil {
		t.Error(err)
	}
	s := sess.(*session)
	s.selected, s.plans = selection{}, nil
	_, end = readAll(t, sess, at, 0)
	if f := ingest.FaultOf(end); f.Class != ingest.SessionOver {
		t.Errorf("changed between Sync and Messages: %v", end)
	}
}

func TestExpungedMessagesAreForgotten(t *testing.T) {
	srv := startServer(t, imaptest.Options{})
	for i := range 6 {
		must(t, srv.Add(user, "INBOX", mail(i, 100), time.Now()))
	}
	src := sourceOn(t, srv, Options{Start: ingest.Start{All: true}})
	sess := open(t, src)
	at := syncAt(t, sess, nil)
	srv.Expunge(user, "INBOX", 2)
	srv.Expunge(user, "INBOX", 6)
	l, end := readAll(t, sess, at, 0)
	if end != nil || !slices.Equal(uids(l), []uint32{1, 3, 4, 5}) {
		t.Fatalf("%v, %v", uids(l), end)
	}
	sess = open(t, src)
	p, err := decodeCursor(syncAt(t, sess, finish(t, src, at, l)))
	if err != nil || p.find("INBOX").low != 6 || len(p.find("INBOX").done) != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestALateUIDBelowIsFound(t *testing.T) {
	exam := imaptest.Rule{Command: "EXAMINE", Answers: []string{"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 6] ok\r\n{tag} OK done\r\n"}}
	list := imaptest.Rule{Command: "UID FETCH", Answers: []string{
		"* 1 FETCH (UID 3 RFC822.SIZE 5)\r\n* 2 FETCH (UID 5 RFC822.SIZE 5)\r\n{tag} OK\r\n",
		"* 1 FETCH (UID 3 RFC822.SIZE 5)\r\n* 2 FETCH (UID 4 RFC822.SIZE 5)\r\n* 3 FETCH (UID 5 RFC822.SIZE 5)\r\n{tag} OK\r\n"}}
	src, wait := scripted(t, &imaptest.Script{Rules: []imaptest.Rule{exam, list}}, Options{})
	defer wait()
	p := &position{folders: []string{"INBOX"}}
	p.put(box{name: "INBOX", validity: 7, low: 2, done: spans{{3, 3}, {5, 5}}, mark: 3, markAt: time.Now().Unix() - 3600})
	sess := open(t, src)
	at := syncAt(t, sess, p.encode())
	q, err := decodeCursor(at)
	if err != nil || q.find("INBOX").low != 3 || q.find("INBOX").mark != 5 {
		t.Errorf("first look: %+v %v", q.find("INBOX"), err)
	}
	syncAt(t, sess, at)
	if todo := sess.(*session).plans["INBOX"].items; len(todo) != 1 || todo[0].uid != 4 {
		t.Errorf("second look: %+v", todo)
	}
	_ = sess.Close()
}

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
	for range sess.Messages(t.Context(), at, 3) { // unread bodies are passed over
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

func FuzzGuard(f *testing.F) {
	f.Add([]byte("* OK hi\r\n* 1 FETCH (UID 1 BODY[] {5}\r\nhello)\r\nT1 OK\r\n"), 3)
	f.Add([]byte("* 1 FETCH (ENVELOPE (\"a\\\"b\" {3}\r\nabc NIL))\r\n"), 1)
	f.Add([]byte("* LIST () \"/\" {4+}\r\n((((\r\n+ go {5}\r\n"), 7)
	f.Fuzz(func(t *testing.T, b []byte, step int) {
		// However the stream is cut into Reads, the scanner comes to the same end.
		whole, parts := newScanner(nil), newScanner(nil)
		err1 := whole.feed(b)
		var err2 error
		if step = max(step, 1); step > len(b) {
			step = len(b) + 1
		}
		for p := range slices.Chunk(b, step) {
			if err2 = parts.feed(p); err2 != nil {
				break
			}
		}
		if (err1 == nil) != (err2 == nil) || (err1 == nil && (whole.literal != parts.literal || whole.depth != parts.depth || !bytes.Equal(whole.keep, parts.keep))) {
			t.Fatalf("%v and %v", err1, err2)
		}
		if len(whole.keep) > maxKept || len(whole.tail) > 8*tailOctets || whole.depth > maxDepth {
			t.Fatal("unbounded")
		}
	})
}
