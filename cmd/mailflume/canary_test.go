//go:build unix

package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"mailflume/ingest/imapsource/imaptest"
	"mailflume/ingest/oauth/oauthtest"
	"mailflume/pop3/pop3test"
	"mailflume/publish/s3blob/s3test"
)

func TestTheCanaryTestFindsAPlantedLeak(t *testing.T) {
	var a aviary
	secret := a.plant("a secret", canarySecret("found"))
	for name, text := range map[string]string{
		"plain": "x " + secret, "base64": base64.StdEncoding.EncodeToString([]byte("a" + secret)), "base64 of two": base64.RawURLEncoding.EncodeToString([]byte("ab" + secret)),
		"URL": url.QueryEscape(secret), "hex": hex.EncodeToString([]byte(secret)), "JSON": fmt.Sprintf("%q", secret), "cut": secret[:window] + "…",
	} {
		if len(a.leaks("one line\nand "+text+" in another\n")) == 0 {
			t.Errorf("%s: not found in %s", name, text)
		}
	}
	if found := a.leaks("nothing of it"); len(found) > 0 {
		t.Error(found)
	}
}

// canarySecret is a secret that looks different in every form.
func canarySecret(name string) string { return `Mf8Q~` + name + `/+"q"\&=<%41 CANARY-0123456789` }

// cage is the surroundings in which secrets are planted.
type cage struct {
	aviary
	t           *testing.T
	dir         string
	issuer      *oauthtest.Issuer
	config      strings.Builder // credentials
	boxes       strings.Builder
	parrot      [3]string // ports: IMAP, POP3, SMTP
	imapPort    string
	pop3Port    string
	certificate tls.Certificate
}

