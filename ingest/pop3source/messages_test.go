package pop3source

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"mailflume/ingest"
	"mailflume/pop3/pop3test"
	"mailflume/publish"
)

func TestMessagesComeOldestFirstWithExactOctets(t *testing.T) {
	for name, opt := range map[string]pop3test.Options{"pipelined": {}, "one by one": {NoPipelining: true}} {
		t.Run(name, func(t *testing.T) {
			srv := start(t, opt)
			fill(srv, 50)
			s := open(t, source(t, srv))
			i := 0
			for m, err := range s.Messages(t.Context(), synced(t, s, nil), 0) {
				i++
				if err != nil {
					t.Fatal(err)
				}
				b, err := io.ReadAll(m.Body)
				if err != nil || !bytes.Equal(b, letter(i)) || m.Size != int64(len(b)) || m.UIDL == "" || m.Folder != nil {
					t.Fatalf("message %d: %+v, %q, %v", i, m, b, err)
				}
			}
			if i != 50 {
				t.Errorf("%d messages", i)
			}
		})
	}
}

func TestTheLimitIsKeptAndTheRestFollows(t *testing.T) {
	srv := start(t, pop3test.Options{})
	fill(srv, 25)
	src := source(t, srv)
	s := open(t, src)
	at := synced(t, s, nil)
	var seen []ingest.Ref
	for range 4 {
		all := readAll(t, s, at, 10)
		seen = append(seen, refs(all)...)
		at = fold(t, src, at, all...)
	}
	if len(seen) != 25 || len(slices.Compact(slices.Sorted(slices.Values(seen)))) != 25 {
		t.Errorf("%d messages, want 25 different ones", len(seen))
	}
}

