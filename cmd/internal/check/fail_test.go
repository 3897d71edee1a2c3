package check_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mailflume/cmd/internal/check"
	"mailflume/cmd/internal/config"
	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/ingest/oauth"
	"mailflume/ingest/oauth/oauthtest"
	"mailflume/pop3/pop3test"
)

// issue has the issuer answer with a token of the test's making.
func (s *stage) issue(o oauthtest.MintOptions) {
	o.ClientID, o.Tenant = client, tenant
	s.issuer.Fail(oauthtest.Fault{Path: "/token", Body: fmt.Sprintf(`{"access_token":%q,"expires_in":3600,"token_type":"Bearer"}`, s.issuer.Mint(o))})
}

func TestWhatFailsIsRedWithTheNextStep(t *testing.T) {
	refuse := func(text string) func(string, string) error {
		return func(string, string) error { return imaptest.No(text) }
	}
	for _, c := range []struct {
		name       string
		imap       imaptest.Options
		pop3       pop3test.Options
		prepare    func(t *testing.T, s *stage)
		protocol   string
		more       string
		kind       check.Kind
		step       string
		level      check.Level
		code       ingest.Code
		cause      check.Cause
		says       []string // in text and advice
		loginTried bool
	}{
		{
			name: "a wrong secret", prepare: func(t *testing.T, s *stage) { s.write(t, "secret", []byte("wrong")) },
			kind: check.Credential, step: "token", level: check.Failed, code: ingest.CodeClientSecret, cause: check.Authentication,
			says: []string{"AADSTS7000215", "Value", "Credentials/appId/" + client},
		},
		{
			name: "no role", prepare: func(_ *testing.T, s *stage) { s.issue(oauthtest.MintOptions{Roles: []string{}}) },
			kind: check.Credential, step: "claims", level: check.Failed, code: ingest.CodeRole, cause: check.Authentication,
			says: []string{"IMAP.AccessAsApp", "/" + tenant + "/adminconsent?client_id=" + client},
		},
		{
			name: "a token for Microsoft Graph", prepare: func(_ *testing.T, s *stage) { s.issue(oauthtest.MintOptions{Audience: "https://graph.microsoft.com"}) },
			kind: check.Credential, step: "claims", level: check.Failed, code: ingest.CodeAudience, cause: check.Authentication,
			says: []string{"https://outlook.office365.com/.default"},
		},
		{
			name: "more rights than needed", loginTried: true,
			prepare: func(_ *testing.T, s *stage) {
				s.issue(oauthtest.MintOptions{Roles: []string{"IMAP.AccessAsApp", "full_access_as_app"}})
			},
			kind: check.Credential, step: "claims", level: check.Warning, cause: check.None, says: []string{"full_access_as_app"},
		},
		{
			name: "Exchange refuses the sign-in", imap: imaptest.Options{Verify: refuse("AUTHENTICATE failed.")}, loginTried: true,
			kind: check.Mailbox, step: "login", level: check.Failed, code: ingest.CodeAuthRefused, cause: check.Authentication,
			says: []string{"AUTHENTICATE failed.", "New-ServicePrincipal -AppId " + client + " -ObjectId {oid}", "Add-MailboxPermission -Identity support@contoso.example -User {oid} -AccessRights FullAccess", "Set-CASMailbox support@contoso.example -ImapEnabled $true"},
		},
		{
			name: "Exchange refuses over POP3", protocol: "pop3", loginTried: true,
			pop3: pop3test.Options{Verify: func(string, string) error {
				return pop3test.Reply("-ERR Authentication failure: unknown user name or bad password.")
			}},
			kind: check.Mailbox, step: "login", level: check.Failed, code: ingest.CodeAuthRefused, cause: check.Authentication,
			says: []string{"unknown user name or bad password", "Set-CASMailbox support@contoso.example -PopEnabled $true", "{oid}"},
		},
		{
			name: "a mechanism that the server has not", imap: imaptest.Options{Mechanisms: []string{"PLAIN"}}, kind: check.Server, step: "sasl", level: check.Failed, code: ingest.CodeMechanism,
			cause: check.OfMailbox, says: []string{"PLAIN", "auth:"},
		},
		{
			name: "a mechanism that a POP3 server hides", protocol: "pop3", pop3: pop3test.Options{HideSASL: true}, kind: check.Server, step: "sasl", level: check.Warning,
			cause: check.None, says: []string{"tried all the same"}, loginTried: true,
		},
		{
			name: "a POP3 server that lists nothing", protocol: "pop3", pop3: pop3test.Options{NoCAPA: true}, kind: check.Server, step: "sasl", level: check.OK,
			cause: check.None, says: []string{"does not say"}, loginTried: true,
		},
		{
			name: "no UIDL", protocol: "pop3", pop3: pop3test.Options{NoUIDL: true}, kind: check.Mailbox, step: "folders", level: check.Failed, code: ingest.CodeNoUIDL,
			cause: check.OfMailbox, says: []string{"IMAP"}, loginTried: true,
		},
		{
			name: "a name that is nearly right", more: ", folders: [Invioces]", loginTried: true,
			prepare: func(_ *testing.T, s *stage) { s.imap.Create("support@contoso.example", "Invoices") },
			kind:    check.Mailbox, step: "folders", level: check.Failed, code: ingest.CodeFolderMissing, cause: check.OfMailbox,
			says: []string{`did you mean, for "Invioces": Invoices`},
		},
		{
			name: "a folder that does not exist", more: ", folders: [INBOX, Bills]", loginTried: true,
			prepare: func(_ *testing.T, s *stage) { s.imap.Create("support@contoso.example", "Invoices") },
			kind:    check.Mailbox, step: "folders", level: check.Failed, code: ingest.CodeFolderMissing, cause: check.OfMailbox,
			says: []string{"Bills", "INBOX, Invoices"},
		},
		{
			name: "a post-action that would touch other mail", more: ", after: delete", imap: imaptest.Options{Without: []string{"UIDPLUS", "MOVE"}}, loginTried: true,
			kind: check.Mailbox, step: "rights", level: check.Failed, code: ingest.CodeActionUnsafe, cause: check.OfMailbox,
		},
		{
			name: "a target of move that does not exist", more: ", after: {move: Done}", loginTried: true,
			prepare: func(_ *testing.T, s *stage) { s.imap.Create("support@contoso.example", "INBOX/Done") },
			kind:    check.Mailbox, step: "rights", level: check.Failed, code: ingest.CodeFolderMissing, cause: check.OfMailbox, says: []string{`did you mean, for "Done": INBOX/Done`},
		},
		{
			name: "a maildrop that the server empties by itself", protocol: "pop3", pop3: pop3test.Options{Capabilities: []string{"EXPIRE 0", "LOGIN-DELAY 900"}}, loginTried: true,
			kind: check.Mailbox, step: "rights", level: check.Warning, cause: check.None, says: []string{"EXPIRE 0"},
		},
		{
			name: "a maildrop that may not be asked so often", protocol: "pop3", pop3: pop3test.Options{Capabilities: []string{"LOGIN-DELAY 900"}}, loginTried: true,
			kind: check.Mailbox, step: "folders", level: check.Warning, cause: check.None, says: []string{"poll_every", "15m0s"},
		},
		{
			name: "a secret that others can read", kind: check.Configuration, step: "secrets", level: check.Failed, code: ingest.CodeSecretMissing, cause: check.OfConfiguration,
			prepare: func(t *testing.T, s *stage) { s.chmod(t, "secret", 0o644) }, says: []string{"chmod 600", "mailflume.yaml:3"},
		},
		{
			name: "a certificate of nobody we know", kind: check.Server, step: "tls", level: check.Failed, code: ingest.CodeCertUnknownCA, cause: check.OfMailbox,
			prepare: func(t *testing.T, s *stage) { s.write(t, "imap.pem", s.issuer.CAPEM()) }, says: []string{"ca_file"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t, c.imap, c.pop3)
			if c.prepare != nil {
				c.prepare(t, s)
			}
			if c.protocol == "" {
				c.protocol = "imap"
			}
			r := look(t, s.load(t, s.box(c.protocol, "support", c.more), ""))
			st := step(t, r, c.kind, "", c.step)
			if st.Level != c.level || st.Code != c.code || r.Cause() != c.cause {
				t.Errorf("%s %s (cause %d), want %s %s (%d)", st.Level, st.Code, r.Cause(), c.level, c.code, c.cause)
			}
			out := text(t, r)
			oid, _, _ := strings.Cut(out[strings.LastIndex(out, "oid ")+len("oid "):], "\n")
			all := st.Text + "\n" + strings.Join(st.Next, "\n")
			for _, want := range c.says {
				if want = strings.ReplaceAll(want, "{oid}", oid); !strings.Contains(all, want) {
					t.Errorf("it does not say %q:\n%s", want, all)
				}
			}
			if tried := step(t, r, check.Mailbox, "", "login").Level != check.NotDone; tried != c.loginTried && c.kind != check.Configuration {
				t.Errorf("a sign-in was tried: %v\n%s", tried, out)
			}
		})
	}
}

