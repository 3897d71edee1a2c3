package pop3source

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/pop3/pop3test"
)

func tokenIs(want string) func(string, string) error {
	return func(_, secret string) error {
		if secret != want {
			return errors.New("wrong")
		}
		return nil
	}
}

func with(values ...string) func(*Options) {
	return func(o *Options) { o.Login.Tokens = &tokens{values: values} }
}

func signedInBy(m ingest.Mechanism) func(*Options) {
	return func(o *Options) { o.Login.Mechanism = m }
}

func overSTLS(o *Options) { o.Endpoint.Security = ingest.StartTLS }

func TestEveryWayToSignIn(t *testing.T) {
	for name, row := range map[string]struct {
		srv pop3test.Options
		mod []func(*Options)
	}{
		"XOAUTH2":                         {pop3test.Options{}, nil},
		"XOAUTH2 as Exchange":             {pop3test.Options{OneStep: pop3test.TwoStepOnly, NoPipelining: true}, nil},
		"XOAUTH2 on one line":             {pop3test.Options{OneStep: pop3test.OneLineOnly}, nil},
		"XOAUTH2 that CAPA does not list": {pop3test.Options{HideSASL: true}, nil},
		"OAUTHBEARER":                     {pop3test.Options{}, []func(*Options){signedInBy(ingest.OAUTHBEARER)}},
		"a token, as the server offers":   {pop3test.Options{Mechanisms: []string{"OAUTHBEARER"}}, []func(*Options){signedInBy(ingest.Bearer)}},
		"a token, where nothing is said":  {pop3test.Options{HideSASL: true, Mechanisms: []string{"XOAUTH2"}}, []func(*Options){signedInBy(ingest.Bearer)}},
		"a password":                      {pop3test.Options{}, []func(*Options){signedInBy(ingest.Password)}},
		"over STLS":                       {pop3test.Options{Security: pop3test.STLS}, []func(*Options){overSTLS}},
		"a server without CAPA":           {pop3test.Options{NoCAPA: true, NoPipelining: true}, nil},
		"over STLS, a server without CAPA": {
			pop3test.Options{Security: pop3test.STLS, NoCAPA: true, NoPipelining: true}, []func(*Options){overSTLS},
		},
	} {
		t.Run(name, func(t *testing.T) {
			row.srv.Verify = tokenIs("good")
			srv := start(t, row.srv)
			fill(srv, 2)
			s := open(t, source(t, srv, row.mod...))
			if all := readAll(t, s, synced(t, s, nil), 0); len(all) != 2 || all[0].body != string(letter(1)) {
				t.Errorf("read %v", all)
			}
		})
	}
}

func TestARefusedTokenIsExchangedOnce(t *testing.T) {
	srv := start(t, pop3test.Options{Verify: tokenIs("fresh")})
	open(t, source(t, srv, with("stale", "fresh")))
	if srv.Sessions() != 2 {
		t.Errorf("%d connections, want 2", srv.Sessions())
	}
}

func TestATokenThatIsRefusedTwiceIsAnAuthFault(t *testing.T) {
	srv := start(t, pop3test.Options{Verify: tokenIs("good"), Mechanisms: []string{"PLAIN", "XOAUTH2"}})
	_, err := source(t, srv, with("a", "b", "good")).Open(t.Context())
	wantCode(t, err, ingest.Auth, ingest.CodeAuthRefused)
	if srv.Sessions() != 2 || !strings.Contains(err.Error(), "401") {
		t.Errorf("%d connections, error %v, want 2 and the server's challenge", srv.Sessions(), err)
	}
	_, err = source(t, srv, with("bad"), signedInBy(ingest.Password)).Open(t.Context())
	wantCode(t, err, ingest.Auth, ingest.CodePasswordRefused)
	if srv.Sessions() != 3 {
		t.Errorf("%d connections: the same password was tried twice", srv.Sessions())
	}
}

