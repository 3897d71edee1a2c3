package imapsource

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"
	gosync "sync"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
)

// scripted returns a Source whose connections are answered by the script, through TLS over pipes.
// wait returns when all its servers have ended.
func scripted(t testing.TB, script *imaptest.Script, o Options) (src *Source, wait func()) {
	t.Helper()
	server, client, err := imaptest.Certificates()
	must(t, err)
	var running gosync.WaitGroup
	o.Endpoint = ingest.Endpoint{Addr: "localhost:993", Security: ingest.ImplicitTLS, TLS: client,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			running.Go(func() { _ = script.Serve(tls.Server(far, server)) })
			return near, nil
		}}
	o.Start.All = true
	return mustSource(t, o), running.Wait
}

// box1 is the EXAMINE answer of a folder with n messages.
func box1(n int) imaptest.Rule {
	return imaptest.Rule{Command: "EXAMINE", Answers: []string{fmt.Sprintf(
		"* %d EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT %d] ok\r\n{tag} OK [READ-ONLY] done\r\n", n, n+1)}}
}

// listing answers the listing of n messages of size octets.
func listing(n, size int) imaptest.Rule { return listingFrom(1, n, size) }

func listingFrom(from, n, size int) imaptest.Rule {
	var b strings.Builder
	for i := from; i <= n; i++ {
		fmt.Fprintf(&b, "* %d FETCH (UID %d FLAGS (\\Seen) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE %d)\r\n", i, i, size)
	}
	return imaptest.Rule{Command: fmt.Sprintf("UID FETCH %d:* (UID", from), Answers: []string{b.String() + "{tag} OK listed\r\n"}}
}

const (
	body1 = "Subject: x\r\n\r\nhi\r\n"
	ok1   = "* 1 FETCH (UID 1 BODY[] {18}\r\n" + body1 + ")\r\n{tag} OK done\r\n"
)

// readScript opens a session against a script and reads what there is, once.
func readScript(t *testing.T, script *imaptest.Script, o Options) (l []got, end error) {
	t.Helper()
	src, wait := scripted(t, script, o)
	defer wait()
	l, end = readOnce(t, src)
	return l, end
}

func readOnce(t *testing.T, src *Source) (l []got, end error) {
	t.Helper()
	sess, err := src.Open(t.Context())
	if err != nil {
		return nil, err
	}
	defer func() { _ = sess.Close() }()
	at, err := sess.Sync(t.Context(), nil)
	if err != nil {
		return nil, err
	}
	return readAll(t, sess, at, 0)
}

func TestACutAnswerIsNeverAWholeMessage(t *testing.T) {
	whole := strings.Index(ok1, "{tag} OK") // only a server that has gone on after the message has sent it all
	for cut := range len(ok1) {
		script := &imaptest.Script{Rules: []imaptest.Rule{box1(1), listing(1, 18),
			{Command: "UID FETCH 1 (UID BODY", Answers: []string{ok1[:cut]}, Hangup: true}}}
		l, end := readScript(t, script, Options{})
		complete := len(l) == 1 && l[0].err == nil
		if complete && cut < whole+len("{tag} OK") {
			t.Errorf("cut at %d of %d: taken as whole", cut, len(ok1))
		}
		if !complete && end == nil {
			t.Errorf("cut at %d: the session is not over", cut)
		}
	}
}

