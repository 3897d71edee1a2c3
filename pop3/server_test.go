package pop3

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"mailflume/pop3/pop3test"
)

// serve starts a server with n messages for ann and returns a signed-in client of it.
func serve(t *testing.T, opt pop3test.Options, n int) (*pop3test.Server, *Client) {
	t.Helper()
	srv, err := pop3test.Start(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	for i := range n {
		srv.Add("ann", message(i+1))
	}
	c := dial(t, srv)
	if err := errors.Join(c.Greet(t.Context()), c.AuthXOAUTH2(t.Context(), "ann", "tok")); err != nil {
		t.Fatal(err)
	}
	return srv, c
}

func dial(t *testing.T, srv *pop3test.Server) *Client {
	t.Helper()
	conn, err := tls.Dial("tcp", srv.Addr(), srv.ClientTLS())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return New(conn, nil)
}

func message(n int) []byte {
	return fmt.Appendf(nil, "Subject: %d\r\n\r\n.dot\r\n..\r\nbare\nlf %s\r\n", n, strings.Repeat("x", n%977))
}

func TestRetrEachReadsEveryMessageExactly(t *testing.T) {
	for name, opt := range map[string]pop3test.Options{"pipelined": {}, "one by one": {NoPipelining: true}, "without CAPA": {NoCAPA: true, NoPipelining: true}} {
		t.Run(name, func(t *testing.T) {
			_, c := serve(t, opt, 300)
			list, err := c.List(t.Context())
			if err != nil || len(list) != 300 {
				t.Fatalf("%d messages, %v", len(list), err)
			}
			n := 0
			for b, err := range c.RetrEach(t.Context(), list, Window{Count: 7, Bytes: 4000}) {
				if n++; err != nil || b.Number != n {
					t.Fatalf("message %d: %+v, %v", n, b, err)
				}
				if n%3 == 0 {
					continue // unread: the loop reads it
				}
				if got, err := io.ReadAll(b); err != nil || !bytes.Equal(got, message(n)) {
					t.Fatalf("message %d is %q, %v", n, got, err)
				}
			}
			if err := c.Quit(t.Context()); n != 300 || err != nil {
				t.Errorf("%d messages, QUIT %v", n, err)
			}
		})
	}
}

func TestRetrEachGoesOnAfterARefusal(t *testing.T) {
	hook := pop3test.Hooks{Retr: func(_ string, n int, _ string) pop3test.Fault {
		if n == 2 {
			return pop3test.Fault{Refuse: "-ERR cannot be rendered"}
		}
		return pop3test.Fault{}
	}}
	_, c := serve(t, pop3test.Options{Hooks: hook}, 3)
	var got []string
	for b, err := range c.RetrEach(t.Context(), []Listing{{1, 10}, {2, 10}, {3, 10}}, Window{}) {
		var e *Error
		got = append(got, fmt.Sprint(b.Number, errors.As(err, &e)))
	}
	if s := strings.Join(got, ","); s != "1 false,2 true,3 false" {
		t.Errorf("got %s", s)
	}
	if err := c.Noop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLeavingALoopKeepsTheConnectionOnlyIfNothingIsOnItsWay(t *testing.T) {
	list := []Listing{{1, 10}, {2, 10}, {3, 10}}
	_, c := serve(t, pop3test.Options{}, 3)
	for b, err := range c.RetrEach(t.Context(), list, Window{}) {
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, b)
		break
	}
	if err := c.Noop(t.Context()); !errors.Is(err, ErrAbandoned) {
		t.Errorf("with answers on their way: %v, want ErrAbandoned", err)
	}
	_, c = serve(t, pop3test.Options{NoPipelining: true}, 3)
	for b, err := range c.RetrEach(t.Context(), list, Window{}) {
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, b)
		break
	}
	if err := c.Noop(t.Context()); err != nil {
		t.Errorf("with a whole message and nothing behind it: %v", err)
	}
	for _, err := range c.RetrEach(t.Context(), list, Window{}) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if err := c.Noop(t.Context()); !errors.Is(err, ErrAbandoned) {
		t.Errorf("with an unread message: %v, want ErrAbandoned", err)
	}
}