// TestATokenOfAnotherIssuerIsComparedWithWhatTheServerWants: nobody but Exchange has service principals.
func TestATokenOfAnotherIssuerIsComparedWithWhatTheServerWants(t *testing.T) {
	m, says := &config.Mailbox{}, oauth.Claims{Issuer: "https://sso.example", Audience: []string{"mail"}, Subject: "robot", Fingerprint: "1"}
	says.Roles = strings.Fields(strings.Repeat("role ", 300))
	got := strings.Join(check.Advice(ingest.CodeAuthRefused, m, says), "\n")
	for _, want := range []string{"iss https://sso.example", "aud mail", "sub robot", " more · sub robot"} {
		if !strings.Contains(got, want) || strings.Contains(got, "ServicePrincipal") {
			t.Errorf("%s: %s", want, got)
		}
	}
}

func TestManyMailboxesAreOneTokenAndFewLines(t *testing.T) {
	s := newStage(t, imaptest.Options{Verify: func(user, _ string) error {
		if strings.HasPrefix(user, "bad") {
			return errors.New("no")
		}
		return nil
	}}, pop3test.Options{})
	var boxes strings.Builder
	for i := range 300 {
		id := fmt.Sprintf("good%03d", i)
		if i%10 == 3 {
			id = fmt.Sprintf("bad%03d", i)
		}
		boxes.WriteString(s.box("imap", id, ""))
	}
	cfg := s.load(t, boxes.String(), "")
	r := look(t, cfg, func(o *check.Options) {
		o.Parallel = 8
		o.Progress = func(done, all int) {
			if open, _ := s.imap.Connections(); done > all || open > 8+8 { // the server notices a moment late that one is closed
				t.Errorf("%d of %d, %d connections", done, all, open)
			}
		}
	})
	out := text(t, r)
	if n := strings.Count(out, "\n"); n > 120 {
		t.Errorf("%d lines:\n%s", n, out)
	}
	for _, want := range []string{"270 that are fine", "25 more with the same (login failed MF-AUTH-001)", "bad003"} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
	if n := s.issuer.Requests("/token"); n != 1 {
		t.Errorf("%d token requests", n)
	}
	if _, total := s.imap.Connections(); total != 303 {
		t.Errorf("%d connections, want one for each mailbox and three for their server", total)
	}
	if again := text(t, look(t, cfg)); outline(again) != outline(out) {
		t.Errorf("the order changed:\n%s\n%s", outline(out), outline(again))
	}
}

