package pop3source

import (
	"fmt"
	"strings"
	"testing"

	"mailflume/ingest"
	"mailflume/pop3/pop3test"
)

func TestSettleDeletesInALaterSessionByUIDL(t *testing.T) {
	srv := start(t, pop3test.Options{})
	fill(srv, 4)
	src := source(t, srv, deleting)
	s := open(t, src)
	at := synced(t, s, nil)
	all := readAll(t, s, at, 0)
	at = fold(t, src, at, all...)
	_ = s.Close()
	if srv.Deleted(ann) != 0 || srv.Count("DELE") != 0 {
		t.Fatal("deleted before Settle")
	}
	// The numbers shift: what was 2 is 1 now.
	srv.Remove(ann, all[0].uidl)
	srv.Add(ann, letter(5))
	s = open(t, src)
	at = synced(t, s, at)
	done, err := s.Settle(t.Context(), refs(all[:3]))
	if err != nil || fmt.Sprint(done) != fmt.Sprint(refs(all[:3])) {
		t.Fatalf("done %v, %v", done, err)
	}
	if srv.Messages(ann) != 2 || srv.Deleted(ann) != 2 {
		t.Fatalf("%d left, %d deleted", srv.Messages(ann), srv.Deleted(ann))
	}
	// QUIT has ended the session.
	_, err = s.Settle(t.Context(), refs(all))
	wantCode(t, err, ingest.SessionOver, ingest.CodeBye)
	wantCode(t, readAll(t, s, at, 0)[0].err, ingest.SessionOver, ingest.CodeBye)
	_, err = s.Sync(t.Context(), at)
	wantCode(t, err, ingest.SessionOver, ingest.CodeBye)
	// Idempotent: what is gone is done.
	s = open(t, src)
	if done, err := s.Settle(t.Context(), refs(all[:3])); err != nil || len(done) != 3 {
		t.Errorf("again: %v, %v", done, err)
	}
	if rest := readAll(t, s, synced(t, s, at), 0); len(rest) != 1 || rest[0].body != string(letter(5)) {
		t.Errorf("left: %v", rest)
	}
}

func TestSettleWithNoActionTouchesNothing(t *testing.T) {
	srv := start(t, pop3test.Options{})
	fill(srv, 2)
	s := open(t, source(t, srv))
	all := readAll(t, s, synced(t, s, nil), 0)
	if done, err := s.Settle(t.Context(), refs(all)); err != nil || len(done) != 2 {
		t.Errorf("done %v, %v", done, err)
	}
	_ = s.Close()
	if srv.Messages(ann) != 2 || srv.Count("DELE") != 0 {
		t.Error("the maildrop was changed")
	}
}

func TestDeletionIsDoneOnlyWhenQUITIsAnswered(t *testing.T) {
	for name, row := range map[string]struct {
		command, reply string
		left, done     int
		code           ingest.Code
	}{
		"all is well":         {"NONE", "", 0, 3, ""},
		"lost after DELE":     {"QUIT", pop3test.Hangup, 3, 0, ingest.CodeConnLost},
		"lost at DELE":        {"DELE 2", pop3test.Hangup, 3, 0, ingest.CodeConnLost},
		"QUIT is refused":     {"QUIT", "-ERR some were not removed\r\n", 3, 0, ingest.CodeActionRefused},
		"one DELE is refused": {"DELE 2", "-ERR read only\r\n", 1, 2, ingest.CodeActionRefused},
	} {
		t.Run(name, func(t *testing.T) {
			srv := start(t, pop3test.Options{})
			fill(srv, 3)
			src := source(t, srv, deleting)
			s := open(t, src)
			at := synced(t, s, nil)
			all := readAll(t, s, at, 0)
			srv.SetHooks(pop3test.Hooks{Line: func(_, line string) (string, bool) { return row.reply, line == row.command }})
			done, err := s.Settle(t.Context(), refs(all))
			if len(done) != row.done || ingest.FaultOf(err).Code != row.code && row.code != "" || row.code == "" && err != nil {
				t.Errorf("done %v, %v", done, err)
			}
			_ = s.Close()
			if srv.Messages(ann) != row.left {
				t.Errorf("%d left, want %d", srv.Messages(ann), row.left)
			}
			srv.SetHooks(pop3test.Hooks{})
			s = open(t, src)
			at = fold(t, src, at, all...)
			if again := readAll(t, s, synced(t, s, at), 0); len(again) != 0 {
				t.Errorf("published again: %v", again)
			}
			if done, err = s.Settle(t.Context(), refs(all)); len(done) != 3 || err != nil || srv.Messages(ann) != 0 {
				t.Errorf("the second try: %v, %v, %d left", done, err, srv.Messages(ann))
			}
		})
	}
}

