package pop3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestGreetKeepsARefusalAsData(t *testing.T) {
	for _, row := range []struct{ line, code, text string }{
		{"-ERR [IN-USE] try later", "IN-USE", "try later"},
		{"-ERR [sys/temp] no disk", "SYS/TEMP", "no disk"},
		{"-ERR", "", ""},
		{"-ERR go away", "", "go away"},
		{"-ERR [host.example.org] busy", "", "[host.example.org] busy"},
		{"-ERR [] x", "", "[] x"},
		{"-err [LOGIN-DELAY] slower", "LOGIN-DELAY", "slower"},
	} {
		c := dialogue(t, nil, "S: "+row.line)
		var e *Error
		if err := c.Greet(t.Context()); !errors.As(err, &e) {
			t.Fatalf("%s: error is %v", row.line, err)
		}
		if e.Code != row.code || e.Text != row.text || e.Command != "greeting" || e.Line != row.line {
			t.Errorf("%s: got %+v", row.line, e)
		}
	}
}

func TestAnAnswerThatIsNotPOP3EndsTheConnection(t *testing.T) {
	for _, line := range []string{"* OK IMAP4rev1 ready", "", "+OKAY", "-ERROR", "HTTP/1.1 400 Bad Request", "+", "\x16\x03\x01"} {
		c := dialogue(t, nil, "S: "+line)
		if err := c.Greet(t.Context()); !errors.Is(err, ErrSyntax) {
			t.Errorf("%q: error is %v, want ErrSyntax", line, err)
		}
		if err := c.Noop(t.Context()); !errors.Is(err, ErrSyntax) {
			t.Errorf("%q: the next command gave %v, want the same error", line, err)
		}
	}
}

func TestALineWithoutEndIsRefused(t *testing.T) {
	c := dialogue(t, nil, "S: +OK "+strings.Repeat("x", bufferSize))
	if err := c.Greet(t.Context()); !errors.Is(err, ErrLimit) {
		t.Fatalf("error is %v, want ErrLimit", err)
	}
}

