package imapsource

import (
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

func TestExpungedMessagesAreForgotten(t *testing.T) {
	srv := startServer(t, imaptest.Options{})
	for i := range 6 {
		must(t, srv.Add(user, "INBOX", mail(i, 100), time.Now()))
	}
	now := time.Now()
	src := sourceOn(t, srv, Options{Start: ingest.Start{All: true}, Now: func() time.Time { return now }})
	sess := open(t, src)
	at := syncAt(t, sess, nil)
	srv.Expunge(user, "INBOX", 2)
	srv.Expunge(user, "INBOX", 6)
	l, end := readAll(t, sess, at, 0)
	if end != nil || !slices.Equal(uids(l), []uint32{1, 3, 4, 5}) {
		t.Fatalf("%v, %v", uids(l), end)
	}
	now = now.Add(lateUIDs)
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
	p.put(box{name: "INBOX", epoch: epoch{validity: 7}, low: 2, done: spans{{3, 3}, {5, 5}}, mark: 3, markAt: time.Now().Unix() - 3600})
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
