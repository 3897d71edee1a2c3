package submit

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"mailflume/cmd/internal/submit/submittest"
	"mailflume/ingest"
)

// tokens hands out the given ones, one after the other as they are refused.
type tokens []string

func (k tokens) Token(_ context.Context, refused string) (ingest.Token, error) {
	at := slices.Index(k, refused) + 1
	return ingest.Token{Value: k[min(at, len(k)-1)]}, nil
}

func start(t *testing.T, o submittest.Options) *submittest.Server {
	t.Helper()
	s, err := submittest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func options(s *submittest.Server, security ingest.Security, k ...string) Options {
	return Options{
		Endpoint: ingest.Endpoint{Addr: s.Addr(), Security: security, TLS: &tls.Config{RootCAs: s.Pool(), MinVersion: tls.VersionTLS12}},
		Login:    ingest.Login{User: "box@example.com", Mechanism: ingest.XOAUTH2, Tokens: tokens(k)},
	}
}

const box = "box@example.com"

var probe = []byte("Subject: probe\r\n\r\n.\r\nbody\r\n")

func only(good string) func(string, string) error {
	return func(_, secret string) error {
		if secret != good {
			return errors.New("refused")
		}
		return nil
	}
}

func TestAMessageIsSubmittedOverBothWaysToTLS(t *testing.T) {
	for name, implicit := range map[string]bool{"STARTTLS": false, "implicit TLS": true} {
		t.Run(name, func(t *testing.T) {
			var got []submittest.Message
			s := start(t, submittest.Options{Implicit: implicit, Verify: only("T1"), Deliver: func(m submittest.Message) { got = append(got, m) }})
			security := ingest.StartTLS
			if implicit {
				security = ingest.ImplicitTLS
			}
			legs, err := Send(t.Context(), options(s, security, "T1"), box, box, probe)
			if err != nil || legs.Connect <= 0 || legs.Submit <= 0 {
				t.Fatalf("%+v, %v", legs, err)
			}
			if len(got) != 1 || got[0].User != box || got[0].From != box || got[0].To != box || string(got[0].Octets) != string(probe) {
				t.Errorf("delivered %+v", got)
			}
		})
	}
}

func TestTheTokenHasALineOfItsOwnAndEHLOComesAgainAfterSTARTTLS(t *testing.T) {
	s := start(t, submittest.Options{})
	long := strings.Repeat("t", 1500) // as long as tokens of Exchange Online are
	if _, err := Send(t.Context(), options(s, ingest.StartTLS, long), box, box, probe); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"EHLO ", "STARTTLS", "EHLO ", "AUTH XOAUTH2",
		base64.StdEncoding.EncodeToString([]byte("user=" + box + "\x01auth=Bearer " + long + "\x01\x01")),
		"MAIL FROM:<" + box + ">", "RCPT TO:<" + box + ">", "DATA", "QUIT",
	}
	got := s.Lines()
	if len(got) != len(want) {
		t.Fatalf("%q", got)
	}
	for i, line := range got {
		if !strings.HasPrefix(line, want[i]) || i == 3 && line != want[i] {
			t.Errorf("line %d is %q, want %q", i, line, want[i])
		}
	}
}

func TestARefusedTokenIsAnsweredWithAnEmptyLineAndRenewedOnce(t *testing.T) {
	s := start(t, submittest.Options{Verify: only("T2")})
	if _, err := Send(t.Context(), options(s, ingest.StartTLS, "T1", "T2", "T3"), box, box, probe); err != nil {
		t.Fatal(err)
	}
	auth := 0
	for i, line := range s.Lines() {
		if line == "AUTH XOAUTH2" {
			if auth++; auth == 1 && s.Lines()[i+2] != "" {
				t.Errorf("the JSON was answered with %q", s.Lines()[i+2])
			}
		}
	}
	if auth != 2 {
		t.Errorf("%d sign-ins", auth)
	}
	s = start(t, submittest.Options{Verify: only("none")})
	_, err := Send(t.Context(), options(s, ingest.StartTLS, "T1", "T2", "T3"), box, box, probe)
	if n := strings.Count(strings.Join(s.Lines(), "\n"), "AUTH XOAUTH2"); n != 2 || ingest.FaultOf(err).Code != ingest.CodeSubmitRefused {
		t.Errorf("%d sign-ins with tokens that are all refused, %v", n, err)
	}
	if !strings.Contains(err.Error(), `\"status\":\"401\"`) {
		t.Errorf("the server's reason is lost: %v", err)
	}
}

