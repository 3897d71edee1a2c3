package imapsource

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
)

func TestARefusedTokenIsReplacedOnce(t *testing.T) {
	for _, tc := range []struct {
		name   string
		values []string
		code   ingest.Code
		conns  int
	}{
		{"a fresh one helps", []string{"stale", "good"}, "", 2},
		{"a fresh one does not help", []string{"stale", "stale2", "good"}, ingest.CodeAuthRefused, 2},
		{"there is no other", []string{"stale"}, ingest.CodeAuthRefused, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			srv := startServer(t, imaptest.Options{Verify: func(_, token string) error {
				if token != "good" {
					return errors.New("no")
				}
				return nil
			}})
			ts := &tokens{values: tc.values}
			src := sourceOn(t, srv, Options{Login: ingest.Login{Tokens: ts}})
			sess, err := src.Open(t.Context())
			if err == nil {
				must(t, sess.Close())
			}
			if _, total := srv.Connections(); total != tc.conns || len(ts.refused) != 1 {
				t.Errorf("%d connections, refused %v", total, ts.refused)
			}
			if tc.code == "" {
				must(t, err)
				return
			}
			f := ingest.FaultOf(err)
			if f.Code != tc.code || f.Class != ingest.Auth || !strings.Contains(err.Error(), `"status":"401"`) || strings.Contains(err.Error(), "stale") {
				t.Errorf("%v", err)
			}
		})
	}
}

// unchanged is the password that was refused, and says so.
type unchanged struct{}

func (unchanged) Token(_ context.Context, refused string) (ingest.Token, error) {
	if refused != "" {
		return ingest.Token{}, &ingest.Error{Fault: ingest.Fault{Class: ingest.Auth, Code: ingest.CodePasswordRefused}, Err: errors.New("still the same")}
	}
	return ingest.Token{Value: "wrong"}, nil
}

func TestARefusedPasswordIsToldInTheServersWords(t *testing.T) {
	srv := startServer(t, imaptest.Options{Verify: func(string, string) error {
		return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeAuthenticationFailed, Text: "go away"}
	}})
	_, err := sourceOn(t, srv, Options{Login: ingest.Login{Mechanism: ingest.Password, Tokens: unchanged{}}}).Open(t.Context())
	if ingest.FaultOf(err).Code != ingest.CodePasswordRefused || !strings.Contains(err.Error(), "go away") || strings.Contains(err.Error(), "still the same") {
		t.Error(err)
	}
}