func TestFiveThousandMessagesOverTwoSessions(t *testing.T) {
	srv := start(t, pop3test.Options{})
	fill(srv, 5000)
	src := source(t, srv)
	s := open(t, src)
	at := synced(t, s, nil)
	first := readAll(t, s, at, 3000)
	at = fold(t, src, at, first...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	srv.Add(ann, letter(5001))
	s = open(t, src)
	at = synced(t, s, at)
	second := readAll(t, s, at, 0)
	if len(first) != 3000 || len(second) != 2001 || second[0].body != string(letter(3001)) || second[2000].body != string(letter(5001)) {
		t.Fatalf("%d and %d messages", len(first), len(second))
	}
	at = fold(t, src, at, second...)
	if rest := readAll(t, s, at, 0); len(rest) != 0 {
		t.Errorf("%d messages came again", len(rest))
	}
	if again := synced(t, s, at); !bytes.Equal(again, at) {
		t.Error("the position changed although the maildrop did not")
	}
}

func TestACutConnectionNeverLooksLikeAWholeMessage(t *testing.T) {
	srv := start(t, pop3test.Options{})
	srv.Add(ann, letter(1))
	src := source(t, srv)
	wire := len(letter(1)) + len("..") + len(".\r\n") // two stuffed dots and the terminator
	for cut := range wire + 1 {
		srv.SetHooks(pop3test.Hooks{Retr: func(string, int, string) pop3test.Fault {
			return pop3test.Fault{Cut: cut < wire, After: int64(cut)}
		}})
		s := open(t, src)
		all := readAll(t, s, synced(t, s, nil), 0)
		_ = s.Close()
		if whole := all[0].err == nil; whole != (cut == wire) {
			t.Fatalf("cut after %d of %d octets: error is %v", cut, wire, all[0].err)
		}
		if cut < wire {
			wantCode(t, all[0].err, ingest.Transient, ingest.CodeConnLost)
			if len(all) != 2 || all[1].ref != "" || all[1].err == nil {
				t.Fatalf("the loop did not end with the session's error: %v", all)
			}
		} else if all[0].body != string(letter(1)) {
			t.Fatalf("got %q", all[0].body)
		}
	}
	if srv.Count("QUIT") != 1 {
		t.Errorf("%d QUITs: only the whole session may end politely", srv.Count("QUIT"))
	}
}

func TestOneBadMessageDoesNotStopTheOthers(t *testing.T) {
	for name, row := range map[string]struct {
		fault pop3test.Fault
		code  ingest.Code
	}{
		"refused":               {pop3test.Fault{Refuse: "-ERR cannot be rendered"}, ingest.CodeMessageRefused},
		"refused for good":      {pop3test.Fault{Refuse: "-ERR [SYS/PERM] damaged"}, ingest.CodeMessageRefused},
		"+OK without an octet":  {pop3test.Fault{Empty: true}, ingest.CodeMessageMissing},
		"none (the good case) ": {pop3test.Fault{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			srv := start(t, pop3test.Options{Hooks: pop3test.Hooks{Retr: func(_ string, n int, _ string) pop3test.Fault {
				if n == 2 {
					return row.fault
				}
				return pop3test.Fault{}
			}}})
			fill(srv, 3)
			s := open(t, source(t, srv))
			all := readAll(t, s, synced(t, s, nil), 0)
			if len(all) != 3 || all[0].err != nil || all[2].err != nil || all[1].ref == "" {
				t.Fatalf("got %v", all)
			}
			if row.code != "" {
				wantCode(t, all[1].err, ingest.BadMessage, row.code)
			}
		})
	}
}

func TestATemporaryRefusalEndsTheLoopAndBlamesNoMessage(t *testing.T) {
	srv := start(t, pop3test.Options{Hooks: pop3test.Hooks{Retr: func(string, int, string) pop3test.Fault {
		return pop3test.Fault{Refuse: "-ERR [SYS/TEMP] back end is away"}
	}}})
	fill(srv, 3)
	s := open(t, source(t, srv))
	all := readAll(t, s, synced(t, s, nil), 0)
	if len(all) != 1 || all[0].ref != "" {
		t.Fatalf("got %v", all)
	}
	wantCode(t, all[0].err, ingest.Transient, ingest.CodeServerBusy)
}

// sized lets LIST announce a size for message 2.
func sized(srv *pop3test.Server, list string) {
	srv.SetHooks(pop3test.Hooks{Line: func(_, line string) (string, bool) { return list, line == "LIST" }})
}

func TestAMessageAboveTheLimitIsJudgedByItsOctets(t *testing.T) {
	big := append(letter(2), bytes.Repeat([]byte("0123456789abcde\r\n"), 100)...)
	for name, row := range map[string]struct {
		announced int
		turns     int // of the loop
		retr      int
		read      bool
	}{
		"announced far too large: refused unread":  {1 << 40, 3, 2, false},
		"announced a little too large: read":       {1500, 2, 2, false},
		"announced small: stopped at the limit":    {10, 2, 2, false},
		"announced twice its size, under the real": {2000, 2, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			srv := start(t, pop3test.Options{NoPipelining: true})
			srv.Add(ann, letter(1))
			srv.Add(ann, big)
			srv.Add(ann, letter(3))
			sized(srv, fmt.Sprintf("+OK\r\n1 10\r\n2 %d\r\n3 10\r\n.\r\n", row.announced))
			src := source(t, srv, func(o *Options) { o.MaxMessage = 1000 })
			s := open(t, src)
			all := readAll(t, s, synced(t, s, nil), 0)
			if len(all) < 2 || all[0].err != nil || all[1].ref == "" {
				t.Fatalf("got %v", all)
			}
			wantCode(t, all[1].err, ingest.BadMessage, ingest.CodeMessageTooLarge)
			if row.turns == 3 {
				if len(all) != 3 || all[2].err != nil || srv.Count("RETR") != 2 {
					t.Errorf("the message behind it: %v, %d RETR", all[2:], srv.Count("RETR"))
				}
				return
			}
			if len(all) != 3 || all[2].ref != "" || len(all[1].body) != 1000 {
				t.Fatalf("got %d turns, %d octets", len(all), len(all[1].body))
			}
			wantCode(t, all[2].err, ingest.SessionOver, ingest.CodeMessageTooLarge)
			_ = s.Close()
			if srv.Count("QUIT") > 0 {
				t.Error("QUIT in the middle of a message")
			}
		})
	}
}