func TestMessagesThatShareAUIDLAreDeletedTogetherOrNotAtAll(t *testing.T) {
	srv := start(t, pop3test.Options{})
	srv.AddUIDL(ann, "same", letter(1))
	srv.AddUIDL(ann, "same", letter(2))
	srv.AddUIDL(ann, "other", letter(3))
	src := source(t, srv, deleting)
	s := open(t, src)
	if done, err := s.Settle(t.Context(), []ingest.Ref{"p/same", "p/other"}); err != nil || fmt.Sprint(done) != "[p/other]" {
		t.Errorf("done %v, %v", done, err)
	}
	s = open(t, src)
	if done, err := s.Settle(t.Context(), []ingest.Ref{"p/same#2", "p/same"}); err != nil || len(done) != 2 || srv.Messages(ann) != 0 {
		t.Errorf("done %v, %v, %d left", done, err, srv.Messages(ann))
	}
}

// gmail is a server whose QUIT removes what was read.
func gmail() pop3test.Options {
	return pop3test.Options{ConsumeOnQuit: true, Capabilities: []string{"EXPIRE 0"}}
}

func TestQUITThatConsumesWaitsForTheAcknowledgement(t *testing.T) {
	for name, row := range map[string]struct {
		acknowledge func(s ingest.Session, src *Source, at ingest.Cursor, all []got)
		left        int
	}{
		"nothing acknowledged": {func(ingest.Session, *Source, ingest.Cursor, []got) {}, 2},
		"one of two": {func(s ingest.Session, _ *Source, _ ingest.Cursor, all []got) {
			_, _ = s.Settle(t.Context(), refs(all[:1]))
		}, 2},
		"by Settle": {func(s ingest.Session, _ *Source, _ ingest.Cursor, all []got) {
			_, _ = s.Settle(t.Context(), refs(all))
		}, 0},
		"by a later Messages": {func(s ingest.Session, src *Source, at ingest.Cursor, all []got) {
			readAll(t, s, fold(t, src, at, all...), 0)
		}, 0},
		"by a later Sync": {func(s ingest.Session, src *Source, at ingest.Cursor, all []got) {
			synced(t, s, fold(t, src, at, all...))
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			srv := start(t, gmail())
			fill(srv, 2)
			src := source(t, srv)
			s := open(t, src)
			at := synced(t, s, nil)
			all := readAll(t, s, at, 0)
			row.acknowledge(s, src, at, all)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			open(t, src) // the server has finished with the first session
			if srv.Messages(ann) != row.left {
				t.Errorf("%d left, want %d", srv.Messages(ann), row.left)
			}
		})
	}
}

func TestSettleDoesNotConsumeUnacknowledgedMail(t *testing.T) {
	srv := start(t, gmail())
	fill(srv, 2)
	src := source(t, srv, deleting)
	s := open(t, src)
	all := readAll(t, s, synced(t, s, nil), 0)
	done, err := s.Settle(t.Context(), refs(all[:1]))
	wantCode(t, err, ingest.SessionOver, ingest.CodeActionRefused)
	if len(done) != 0 || srv.Count("QUIT") != 0 || srv.Messages(ann) != 2 {
		t.Errorf("done %v, commands %s", done, strings.Join(srv.Commands(), ", "))
	}
}

func TestCloseSaysQUITOnceWhenAllIsWell(t *testing.T) {
	srv := start(t, pop3test.Options{})
	fill(srv, 1)
	s := open(t, source(t, srv))
	readAll(t, s, synced(t, s, nil), 0)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if srv.Count("QUIT") != 1 {
		t.Errorf("%d QUITs", srv.Count("QUIT"))
	}
}
