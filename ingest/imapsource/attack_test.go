package imapsource

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
)

// attacked returns a Source whose connections the script answers.
func attacked(t *testing.T, sc *imaptest.Script, o Options) *Source {
	t.Helper()
	server, client, err := imaptest.Certificates()
	must(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { _ = sc.Serve(tls.Server(c, server)) }()
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	o.Endpoint = ingest.Endpoint{Addr: ln.Addr().String(), Security: ingest.ImplicitTLS, TLS: client}
	return mustSource(t, o)
}

func listed(n, size int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "* %d FETCH (UID %d FLAGS () INTERNALDATE \"01-Mar-2026 09:00:00 +0000\" RFC822.SIZE %d)\r\n", i, i, size)
	}
	return b.String() + "{tag} OK listed\r\n"
}

func bodyOf(uid, size int) string {
	m := string(mail(uid, size))
	return fmt.Sprintf("* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n", uid, uid, len(m), m)
}

// The second command's answer comes first (Dovecot does), and holds a message of more than 1 MiB that
// was announced with 100 octets.
func TestAttackALargeLieInTheWindowAheadDoesNotHang(t *testing.T) {
	const n = 400
	var ahead strings.Builder
	ahead.WriteString(bodyOf(201, 1200<<10))
	sc := &imaptest.Script{Rules: []imaptest.Rule{
		{Command: "LIST", Answers: []string{"* LIST () \"/\" INBOX\r\n{tag} OK\r\n"}},
		{Command: "EXAMINE", Answers: []string{fmt.Sprintf("* %d EXISTS\r\n* OK [UIDVALIDITY 1]\r\n* OK [UIDNEXT %d]\r\n{tag} OK [READ-ONLY]\r\n", n, n+1)}},
		{Command: "UID FETCH 1:200 ", Answers: []string{""}}, // answered after the second command
		{Command: "UID FETCH 201:400 ", Answers: []string{ahead.String()}},
		{Command: "UID FETCH", Answers: []string{listed(n, 100)}},
	}}
	src := attacked(t, sc, Options{Start: ingest.Start{All: true}, ProgressTimeout: 2 * time.Second})
	sess, err := src.Open(t.Context())
	must(t, err)
	at := syncAt(t, sess, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		var end error
		for m, err := range sess.Messages(ctx, at, 0) {
			if m == nil {
				end = err
				break
			}
			_, _ = io.Copy(io.Discard, m.Body)
		}
		done <- end
	}()
	start := time.Now()
	select {
	case err := <-done:
		t.Logf("over after %v: %v", time.Since(start), err)
		if time.Since(start) > 6*time.Second {
			t.Error("only the context ended it: no deadline of its own")
		}
		_ = sess.Close()
	case <-time.After(12 * time.Second):
		buf := make([]byte, 1<<20)
		t.Fatalf("Messages hangs although its context ended 4 s ago\n%s\nheard %q", buf[:runtime.Stack(buf, true)], sc.Heard())
	}
}

// Announced as 100 octets each, sent with nearly 1 MiB each, in the window ahead.
func TestAttackLiesAboutSizesInTheWindowAheadStayWithinBounds(t *testing.T) {
	const n = 400
	var ahead strings.Builder
	for i := 201; i <= 270; i++ {
		ahead.WriteString(bodyOf(i, 1000<<10))
	}
	sc := &imaptest.Script{Rules: []imaptest.Rule{
		{Command: "LIST", Answers: []string{"* LIST () \"/\" INBOX\r\n{tag} OK\r\n"}},
		{Command: "EXAMINE", Answers: []string{fmt.Sprintf("* %d EXISTS\r\n* OK [UIDVALIDITY 1]\r\n* OK [UIDNEXT %d]\r\n{tag} OK [READ-ONLY]\r\n", n, n+1)}},
		{Command: "UID FETCH 1:200 ", Answers: []string{""}},
		{Command: "UID FETCH 201:400 ", Answers: []string{ahead.String()}},
		{Command: "UID FETCH", Answers: []string{listed(n, 100)}},
	}}
	src := attacked(t, sc, Options{Start: ingest.Start{All: true}, ProgressTimeout: time.Second})
	sess, err := src.Open(t.Context())
	must(t, err)
	at := syncAt(t, sess, nil)
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	peak := make(chan uint64)
	stop := make(chan struct{})
	go func() {
		var most uint64
		for {
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
			select {
			case <-stop:
				peak <- most
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	_, end := readAll(t, sess, at, 0)
	close(stop)
	grown := int64(<-peak) - int64(before.HeapAlloc) - int64(ahead.Len()) // the script writes a copy
	t.Logf("heap grew by %d MiB; end %v", grown>>20, end)
	if grown > 32<<20 {
		t.Errorf("one mailbox with windows of 4 MiB held %d MiB", grown>>20)
	}
	_ = sess.Close()
}

// A window leaves one message out; asked for alone it comes.
func TestAttackOrderHoldsWhenAWindowLeavesAMessageOut(t *testing.T) {
	sc := &imaptest.Script{Rules: []imaptest.Rule{
		{Command: "LIST", Answers: []string{"* LIST () \"/\" INBOX\r\n{tag} OK\r\n"}},
		{Command: "EXAMINE", Answers: []string{"* 4 EXISTS\r\n* OK [UIDVALIDITY 1]\r\n* OK [UIDNEXT 5]\r\n{tag} OK [READ-ONLY]\r\n"}},
		{Command: "UID FETCH 1:4 ", Answers: []string{bodyOf(1, 100) + bodyOf(3, 100) + bodyOf(4, 100) + "{tag} OK\r\n"}},
		{Command: "UID FETCH 2 (UID BODY", Answers: []string{bodyOf(2, 100) + "{tag} OK\r\n"}},
		{Command: "UID FETCH 2 ", Answers: []string{"* 2 FETCH (UID 2)\r\n{tag} OK\r\n"}},
		{Command: "UID FETCH", Answers: []string{listed(4, 100)}},
	}}
	src := attacked(t, sc, Options{Start: ingest.Start{All: true}})
	sess, err := src.Open(t.Context())
	must(t, err)
	at := syncAt(t, sess, nil)
	l, end := readAll(t, sess, at, 0)
	_ = sess.Close()
	if got := fmt.Sprint(uids(l)); got != "[1 2 3 4]" {
		t.Errorf("order %s, end %v, heard %q", got, end, sc.Heard())
	}
}