func TestCapaIsTypedAndAskedAgainAfterSignIn(t *testing.T) {
	c := greeted(t, "C: CAPA", "S: +OK\r\nTOP\r\nUIDL\r\nsasl PLAIN xoauth2\r\nEXPIRE 0 USER\r\nLOGIN-DELAY 300\r\nSTLS\r\nX-OTHER 1\r\n.",
		"C: USER ann", "S: +OK", "C: PASS pw", "S: +OK", "C: CAPA", "S: +OK\r\nPIPELINING\r\nEXPIRE NEVER\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nUSER\r\n.")
	before, err := c.Capa(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !before.TOP || !before.UIDL || !before.STLS || before.Pipelining || !before.Has("XOAUTH2") || !before.Expire.AtQuit() ||
		before.LoginDelay != 5*time.Minute || len(before.Lines) != 7 {
		t.Errorf("before the sign-in: %+v", before)
	}
	if again, err := c.Capa(t.Context()); err != nil || !reflect.DeepEqual(again, before) {
		t.Errorf("asked again without need: %+v, %v", again, err)
	}
	if err := c.AuthUserPass(t.Context(), "ann", "pw"); err != nil {
		t.Fatal(err)
	}
	after, err := c.Capa(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !after.Pipelining || !after.RespCodes || !after.AuthRespCode || !after.User || after.TOP || after.Expire.AtQuit() || !after.Expire.Never {
		t.Errorf("after the sign-in: %+v", after)
	}
}

func TestCapaOfAServerWithoutCAPAIsARefusalOnce(t *testing.T) {
	c := greeted(t, "C: CAPA", "S: -ERR unknown command")
	var e *Error
	if _, err := c.Capa(t.Context()); !errors.As(err, &e) {
		t.Fatalf("error is %v", err)
	}
	if caps, err := c.Capa(t.Context()); err != nil || len(caps.Lines) != 0 {
		t.Fatalf("the second time: %+v, %v", caps, err)
	}
}

func TestListsAreValidated(t *testing.T) {
	for _, row := range []struct {
		name, command, answer string
		want                  any
		err                   error
	}{
		{"LIST in any order", "LIST", "2 20\r\n1 10 extra", []Listing{{2, 20}, {1, 10}}, nil},
		{"sizes are hints", "LIST", "1 -5\r\n2 99999999999999999999\r\n3", []Listing{{1, -1}, {2, -1}, {3, -1}}, nil},
		{"LIST with number 0", "LIST", "0 10", nil, ErrSyntax},
		{"LIST with a huge number", "LIST", "10000001 10", nil, ErrSyntax},
		{"LIST without numbers", "LIST", "message one", nil, ErrSyntax},
		{"LIST with a negative number", "LIST", "-1 10", nil, ErrSyntax},
		{"UIDL", "UIDL", "1 abc\r\n2  x y \r\n3 \xff\x01", []UniqueID{{1, "abc"}, {2, "x y"}, {3, "\xff\x01"}}, nil},
		{"a UIDL of a kibibyte", "UIDL", "1 " + strings.Repeat("u", 1024), []UniqueID{{1, strings.Repeat("u", 1024)}}, nil},
		{"a UIDL above a kibibyte", "UIDL", "1 " + strings.Repeat("u", 1025), nil, ErrLimit},
		{"UIDL without an id", "UIDL", "1", nil, ErrSyntax},
		{"a line that begins with a stuffed dot", "UIDL", "..1 x", nil, ErrSyntax},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := signedIn(t, "C: "+row.command, "S: +OK\r\n"+row.answer+"\r\n.")
			var got any
			var err error
			if row.command == "LIST" {
				got, err = c.List(t.Context())
			} else {
				got, err = c.UIDL(t.Context())
			}
			if !errors.Is(err, row.err) {
				t.Fatalf("error is %v, want %v", err, row.err)
			}
			if row.err == nil && !reflect.DeepEqual(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

func TestStatReadsItsNumbers(t *testing.T) {
	c := signedIn(t, "C: STAT", "S: +OK 3 4711", "C: STAT", "S: +OK three")
	if n, octets, err := c.Stat(t.Context()); n != 3 || octets != 4711 || err != nil {
		t.Errorf("got %d, %d, %v", n, octets, err)
	}
	if _, _, err := c.Stat(t.Context()); !errors.Is(err, ErrSyntax) {
		t.Errorf("error is %v, want ErrSyntax", err)
	}
}

func TestAListThatIsCutIsAnError(t *testing.T) {
	c := signedIn(t, "C: UIDL", "S: +OK\r\n1 a\r\n2 b")
	if list, err := c.UIDL(t.Context()); !errors.Is(err, io.ErrUnexpectedEOF) || list != nil {
		t.Fatalf("got %v, %v, want io.ErrUnexpectedEOF", list, err)
	}
}

func TestRetrStreamsAndTheNextCommandReadsTheRest(t *testing.T) {
	c := signedIn(t, "C: RETR 1", "S: +OK\r\nSubject: a\r\n\r\nbody\r\n.", "C: NOOP", "S: +OK", "C: RETR 2", "S: -ERR no such message", "C: TOP 1 3", "S: +OK\r\nhead\r\n.", "C: QUIT", "S: +OK")
	b, err := c.Retr(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(b, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	if err := c.Noop(t.Context()); err != nil {
		t.Fatalf("NOOP behind half a message: %v", err)
	}
	if _, err := b.Read(make([]byte, 1)); !errors.Is(err, ErrState) {
		t.Errorf("reading on gave %v, want ErrState: the message is not whole for its reader", err)
	}
	var e *Error
	if _, err := c.Retr(t.Context(), 2); !errors.As(err, &e) || e.Command != "RETR" {
		t.Errorf("refused message: %v", err)
	}
	if b, err = c.Top(t.Context(), 1, 3); err != nil {
		t.Fatal(err)
	}
	if head, err := io.ReadAll(b); string(head) != "head\r\n" || err != nil {
		t.Errorf("TOP gave %q, %v", head, err)
	}
	if err := c.Quit(t.Context()); err != nil {
		t.Error(err)
	}
	if err := c.Noop(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("NOOP after QUIT: %v, want ErrClosed", err)
	}
}

func TestCommandsAreKeptToTheirStates(t *testing.T) {
	c := greeted(t, "-")
	for name, call := range map[string]func() error{
		"greet": func() error { return c.Greet(t.Context()) },
		"noop":  func() error { return c.Noop(t.Context()) },
		"list":  func() error { _, err := c.List(t.Context()); return err },
		"retr":  func() error { _, err := c.Retr(t.Context(), 1); return err },
		"each": func() error {
			for _, err := range c.RetrEach(t.Context(), []Listing{{Number: 1}}, Window{}) {
				return err
			}
			return nil
		},
	} {
		if err := call(); !errors.Is(err, ErrState) {
			t.Errorf("%s before the sign-in: %v, want ErrState", name, err)
		}
	}
	if _, err := c.Retr(t.Context(), 0); !errors.Is(err, ErrArgument) {
		t.Errorf("RETR 0: %v, want ErrArgument", err)
	}
}

func TestASilentServerEndsWithTheRollingDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dialogue(t, &Options{Timeout: 30 * time.Second}, "S: +OK", "C: USER a", "-")
		if err := c.Greet(t.Context()); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		err := c.AuthUserPass(t.Context(), "a", "b")
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 30*time.Second {
			t.Fatalf("after %s: %v", time.Since(start), err)
		}
	})
}

func TestAContextThatEndsClosesTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dialogue(t, nil, "S: +OK", "C: USER a", "-")
		if err := c.Greet(t.Context()); err != nil {
			t.Fatal(err)
		}
		reason := errors.New("drained")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(5*time.Second, func() { cancel(reason) })
		start := time.Now()
		if err := c.AuthUserPass(ctx, "a", "b"); !errors.Is(err, reason) || time.Since(start) != 5*time.Second {
			t.Fatalf("after %s: %v", time.Since(start), err)
		}
		if err := c.Noop(t.Context()); !errors.Is(err, reason) {
			t.Fatalf("later: %v, want the same error", err)
		}
	})
}

func TestAContextThatEndsStopsABody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := signedIn(t, "C: RETR 1", "S: +OK\r\nhalf", "-")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		b, err := c.Retr(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(b); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error is %v, want context.DeadlineExceeded", err)
		}
	})
}

func TestAServerThatTricklesIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := []string{"S: +OK", "C: USER a", "S: +OK", "C: PASS b", "S: +OK", "C: RETR 1", "S: +OK"}
		c := trickle(t, script, 50*time.Second)
		ctx := t.Context()
		if err := errors.Join(c.Greet(ctx), c.AuthUserPass(ctx, "a", "b")); err != nil {
			t.Fatal(err)
		}
		b, err := c.Retr(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err = io.ReadAll(b); !errors.Is(err, ErrTooSlow) || time.Since(start) > 5*time.Minute {
			t.Fatalf("after %s: %v, want ErrTooSlow", time.Since(start), err)
		}
	})
}

func TestAnErrorNeverShowsControlCharacters(t *testing.T) {
	e := refusal("RETR", []byte("-ERR \x1b[31mred\x07"+strings.Repeat("y", 2000)))
	if s := e.Error(); strings.ContainsAny(s, "\x1b\x07\n") || len(s) > 700 {
		t.Errorf("error is %q", s)
	}
	if s := fmt.Sprint(syntaxError([]byte("\x1b[2J"))); strings.Contains(s, "\x1b") {
		t.Errorf("error is %q", s)
	}
}