func TestFaultsOfSigningIn(t *testing.T) {
	long := strings.Repeat("t", 9000)
	says := func(line string) pop3test.Options {
		return pop3test.Options{Verify: func(string, string) error { return pop3test.Reply(line) }, Capabilities: []string{"LOGIN-DELAY 120"}}
	}
	for name, row := range map[string]struct {
		srv   pop3test.Options
		mod   func(*Options)
		class ingest.Class
		code  ingest.Code
		wait  time.Duration
	}{
		"in use":              {says("-ERR [IN-USE] locked"), with("x"), ingest.Transient, ingest.CodeLocked, time.Minute},
		"login delay":         {says("-ERR [LOGIN-DELAY] slower"), with("x"), ingest.Throttled, ingest.CodeThrottled, 2 * time.Minute},
		"temporary":           {says("-ERR [SYS/TEMP] later"), with("x"), ingest.Transient, ingest.CodeAuthTemporary, 0},
		"permanent":           {says("-ERR [SYS/PERM] POP is off"), with("x"), ingest.Permanent, ingest.CodeNotConnected, 0},
		"closed, long token":  {says(pop3test.Hangup), with(long), ingest.Auth, ingest.CodeTokenTooLong, 0},
		"closed, short token": {says(pop3test.Hangup), with("x"), ingest.Auth, ingest.CodeNotConnected, 0},
		"other mechanisms":    {pop3test.Options{Mechanisms: []string{"PLAIN"}}, with("x"), ingest.Config, ingest.CodeMechanism, 0},
		"unlisted, unknown":   {pop3test.Options{Mechanisms: []string{}, NoUser: true}, with("x"), ingest.Config, ingest.CodeMechanism, 0},
		"busy greeting":       {pop3test.Options{Greeting: "-ERR [SYS/TEMP] busy"}, with("x"), ingest.Transient, ingest.CodeServerBusy, 0},
		"another protocol":    {pop3test.Options{Greeting: "* OK IMAP4rev1"}, with("x"), ingest.Transient, ingest.CodeProtocol, 0},
		"no TLS there":        {pop3test.Options{Security: pop3test.Plain}, with("x"), ingest.Config, ingest.CodeNotTLS, 0},
		"no STLS there":       {pop3test.Options{Security: pop3test.Plain}, overSTLS, ingest.Config, ingest.CodeNoSTARTTLS, 0},
		"neither CAPA nor STLS": {pop3test.Options{Security: pop3test.Plain, NoCAPA: true, NoPipelining: true}, overSTLS,
			ingest.Config, ingest.CodeNoSTARTTLS, 0},
		"unknown authority": {pop3test.Options{}, func(o *Options) { o.Endpoint.TLS = nil }, ingest.Config, ingest.CodeCertUnknownCA, 0},
		"another name": {pop3test.Options{}, func(o *Options) { o.Endpoint.TLS.ServerName = "mail.example.org" },
			ingest.Config, ingest.CodeCertName, 0},
	} {
		t.Run(name, func(t *testing.T) {
			srv := start(t, row.srv)
			s, err := source(t, srv, row.mod).Open(t.Context())
			wantCode(t, err, row.class, row.code)
			if w := ingest.FaultOf(err).Wait; w != row.wait || s != nil {
				t.Errorf("wait %s, session %v, want %s and none", w, s, row.wait)
			}
			for _, secret := range []string{"good", long} {
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("the error shows a secret: %v", err)
				}
			}
			if row.srv.Security == pop3test.Plain && (srv.Count("AUTH")+srv.Count("USER")) > 0 {
				t.Error("credentials were sent in clear")
			}
		})
	}
}

func TestTLSIsNeverOlderThan12(t *testing.T) {
	srv := start(t, pop3test.Options{})
	src := source(t, srv, func(o *Options) { o.Endpoint.TLS.MinVersion = tls.VersionTLS10 })
	if v := src.opt.Endpoint.TLSConfig().MinVersion; v != tls.VersionTLS12 {
		t.Errorf("minimum version %x", v)
	}
	if src.opt.Endpoint.TLS.MinVersion != tls.VersionTLS10 {
		t.Error("the caller's configuration was changed")
	}
}

func TestADialThatHangsEndsWithTheConnectTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pipes []net.Conn
		opt := Options{
			Endpoint: ingest.Endpoint{Addr: "h:995", Dial: func(context.Context, string, string) (net.Conn, error) {
				a, b := net.Pipe()
				go func() { // takes the ClientHello and says nothing
					for buf := make([]byte, 4096); ; {
						if _, err := b.Read(buf); err != nil {
							return
						}
					}
				}()
				pipes = append(pipes, a, b)
				return a, nil
			}},
			Login:          ingest.Login{User: ann, Tokens: &tokens{values: []string{"x"}}},
			ConnectTimeout: 7 * time.Second,
		}
		src, err := New(opt)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		_, err = src.Open(t.Context())
		wantCode(t, err, ingest.Transient, ingest.CodeTimeout)
		if d := time.Since(begin); d != 7*time.Second {
			t.Errorf("after %s", d)
		}
		for _, p := range pipes {
			_ = p.Close()
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	good := Options{Endpoint: ingest.Endpoint{Addr: "h:995"}, Login: ingest.Login{User: ann, Tokens: &tokens{}}}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, mod := range map[string]func(*Options){
		"no port":        func(o *Options) { o.Endpoint.Addr = "h" },
		"no host":        func(o *Options) { o.Endpoint.Addr = ":995" },
		"no user":        func(o *Options) { o.Login.User = "" },
		"no tokens":      func(o *Options) { o.Login.Tokens = nil },
		"security":       func(o *Options) { o.Endpoint.Security = "none" },
		"mechanism":      func(o *Options) { o.Login.Mechanism = "ntlm" },
		"action":         func(o *Options) { o.After.Action = ingest.ActionSeen },
		"negative limit": func(o *Options) { o.MaxMessage = -1 },
	} {
		o := good
		mod(&o)
		_, err := New(o)
		if code(err) != code(&ingest.Error{Fault: ingest.Fault{Class: ingest.Config, Code: ingest.CodeConfigInvalid}}) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// counted is a connection that counts how often it is closed.
type counted struct {
	net.Conn
	closes *atomic.Int32
}

func (c counted) Close() error { c.closes.Add(1); return c.Conn.Close() }

func TestADialledConnectionIsClosedOnceHoweverItEnds(t *testing.T) {
	for name, opt := range map[string]pop3test.Options{
		"well":                  {},
		"refused":               {Verify: tokenIs("other")},
		"closed on the token":   {Verify: func(string, string) error { return pop3test.Reply(pop3test.Hangup) }},
		"not TLS":               {Security: pop3test.Plain},
		"greeting is a refusal": {Greeting: "-ERR no"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := start(t, opt)
			var dials int32
			var closes atomic.Int32
			src := source(t, srv, func(o *Options) {
				o.Endpoint.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
					dials++
					c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
					return counted{c, &closes}, err
				}
			})
			if s, err := src.Open(t.Context()); err == nil {
				_, _ = s.Close(), s.Close()
			}
			if dials == 0 || closes.Load() != dials {
				t.Errorf("%d dials, %d closes", dials, closes.Load())
			}
		})
	}
}

func TestAServerThatRefusesAndClosesOnAVeryLongToken(t *testing.T) {
	srv := start(t, pop3test.Options{Verify: func(string, string) error {
		return pop3test.Reply("-ERR Protocol error. Connection is closed. 10" + pop3test.Hangup)
	}, Challenge: "-"})
	_, err := source(t, srv, with(strings.Repeat("t", 4200), strings.Repeat("u", 4200))).Open(t.Context())
	wantCode(t, err, ingest.Auth, ingest.CodeTokenTooLong)
	if srv.Sessions() != 1 {
		t.Errorf("%d connections: a token that is too long was exchanged", srv.Sessions())
	}
}

