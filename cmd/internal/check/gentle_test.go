package check_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"mailflume/cmd/internal/check"
	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/pop3/pop3test"
	"mailflume/publish/natsjs"
)

func TestACheckLeavesEveryMailboxAsItWas(t *testing.T) {
	s := newStage(t, imaptest.Options{}, pop3test.Options{ConsumeOnQuit: true})
	for range 3 {
		if err := s.imap.Add("support@contoso.example", "INBOX", []byte("Subject: x\r\n\r\nx\r\n"), time.Now()); err != nil {
			t.Fatal(err)
		}
		s.pop3.Add("invoices@contoso.example", []byte("Subject: x\r\n\r\nx\r\n"))
	}
	s.imap.Create("support@contoso.example", "Done")
	before := fmt.Sprint(s.imap.Messages("support@contoso.example", "INBOX"))
	for _, after := range []string{"seen", "{flag: $Done}", "{move: Done}", "delete"} {
		boxes := s.box("imap", "support", ", after: "+after)
		if after == "delete" {
			boxes += s.box("pop3", "invoices", ", after: delete")
		}
		r := look(t, s.load(t, boxes, ""))
		if r.Cause() != check.None || r.Count(check.NotDone) > 0 {
			t.Errorf("after: %s\n%s", after, text(t, r))
		}
		if now := fmt.Sprint(s.imap.Messages("support@contoso.example", "INBOX")); now != before {
			t.Errorf("after: %s: %s, before %s", after, now, before)
		}
	}
	for _, verb := range []string{"STORE", "MOVE", "COPY", "EXPUNGE", "APPEND", "FETCH"} {
		if n := s.imap.Count(verb); n > 0 {
			t.Errorf("%d times %s", n, verb)
		}
	}
	for _, verb := range []string{"RETR", "TOP", "DELE"} {
		if n := s.pop3.Count(verb); n > 0 {
			t.Errorf("%d times %s", n, verb)
		}
	}
	if n := s.pop3.Messages("invoices@contoso.example"); n != 3 {
		t.Errorf("%d of 3 messages are left", n)
	}
}

func TestAnInterruptedCheckEndsAtOnceAndBlamesNobody(t *testing.T) {
	s := newStage(t, imaptest.Options{}, pop3test.Options{})
	port := serve(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 1<<20)); _, _ = c.Read(make([]byte, 1)) }) // it never answers the handshake
	cfg := s.load(t, strings.Replace(s.box("imap", "silent", ""), "port: "+portOf(s.imap.Addr()), "port: "+port, 1), "")
	ctx, stop := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer stop()
	began := time.Now()
	r := check.Run(ctx, cfg, check.Options{Mailboxes: cfg.Mailboxes, Reach: func(context.Context) (natsjs.Options, func(), error) { return natsjs.Options{}, nil, nil }})
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	if st := step(t, r, check.Server, "", "tls"); st.Level != check.NotDone || st.Text != "not done: interrupted" {
		t.Errorf("%s %s", st.Level, st.Text)
	}
	if r.Count(check.Failed) > 0 || r.Count(check.NotDone) == 0 {
		t.Error(text(t, r))
	}
}

func TestAFolderThatTwoMailboxesReadIsMentioned(t *testing.T) {
	s := newStage(t, imaptest.Options{}, pop3test.Options{})
	twice := strings.Replace(s.box("imap", "support", ", folders: [inbox, Done]"), "id: support", "id: again", 1)
	r := look(t, s.load(t, s.box("imap", "support", "")+twice+s.box("imap", "other", ""), ""), func(o *check.Options) { o.Offline = true })
	st := step(t, r, check.Configuration, "", "file")
	if st.Level != check.Warning || len(st.Next) != 1 || !strings.Contains(st.Next[0], "support and again read the same folder INBOX") {
		t.Errorf("%s %q", st.Level, st.Next)
	}
}

func TestAServerThatAnswersNoSignInIsGivenUp(t *testing.T) {
	timeout := &ingest.Error{Fault: ingest.Fault{Code: ingest.CodeTimeout}}
	refused := &ingest.Error{Fault: ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAuthRefused}}
	many := slices.Repeat([]error{timeout}, 16)
	for name, c := range map[string]struct {
		came []error
		up   bool
	}{
		"a few": {many[1:], false}, "many in a row": {many, true}, "many, and one that it answered": {append(slices.Clone(many[1:]), refused, timeout), false},
		"many after some that it answered": {append([]error{nil, refused}, many...), true},
	} {
		if up := check.GivenUp(c.came); up != c.up {
			t.Errorf("%s: given up is %v", name, up)
		}
	}
}
