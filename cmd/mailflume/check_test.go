package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailflume/cmd/internal/demo"
)

func TestCheckEndsWithTheCodeOfWhatFailed(t *testing.T) {
	t.Parallel()
	stage, err := demo.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stage.Close(); err != nil {
			t.Error(err)
		}
	}()
	file := stage.ConfigFile()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		old, new string
		args     []string
		code     int
		out      string
	}{
		{"all is well", "", "", nil, exitOK, "2 mailboxes, 0 of them not fine"},
		{"one of them", "", "", []string{"support"}, exitOK, "1 mailbox, 0 of them"},
		{"one that is not there", "", "", []string{"supprt"}, exitUsage, "did you mean support?"},
		{"in JSON", "", "", []string{"--json"}, exitOK, `"kind":"mailbox","name":"invoices","step":"rights","status":"ok"`},
		{"a secret that is not there", "file:secret", "file:nowhere", []string{"--offline"}, exitConfig, "MF-CFG-002"},
		{"a configuration that is none", "credentials:", "credenzials:", nil, exitConfig, ""},
		{"a folder that is not there", "address: support@example.com,", "address: support@example.com, folders: [Nowhere],", nil, exitFailed, "MF-BOX-001"},
		{"a secret that is told once", "file:secret", "file:nowhere", nil, exitConfig, "token                 not done: it needs secrets"},
		{"an authority that is no file", "ca_file: imap.pem", "ca_file: nowhere.pem", nil, exitConfig, "tls                   not done: it needs secrets"},
		{"an issuer that nobody trusts", "ca_file: issuer.pem\ndefaults", "ca_file: imap.pem\ndefaults", nil, exitAuth, "ca_file: of credentials.demo"},
		{"another tenant", "tenant: demo.example\n    client_id: mailflume-demo\n    client_secret", "tenant: demo.test\n    client_id: mailflume-demo\n    client_secret", nil, exitAuth, "MF-AUTH-005"},
		{"another application", "client_id: mailflume-demo\n    client_secret", "client_id: mailflume\n    client_secret", nil, exitAuth, "MF-AUTH-004"},
		{"a mailbox that is not there", "address: support@example.com", "address: suport@example.com", nil, exitAuth, "MF-AUTH-001"},
		{"nobody to publish a probe", "", "", []string{"--send", "support"}, exitFailed, "MF-NATS-012"},
		{"no NATS", "data_dir: nats", "url: nats://127.0.0.1:1", nil, exitNATS, "MF-NATS-001"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(filepath.Dir(file), "check.yaml")
			if err := os.WriteFile(path, []byte(strings.Replace(string(text), c.old, c.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			code, out, errOut := call(t, append([]string{"check", "-c", path}, c.args...)...)
			if code != c.code || !strings.Contains(out+errOut, c.out) {
				t.Errorf("exit %d, want %d with %q\n%s\n%s", code, c.code, c.out, out, errOut)
			}
		})
	}
}

func TestAFailureOfTheCatalogueIsPlayed(t *testing.T) {
	code, out, errOut := call(t, "demo", "--fault", "1")
	if code != exitOK || !strings.Contains(out, "AADSTS7000215") || !strings.Contains(out, "MF-AUTH-002 (tried three times, then hourly)") {
		t.Errorf("exit %d\n%s\n%s", code, out, errOut)
	}
	if code, _, errOut := call(t, "demo", "--fault", "71"); code != exitUsage || !strings.Contains(errOut, "--fault list") {
		t.Errorf("exit %d for a failure that is none: %s", code, errOut)
	}
	if code, out, _ := call(t, "demo", "--fault", "list"); code != exitOK || !strings.Contains(out, "\n47  a token without roles  (MF-AUTH-001, MF-AUTH-040") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, out, _ := call(t, "explain", "MF-AUTH-007"); code != exitOK || !strings.Contains(out, "mailflume demo --fault MF-AUTH-007") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, out, _ := call(t, "demo", "--fault", "mf-auth-007"); code != exitOK || !strings.Contains(out, "failure 21:") || !strings.Contains(out, "failure 22:") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

func TestAFailureWaitsForTheCommandsOfOthers(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- serveFault(ctx, w, "47") }()
	var file string
	for lines := bufio.NewScanner(r); file == "" && lines.Scan(); {
		_, file, _ = strings.Cut(lines.Text(), "configuration: ")
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	defer r.Close()
	code, out, errOut := call(t, "check", "-c", file)
	if code != exitAuth || !strings.Contains(out, "MF-AUTH-040") {
		t.Errorf("exit %d\n%s%s", code, out, errOut)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("it leaves its folder behind")
	}
}

func TestATraceOfACheckShowsTheDialoguesWithoutTheToken(t *testing.T) {
	stage, err := demo.Start()
	must(t, err)
	defer func() { must(t, stage.Close()) }()
	code, out, errOut := call(t, "check", "--trace", "-c", stage.ConfigFile())
	if code != 0 || strings.Contains(out, "C: ") {
		t.Errorf("exit %d: %s", code, out)
	}
	for _, want := range []string{"support S: * OK ", "AUTHENTICATE XOAUTH2 dXNlcj1zdXBwb3J0QGV4YW1wbGUuY29t", "invoices C: AUTH XOAUTH2", "***", "invoices C: UIDL", "support C: T2 EXAMINE INBOX"} {
		if !strings.Contains(errOut, want) {
			t.Errorf("the trace lacks %q: %s", want, errOut)
		}
	}
	for line := range strings.Lines(errOut) {
		if len(line) > 400 {
			t.Errorf("too long for a line without a token: %s", line)
		}
	}
}
