package pop3

import (
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

const (
	user  = "ann@example.org"
	token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.c2VjcmV0LWJvZHk.c2ln"
)

func xoauth2() string {
	return base64.StdEncoding.EncodeToString([]byte("user=" + user + "\x01auth=Bearer " + token + "\x01\x01"))
}

func TestXOAUTH2TakesTwoSteps(t *testing.T) {
	for _, prompt := range []string{"+ ", "+", "+ ignored"} {
		c := greeted(t, "C: AUTH XOAUTH2", "S: "+prompt, "C: "+xoauth2(), "S: +OK signed in", "C: NOOP", "S: +OK")
		if err := c.AuthXOAUTH2(t.Context(), user, token); err != nil {
			t.Fatalf("prompt %q: %v", prompt, err)
		}
		if err := c.Noop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestXOAUTH2GoesOnOneLineOnlyIfTheBareCommandIsRefused(t *testing.T) {
	c := greeted(t, "C: AUTH XOAUTH2", "S: -ERR argument missing", "C: AUTH XOAUTH2 "+xoauth2(), "S: +OK")
	if err := c.AuthXOAUTH2(t.Context(), user, token); err != nil {
		t.Fatal(err)
	}
}

func TestAServerThatListsOtherMechanismsNeverSeesTheToken(t *testing.T) {
	c := greeted(t, "C: CAPA", "S: +OK\r\nSASL PLAIN\r\n.", "C: AUTH XOAUTH2", "S: -ERR unknown mechanism", "C: QUIT", "S: +OK")
	if _, err := c.Capa(t.Context()); err != nil {
		t.Fatal(err)
	}
	var e *Error
	if err := c.AuthXOAUTH2(t.Context(), user, token); !errors.As(err, &e) || !e.Bare {
		t.Fatalf("error is %v, want a refusal of the bare command", err)
	}
	if err := c.Quit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAReasonIsNotAnsweredWithTheTokenOnOneLine(t *testing.T) {
	c := greeted(t, "C: AUTH XOAUTH2", "S: -ERR [SYS/TEMP] later", "-")
	var e *Error
	if err := c.AuthXOAUTH2(t.Context(), user, token); !errors.As(err, &e) || e.Code != "SYS/TEMP" {
		t.Fatalf("error is %v", err)
	}
}

func TestAServerThatAsksToWaitIsNotAnsweredWithTheTokenOnOneLine(t *testing.T) {
	for asked, want := range map[string]time.Duration{
		"89117 milliseconds.": 89117 * time.Millisecond, "3 Seconds": 3 * time.Second, "7": 7 * time.Millisecond,
		"999999999999999999999999 milliseconds": 24 * time.Hour,
	} {
		c := greeted(t, "C: AUTH XOAUTH2", "S: -ERR Request is throttled. Suggested Backoff Time: "+asked, "-")
		var e *Error
		if err := c.AuthXOAUTH2(t.Context(), user, token); !errors.As(err, &e) || e.Backoff != want {
			t.Errorf("%s: %v, %v", asked, e.Backoff, err)
		}
	}
}

func TestARefusedTokenKeepsItsChallengeAndTheConnection(t *testing.T) {
	challenge := `{"status":"401","schemes":"bearer","scope":"mail"}`
	c := greeted(t, "C: AUTH XOAUTH2", "S: + ", "C: "+xoauth2(), "S: + "+base64.StdEncoding.EncodeToString([]byte(challenge)),
		"C: ", "S: -ERR [AUTH] Authentication failed.", "C: AUTH XOAUTH2", "S: + ", "C: "+xoauth2(), "S: +OK")
	var e *Error
	if err := c.AuthXOAUTH2(t.Context(), user, token); !errors.As(err, &e) {
		t.Fatalf("error is %v", err)
	}
	if string(e.Challenge) != challenge || e.Code != "AUTH" || e.Bare {
		t.Errorf("got %+v", e)
	}
	if err := c.AuthXOAUTH2(t.Context(), user, token); err != nil {
		t.Fatalf("a good token on the same connection: %v", err)
	}
}

func TestAServerThatGivesItsReasonAndHangsUpHasRefused(t *testing.T) {
	c := greeted(t, "C: AUTH XOAUTH2", "S: + ", "C: "+xoauth2(), "S: + "+base64.StdEncoding.EncodeToString([]byte(`{"status":"401"}`)), "C: ")
	var e *Error
	if err := c.AuthXOAUTH2(t.Context(), user, token); !errors.As(err, &e) || string(e.Challenge) != `{"status":"401"}` || !strings.Contains(err.Error(), "hung up") {
		t.Fatalf("error is %v", err)
	}
}

func TestOAUTHBEARERIsEscapedAndAnswersItsChallenge(t *testing.T) {
	want := base64.StdEncoding.EncodeToString([]byte("n,a=a=2Cb=3Dc@d,\x01host=h\x01port=995\x01auth=Bearer " + token + "\x01\x01"))
	c := greeted(t, "C: AUTH OAUTHBEARER", "S: + ", "C: "+want, "S: + "+base64.StdEncoding.EncodeToString([]byte(`{"status":"invalid_token"}`)),
		"C: AQ==", "S: -ERR [AUTH] no")
	var e *Error
	if err := c.AuthOAuthBearer(t.Context(), "a,b=c@d", "h", 995, token); !errors.As(err, &e) || !strings.Contains(e.Error(), "invalid_token") {
		t.Fatalf("error is %v", err)
	}
}

func TestAConnectionThatEndsOnTheTokenIsToldApart(t *testing.T) {
	c := greeted(t, "C: AUTH XOAUTH2", "S: + ", "C: "+xoauth2())
	if err := c.AuthXOAUTH2(t.Context(), user, token); !errors.Is(err, ErrAuthLost) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("error is %v, want ErrAuthLost", err)
	}
	c = greeted(t, "C: AUTH XOAUTH2")
	if err := c.AuthXOAUTH2(t.Context(), user, token); errors.Is(err, ErrAuthLost) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("before the token: error is %v, want only io.ErrUnexpectedEOF", err)
	}
}

func TestChallengesWithoutEndAreRefused(t *testing.T) {
	c := greeted(t, "C: AUTH XOAUTH2", "S: + ", "C: "+xoauth2(), "S: + e30=", "C: ", "S: + e30=", "C: ", "S: + e30=", "C: ", "S: + e30=", "C: ", "-")
	if err := c.AuthXOAUTH2(t.Context(), user, token); !errors.Is(err, ErrSyntax) {
		t.Fatalf("error is %v, want ErrSyntax", err)
	}
}

func TestCredentialsThatWouldSmuggleACommandAreNotSent(t *testing.T) {
	for _, bad := range []string{"a\r\nDELE 1", "a\nb", "a\rb", "a\x00b", "a\x01b", ""} {
		c := greeted(t, "-")
		for name, err := range map[string]error{
			"user":     c.AuthUserPass(t.Context(), bad, "x"),
			"password": c.AuthUserPass(t.Context(), "x", bad),
			"token":    c.AuthXOAUTH2(t.Context(), "x", bad),
			"bearer":   c.AuthOAuthBearer(t.Context(), bad, "h", 1, "x"),
		} {
			if !errors.Is(err, ErrArgument) {
				t.Errorf("%s %q: error is %v, want ErrArgument", name, bad, err)
			}
		}
	}
}

func TestNothingIsSentInClear(t *testing.T) {
	c := greeted(t, "-")
	c.opt.AllowPlaintext = false
	for _, err := range []error{c.AuthUserPass(t.Context(), "a", "b"), c.AuthXOAUTH2(t.Context(), "a", "b"), c.AuthOAuthBearer(t.Context(), "a", "", 0, "b")} {
		if !errors.Is(err, ErrInsecure) {
			t.Errorf("error is %v, want ErrInsecure", err)
		}
	}
}