func TestWhatServersSayToALogin(t *testing.T) {
	say := func(s string) *imaptest.Script {
		return &imaptest.Script{Rules: []imaptest.Rule{{Command: "AUTHENTICATE", Answers: []string{s}}}}
	}
	for _, tc := range []struct {
		name   string
		script *imaptest.Script
		token  string
		class  ingest.Class
		code   ingest.Code
		text   string
	}{
		{"Exchange refuses without a code", say("{tag} NO AUTHENTICATE failed.\r\n"), "opaque", ingest.Auth, ingest.CodeAuthRefused, "AUTHENTICATE failed"},
		{"Dovecot's identity provider is down", say("{tag} NO [UNAVAILABLE] Temporary authentication failure.\r\n"), "opaque", ingest.Transient, ingest.CodeAuthTemporary, ""},
		{"Dovecot has too many of us", say("{tag} NO [LIMIT] Maximum number of connections\r\n"), "opaque", ingest.Transient, ingest.CodeTooManySessions, ""},
		{"Gmail's quota", say("{tag} NO [OVERQUOTA] Account exceeded command or bandwidth limits.\r\n"), "opaque", ingest.Throttled, ingest.CodeQuota, ""},
		{"a hang-up after the reason", &imaptest.Script{Rules: []imaptest.Rule{{Command: "AUTHENTICATE", Answers: []string{"+ eyJzdGF0dXMiOiI0MDEifQ==\r\n"}, Hangup: true}}}, "opaque", ingest.Auth, ingest.CodeAuthRefused, `"status":"401"`},
		{"a BYE after the reason", say("+ eyJzdGF0dXMiOiI0MDEifQ==\r\n* BYE bye\r\n"), "opaque", ingest.Auth, ingest.CodeAuthRefused, `"status":"401"`},
		{"a hang-up on a long token", &imaptest.Script{Rules: []imaptest.Rule{{Command: "AUTHENTICATE", Hangup: true}}}, strings.Repeat("t", 6000), ingest.Auth, ingest.CodeTokenTooLong, "in answer to a sign-in of 8"},
		{"a hang-up on a short token", &imaptest.Script{Rules: []imaptest.Rule{{Command: "AUTHENTICATE", Hangup: true}}}, "opaque", ingest.Transient, ingest.CodeConnLost, ""},
		{"the mechanism is not offered", &imaptest.Script{Caps: "AUTH=PLAIN AUTH=GSSAPI"}, "opaque", ingest.Config, ingest.CodeMechanism, "GSSAPI, PLAIN"},
		{"BYE for a greeting", &imaptest.Script{Greeting: "* BYE [UNAVAILABLE] too busy\r\n"}, "opaque", ingest.Transient, ingest.CodeServerBusy, "too busy"},
		{"BYE without a code for a greeting", &imaptest.Script{Greeting: "* BYE go away\r\n"}, "opaque", ingest.Transient, ingest.CodeBye, "go away"},
		{"PREAUTH", &imaptest.Script{Greeting: "* PREAUTH welcome root\r\n"}, "opaque", ingest.Config, ingest.CodeMechanism, "PREAUTH"},
		{"not IMAP", &imaptest.Script{Greeting: "HTTP/1.1 400 Bad Request\r\n"}, "opaque", ingest.Transient, ingest.CodeProtocol, ""},
		{"an endless greeting", &imaptest.Script{Greeting: "* OK " + strings.Repeat("x", 1<<20)}, "opaque", ingest.Transient, ingest.CodeProtocolLimit, ""},
		{"throttled, and closed with other words", &imaptest.Script{Rules: []imaptest.Rule{{Command: "AUTHENTICATE", Hangup: true,
			Answers: []string{"* BAD Request is throttled. Suggested Backoff Time: 1500 milliseconds\r\n* BYE Connection closed. 14\r\n"}}}}, "opaque", ingest.Throttled, ingest.CodeThrottled, "Suggested Backoff"},
		{"throttled for longer than a number", say("{tag} NO Request is throttled. Suggested Backoff Time: 99999999999999999999 milliseconds\r\n"), "opaque", ingest.Throttled, ingest.CodeThrottled, ""},
		{"throttled at login", say("{tag} NO Request is throttled. Suggested Backoff Time: 1500 milliseconds\r\n"), "opaque", ingest.Throttled, ingest.CodeThrottled, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			src, wait := scripted(t, tc.script, Options{Login: ingest.Login{Tokens: secret(tc.token)}})
			defer wait()
			_, err := src.Open(t.Context())
			f := ingest.FaultOf(err)
			if f.Class != tc.class || f.Code != tc.code || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("%v %v; want %v %v with %q", f.Class, err, tc.class, tc.code, tc.text)
			}
			if tc.token != "opaque" && strings.Contains(err.Error(), tc.token) {
				t.Error("the error shows the token")
			}
		})
	}
}