// TestASessionEndsBeforeItsToken: Exchange cuts a session in the middle of a message when its token ends.
func TestASessionEndsBeforeItsToken(t *testing.T) {
	srv := start(t, pop3test.Options{})
	fill(srv, 3*stretch)
	now := time.Now()
	src := source(t, srv, func(o *Options) {
		o.Now = func() time.Time { return now }
		o.Login.Tokens = &tokens{values: []string{"good"}, ends: now.Add(time.Hour)}
	})
	s := open(t, src)
	n, last := 0, error(nil)
	for m, err := range s.Messages(t.Context(), synced(t, s, nil), 0) {
		if last = err; m == nil {
			break
		}
		if _, err := io.Copy(io.Discard, m.Body); err != nil {
			t.Fatal(err)
		}
		if n++; n == 10 {
			now = now.Add(55 * time.Minute)
		}
	}
	wantCode(t, last, ingest.SessionOver, ingest.CodeTokenExpired)
	if n != stretch {
		t.Errorf("%d messages, want it to end with nothing in flight after %d", n, stretch)
	}
}

func TestWhatAServerRepeatsOfASignInIsInNoError(t *testing.T) {
	const token = "opaque/Token+0123456789~abcdefghijklmnopqrstuvwxyz"
	line := base64.StdEncoding.EncodeToString([]byte("user=a@example.com\x01auth=Bearer " + token + "\x01\x01"))
	for name, said := range map[string]string{
		"a refusal": "-ERR cannot parse " + token + " here", "as it was sent": "-ERR [AUTH] cannot parse " + line[25:] + " here", "no POP3": "what is " + token,
	} {
		for _, mechanism := range []ingest.Mechanism{ingest.XOAUTH2, ingest.Password} {
			srv := start(t, pop3test.Options{Verify: func(string, string) error { return pop3test.Reply(said) }})
			src := source(t, srv, with(token), signedInBy(mechanism))
			for range 2 {
				_, err := src.Open(t.Context())
				if err == nil || !strings.Contains(err.Error(), "***") || strings.Contains(err.Error(), token[20:40]) || strings.Contains(err.Error(), line[60:80]) {
					t.Errorf("%s, %s: %v", name, mechanism, err)
				}
			}
		}
	}
	// It may remember for longer than a session.
	first, second := start(t, pop3test.Options{Verify: tokenIs("none")}), start(t, pop3test.Options{Greeting: "-ERR I know " + token})
	src := source(t, first, with(token))
	if _, err := src.Open(t.Context()); err == nil {
		t.Fatal("signed in")
	}
	src.opt.Endpoint = source(t, second).opt.Endpoint
	if _, err := src.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "I know ***") {
		t.Errorf("the next greeting: %v", err)
	}
}

func TestADialogueIsTracedWithoutTheTokenOverBothWaysToTLS(t *testing.T) {
	const token = "opaque/Token+0123456789~abcdefghijklmnopqrstuvwxyz"
	for name, row := range map[string]struct {
		srv pop3test.Options
		mod func(*Options)
	}{"implicit": {pop3test.Options{}, func(*Options) {}}, "STLS": {pop3test.Options{Security: pop3test.STLS}, overSTLS}} {
		row.srv.Verify = tokenIs(token)
		var told strings.Builder
		trace := func(o *Options) { o.Endpoint.Trace = func(line string) { told.WriteString(line + "\n") } }
		s := open(t, source(t, start(t, row.srv), with(token), row.mod, trace))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if text := told.String(); !strings.Contains(text, "C: AUTH XOAUTH2\nS: +") || !strings.Contains(text, "***") || strings.Contains(text, token[20:40]) || !strings.Contains(text, "C: QUIT\nS: +OK") {
			t.Errorf("%s: %s", name, text)
		}
	}
}