func TestAMessageOfExactlyTheLimitIsRead(t *testing.T) {
	srv := start(t, pop3test.Options{})
	fill(srv, 1)
	s := open(t, source(t, srv, func(o *Options) { o.MaxMessage = int64(len(letter(1))) }))
	if all := readAll(t, s, synced(t, s, nil), 0); len(all) != 1 || all[0].err != nil {
		t.Errorf("got %v", all)
	}
}

func TestAServerWithoutUIDLIsAConfigurationFault(t *testing.T) {
	srv := start(t, pop3test.Options{NoUIDL: true})
	s := open(t, source(t, srv))
	_, err := s.Sync(t.Context(), nil)
	wantCode(t, err, ingest.Config, ingest.CodeNoUIDL)
}

func TestLeavingALoopEarlyEndsWithoutQUIT(t *testing.T) {
	srv := start(t, pop3test.Options{})
	fill(srv, 5)
	s := open(t, source(t, srv))
	at := synced(t, s, nil)
	for _, err := range s.Messages(t.Context(), at, 0) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if all := readAll(t, s, at, 0); len(all) != 1 || ingest.FaultOf(all[0].err).Class != ingest.SessionOver {
		t.Errorf("after Close: %v", all)
	}
	if srv.Count("QUIT") != 0 {
		t.Error("QUIT after an abandoned message")
	}
}

func TestAContextThatEndsStopsAMessage(t *testing.T) {
	srv := start(t, pop3test.Options{Hooks: pop3test.Hooks{Line: func(_, line string) (string, bool) {
		return "+OK\r\nhalf of", strings.HasPrefix(line, "RETR")
	}}})
	fill(srv, 1)
	s := open(t, source(t, srv))
	at := synced(t, s, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for m, err := range s.Messages(ctx, at, 0) {
		if err != nil {
			continue
		}
		cancel()
		if _, err := io.ReadAll(m.Body); err == nil {
			t.Error("half a message was read as a whole one")
		}
	}
}

func TestNewMailIsSeenByTheNextSession(t *testing.T) {
	srv := start(t, pop3test.Options{})
	src := source(t, srv)
	var at ingest.Cursor
	for i := range 5 {
		s := open(t, src)
		at = synced(t, s, at)
		all := readAll(t, s, at, 0)
		if len(all) != min(i, 1) {
			t.Fatalf("session %d read %d messages", i, len(all))
		}
		at = fold(t, src, at, all...)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		srv.Add(ann, letter(i))
	}
}

func TestQuarantinedMailIsFinishedToo(t *testing.T) {
	srv := start(t, pop3test.Options{})
	fill(srv, 1)
	src := source(t, srv)
	s := open(t, src)
	at := synced(t, s, nil)
	all := readAll(t, s, at, 0)
	at, err := src.Fold(at, slices.Values([]ingest.Entry{{Ref: all[0].ref, Type: publish.Quarantined}}))
	if err != nil {
		t.Fatal(err)
	}
	if rest := readAll(t, s, at, 0); len(rest) != 0 {
		t.Errorf("came again: %v", rest)
	}
}

func TestAnUnreadMessageIsSkippedWithinReason(t *testing.T) {
	srv := start(t, pop3test.Options{})
	fill(srv, 3)
	s := open(t, source(t, srv))
	n := 0
	for _, err := range s.Messages(t.Context(), synced(t, s, nil), 0) {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	if n != 3 {
		t.Errorf("%d messages", n)
	}
	// A server that never ends a message is not listened to for ever.
	endless := []byte(strings.Repeat("0123456789abcdef", 1<<19) + "\r\nmore\r\n")
	srv.Add("eve", endless)
	s = open(t, source(t, srv, func(o *Options) { o.Login.User = "eve" }))
	var last error
	for _, err := range s.Messages(t.Context(), synced(t, s, nil), 0) {
		last = err
	}
	wantCode(t, last, ingest.SessionOver, ingest.CodeMessageTooLarge)
}