func TestNoOtherCommandRunsInsideALoop(t *testing.T) {
	_, c := serve(t, pop3test.Options{}, 2)
	for _, err := range c.RetrEach(t.Context(), []Listing{{1, 1}, {2, 1}}, Window{}) {
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Noop(t.Context()); !errors.Is(err, ErrState) {
			t.Fatalf("error is %v, want ErrState", err)
		}
	}
}

func TestAContextThatEndsStopsALoop(t *testing.T) {
	hook := pop3test.Hooks{Line: func(_, line string) (string, bool) { return "", line == "RETR 2" }}
	_, c := serve(t, pop3test.Options{Hooks: hook}, 2)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for b, err := range c.RetrEach(ctx, []Listing{{1, 1}, {2, 1}}, Window{}) {
		if n++; n == 2 {
			if b != nil || !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, %v, want context.Canceled", b, err)
			}
			continue
		}
		_, _ = io.Copy(io.Discard, b)
		cancel()
	}
	if n != 2 {
		t.Errorf("%d turns, want 2", n)
	}
}

func TestALargeMessageTravelsAlone(t *testing.T) {
	p := &pipeline{verb: "RETR", want: []Listing{{1, 10}, {2, 5000}, {3, 10}, {4, 10}}, win: Window{Count: 8, Bytes: 1000}}
	c := bodyOf(nil, 1).c
	sent := []int{}
	for ; p.at < len(p.want); p.advance() {
		if err := c.write(p); err != nil {
			t.Fatal(err)
		}
		sent = append(sent, p.sent)
	}
	if fmt.Sprint(sent) != "[1 2 4 4]" {
		t.Errorf("commands sent at each turn: %v, want [1 2 4 4]", sent)
	}
}

func TestDeletionHappensAtQuitOnly(t *testing.T) {
	srv, c := serve(t, pop3test.Options{}, 5)
	for n, err := range c.DeleEach(t.Context(), []int{1, 2, 9}) {
		if (err != nil) != (n == 9) {
			t.Errorf("DELE %d: %v", n, err)
		}
	}
	if srv.Messages("ann") != 5 {
		t.Error("deleted before QUIT")
	}
	if err := c.Rset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Dele(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	if n, _, err := c.Stat(t.Context()); n != 4 || err != nil {
		t.Errorf("STAT %d, %v", n, err)
	}
	if err := c.Quit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if srv.Messages("ann") != 4 || srv.Deleted("ann") != 1 {
		t.Errorf("%d left, %d deleted", srv.Messages("ann"), srv.Deleted("ann"))
	}
}

func TestTheMaildropIsLockedWhileASessionHasIt(t *testing.T) {
	srv, first := serve(t, pop3test.Options{}, 1)
	second := dial(t, srv)
	var e *Error
	if err := errors.Join(second.Greet(t.Context()), second.AuthXOAUTH2(t.Context(), "ann", "t")); !errors.As(err, &e) || e.Code != "IN-USE" {
		t.Fatalf("error is %v, want IN-USE", err)
	}
	if err := first.Quit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := second.AuthUserPass(t.Context(), "ann", "p"); err != nil {
		t.Fatal(err)
	}
}

func TestTLSAfterSTLSForgetsWhatWasSaidBefore(t *testing.T) {
	srv, err := pop3test.Start(pop3test.Options{Security: pop3test.STLS})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = srv.Close() }()
	conn, err := net.Dial("tcp", srv.Addr())
	if err != nil {
		t.Fatal(err)
	}
	c := New(conn, nil)
	defer func() { _ = c.Close() }()
	ctx := t.Context()
	if err := c.Greet(ctx); err != nil {
		t.Fatal(err)
	}
	if caps, err := c.Capa(ctx); err != nil || !caps.STLS || len(caps.SASL) > 0 {
		t.Fatalf("before: %+v, %v", caps, err)
	}
	if err := c.StartTLS(ctx, srv.ClientTLS()); err != nil {
		t.Fatal(err)
	}
	if caps, err := c.Capa(ctx); err != nil || caps.STLS || !caps.Has("xoauth2") {
		t.Fatalf("after: %+v, %v", caps, err)
	}
	if err := errors.Join(c.AuthXOAUTH2(ctx, "ann", "t"), c.Quit(ctx)); err != nil {
		t.Fatal(err)
	}
}

