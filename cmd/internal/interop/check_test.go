//go:build interop

package interop_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"mailflume/cmd/internal/interop"
	"mailflume/ingest/oauth/oauthtest"
)

// found is a line of check --json.
type found struct {
	Kind, Name, Step, Status, Text, Code string
	Next                                 []string
}

// checked runs `check` and returns its exit code and what it says of the steps that are not ok.
func checked(t *testing.T, b binaries, cfg string) (exit int, bad []found) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), b.mailflume, "check", "-c", cfg, "--json")
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		e, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			t.Fatal(err)
		}
		exit = e.ExitCode()
	}
	for line := range strings.Lines(out.String()) {
		var f found
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%v: %s\n%s", err, line, errOut.String())
		}
		if f.Status != "ok" && f.Status != "not_done" {
			bad = append(bad, f)
		}
	}
	return exit, bad
}

func portOf(t *testing.T, addr string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestInteropCheckTellsWhatIsWrong(t *testing.T) {
	b := build(t)
	var all []play
	for _, protocol := range []string{"imap", "pop3"} {
		for _, silent := range []bool{false, true} { // a server that is waited for takes half a minute
			all = append(all, play{fmt.Sprint(protocol, ", silent ", silent), func(t *testing.T) { checks(t, b, protocol, silent) }})
		}
	}
	sideBySide(t, all)
}

// checks plays what `check` has to find over a protocol.
func checks(t *testing.T, b binaries, protocol string, silent bool) {
	s := stage(t)
	const user = "box@rig.test"
	addUser(t, s, user)
	mint := func(o oauthtest.MintOptions) oauthtest.Fault {
		return oauthtest.Fault{Path: "/token", Body: fmt.Sprintf(`{"access_token":%q,"expires_in":3600}`, s.Issuer.Mint(o))}
	}
	roles := func(more ...string) []string {
		return append(map[string][]string{"imap": {"IMAP.AccessAsApp"}, "pop3": {"POP.AccessAsApp"}}[protocol], more...)
	}
	long := strings.Split(strings.Repeat("Some.Permission.That.Is.Not.Needed ", 250), " ")
	greets := "sasl" // IMAP's greeting is part of it, POP3's comes before STLS
	implicit, upgrade, other := portOf(t, s.Dovecot.IMAPS), portOf(t, s.Dovecot.IMAP), portOf(t, s.Dovecot.POP3S)
	if protocol == "pop3" {
		greets = "tls"
		implicit, upgrade, other = portOf(t, s.Dovecot.POP3S), portOf(t, s.Dovecot.POP3), portOf(t, s.Dovecot.IMAPS)
	}
	good := mint(oauthtest.MintOptions{Roles: roles()})
	for _, c := range []struct {
		name     string
		token    oauthtest.Fault
		old, new string
		exit     int
		step     string // of the last line that is not ok
		code     string
		says     string
		requests int
	}{
		{"all is well", good, "", "", 0, "", "", "", 1},
		{"STARTTLS", good, implicit + ", tls: implicit", upgrade + ", tls: starttls", 0, "", "", "", 1},
		{"an expired token", mint(oauthtest.MintOptions{Roles: roles(), TTL: -time.Hour}), "", "", 4, "login", "MF-AUTH-001", "401", 1},
		{"a token of another issuer", mint(oauthtest.MintOptions{Roles: roles(), Issuer: "https://evil.example"}), "", "", 4, "login", "MF-AUTH-001", "401", 1},
		{"a token for another audience", mint(oauthtest.MintOptions{Roles: roles(), Audience: "https://graph.microsoft.com"}), "", "", 0, "claims", "", "https://outlook.office365.com was asked for", 1},
		{"a token that is too long", mint(oauthtest.MintOptions{Roles: roles(long...)}), "", "", 4, "login", "MF-AUTH-015", "octets", 1},
		{"no issuer", good, s.Issuer.URL(), "https://127.0.0.1:1", 4, "tcp", "MF-AUTH-009", "check authority:", 0},
		{"the port of the other protocol", good, implicit + ", tls", other + ", tls", 3, greets, "MF-NET-007", "", 1},
		{"TLS on the port for STARTTLS", good, implicit + ", tls", upgrade + ", tls", 3, "tls", "MF-TLS-005", "tls: starttls", 1},
		{"STARTTLS on the port for TLS", good, "tls: implicit", "tls: starttls", 3, "tls", "MF-NET-004", "tls: fits the port", 1},
		{"a folder that is not there", good, "protocol: imap", "folders: [INBOX, Nowhere], protocol: imap", 3, "folders", "MF-BOX-001", "Archive, INBOX", 1},
	} {
		if protocol == "pop3" && strings.Contains(c.old, "imap") || silent != (c.code == "MF-NET-004") {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			s.Issuer.ClearFaults()
			s.Issuer.Fail(c.token)
			cfg := config(t, s, interop.Setup{Boxes: []interop.Box{{ID: "box", User: user, Protocol: protocol}}})
			text, err := os.ReadFile(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(cfg, []byte(strings.Replace(string(text), c.old, c.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			before := s.Issuer.Requests("/token")
			exit, bad := checked(t, b, cfg)
			var last found
			if len(bad) > 0 {
				last = bad[len(bad)-1]
			}
			if last.Step != c.step || last.Code != c.code || !strings.Contains(last.Text+strings.Join(last.Next, " "), c.says) || exit != c.exit {
				t.Errorf("exit %d, want %d with %s %s %q; it says %+v", exit, c.exit, c.step, c.code, c.says, bad)
			}
			if n := s.Issuer.Requests("/token") - before; n != c.requests {
				t.Errorf("%d token requests", n)
			}
		})
	}
}
