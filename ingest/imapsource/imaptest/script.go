package imaptest

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// Script is a server that answers from a table, for what no honest server does. It may serve many
// connections, one after the other or at once; how far each rule has come is common to all.
type Script struct {
	Greeting string // "": an OK; "-": none
	Rules    []Rule // looked through in order, then the usual ones: CAPABILITY, AUTHENTICATE, LOGOUT
	Caps     string // what the usual CAPABILITY answers after IMAP4rev1; "": AUTH=XOAUTH2 SASL-IR IDLE UIDPLUS MOVE

	mu    sync.Mutex
	used  map[int]int
	heard []string
}

// Rule answers commands. In Answers, {tag} stands for the command's tag; one answer is used after
// the other, the last one again and again, none at all is silence.
type Rule struct {
	Command string // how the command begins after its tag, in any case
	Has     string // and what stands in it somewhere
	Answers []string
	Hangup  bool          // close the connection after the answer
	Pace    time.Duration // if set, send the answer octet by octet with this pause
	Then    string        // sent after the answer again and again,
	Every   time.Duration // after each such pause, until the next command comes or the client hangs up
}

// Heard returns the commands that came, without their tags.
func (s *Script) Heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.heard...)
}

// Certificates returns the two sides of a TLS configuration for localhost and 127.0.0.1.
func Certificates() (server, client *tls.Config, err error) {
	c, err := newCertificate()
	if err != nil {
		return nil, nil, fmt.Errorf("make certificate: %w", err)
	}
	return c.server(), c.client(), nil
}

// Serve answers one connection until the client hangs up or a rule does, and closes it. It reads
// ahead, as a kernel would, so that pipelined commands do not block a client on an unbuffered pipe.
func (s *Script) Serve(conn net.Conn) error {
	lines := make(chan string, 64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(lines)
		sc := bufio.NewScanner(conn)
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			lines <- sc.Text()
		}
	}()
	defer func() {
		_ = conn.Close()
		for range lines {
		}
		<-done
	}()
	if s.Greeting != "-" {
		if err := send(conn, orDefault(s.Greeting, "* OK ready\r\n"), 0); err != nil {
			return err
		}
	}
	tag := ""
	for line := range lines {
		command := line
		if t, c, ok := strings.Cut(line, " "); ok {
			tag, command = t, c
		}
		rule, answer := s.answer(command)
		if err := send(conn, strings.ReplaceAll(answer, "{tag}", tag), rule.Pace); err != nil {
			return err
		}
		if err := rule.goOn(conn, func() bool { return len(lines) > 0 }); err != nil || rule.Hangup {
			return err
		}
	}
	return nil
}

// goOn sends what comes after the answer until the client says something.
func (r Rule) goOn(conn net.Conn, heard func() bool) error {
	if r.Then == "" {
		return nil
	}
	t := time.NewTicker(r.Every)
	defer t.Stop()
	for !heard() {
		if _, err := conn.Write([]byte(r.Then)); err != nil {
			return err
		}
		<-t.C
	}
	return nil
}

func orDefault(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

// send writes an answer at once or at a pace.
func send(conn net.Conn, answer string, pace time.Duration) error {
	if pace == 0 {
		if answer == "" {
			return nil
		}
		_, err := conn.Write([]byte(answer))
		return err
	}
	t := time.NewTicker(pace)
	defer t.Stop()
	for i := range len(answer) {
		if _, err := conn.Write([]byte{answer[i]}); err != nil {
			return err
		}
		<-t.C
	}
	return nil
}

// answer picks the first rule that fits, then the usual dialogue.
func (s *Script) answer(command string) (Rule, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, command)
	if s.used == nil {
		s.used = map[int]int{}
	}
	upper := strings.ToUpper(command)
	for i, r := range s.Rules {
		if !strings.HasPrefix(upper, strings.ToUpper(r.Command)) || !strings.Contains(upper, strings.ToUpper(r.Has)) {
			continue
		}
		n := s.used[i]
		s.used[i]++
		if len(r.Answers) == 0 {
			return r, ""
		}
		return r, r.Answers[min(n, len(r.Answers)-1)]
	}
	word, _, _ := strings.Cut(upper, " ")
	switch word {
	case "CAPABILITY":
		return Rule{}, "* CAPABILITY IMAP4rev1 " + orDefault(s.Caps, "AUTH=XOAUTH2 SASL-IR IDLE UIDPLUS MOVE") + "\r\n{tag} OK done\r\n"
	case "AUTHENTICATE":
		return Rule{}, "{tag} OK signed in\r\n"
	case "LOGOUT":
		return Rule{Hangup: true}, "* BYE so long\r\n{tag} OK done\r\n"
	case "NOOP", "DONE":
		return Rule{}, "{tag} OK done\r\n"
	}
	return Rule{}, "{tag} BAD not in the script\r\n"
}
