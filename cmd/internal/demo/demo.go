package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"text/template"
	"time"

	"mailflume/cmd/internal/submit/submittest"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/ingest/oauth/oauthtest"
	"mailflume/pop3/pop3test"
	"mailflume/testdata"
)

// The mailboxes of the demo: one for each protocol, with the same mail.
const (
	imapUser = "support@example.com"
	pop3User = "invoices@example.com"
)

// The one tenant of the issuer and the one application in it.
const (
	tenant = "demo.example"
	client = "mailflume-demo"
)

// Stage is the running surroundings of the worker.
type Stage struct {
	dir    string
	issuer *oauthtest.Issuer
	imap   *imaptest.Server
	pop3   *pop3test.Server
	smtp   *submittest.Server
	mail   int
}

// Start starts the servers and fills the mailboxes.
func Start() (*Stage, error) {
	dir, err := os.MkdirTemp("", "mailflume-demo-")
	if err != nil {
		return nil, err
	}
	s := &Stage{dir: dir}
	if err := errors.Join(s.serve(), s.fill(), s.writeConfig()); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// serve starts the issuer and the mail servers, which take only the issuer's tokens. Whoever is to sign
// in at the issuer is the owner of the IMAP mailbox, and agrees.
func (s *Stage) serve() (err error) {
	roles := []string{"IMAP.AccessAsApp", "POP.AccessAsApp", "SMTP.SendAsApp"}
	if s.issuer, err = oauthtest.Start(oauthtest.Options{Tenant: tenant, ClientID: client, Public: true, Roles: roles}); err != nil {
		return fmt.Errorf("start the issuer: %w", err)
	}
	s.issuer.SetPeople(oauthtest.People{User: imapUser})
	refused := imaptest.No("AUTHENTICATE failed.") // as Exchange says it, whatever is wrong
	if s.imap, err = imaptest.Start(imaptest.Options{Mechanisms: []string{"XOAUTH2"}, Verify: s.opens(refused, imapUser)}); err != nil {
		return fmt.Errorf("start the IMAP server: %w", err)
	}
	cert := &tls.Config{Certificates: []tls.Certificate{s.issuer.CA().Server()}, MinVersion: tls.VersionTLS12}
	denied := pop3test.Reply("-ERR Authentication failure: unknown user name or bad password.")
	if s.pop3, err = pop3test.Start(pop3test.Options{TLS: cert, Mechanisms: []string{"XOAUTH2"}, NoUser: true, Verify: s.opens(denied, pop3User)}); err != nil {
		return fmt.Errorf("start the POP3 server: %w", err)
	}
	if s.smtp, err = submittest.Start(submittest.Options{Verify: s.opens(refused, imapUser, pop3User), Deliver: s.submitted}); err != nil {
		return fmt.Errorf("start the submission server: %w", err)
	}
	return nil
}

// opens lets those in who have a token of the issuer for Exchange, to these mailboxes: an application to
// each of them, a person to the own one.
func (s *Stage) opens(refused error, boxes ...string) func(user, token string) error {
	return func(user, token string) error {
		c, err := s.issuer.Verify(token)
		if err != nil || c.Audience != oauthtest.DefaultAudience || !slices.Contains(boxes, user) || c.UPN != oauthtest.AppOnly && c.UPN != user {
			return refused
		}
		return nil
	}
}

// submitted delivers what a probe of these mailboxes is.
func (s *Stage) submitted(m submittest.Message) {
	if m.To == pop3User {
		s.pop3.Add(pop3User, m.Octets)
		return
	}
	_ = s.imap.Add(imapUser, "INBOX", m.Octets, time.Now()) // fails only while the server closes
}

// fill delivers the testdata mail to both mailboxes.
func (s *Stage) fill() error {
	if s.smtp == nil {
		return nil // serve has said why
	}
	files := testdata.Mail()
	names, err := fs.Glob(files, "*.eml")
	if err != nil {
		return err
	}
	for _, n := range names {
		b, err := fs.ReadFile(files, n)
		if err != nil {
			return err
		}
		if err := s.deliver(b); err != nil {
			return fmt.Errorf("deliver %s: %w", n, err)
		}
	}
	return nil
}

func (s *Stage) deliver(message []byte) error {
	s.mail++
	s.pop3.Add(pop3User, message)
	return s.imap.Add(imapUser, "INBOX", message, time.Now())
}

// configText is what a user would write for these servers.
const configText = `# written by mailflume demo
nats:
  data_dir: nats
credentials:
  person:        # no mailbox has these: name them in one, then: mailflume login person --device -c THIS-FILE
    type: delegated
    tenant: {{.Tenant}}
    client_id: {{.Client}}
    token_key: file:key
    authority: {{.Issuer}}
    ca_file: issuer.pem
  demo:
    type: entra
    tenant: {{.Tenant}}
    client_id: {{.Client}}
    client_secret: file:secret
    authority: {{.Issuer}}
    ca_file: issuer.pem
defaults:
  provider: microsoft365
  credentials: demo
  auth: xoauth2
  start: all
  poll_every: 3s
  smtp: {port: {{.SMTPPort}}, host: 127.0.0.1}
mailboxes:
  - {id: support, address: {{.IMAPUser}}, protocol: imap, host: 127.0.0.1, port: {{.IMAPPort}}, ca_file: imap.pem}
  - {id: invoices, address: {{.POP3User}}, protocol: pop3, host: 127.0.0.1, port: {{.POP3Port}}, ca_file: pop3.pem}
http: {listen: "127.0.0.1:0"}
log: {format: console, level: info}
`

func (s *Stage) writeConfig() error {
	if s.smtp == nil {
		return nil
	}
	t, err := template.New("config").Parse(configText)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]string{
		"Issuer": s.issuer.URL(), "Tenant": tenant, "Client": client, "SMTPPort": port(s.smtp.Addr()),
		"IMAPUser": imapUser, "IMAPPort": port(s.imap.Addr()), "POP3User": pop3User, "POP3Port": port(s.pop3.Addr()),
	})
	if err != nil {
		return err
	}
	key := make([]byte, 32) // as oauth.TokenKeys wants it
	_, _ = rand.Read(key)   // never fails
	for name, text := range map[string][]byte{
		"mailflume.yaml": b.Bytes(), "secret": []byte(s.issuer.Secret()), "key": []byte(base64.StdEncoding.EncodeToString(key)), "issuer.pem": s.issuer.CAPEM(),
		"imap.pem": slices.Concat(s.imap.CA(), s.smtp.CA()), "pop3.pem": slices.Concat(s.issuer.CAPEM(), s.smtp.CA()), // the submission server's too
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// ConfigFile is the worker's configuration.
func (s *Stage) ConfigFile() string { return filepath.Join(s.dir, "mailflume.yaml") }

// Introduce says what is about to be seen, and what else can be tried meanwhile.
func (s *Stage) Introduce(w io.Writer) {
	_, _ = fmt.Fprintf(w, "issuer %s · IMAP %s (%s) · POP3 %s (%s) · SMTP %s · %d messages each\n",
		s.issuer.URL(), s.imap.Addr(), imapUser, s.pop3.Addr(), pop3User, s.smtp.Addr(), s.mail)
}

// KeepMailing delivers a new message every so often until ctx ends.
func (s *Stage) KeepMailing(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			_ = s.deliver(compose(n, now)) // the next one will show it
		}
	}
}

// compose writes a small message.
func compose(n int, at time.Time) []byte {
	return fmt.Appendf(nil, "Date: %s\r\nFrom: Demo <demo@example.net>\r\nTo: %s, %s\r\nSubject: A message that has just arrived (%d)\r\n"+
		"Message-ID: <demo-%d-%d@example.net>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nDelivered while the worker was running.\r\n",
		at.Format(time.RFC1123Z), imapUser, pop3User, n, at.UnixNano(), n)
}

// port returns the port of host:port.
func port(addr string) string {
	for i := len(addr) - 1; i >= 0; i-- {
		if addr[i] == ':' {
			return addr[i+1:]
		}
	}
	return addr
}

// Close stops the servers and removes the folder.
func (s *Stage) Close() error {
	var errs []error
	if s.imap != nil {
		errs = append(errs, s.imap.Close())
	}
	if s.pop3 != nil {
		errs = append(errs, s.pop3.Close())
	}
	if s.smtp != nil {
		errs = append(errs, s.smtp.Close())
	}
	if s.issuer != nil {
		errs = append(errs, s.issuer.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}