// newCage has an issuer, two mail servers that believe it, and two that repeat what they are told.
func newCage(t *testing.T) *cage {
	t.Helper()
	c := &cage{t: t, dir: t.TempDir()}
	var err error
	c.issuer, err = oauthtest.Start(oauthtest.Options{Secret: c.plant("client secret", canarySecret("client"))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.issuer.Close() })
	c.certificate = c.issuer.CA().Server()
	verify := func(_, token string) error {
		c.plantToken(token)
		_, err := c.issuer.Verify(token)
		return err
	}
	imap, err := imaptest.Start(imaptest.Options{Mechanisms: []string{"XOAUTH2"}, Verify: verify})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = imap.Close() })
	pop, err := pop3test.Start(pop3test.Options{TLS: &tls.Config{Certificates: []tls.Certificate{c.certificate}, MinVersion: tls.VersionTLS12}, Mechanisms: []string{"XOAUTH2"}, Verify: verify})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pop.Close() })
	for n := range 3 {
		mail := fmt.Appendf(nil, "From: a@example.net\r\nTo: b@example.com\r\nSubject: %d\r\nMessage-ID: <%d@example.net>\r\n\r\nHello\r\n", n, n)
		pop.Add("pop@example.com", mail)
		if err := imap.Add("imap@example.com", "INBOX", mail, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	c.imapPort, c.pop3Port = imap.Addr()[strings.LastIndexByte(imap.Addr(), ':')+1:], pop.Addr()[strings.LastIndexByte(pop.Addr(), ':')+1:]
	c.parrot = [3]string{parrot(t, c.certificate, repeatIMAP), parrot(t, c.certificate, repeatPOP3), parrot(t, c.certificate, repeatSMTP)}
	c.file("imap.pem", string(imap.CA()))
	c.file("issuer.pem", string(c.issuer.CAPEM()))
	return c
}

// plantToken plants an access token: what is in it is no secret, its signature makes it one.
func (c *cage) plantToken(token string) {
	parts := strings.Split(token, ".")
	if len(parts) == 3 {
		c.plant("access token "+parts[2][:6], token)
		c.plant("signature "+parts[2][:6], parts[2])
	}
}

func (c *cage) file(name, text string) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// entra adds a credential whose secret is in a file.
func (c *cage) entra(name, kind, content string) {
	c.file(name, content)
	fmt.Fprintf(&c.config, "  %s: {type: entra, tenant: %s.example, client_id: app, %s: \"file:%s\", authority: %s, ca_file: issuer.pem}\n", name, name, kind, name, c.issuer.URL())
}

func (c *cage) box(id, keys string) {
	fmt.Fprintf(&c.boxes, "  - {id: %s, address: %s@example.com, provider: generic, host: 127.0.0.1, start: all, poll_every: 1s, %s}\n", id, id, keys)
}

// write writes the configuration and returns its path.
func (c *cage) write(nats, blobs string) string {
	c.file("mailflume.yaml", fmt.Sprintf("nats: %s\nblobs: {url: \"nats:\"%s}\ncredentials:\n%smailboxes:\n%shttp: {listen: \"%s\"}\nlog: {level: debug}\n",
		nats, blobs, c.config.String(), c.boxes.String(), "127.0.0.1:"+closedPort(c.t)))
	return filepath.Join(c.dir, "mailflume.yaml")
}

// populate adds mailboxes that work and mailboxes whose sign-in is refused in every way.
func (c *cage) populate() {
	cert, pemText, err := oauthtest.ClientCertificate(time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil {
		c.t.Fatal(err)
	}
	c.issuer.Register(cert)
	c.plantKey(c.t, "certificate key", pemText)
	c.entra("good", "client_secret", c.issuer.Secret())
	c.entra("cert", "certificate", string(pemText))
	c.entra("broken-cert", "certificate", strings.ReplaceAll(string(pemText), "-----END PRIVATE KEY", "-----"))
	wrong := c.plant("refused client secret", canarySecret("refused"))
	refresh := c.plant("refresh token", "0.AXoA-"+strings.Repeat("Refresh_token~", 4))
	access := c.plant("access token in a broken answer", "EwBwA8l6BAAU-"+strings.Repeat("opaque.token/+", 4))
	for name, fault := range map[string]oauthtest.Fault{
		"echo":     {Status: 401, Body: oauthtest.EntraError("invalid_client", 7000215, "Invalid client secret "+wrong+" "+base64.StdEncoding.EncodeToString([]byte("app:"+wrong)))},
		"html":     {Body: "<p>you sent client_secret=" + url.QueryEscape(wrong) + " " + hex.EncodeToString([]byte(wrong))},
		"redirect": {Redirect: "https://elsewhere.example/?" + url.QueryEscape(wrong)},
		"half":     {Body: fmt.Sprintf(`{"token_type":"Bearer","refresh_token":%q,"expires_in":"soon","access_token":%q}`, refresh, access)},
		"cut":      {Body: fmt.Sprintf(`{"access_token":%q,"refresh_token":%q`, access, refresh)},
		"refused":  {},
	} {
		if name != "refused" {
			fault.Path = name + ".example/oauth2/v2.0/token"
			c.issuer.Fail(fault)
		}
		c.entra(name, "client_secret", wrong)
		c.box("box-"+name, "credentials: "+name+", ca_file: imap.pem, port: "+c.imapPort)
	}
	c.file("password", c.plant("password", canarySecret("password")))
	c.config.WriteString("  pw: {type: password, password: \"file:password\"}\n")
	c.box("imap", "credentials: good, ca_file: imap.pem, port: "+c.imapPort)
	c.box("pop", "credentials: cert, protocol: pop3, ca_file: issuer.pem, port: "+c.pop3Port+", smtp: {host: 127.0.0.1, tls: implicit, port: "+c.parrot[2]+"}, canary: {every: 1m, timeout: 30s}")
	c.box("broken-cert", "credentials: broken-cert, ca_file: imap.pem, port: "+c.imapPort)
	for i, protocol := range []string{"imap", "pop3"} {
		for n := range manners {
			c.box(fmt.Sprint("password-", protocol, n), "credentials: pw, ca_file: issuer.pem, protocol: "+protocol+", port: "+c.parrot[i])
			c.box(fmt.Sprint("token-", protocol, n), "credentials: good, ca_file: issuer.pem, protocol: "+protocol+", port: "+c.parrot[i])
		}
	}
	c.everyKind(pemText)
}

// canaryWorker is a running worker in a process of its own.
type canaryWorker struct {
	cmd  *exec.Cmd
	said bytes.Buffer
	done chan struct{}
}

func (c *cage) run(file string, until func(line string) bool) *canaryWorker {
	c.t.Helper()
	w := &canaryWorker{done: make(chan struct{}), cmd: exec.CommandContext(c.t.Context(), os.Args[0], "run", "-c", file)}
	w.cmd.Env = append(os.Environ(), asProgram+"=1", "GOTRACEBACK=system", "GOCOVERDIR="+c.t.TempDir())
	stderr, err := w.cmd.StderrPipe()
	if err == nil {
		err = w.cmd.Start()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	ready := make(chan struct{})
	go func() {
		defer close(w.done)
		r := bufio.NewReader(stderr)
		for waiting := true; ; {
			line, err := r.ReadString('\n')
			w.said.WriteString(line)
			if waiting && until(line) {
				close(ready)
				waiting = false
			}
			if err != nil {
				_ = w.cmd.Wait()
				return
			}
		}
	}()
	select {
	case <-ready:
	case <-w.done:
		c.t.Fatalf("the worker ended: %s", w.said.String())
	case <-time.After(60 * time.Second):
		_ = w.cmd.Process.Kill()
		<-w.done
		c.t.Fatalf("the worker does not get there: %s", w.said.String())
	}
	return w
}

// crash makes it dump all its goroutines, and returns all it has said.
func (w *canaryWorker) crash() string {
	_ = w.cmd.Process.Signal(syscall.SIGQUIT)
	<-w.done
	return w.said.String()
}

func TestNoSecretLeaksWhateverFails(t *testing.T) {
	c := newCage(t)
	c.populate()
	file := c.write("{data_dir: data}", "")
	code, out, errOut := call(t, "login", "p-person", "--device", "-c", file)
	c.clean(t, "login", out+errOut)
	if refresh, _ := c.secret("delegated refresh token"); code != 0 || refresh == "" {
		t.Errorf("login: exit %d: %s", code, errOut)
	}
	waiting, all := map[string]bool{}, strings.Count(c.boxes.String(), "\n")
	w := c.run(file, func(line string) bool {
		var l struct{ Mailbox, State, Level, Message string }
		_ = json.Unmarshal([]byte(line), &l)
		if l.Message == "mailbox in trouble" || l.State == "idle" || l.State == "polling_wait" {
			waiting[l.Mailbox] = true
		}
		return len(waiting) == all
	})
	token, err := os.ReadFile(filepath.Join(c.dir, "data", "token"))
	if err != nil {
		t.Fatal(err)
	}
	c.plant("token of the embedded NATS", strings.TrimSpace(string(token)))
	_, shown, _ := call(t, "config", "show", "-c", file)
	_, listen, _ := strings.Cut(shown, "listen: ")
	listen, _, _ = strings.Cut(listen, "\n")
	for _, page := range []string{"/", "/api/v1/mailboxes", "/metrics", "/readyz", "/livez", "/api/v1/support/log", "/api/v1/support/goroutines", "/nothing"} {
		c.clean(t, page, fetch(t, "http://"+listen+page))
	}
	c.commands(file, "config show", "config validate", "config schema", "status -o wide", "status -o json", "status -o yaml", "tap --from-start --json", "audit imap",
		"poll box-echo", "poll password-imap0", "pause imap", "resume imap", "quarantine ls", "backfill imap --since 1h --json", "check", "check --json", "check pop --send", "check pop --send --json", "check --trace --all", "login p-person --device", "explain MF-AUTH-001")
	bundle := c.bundle(file)
	for name, want := range map[string]string{
		"config.yaml": "client_secret: \"***\"", "files.txt": "octets free", "state.txt": "password-imap0", "metrics-2.txt": "mailflume_nats_up 1", "log.jsonl": `"level":"debug"`,
		"goroutines.txt": "goroutine ", "nats.json": "KV_mailflume", "mailboxes.json": `"code"`, "about.txt": "mod\tmailflume", "ready.txt": "ok",
	} {
		if text := bundle[name]; !strings.Contains(text, want) || strings.Contains(text, "NOT COMPLETE") {
			t.Errorf("%s lacks %s: %.500s", name, want, text)
		}
	}
	dump := w.crash()
	if !strings.Contains(dump, "goroutine ") {
		t.Error("the crash shows no goroutines")
	}
	c.clean(t, "log and crash dump", dump)
	c.cleanFolder(t, filepath.Join(c.dir, "data"), "token")
	if _, all := c.secret(""); all < 40 {
		t.Errorf("only %d secrets were planted", all)
	}
}

func fetch(t *testing.T, address string) string {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(res.Header, string(b))
}

func TestNoSecretLeaksFromNATSAndS3ThatRefuse(t *testing.T) {
	t.Parallel()
	c := newCage(t)
	c.entra("good", "client_secret", c.issuer.Secret())
	c.box("imap", "credentials: good, ca_file: imap.pem, port: "+c.imapPort)
	store := filepath.Join(t.TempDir(), "store")
	srv, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: store, NoLog: true, NoSigs: true,
		Username: "mailflume", Password: c.plant("NATS password", "nats-"+strings.ReplaceAll(canarySecret("nats"), " ", "_")),
	})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	})
	s3, err := s3test.Start(t.TempDir(), s3test.Options{SecretKey: "the right one"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s3.Close)
	c.file("s3", fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n", c.plant("S3 access key id", "AKIACANARY7EXAMPLE42"),
		c.plant("S3 secret key", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYCANARYKEY"), c.plant("S3 session token", "IQoJb3JpZ2lu"+strings.Repeat("/session+token", 4))))
	user, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := user.Seed()
	if err != nil {
		t.Fatal(err)
	}
	c.file("seed", c.plant("nkey seed", string(seed)))
	c.file("creds", "-----BEGIN NATS USER JWT-----\neyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.e30.x\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n"+string(seed)+"\n------END USER NKEY SEED------\n")
	const byPassword = "user: mailflume, password_file: nats"
	right, _ := c.secret("NATS password")
	for _, tt := range []struct {
		by, password, blobs string
		code                int
	}{
		{byPassword, c.plant("wrong NATS password", canarySecret("wrong")), "", exitNATS},
		{"nkey_seed_file: seed", "", "", exitNATS},
		{"credentials_file: creds", "", "", exitNATS},
		{byPassword, right, "", exitOK},
		{byPassword, right, "S3", exitFailed},
	} {
		c.file("nats", tt.password)
		file := c.write(fmt.Sprintf("{url: \"nats://%s\", %s}", srv.Addr(), tt.by), "")
		if tt.blobs != "" {
			b, _ := os.ReadFile(file)
			c.file("mailflume.yaml", strings.Replace(string(b), `url: "nats:"`, "url: \"s3://mail?region=test-1&endpoint="+s3.URL+"\", credentials_file: s3", 1))
		}
		code, out, errOut := call(t, "run", "--once", "-c", file)
		c.clean(t, "run --once", out+errOut)
		if code == exitOK && tt.code != exitOK || code != exitOK && tt.code == exitOK {
			t.Errorf("exit %d, want %d: %s", code, tt.code, errOut)
		}
		c.commands(file, "config show", "config validate", "check", "tap --from-start --json", "audit imap", "pause imap", "resume imap")
		c.bundle(file)
	}
	c.file("nats", right)
	c.commands(c.write(fmt.Sprintf("{url: \"nats://%s\", %s}", parrotNATS(t), byPassword), ""), "check")
	c.cleanFolder(t, store)
}

func TestNoLiteralSecretLeaksFromABadConfiguration(t *testing.T) {
	t.Parallel()
	c := &cage{t: t, dir: t.TempDir()}
	secret := c.plant("literal secret", "Mf8QCANARY0123456789abcdefghijklmnopqrstuvwxyz")
	for name, text := range map[string]string{
		"client secret": "credentials:\n  a: {type: entra, tenant: contoso.com, client_id: x, client_secret: %s}\nmailboxes: [{address: a@example.com}]\n",
		"misspelt":      "credentials:\n  a: {type: entra, tenant: contoso.com, client_id: x, client_secrt: %s}\nmailboxes: [{address: a@example.com}]\n",
		"password":      "credentials:\n  a:\n    type: password\n    password: %s\nmailboxes: [{address: a@example.com}]\n",
		"not closed":    "credentials:\n  a: {type: password, password: \"%s}\nmailboxes: [{address: a@example.com}]\n",
		"NATS URL":      "nats: {url: \"nats://user:%s@127.0.0.1\"}\nmailboxes: [{address: a@example.com}]\n",
		"NATS token":    "nats: {url: \"nats://127.0.0.1\", token: %s}\nmailboxes: [{address: a@example.com}]\n",
		"S3 URL":        "blobs: {url: \"s3://AKID:%s@bucket?region=x\"}\nmailboxes: [{address: a@example.com}]\n",
		"S3 key":        "blobs: {url: \"s3://bucket?region=x&secret_key=%s\"}\nmailboxes: [{address: a@example.com}]\n",
		"block":         "credentials:\n  a:\n    type: password\n    password: |\n      %s\nmailboxes: [{address: a@example.com}]\n",
	} {
		t.Run(name, func(t *testing.T) {
			c.t = t
			c.file("mailflume.yaml", fmt.Sprintf(text, secret))
			c.commands(filepath.Join(c.dir, "mailflume.yaml"), "config validate", "config show", "run --once", "status", "check")
			c.bundle(filepath.Join(c.dir, "mailflume.yaml"))
		})
	}
}
