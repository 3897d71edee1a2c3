package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailflume/cmd/internal/demo"
	"mailflume/ingest/oauth/oauthtest"
	"mailflume/publish"
)

// deaf listens and answers nothing but what greet says.
func deaf(t *testing.T, certificate *tls.Certificate, greet string) (port string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			if certificate != nil {
				s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12})
				_ = s.Handshake()
			}
			_, _ = c.Write([]byte(greet))
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = ln.Close()
		<-done
	})
	_, port, _ = net.SplitHostPort(ln.Addr().String())
	return port
}

// closedPort is one that nothing listens on.
func closedPort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return port
}

func TestBadMailboxesSayWhatToDoOnceAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	stage, err := demo.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer stage.Close()
	file := stage.ConfigFile()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	good := string(b)
	_, rest, _ := strings.Cut(good, "host: 127.0.0.1, port: ")
	imapPort, _, _ := strings.Cut(rest, ",")
	dir := filepath.Dir(file)
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	ca := oauthtest.NewCA()
	expired := ca.ExpiredServer()
	write("wrong", "not the secret", 0o600)
	write("open", "anything", 0o644)
	write("expired.pem", string(ca.PEM()), 0o600)
	credential := `  %s: {type: entra, tenant: demo.example, client_id: mailflume-demo, client_secret: "file:%s", authority: ` + between(good, "authority: ", "\n") + ", ca_file: issuer.pem}\n"
	var boxes, want strings.Builder
	codes := map[string]string{}
	add := func(id, code, extra string) {
		fmt.Fprintf(&boxes, "  - {id: %s, address: support@example.com, protocol: imap, %s}\n", id, extra)
		codes[id] = code
		fmt.Fprintln(&want, id, code)
	}
	add("wrong-secret", "MF-AUTH-002", "credentials: wrong, host: 127.0.0.1, ca_file: imap.pem, port: "+imapPort)
	add("open-secret", "MF-CFG-002", "credentials: open, host: 127.0.0.1, ca_file: imap.pem, port: "+imapPort)
	add("unknown-host", "MF-NET-00", "host: no-such-host.invalid, port: 993")
	add("refused", "MF-NET-003", "host: 127.0.0.1, port: "+closedPort(t))
	add("not-tls", "MF-TLS-005", "host: 127.0.0.1, port: "+deaf(t, nil, "* OK hello\r\n"))
	add("expired", "MF-TLS-001", "host: 127.0.0.1, ca_file: expired.pem, port: "+deaf(t, &expired, ""))
	add("unknown-ca", "MF-TLS-002", "host: 127.0.0.1, ca_file: expired.pem, port: "+imapPort)
	add("no-folder", "MF-BOX-001", "folders: [Nowhere], host: 127.0.0.1, ca_file: imap.pem, port: "+imapPort)
	text := strings.Replace(good, "credentials:\n", "credentials:\n"+fmt.Sprintf(credential, "wrong", "wrong")+fmt.Sprintf(credential, "open", "open"), 1)
	text = strings.Replace(text, "mailboxes:\n", "mailboxes:\n"+boxes.String(), 1)
	text = strings.Replace(text, "format: console, level: info", "format: json, level: info", 1)
	write("mailflume.yaml", text, 0o600)

	code, out, errOut := call(t, "run", "--once", "-c", file)
	if code != exitFailed {
		t.Errorf("exit %d, want %d", code, exitFailed)
	}
	lines := map[string]int{}
	for line := range strings.Lines(errOut) {
		var l struct{ Level, Mailbox, Code, Next, Error, Message string }
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Level != "warn" {
			continue
		}
		if !strings.HasPrefix(l.Code, codes[l.Mailbox]) || l.Next == "" || l.Error == "" {
			t.Errorf("%s: code %q, want %q: %s", l.Mailbox, l.Code, codes[l.Mailbox], line)
		}
		lines[l.Mailbox]++
	}
	for id := range codes {
		if lines[id] != 1 {
			t.Errorf("%s: %d warnings, want one", id, lines[id])
		}
		if !strings.Contains(out, id) {
			t.Errorf("the table lacks %s", id)
		}
	}
	if strings.Contains(errOut, "goroutine ") || strings.Contains(errOut, "not the secret") {
		t.Errorf("a stack trace or a secret:\n%s", errOut)
	}
	tapped(t, file)
	if t.Failed() {
		t.Logf("wanted:\n%s", want.String())
	}
}

func between(s, a, b string) string {
	_, rest, _ := strings.Cut(s, a)
	out, _, _ := strings.Cut(rest, b)
	return out
}

// tapped wants all events of the good mailboxes.
func tapped(t *testing.T, file string) {
	t.Helper()
	code, out, errOut := call(t, "tap", "-c", file, "--from-start", "--json")
	n := map[string]int{}
	for line := range strings.Lines(out) {
		var ev publish.Event
		if err := json.Unmarshal([]byte(line), &ev); err != nil {
			t.Fatal(err)
		}
		n[ev.Data.Mailbox.ID]++
	}
	all := len(digests(t))
	if code != 0 || n["support"] != all || n["invoices"] != all {
		t.Errorf("tap: exit %d, events %v, want %d each: %s", code, n, all, errOut)
	}
}
