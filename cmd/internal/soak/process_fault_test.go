//go:build interop

package main

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailflume/ingest/imapsource/imaptest"
	"mailflume/publish/logtest/fault"
)

// The ids are those of the fault matrix. Workers and NATS are processes of their own.

func TestFault_P2_SIGTERMInTheMiddleOfALargeMessage(t *testing.T) {
	s := newScene(t, Options{Boxes: 2, Messages: 20, Workers: 1})
	s.mail(2)
	s.arrive(time.Minute)
	const size = 48 << 20
	large := append([]byte("Subject: large\r\nMessage-ID: <large@soak.example>\r\n\r\n"), strings.Repeat("a line of a large message, of which there are many\r\n", size/51)...)
	fetches := s.stage.imap.Count("FETCH")
	if err := s.stage.imap.Add(s.post.user(0), "INBOX", large, time.Now()); err != nil {
		t.Fatal(err)
	}
	for s.stage.imap.Count("FETCH") < fetches+2 { // the list, then the message
		s.wait(2 * time.Millisecond)
	}
	s.wait(100 * time.Millisecond)
	if s.seen.Load() > 4 {
		t.Fatal("the message has gone through already")
	}
	begin := time.Now()
	if err := s.workers[0].drain(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if took := time.Since(begin); took > 25*time.Second {
		t.Errorf("the drain took %v", took)
	}
	// What cannot be resolved keeps it: then a second signal ends it at once.
	if err := s.workers[0].start(); err != nil {
		t.Fatal(err)
	}
	begin = time.Now()
	for s.seen.Load() < 5 {
		s.wait(10 * time.Millisecond)
		if time.Since(begin) > time.Minute {
			t.Fatal("the large message does not come")
		}
	}
	recovery := time.Since(begin)
	thaw := s.freeze(s.server)
	s.mail(1)
	s.wait(500 * time.Millisecond)
	s.workers[0].signal(syscall.SIGTERM)
	s.wait(1500 * time.Millisecond)
	begin = time.Now()
	err := s.workers[0].drain()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitInterrupted || time.Since(begin) > 3*time.Second {
		t.Errorf("after the second signal it ended with %v in %v", err, time.Since(begin))
	}
	thaw()
	if err := s.workers[0].start(); err != nil {
		t.Fatal(err)
	}
	s.extra = 1
	s.finish(fault.Row{
		ID: "P2", Fault: "SIGTERM in the middle of a message of 48 MiB; a second one while NATS is frozen",
		Outcome: "it drains and ends with 0, the message is read again; the second signal ends it at once", Recovery: recovery,
	})
}

func TestFault_P4_AResponseThatExhaustsTheStack(t *testing.T) {
	server, _, err := imaptest.Certificates()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	bomb := &imaptest.Script{Rules: []imaptest.Rule{
		{Command: "EXAMINE", Answers: []string{"* 1 FETCH (BODYSTRUCTURE " + strings.Repeat("(", 20<<20)}},
		{Command: "LIST", Answers: []string{"* 1 FETCH (ENVELOPE " + strings.Repeat("(", 20<<20)}},
	}}
	struck := make(chan struct{}, 100)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = bomb.Serve(c)
				struck <- struct{}{}
			}()
		}
	}()
	t.Cleanup(func() { _ = ln.Close() })
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s := newScene(t, Options{Boxes: 4, Messages: 80, Workers: 1}, func(s *Storm) {
		s.more = fmt.Sprintf("  - {id: hostile, address: hostile@soak.example, protocol: imap, port: %s, ca_file: hostile.pem}", port)
		cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificates[0].Certificate[0]})
		if err := os.WriteFile(filepath.Join(s.dir, "hostile.pem"), cert, 0o600); err != nil {
			t.Fatal(err)
		}
	})
	for range 3 {
		<-struck
		s.mail(2)
		s.arrive(10 * time.Second)
	}
	s.survived(s.workers[0])
	s.finish(fault.Row{
		ID: "P4", Fault: "a mail server answers with 20 million open parentheses",
		Outcome: "that connection is closed, with backoff; the worker lives, other mailboxes do not notice",
	})
}

func TestFault_P6_AWorkerIsFrozenForLongerThanItIsBelievedToLive(t *testing.T) {
	s := newScene(t, Options{Boxes: 8, Messages: 320, Workers: 2})
	s.mail(5)
	s.arrive(time.Minute)
	s.wait(7 * time.Second) // they have shared the mailboxes
	s.mail(5)
	thaw := s.freeze(s.workers[0]) // with mail in hand
	s.mail(5)
	recovery := s.arrive(40 * time.Second)
	s.mail(5)
	thaw()
	s.mail(5)
	s.arrive(40 * time.Second)
	s.finish(fault.Row{
		ID: "P6", Fault: "a worker is frozen (SIGSTOP) in the middle of its mail until another has taken over, and wakes up",
		Outcome: "its last beat expires after 12 s and the other goes on; what it still sends is refused by the log", Recovery: recovery,
	})
}

func TestFault_P8_ConfigurationsThatAreBrokenAndMailboxesThatGo(t *testing.T) {
	s := newScene(t, Options{Boxes: 4, Messages: 240, Workers: 1})
	file := filepath.Join(s.dir, "config.yaml")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	without := strings.Join(strings.FieldsFunc(string(good), func(r rune) bool { return r == '\n' })[:4+2], "\n") + "\nhttp: {listen: \"off\"}\n"
	write := func(text string) { // as an editor or a ConfigMap does it
		if err := errors.Join(os.WriteFile(file+".new", []byte(text), 0o600), os.Rename(file+".new", file)); err != nil {
			t.Fatal(err)
		}
		s.workers[0].signal(syscall.SIGHUP)
	}
	s.mail(3)
	s.arrive(time.Minute)
	for range 5 {
		s.mail(3)
		write("mailboxes: [")
		s.wait(100 * time.Millisecond)
		s.mail(3)
		write(without) // drained in the middle of their mail
		s.wait(100 * time.Millisecond)
		write(strings.ReplaceAll(string(good), "host: 127.0.0.1", "host: localhost"))
		s.wait(100 * time.Millisecond)
		write(string(good))
	}
	s.arrive(30 * time.Second)
	s.finish(fault.Row{
		ID: "P8", Fault: "reload, again and again: a syntax error, mailboxes removed in the middle of their mail, another host",
		Outcome: "the old configuration stays, with line and column; what is removed is drained, what comes back goes on",
	})
	log, err := os.ReadFile(filepath.Join(s.dir, "logs", "worker-1.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"MF-CFG-001", "the old one stays", "config.yaml:1", `"message":"reloaded"`} {
		if !strings.Contains(string(log), want) {
			t.Errorf("the log does not say %s", want)
		}
	}
}