// outline is an output without its times and ports.
func outline(s string) string {
	var out []string
	for line := range strings.Lines(s) {
		f := strings.Fields(line)
		out = append(out, strings.Join(f[:min(len(f), 2)], " "))
	}
	return strings.Join(out[:len(out)-1], "\n")
}

func TestJSONIsOneLineForEachStep(t *testing.T) {
	s := newStage(t, imaptest.Options{}, pop3test.Options{})
	r := look(t, s.load(t, s.box("imap", "support", ", folders: [Nowhere]"), ""))
	var b bytes.Buffer
	if err := check.PrintJSON(&b, r); err != nil {
		t.Fatal(err)
	}
	var states []string
	for l := range strings.Lines(b.String()) {
		var got struct {
			Kind, Name, Step, Status, Text, Code string
			Ms                                   float64
			Next                                 []string
		}
		if err := json.Unmarshal([]byte(l), &got); err != nil || got.Text == "" || got.Name == "" {
			t.Fatalf("%v: %s", err, l)
		}
		if got.Kind == "mailbox" {
			states = append(states, got.Step+" "+got.Status+" "+got.Code)
		}
	}
	if want := []string{"login ok ", "folders failed MF-BOX-001", "rights not_done "}; !slices.Equal(states, want) {
		t.Errorf("%q, want %q", states, want)
	}
}

func TestOfflineTouchesNoNetwork(t *testing.T) {
	s := newStage(t, imaptest.Options{}, pop3test.Options{})
	cert, pem, err := oauthtest.ClientCertificate(time.Now().Add(-time.Hour), time.Now().Add(10*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	s.issuer.Register(cert)
	s.write(t, "cert", pem)
	cfg := s.load(t, s.box("imap", "support", ""), "")
	cfg.Credentials["contoso"].Certificate, cfg.Credentials["contoso"].ClientSecret = cfg.Credentials["contoso"].ClientSecret, cfg.Credentials["contoso"].Certificate
	s.write(t, "secret", pem)
	r := look(t, cfg, func(o *check.Options) { o.Offline = true })
	if _, total := s.imap.Connections(); s.issuer.Requests("") != 0 || total != 0 {
		t.Error("somebody was asked")
	}
	st := step(t, r, check.Configuration, "", "certificate")
	if st.Level != check.Warning || !strings.Contains(st.Text, "in 9 days") || r.Cause() != check.None {
		t.Errorf("%s %s", st.Level, st.Text)
	}
}

func TestNATSThatIsAwayIsItsOwnCause(t *testing.T) {
	s := newStage(t, imaptest.Options{}, pop3test.Options{})
	cfg := s.load(t, s.box("imap", "support", ""), "")
	cfg.NATS.URL = "nats://127.0.0.1:1"
	r := look(t, cfg, func(o *check.Options) { o.Patience = 500 * time.Millisecond })
	if st := step(t, r, check.NATS, "", "connect"); st.Code != ingest.CodeNATSDown || r.Cause() != check.OfNATS {
		t.Errorf("%+v, cause %d", st.Outcome, r.Cause())
	}
	if step(t, r, check.NATS, "", "blobs").Level != check.NotDone || step(t, r, check.Mailbox, "", "rights").Level != check.OK {
		t.Error(text(t, r))
	}
}