func TestWhatServersDoToOneMessage(t *testing.T) {
	fetch := func(answers ...string) imaptest.Rule {
		return imaptest.Rule{Command: "UID FETCH 1 (UID BODY", Answers: answers}
	}
	there := imaptest.Rule{Command: "UID FETCH 1 (UID)", Answers: []string{"* 1 FETCH (UID 1)\r\n{tag} OK\r\n"}}
	gone := imaptest.Rule{Command: "UID FETCH 1 (UID)", Answers: []string{"{tag} OK\r\n"}}
	for _, tc := range []struct {
		name  string
		rules []imaptest.Rule
		want  string // "whole", "gone", or a code
		end   ingest.Code
	}{
		{"an ordinary answer is whole", []imaptest.Rule{fetch(ok1), there}, "whole", ""},
		{"OK without data twice is a missing message", []imaptest.Rule{fetch("{tag} OK FETCH completed.\r\n"), there}, string(ingest.CodeMessageMissing), ""},
		{"OK without data once is asked for again", []imaptest.Rule{fetch("{tag} OK FETCH completed.\r\n", ok1), there}, "whole", ""},
		{"an expunged message is passed over", []imaptest.Rule{fetch("{tag} OK\r\n"), gone}, "gone", ""},
		{"body before UID is read alone", []imaptest.Rule{fetch("* 1 FETCH (BODY[] {18}\r\n" + body1 + " UID 1)\r\n{tag} OK\r\n"), there}, "whole", ""},
		{"a body without any UID is nobody's", []imaptest.Rule{fetch("* 1 FETCH (BODY[] {18}\r\n" + body1 + ")\r\n{tag} OK\r\n"), there}, string(ingest.CodeMessageMissing), ""},
		{"UID 0 is nobody's", []imaptest.Rule{fetch("* 1 FETCH (UID 0 BODY[] {18}\r\n" + body1 + ")\r\n{tag} OK\r\n"), there}, string(ingest.CodeMessageMissing), ""},
		{"another UID is not this message", []imaptest.Rule{fetch("* 1 FETCH (UID 9 BODY[] {18}\r\n" + body1 + ")\r\n{tag} OK\r\n"), there}, string(ingest.CodeMessageMissing), ""},
		{"the same UID twice is one message", []imaptest.Rule{fetch("* 1 FETCH (UID 1 BODY[] {18}\r\n" + body1 + ")\r\n* 2 FETCH (UID 1 BODY[] {2}\r\nxx)\r\n{tag} OK\r\n"), there}, "whole", ""},
		{"flags before the message do not hide it", []imaptest.Rule{fetch("* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n" + ok1), there}, "whole", ""},
		{"NIL is no message", []imaptest.Rule{fetch("* 1 FETCH (UID 1 BODY[] NIL)\r\n{tag} OK\r\n"), there}, string(ingest.CodeMessageMissing), ""},
		{"an empty body of a message with a size is no message", []imaptest.Rule{fetch("* 1 FETCH (UID 1 BODY[] {0}\r\n)\r\n{tag} OK\r\n"), there}, string(ingest.CodeMessageMissing), ""},
		{"a quoted body is a body", []imaptest.Rule{fetch("* 1 FETCH (UID 1 BODY[] \"hi\")\r\n{tag} OK\r\n"), there}, "whole", ""},
		{"NO is that message's", []imaptest.Rule{fetch("{tag} NO cannot render\r\n"), there}, string(ingest.CodeMessageRefused), ""},
		{"BAD is that message's", []imaptest.Rule{fetch("{tag} BAD Command Error. 10\r\n"), there}, string(ingest.CodeMessageRefused), ""},
		{"an endless literal is too large", []imaptest.Rule{fetch("* 1 FETCH (UID 1 BODY[] {9223372036854775807}\r\nxxx"), there}, string(ingest.CodeMessageTooLarge), ingest.CodeConnLost},
		{"a literal longer than a number is not IMAP", []imaptest.Rule{fetch("* 1 FETCH (UID 1 BODY[] {99223372036854775807}\r\nxxx"), there}, "", ingest.CodeProtocol},
		{"an announced length that is too short is noticed", []imaptest.Rule{fetch("* 1 FETCH (UID 1 BODY[] {10}\r\n" + body1 + ")\r\n{tag} OK\r\n"), there}, "", ingest.CodeProtocol},
		{"throttling is obeyed", []imaptest.Rule{fetch("{tag} BAD Request is throttled. Suggested Backoff Time: 89117 milliseconds\r\n"), there}, "", ingest.CodeThrottled},
		{"throttling in a BYE is obeyed", []imaptest.Rule{{Command: "UID FETCH 1 (UID BODY", Hangup: true,
			Answers: []string{"* BYE Request is throttled. Suggested Backoff Time: 89117 milliseconds\r\n"}}, there}, "", ingest.CodeThrottled},
		{"a list bomb ends the session, not the process", []imaptest.Rule{fetch("* 1 FETCH (BODYSTRUCTURE " + strings.Repeat("(", 100_000)), there}, "", ingest.CodeProtocolLimit},
		{"an endless line ends the session", []imaptest.Rule{fetch("* OK " + strings.Repeat("x", 100_000)), there}, "", ingest.CodeProtocolLimit},
		{"an endless string ends the session", []imaptest.Rule{fetch("* 1 FETCH (ENVELOPE (\"" + strings.Repeat("x", 100_000)), there}, "", ingest.CodeProtocolLimit},
		{"a string over lines ends the session", []imaptest.Rule{fetch("* 1 FETCH (ENVELOPE (\"a\r\n"), there}, "", ingest.CodeProtocolLimit},
		{"a subject of 200 MB ends the session", []imaptest.Rule{fetch("* 1 FETCH (ENVELOPE (NIL {200000000}\r\n"), there}, "", ingest.CodeProtocolLimit},
		{"a flood of untagged lines ends the session", []imaptest.Rule{fetch(strings.Repeat("* OK still here, still here\r\n", 40_000)), there}, "", ingest.CodeProtocolLimit},
		{"a wrong tag ends the session", []imaptest.Rule{fetch("X9 OK done\r\n"), there}, "", ingest.CodeProtocol},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l, end := readScript(t, &imaptest.Script{Rules: append([]imaptest.Rule{box1(1), listing(1, 18)}, tc.rules...)}, Options{})
			outcome := ""
			switch {
			case len(l) > 1:
				t.Fatalf("%d messages", len(l))
			case len(l) == 1 && l[0].err == nil:
				outcome = "whole"
			case len(l) == 1:
				outcome = string(l[0].fault)
			case end == nil:
				outcome = "gone"
			}
			var code ingest.Code
			if end != nil {
				code = ingest.FaultOf(end).Code
			}
			if outcome != tc.want || code != tc.end {
				t.Errorf("outcome %q, end %q (%v); want %q, %q", outcome, code, end, tc.want, tc.end)
			}
			if tc.end == ingest.CodeThrottled && ingest.FaultOf(end).Wait != 89117*time.Millisecond {
				t.Errorf("wait %v", ingest.FaultOf(end).Wait)
			}
		})
	}
}

