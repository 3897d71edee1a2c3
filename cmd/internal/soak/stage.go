package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"mailflume/ingest/imapsource/imaptest"
	"mailflume/ingest/oauth/oauthtest"
	"mailflume/pop3/pop3test"
)

// Stage is the mail servers of a run and the issuer of their tokens.
type Stage struct {
	post   Post
	issuer *oauthtest.Issuer
	imap   *imaptest.Server
	pop3   *pop3test.Server
	held   []int  // messages that each mailbox has got
	stream string // what the configuration says of the stream
	more   string // lines of configuration below the mailboxes
}

// newStage starts the servers, with empty mailboxes.
func newStage(p Post) (*Stage, error) {
	s := &Stage{post: p, held: make([]int, p.Boxes)}
	var err error
	if s.issuer, err = oauthtest.Start(oauthtest.Options{}); err != nil {
		return nil, err
	}
	verify := func(_, token string) error {
		_, err := s.issuer.Verify(token)
		return err
	}
	if s.imap, err = imaptest.Start(imaptest.Options{Mechanisms: []string{"XOAUTH2"}, Verify: verify}); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	cert := &tls.Config{Certificates: []tls.Certificate{s.issuer.CA().Server()}, MinVersion: tls.VersionTLS12}
	if s.pop3, err = pop3test.Start(pop3test.Options{TLS: cert, Mechanisms: []string{"XOAUTH2"}, Verify: verify}); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close ends the servers.
func (s *Stage) Close() error {
	var errs []error
	if s.pop3 != nil {
		errs = append(errs, s.pop3.Close())
	}
	if s.imap != nil {
		errs = append(errs, s.imap.Close())
	}
	return errors.Join(append(errs, s.issuer.Close())...)
}

// deliver brings mailbox b to n messages.
func (s *Stage) deliver(b, n int) error {
	for s.held[b] < n {
		s.held[b]++
		m := s.post.message(b, s.held[b])
		if s.post.pop3(b) {
			s.pop3.Add(s.post.user(b), m)
		} else if err := s.imap.Add(s.post.user(b), "INBOX", m, time.Now()); err != nil {
			return err
		}
	}
	return nil
}

// sent is how many messages there were so far.
func (s *Stage) sent() (n int) {
	for _, h := range s.held {
		n += h
	}
	return n
}

const configText = `nats: {{"{"}}{{if .NATS}}url: "{{.NATS}}"{{else}}data_dir: nats{{end}}, stream: {{"{"}}{{.Stream}}{{"}}"}}
credentials:
  soak: {type: entra, tenant: soak.example, client_id: soak, client_secret: file:secret, authority: {{.Issuer}}, ca_file: issuer.pem}
defaults: {provider: generic, credentials: soak, auth: xoauth2, start: all, poll_every: 2s, host: 127.0.0.1}
mailboxes:
{{- range .Boxes}}
  - {id: {{.ID}}, address: {{.User}}, protocol: {{.Protocol}}, port: {{.Port}}, ca_file: {{.CA}}, after: {action: {{.After}}, grace: 0s}}
{{- end}}
{{.More}}
http: {listen: "off"}
`

// config writes the workers' configuration into dir. Without a URL NATS is embedded.
func (s *Stage) config(dir, natsURL string) (string, error) {
	type box struct{ ID, User, Protocol, Port, CA, After string }
	_, imapPort, errIMAP := net.SplitHostPort(s.imap.Addr())
	_, pop3Port, errPOP3 := net.SplitHostPort(s.pop3.Addr())
	var boxes []box
	for b := range s.post.Boxes {
		x := box{s.post.box(b), s.post.user(b), "imap", imapPort, "imap.pem", s.post.after(b)}
		if s.post.pop3(b) {
			x.Protocol, x.Port, x.CA = "pop3", pop3Port, "issuer.pem"
		}
		boxes = append(boxes, x)
	}
	var text bytes.Buffer
	t, err := template.New("config").Parse(configText)
	if err == nil {
		err = t.Execute(&text, struct {
			NATS, Issuer, Stream, More string
			Boxes                      []box
		}{natsURL, s.issuer.URL(), s.stream, s.more, boxes})
	}
	errs := []error{errIMAP, errPOP3, err}
	for name, b := range map[string][]byte{
		"config.yaml": text.Bytes(), "secret": []byte(s.issuer.Secret()), "issuer.pem": s.issuer.CAPEM(), "imap.pem": s.imap.CA(),
	} {
		errs = append(errs, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	}
	if err := errors.Join(errs...); err != nil {
		return "", fmt.Errorf("write the configuration: %w", err)
	}
	return filepath.Join(dir, "config.yaml"), nil
}
