package pop3test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, opt Options) *Server {
	t.Helper()
	s, err := Start(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// talk sends each command and returns the first line of each answer.
func talk(t *testing.T, s *Server, commands ...string) (answers []string) {
	t.Helper()
	var conn net.Conn
	var err error
	if s.opt.Security == Implicit {
		conn, err = tls.Dial("tcp", s.Addr(), s.ClientTLS())
	} else {
		conn, err = net.Dial("tcp", s.Addr())
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	r := bufio.NewReader(conn)
	next := func() {
		line, err := r.ReadString('\n')
		if err != nil {
			line = err.Error()
		}
		answers = append(answers, strings.TrimRight(line, "\r\n"))
	}
	next()
	for _, c := range commands {
		_, _ = fmt.Fprintf(conn, "%s\r\n", c)
		next()
	}
	return answers
}

func TestNobodySignsInBeforeSTLS(t *testing.T) {
	s := serve(t, Options{Security: STLS})
	for i, a := range talk(t, s, "USER ann", "PASS x", "AUTH XOAUTH2", "STAT")[1:] {
		if !strings.HasPrefix(a, "-ERR") {
			t.Errorf("command %d was answered %q", i, a)
		}
	}
}

func TestStuffingIsUndoneByTheStandardLibrary(t *testing.T) {
	for _, m := range []string{"", "a", ".", "..\r\n.\r\n", "a\r\n.b\r\n..c\r\n", "no line end"} {
		var b bytes.Buffer
		if err := stuff(&b, []byte(m)); err != nil {
			t.Fatal(err)
		}
		lines, err := textproto.NewReader(bufio.NewReader(&b)).ReadDotLines()
		want := strings.TrimSuffix(m, "\r\n")
		if err != nil || strings.Join(lines, "\r\n") != want || b.Len() > 0 {
			t.Errorf("%q became %q, %v, %d octets left", m, lines, err, b.Len())
		}
	}
}

func TestASessionSeesTheMaildropAsItWas(t *testing.T) {
	s := serve(t, Options{})
	first := s.Add("ann", []byte("a\r\n"))
	conn, err := tls.Dial("tcp", s.Addr(), s.ClientTLS())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	c := textproto.NewConn(conn)
	say := func(line string) string {
		t.Helper()
		if err := c.PrintfLine("%s", line); err != nil {
			t.Fatal(err)
		}
		answer, err := c.ReadLine()
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	_, _ = c.ReadLine()
	say("USER ann")
	say("PASS x")
	s.Add("ann", []byte("b\r\n"))
	if a := say("STAT"); a != "+OK 1 3" {
		t.Errorf("STAT is %q", a)
	}
	say("DELE 1")
	if a := say("UIDL 1"); !strings.HasPrefix(a, "-ERR") {
		t.Errorf("UIDL of a deleted message is %q", a)
	}
	say("QUIT")
	if s.Messages("ann") != 1 || s.Deleted("ann") != 1 {
		t.Errorf("%d messages, %d deleted", s.Messages("ann"), s.Deleted("ann"))
	}
	s.Remove("ann", first)
	if s.Messages("ann") != 1 {
		t.Error("Remove took a message that had another UIDL")
	}
}

func TestSecretsAreNotRemembered(t *testing.T) {
	s := serve(t, Options{})
	talk(t, s, "USER ann", "PASS hunter2")
	talk(t, s, "AUTH XOAUTH2 aHVudGVyMg==")
	if log := strings.Join(s.Commands(), "\n"); strings.Contains(log, "hunter2") || strings.Contains(log, "aHVudGVy") {
		t.Errorf("remembered:\n%s", log)
	}
}

func TestCloseEndsOpenConnections(t *testing.T) {
	s := serve(t, Options{Security: Plain})
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	r := bufio.NewReader(conn)
	if _, err := r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadByte(); err == nil {
		t.Error("the connection is still open")
	}
	if _, err := net.Dial("tcp", s.Addr()); err == nil {
		t.Error("it still listens")
	}
}