// clear plays a STARTTLS server: what it says at once, and what it answers to STARTTLS.
func clearServer(t *testing.T, greeting, answer string) (src *Source, heard <-chan string) {
	t.Helper()
	lines := make(chan string, 10)
	done := make(chan struct{})
	near, far := net.Pipe()
	go func() {
		defer close(done)
		defer close(lines)
		defer func() { _ = far.Close() }()
		_, _ = far.Write([]byte(greeting))
		br := bufio.NewReader(far)
		for {
			line, err := br.ReadString('\n')
			if err != nil {
				return
			}
			lines <- line
			if _, err := far.Write([]byte(answer)); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { _ = near.Close(); <-done })
	return mustSource(t, Options{Endpoint: ingest.Endpoint{Addr: "localhost:143", Security: ingest.StartTLS,
		Dial: func(context.Context, string, string) (net.Conn, error) { return near, nil }}}), lines
}

func TestSTARTTLSBelievesNothingBeforeTLS(t *testing.T) {
	for _, tc := range []struct {
		name, greeting, answer string
		code                   ingest.Code
	}{
		{"PREAUTH skips nothing", "* PREAUTH hello\r\n", "", ingest.CodeNoSTARTTLS},
		{"BYE", "* BYE [LIMIT] full\r\n", "", ingest.CodeTooManySessions},
		{"a refusal is not gone around", "* OK hello\r\n", "mf1 NO not here\r\n", ingest.CodeNoSTARTTLS},
		{"throttled", "* OK hello\r\n", "mf1 NO Request is throttled. Suggested Backoff Time: 1500 milliseconds\r\n", ingest.CodeThrottled},
		{"throttled without an answer", "* OK hello\r\n", "* BYE Request is throttled. Suggested Backoff Time: 1500 milliseconds\r\n", ingest.CodeThrottled},
		{"BAD too", "* OK hello\r\n", "mf1 BAD what\r\n", ingest.CodeNoSTARTTLS},
		{"answers behind the OK", "* OK hello\r\n", "mf1 OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", ingest.CodeProtocol},
		{"endless lines", "* OK hello\r\n", strings.Repeat("* OK wait\r\n", 60), ingest.CodeProtocolLimit},
		{"an endless line", strings.Repeat("x", 10_000), "", ingest.CodeProtocolLimit},
		{"another protocol", "220 smtp.example ESMTP\r\n", "", ingest.CodeProtocol},
	} {
		t.Run(tc.name, func(t *testing.T) {
			src, heard := clearServer(t, tc.greeting, tc.answer)
			_, err := src.Open(t.Context())
			if f := ingest.FaultOf(err); f.Code != tc.code {
				t.Errorf("%v; want %s", err, tc.code)
			}
			for line := range heard {
				if line != "mf1 STARTTLS\r\n" {
					t.Errorf("sent in clear: %q", line)
				}
			}
		})
	}
}

func TestATokenSignsInAsTheServerOffers(t *testing.T) {
	for _, tc := range []struct {
		offer []string
		code  ingest.Code // "": it works
	}{
		{[]string{"OAUTHBEARER", "XOAUTH2", "PLAIN"}, ""},
		{[]string{"OAUTHBEARER", "PLAIN"}, ""},
		{[]string{"XOAUTH2"}, ""},
		{[]string{"PLAIN"}, ingest.CodeMechanism},
	} {
		srv := startServer(t, imaptest.Options{Mechanisms: tc.offer})
		sess, err := sourceOn(t, srv, Options{Login: ingest.Login{Mechanism: ingest.Bearer}}).Open(t.Context())
		if err == nil {
			_ = sess.Close()
		}
		if (err != nil) != (tc.code != "") || err != nil && ingest.FaultOf(err).Code != tc.code {
			t.Errorf("offered %v: %v", tc.offer, err)
		}
	}
}

func TestASessionEndsBeforeItsToken(t *testing.T) {
	srv := startServer(t, imaptest.Options{})
	now := time.Now()
	ts := &tokens{values: []string{"t"}, expires: now.Add(time.Hour)}
	src := sourceOn(t, srv, Options{Login: ingest.Login{Tokens: ts}, Idle: true, Now: func() time.Time { return now }})
	sess := open(t, src)
	at := syncAt(t, sess, nil)
	now = now.Add(49 * time.Minute)
	at = syncAt(t, sess, at)
	now = now.Add(6 * time.Minute)
	for name, call := range map[string]func() error{
		"Sync":     func() error { _, err := sess.Sync(t.Context(), at); return err },
		"Messages": func() error { _, err := readAll(t, sess, at, 0); return err },
		"Wait":     func() error { return sess.(ingest.Waiter).Wait(t.Context(), time.Second) },
	} {
		if f := ingest.FaultOf(call()); f.Class != ingest.SessionOver || f.Code != ingest.CodeTokenExpired {
			t.Errorf("%s: %v", name, f)
		}
	}
	ts.expires = now.Add(2 * time.Minute) // shorter than the margin: used all the same
	short := open(t, src)
	syncAt(t, short, at)
}

func TestClassify(t *testing.T) {
	no := func(code, text string) error {
		return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCode(code), Text: text}
	}
	bye := status{kind: "BYE", text: "Connection closed. 14"}
	lost := errors.New("in response: unexpected EOF")
	for _, tc := range []struct {
		name  string
		t     trouble
		class ingest.Class
		code  ingest.Code
		wait  time.Duration
	}{
		{"a missing folder", trouble{at: atSelect, err: no("NONEXISTENT", "")}, ingest.Config, ingest.CodeFolderMissing, 0},
		{"not connected", trouble{at: atSelect, err: &imap.Error{Type: "BAD", Text: "User is authenticated but not connected."}}, ingest.Config, ingest.CodeNotConnected, 0},
		{"not connected, for the first time", trouble{at: atInbox, err: &imap.Error{Type: "BAD", Text: "User is authenticated but not connected."}}, ingest.Config, ingest.CodeNotConnected, 0},
		{"not connected, of a mailbox that was open today", trouble{at: atKnown, err: &imap.Error{Type: "BAD", Text: "User is authenticated but not connected."}}, ingest.Transient, ingest.CodeServerBusy, 0},
		{"a busy back end at a folder", trouble{at: atSelect, err: no("UNAVAILABLE", "")}, ingest.Transient, ingest.CodeServerBusy, 0},
		{"a message that crashes the server", trouble{at: atMessage, err: no("SERVERBUG", "")}, ingest.BadMessage, ingest.CodeMessageRefused, 0},
		{"a busy server at a message", trouble{at: atMessage, err: no("UNAVAILABLE", "")}, ingest.Transient, ingest.CodeServerBusy, 0},
		{"a full target", trouble{at: atAction, err: no("OVERQUOTA", "")}, ingest.Config, ingest.CodeActionRefused, 0},
		{"a quota", trouble{at: atMessage, err: no("OVERQUOTA", "")}, ingest.Throttled, ingest.CodeQuota, time.Hour},
		{"a wrong password", trouble{at: atPassword, err: no("AUTHENTICATIONFAILED", "")}, ingest.Auth, ingest.CodePasswordRefused, 0},
		{"BYE in a session", trouble{at: atOther, err: lost, end: net.ErrClosed, said: bye}, ingest.Transient, ingest.CodeProtocol, 0},
		{"BYE and the end", trouble{at: atOther, err: lost, end: errUnexpected(), said: bye}, ingest.SessionOver, ingest.CodeBye, 0},
		{"throttled in a NO before the end", trouble{at: atOther, err: lost, end: errUnexpected(),
			said: status{kind: "NO", text: "Suggested Backoff Time: 2 seconds"}}, ingest.Throttled, ingest.CodeThrottled, 2 * time.Second},
		{"an endless backoff", trouble{at: atOther, err: no("", "Suggested Backoff Time: 9999999999999 milliseconds")}, ingest.Throttled, ingest.CodeThrottled, maxBackoff},
		{"the end", trouble{at: atOther, err: lost, end: errUnexpected()}, ingest.Transient, ingest.CodeConnLost, 0},
		{"a limit", trouble{at: atOther, err: lost, end: limitError("x")}, ingest.Transient, ingest.CodeProtocolLimit, 0},
		{"cancelled", trouble{at: atOther, err: lost, end: context.Canceled}, ingest.Transient, ingest.CodeUnknown, 0},
		{"left", trouble{at: atOther, err: lost, end: errAbandoned}, ingest.SessionOver, ingest.CodeConnLost, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := ingest.FaultOf(classify("op", tc.t))
			if f != (ingest.Fault{Class: tc.class, Wait: tc.wait, Code: tc.code}) {
				t.Errorf("%+v", f)
			}
		})
	}
}