func TestWhatAServerAnswersIsClassifiedByItsCodes(t *testing.T) {
	for name, tc := range map[string]struct {
		verb, reply string
		class       ingest.Class
		code        ingest.Code
	}{
		"row 68: a refused token":                {"TOKEN", "535 5.7.3 x", ingest.Auth, ingest.CodeSubmitRefused},
		"row 68: SMTP AUTH is switched off":      {"TOKEN", "535 5.7.139 x", ingest.Auth, ingest.CodeSubmitOff},
		"Dovecot's words for a refused token":    {"TOKEN", "535 5.7.8 x", ingest.Auth, ingest.CodeSubmitRefused},
		"the identity provider is away":          {"TOKEN", "454 4.7.0 x", ingest.Transient, ingest.CodeAuthTemporary},
		"a line that is too long, Gmail":         {"TOKEN", "555 5.5.2 x", ingest.Auth, ingest.CodeTokenTooLong},
		"a line that is too long, Dovecot":       {"TOKEN", "500 5.5.2 x", ingest.Auth, ingest.CodeTokenTooLong},
		"another mechanism is wanted":            {"AUTH", "504 5.7.4 x", ingest.Config, ingest.CodeMechanism},
		"an account that is disabled":            {"TOKEN", "525 5.7.13 x", ingest.Auth, ingest.CodeAccount},
		"Gmail wants to see the owner":           {"TOKEN", "534 5.7.14 x", ingest.Auth, ingest.CodeAlert},
		"relaying is not permitted":              {"RCPT", "550 5.7.54 x", ingest.Config, ingest.CodeSubmitRejected},
		"too many sessions":                      {"MAIL", "432 4.3.2 x", ingest.Transient, ingest.CodeSubmitBusy},
		"not signed in after all":                {"MAIL", "530 5.7.57 x", ingest.Auth, ingest.CodeSubmitRefused},
		"another sender":                         {"MAIL", "550 5.7.60 x", ingest.Config, ingest.CodeSendAs},
		"another sender, told after the message": {"END", "554 5.2.252 x", ingest.Config, ingest.CodeSendAs},
		"a recipient that is unknown":            {"RCPT", "550 5.1.1 x", ingest.Config, ingest.CodeSubmitRejected},
		"a server that goes away":                {"DATA", "drop", ingest.Transient, ingest.CodeConnLost},
		"a server that goes away on the token":   {"TOKEN", "drop", ingest.Transient, ingest.CodeConnLost},
		"no SMTP":                                {"EHLO", "hello there", ingest.Config, ingest.CodeProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, submittest.Options{})
			s.Answer(tc.verb, tc.reply)
			_, err := Send(t.Context(), options(s, ingest.StartTLS, "T1"), box, box, probe)
			if f := ingest.FaultOf(err); f.Class != tc.class || f.Code != tc.code {
				t.Errorf("%v is %+v", err, f)
			}
			if code, _, _ := strings.Cut(tc.reply, " x"); code != tc.reply && !strings.Contains(err.Error(), "server says "+code) {
				t.Errorf("%v does not say %s", err, code)
			}
			if err != nil && strings.Contains(err.Error(), "T1") {
				t.Errorf("the token is in %v", err)
			}
		})
	}
}

func TestTheMechanismIsTheConfiguredOneOrWhatTheServerOffers(t *testing.T) {
	for name, tc := range map[string]struct {
		offered []string
		wanted  ingest.Mechanism
		used    string
	}{
		"both":             {[]string{"OAUTHBEARER", "XOAUTH2"}, ingest.Bearer, "XOAUTH2"},
		"one":              {[]string{"OAUTHBEARER"}, ingest.Bearer, "OAUTHBEARER"},
		"both, configured": {[]string{"OAUTHBEARER", "XOAUTH2"}, ingest.OAUTHBEARER, "OAUTHBEARER"},
		"a password":       {[]string{"LOGIN", "PLAIN"}, ingest.Password, "PLAIN"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, submittest.Options{Mechanisms: tc.offered, Verify: only("good")})
			o := options(s, ingest.StartTLS, "good")
			o.Login.Mechanism = tc.wanted
			if _, err := Send(t.Context(), o, box, box, probe); err != nil || s.Lines()[3] != "AUTH "+tc.used {
				t.Errorf("%v, said %q", err, s.Lines())
			}
			o.Login.Tokens = tokens{"bad"}
			if _, err := Send(t.Context(), o, box, box, probe); ingest.FaultOf(err).Code != ingest.CodeSubmitRefused {
				t.Errorf("a bad one: %v", err)
			}
		})
	}
}

func TestNothingIsSaidInClear(t *testing.T) {
	s := start(t, submittest.Options{})
	s.Without("STARTTLS")
	_, err := Send(t.Context(), options(s, ingest.StartTLS, "T1"), box, box, probe)
	if ingest.FaultOf(err).Code != ingest.CodeNoSTARTTLS || len(s.Lines()) != 1 {
		t.Errorf("%v, said %q", err, s.Lines())
	}
	s = start(t, submittest.Options{})
	o := options(s, ingest.StartTLS, "T1")
	o.Endpoint.TLS = nil // the system does not know the authority
	_, err = Send(t.Context(), o, box, box, probe)
	if ingest.FaultOf(err).Code != ingest.CodeCertUnknownCA {
		t.Errorf("%v", err)
	}
	s = start(t, submittest.Options{Mechanisms: []string{"PLAIN", "LOGIN"}})
	_, err = Send(t.Context(), options(s, ingest.StartTLS, "T1"), box, box, probe)
	if ingest.FaultOf(err).Code != ingest.CodeMechanism || !strings.Contains(err.Error(), "PLAIN LOGIN") {
		t.Errorf("%v", err)
	}
}

func TestASilentServerIsLeftWhenTheContextEnds(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = Send(ctx, Options{
		Endpoint: ingest.Endpoint{Addr: ln.Addr().String(), Security: ingest.StartTLS},
		Login:    ingest.Login{User: box, Mechanism: ingest.XOAUTH2, Tokens: tokens{"T1"}},
	}, box, box, probe)
	if ingest.FaultOf(err).Code != ingest.CodeTimeout {
		t.Errorf("%v", err)
	}
}