func TestServersThatNeverAnswerAreLeft(t *testing.T) {
	for name, rules := range map[string][]imaptest.Rule{
		"at login":          {{Command: "AUTHENTICATE"}},
		"at EXAMINE":        {{Command: "EXAMINE"}},
		"at the listing":    {box1(1), {Command: "UID FETCH"}},
		"at a message":      {box1(1), listing(1, 18), {Command: "UID FETCH"}},
		"inside a message":  {box1(1), listing(1, 18), {Command: "UID FETCH", Answers: []string{ok1[:40]}}},
		"drip before":       {box1(1), listing(1, 18), {Command: "UID FETCH", Answers: []string{ok1}, Pace: 50 * time.Second}},
		"drip in a message": {box1(1), listing(1, 18), {Command: "UID FETCH", Answers: []string{"* 1 FETCH (UID 1 BODY[] {90000}\r\n" + strings.Repeat("x", 90_000)}, Pace: 10 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				l, end := readScript(t, &imaptest.Script{Rules: rules}, Options{})
				if len(l) > 1 || (len(l) == 1 && l[0].err == nil) || ingest.FaultOf(end).Code != ingest.CodeTimeout {
					t.Errorf("%d messages, %v", len(l), end)
				}
				if took := time.Since(start); took > 12*time.Minute {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

func TestASilentGreetingEndsWithTheConnectTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, end := readScript(t, &imaptest.Script{Greeting: "-"}, Options{})
		if ingest.FaultOf(end).Code != ingest.CodeTimeout || time.Since(start) > 31*time.Second {
			t.Errorf("after %v: %v", time.Since(start), end)
		}
	})
}

func TestAnIdleSessionIsNotCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := &imaptest.Script{Rules: []imaptest.Rule{box1(1), listing(1, 18), {Command: "UID FETCH 1 (UID BODY", Answers: []string{ok1}}}}
		src, wait := scripted(t, script, Options{})
		sess, err := src.Open(t.Context())
		must(t, err)
		at := syncAt(t, sess, nil)
		<-time.After(3 * time.Hour)
		for m, err := range sess.Messages(t.Context(), at, 0) {
			must(t, err)
			<-time.After(3 * time.Hour) // a slow consumer is not the server's fault
			b := make([]byte, 5)
			for {
				_, err := m.Body.Read(b)
				<-time.After(time.Hour)
				if err != nil {
					if err.Error() != "EOF" {
						t.Error(err)
					}
					break
				}
			}
			<-time.After(3 * time.Hour)
		}
		_ = sess.Close()
		wait()
	})
}

