package pop3source

import (
	"fmt"
	"strings"
	"testing"

	"mailflume/ingest"
	"mailflume/pop3/pop3test"
)

func TestMessagesThatShareAUIDLAreTwoMessages(t *testing.T) {
	srv := start(t, pop3test.Options{})
	for i := range 3 {
		srv.AddUIDL(ann, "same", letter(i+1))
	}
	srv.AddUIDL(ann, "other", letter(4))
	src := source(t, srv)
	s := open(t, src)
	at := synced(t, s, nil)
	all := readAll(t, s, at, 0)
	if fmt.Sprint(refs(all)) != "[p/same p/same#2 p/same#3 p/other]" {
		t.Fatalf("refs %v", refs(all))
	}
	if all[0].uidl == all[1].uidl || all[1].uidl == all[2].uidl {
		t.Error("their event ids would be the same")
	}
	for i, g := range all {
		if g.body != string(letter(i+1)) {
			t.Errorf("message %d is %q", i+1, g.body)
		}
	}
	if rest := readAll(t, s, fold(t, src, at, all...), 0); len(rest) != 0 {
		t.Errorf("came again: %v", rest)
	}
}

func TestOddUIDLsAreTolerated(t *testing.T) {
	srv := start(t, pop3test.Options{})
	odd := []string{"with space", "100%", "a#2", strings.Repeat("l", 71), strings.Repeat("k", 1024), "\xff\x01", "a/b?c"}
	for i, uidl := range odd {
		srv.AddUIDL(ann, uidl, letter(i))
	}
	src := source(t, srv)
	s := open(t, src)
	at := synced(t, s, nil)
	all := readAll(t, s, at, 0)
	if len(all) != len(odd) {
		t.Fatalf("%d messages", len(all))
	}
	for i, g := range all {
		if g.uidl != odd[i] || g.err != nil {
			t.Errorf("message %d: %+v", i, g)
		}
	}
	if rest := readAll(t, s, fold(t, src, at, all...), 0); len(rest) != 0 {
		t.Errorf("came again: %v", rest)
	}
}

func TestListsThatDisagree(t *testing.T) {
	for name, row := range map[string]struct {
		command, answer string
		refs            string
		last            ingest.Code
	}{
		"LIST lacks a message":          {"LIST", "+OK\r\n1 5\r\n.\r\n", "[p/a p/b]", ""},
		"LIST is refused":               {"LIST", "-ERR not now\r\n", "[p/a p/b]", ""},
		"LIST has one that UIDL lacks":  {"LIST", "+OK\r\n1 5\r\n2 5\r\n3 5\r\n.\r\n", "[p/a p/b ]", ingest.CodeNoUIDL},
		"UIDL in another order":         {"UIDL", "+OK\r\n2 b\r\n1 a\r\n.\r\n", "[p/a p/b]", ""},
		"UIDL has a number twice":       {"UIDL", "+OK\r\n1 a\r\n1 b\r\n.\r\n", "[]", ingest.CodeProtocol},
		"UIDL is refused":               {"UIDL", "-ERR unknown command\r\n", "[]", ingest.CodeNoUIDL},
		"UIDL is refused for some time": {"UIDL", "-ERR [SYS/TEMP] later\r\n", "[]", ingest.CodeServerBusy},
	} {
		t.Run(name, func(t *testing.T) {
			srv := start(t, pop3test.Options{})
			srv.AddUIDL(ann, "a", letter(1))
			srv.AddUIDL(ann, "b", letter(2))
			srv.SetHooks(pop3test.Hooks{Line: func(_, line string) (string, bool) { return row.answer, line == row.command }})
			src := source(t, srv)
			s := open(t, src)
			at, err := s.Sync(t.Context(), nil)
			if err != nil {
				if row.refs != "[]" || ingest.FaultOf(err).Code != row.last {
					t.Fatalf("Sync: %v", err)
				}
				return
			}
			all := readAll(t, s, at, 0)
			if fmt.Sprint(refs(all)) != row.refs {
				t.Errorf("refs %v, want %s", refs(all), row.refs)
			}
			if last := all[len(all)-1].err; row.last != "" && ingest.FaultOf(last).Code != row.last {
				t.Errorf("the last error is %v", last)
			}
		})
	}
}