func TestPlaintextBehindTheAnswerToSTLSIsAnAttack(t *testing.T) {
	client, server := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = server.Close() }()
		_, _ = server.Write([]byte("+OK\r\n"))
		_, _ = bufio.NewReader(server).ReadString('\n')
		_, _ = server.Write([]byte("+OK go on\r\n+OK injected\r\n"))
	}()
	defer func() { _ = client.Close(); <-done }()
	c := New(client, nil)
	if err := c.Greet(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.StartTLS(t.Context(), &tls.Config{ServerName: "x"}); !errors.Is(err, ErrInjection) {
		t.Fatalf("error is %v, want ErrInjection", err)
	}
	if err := c.AuthXOAUTH2(t.Context(), "a", "b"); err == nil {
		t.Fatal("signed in after the attack")
	}
}

func TestAnAnswerBeforeSTLSIsSentIsAnAttack(t *testing.T) {
	c := dialogue(t, nil, "S: +OK\r\n+OK already", "-")
	if err := c.Greet(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.StartTLS(t.Context(), &tls.Config{ServerName: "x"}); !errors.Is(err, ErrInjection) {
		t.Fatalf("error is %v, want ErrInjection", err)
	}
}

// FuzzClient lets a server say anything to a whole session: no panic, no endless loop, and no
// complete message without its terminator.
func FuzzClient(f *testing.F) {
	f.Add([]byte("+OK\r\n+OK\r\nPIPELINING\r\nSASL X\r\n.\r\n+ \r\n+OK\r\n+OK\r\n1 2\r\n.\r\n+OK\r\n1 a\r\n.\r\n+OK\r\nx\r\n.\r\n+OK\r\n"), uint8(1))
	f.Add([]byte("+OK\r\n-ERR\r\n-ERR [AUTH] x\r\n-ERR\r\n"), uint8(9))
	f.Add([]byte("+OK\r\n+OK\r\n.\r\n+ e30=\r\n+ e30=\r\n-ERR\r\n"), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, step uint8) {
		c := New(&feed{data: data, step: int(step) + 1}, &Options{AllowPlaintext: true})
		ctx := t.Context()
		if c.Greet(ctx) != nil {
			return
		}
		_, _ = c.Capa(ctx)
		if c.AuthXOAUTH2(ctx, "a", "b") != nil {
			return
		}
		_, _ = c.UIDL(ctx)
		list, _ := c.List(ctx)
		for b, err := range c.RetrEach(ctx, list, Window{}) {
			if err == nil {
				_, _ = io.Copy(io.Discard, b)
			}
		}
		if err := c.Quit(ctx); err == nil && !bytes.Contains(data, []byte("+")) {
			t.Error("a session without one +OK ended well")
		}
	})
}

func TestAContextThatEndsStopsALoopWhoseMessagesAreAllHere(t *testing.T) {
	_, c := serve(t, pop3test.Options{}, 8)
	list, err := c.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var turns []error
	for b, err := range c.RetrEach(ctx, list, Window{}) {
		turns = append(turns, err)
		if err == nil {
			_, _ = io.Copy(io.Discard, b)
		}
		cancel()
	}
	if len(turns) != 2 || !errors.Is(turns[1], context.Canceled) {
		t.Errorf("turns: %v", turns)
	}
}