func TestAnAnswerOutOfTurnDoesNotHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The server answers the second window before the first.
		two := "* 2 FETCH (UID 2 BODY[] {18}\r\n" + body1 + ")\r\n"
		script := &imaptest.Script{Rules: []imaptest.Rule{box1(2), listing(2, 100_000),
			{Command: "UID FETCH 1 (UID BODY", Answers: []string{two + ok1}},
			{Command: "UID FETCH 2 (UID BODY", Answers: []string{two + "{tag} OK\r\n"}}}}
		src, wait := scripted(t, script, Options{WindowBytes: 120_000})
		l, end := readOnce(t, src)
		if end != nil || !slices.Equal(uids(l), []uint32{1, 2}) {
			t.Errorf("read %v, %v", uids(l), end)
		}
		wait()
	})
}

func TestAMessageThatKillsTheSessionIsGivenUp(t *testing.T) {
	script := &imaptest.Script{Rules: []imaptest.Rule{box1(3), listing(3, 18), listingFrom(2, 3, 18),
		{Command: "UID FETCH 1:3 (UID BODY", Answers: []string{"* 1 FETCH (UID 1 BODY[] {18}\r\n" + body1 + ")\r\n"}, Hangup: true},
		{Command: "UID FETCH 2:3 (UID BODY", Hangup: true},
		{Command: "UID FETCH 2 (UID BODY", Hangup: true},
		{Command: "UID FETCH 1 (UID BODY", Answers: []string{ok1}},
		{Command: "UID FETCH 3 (UID BODY", Answers: []string{"* 3 FETCH (UID 3 BODY[] {18}\r\n" + body1 + ")\r\n{tag} OK\r\n"}}}}
	src, wait := scripted(t, script, Options{})
	defer wait()
	whole, bad := map[uint32]bool{}, map[uint32]ingest.Code{}
	at := ingest.Cursor(nil)
	for range 12 {
		sess, err := src.Open(t.Context())
		must(t, err)
		if next, err := sess.Sync(t.Context(), at); err == nil {
			at = next
		} else {
			t.Error(err)
		}
		l, _ := readAll(t, sess, at, 0)
		_ = sess.Close()
		for _, g := range l {
			if g.err == nil {
				whole[g.uid] = true
				at = finish(t, src, at, []got{g})
			} else if ingest.FaultOf(g.err).Class == ingest.BadMessage {
				bad[g.uid] = g.fault
			}
		}
	}
	if !whole[1] || !whole[3] || whole[2] || bad[2] != ingest.CodeMessageTruncated || len(bad) != 1 {
		t.Errorf("whole %v, bad %v", whole, bad)
	}
}

func TestRefusedMessagesAreChargedAloneAndNotAllAtOnce(t *testing.T) {
	refuse := func(uid string) imaptest.Rule {
		return imaptest.Rule{Command: "UID FETCH " + uid + " (UID BODY", Answers: []string{"{tag} NO Server Unavailable. 15\r\n"}}
	}
	there := imaptest.Rule{Command: "UID FETCH", Answers: []string{"* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 2)\r\n* 3 FETCH (UID 3)\r\n* 4 FETCH (UID 4)\r\n{tag} OK\r\n"}}
	script := &imaptest.Script{Rules: []imaptest.Rule{box1(4), listing(4, 18), refuse("1:4"), refuse("1"), refuse("2"), refuse("3"), refuse("4"), there}}
	l, end := readScript(t, script, Options{})
	if len(l) != 2 || ingest.FaultOf(end).Code != ingest.CodeServerBusy || ingest.FaultOf(end).Class != ingest.Transient {
		t.Errorf("a server that refuses everything: %d messages charged, %v", len(l), end)
	}
}
