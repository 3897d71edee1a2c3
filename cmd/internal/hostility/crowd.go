package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"mailflume/ingest/imapsource/imaptest"
	"mailflume/pop3/pop3test"
)

// healthy is a mailbox whose server does what it should.
type healthy struct {
	ID, Protocol string
	Port         int
}

// crowd is everything around a worker: servers, its configuration, and the book of its mail.
type crowd struct {
	dir     string
	nats    string // URL; empty: embedded
	certs   *certificates
	imap    *imaptest.Server
	pop3    *pop3test.Server
	healthy []healthy
	book    *book
}

// newCrowd starts the healthy servers; each third mailbox is read over POP3.
func newCrowd(dir, nats string, mailboxes int) (*crowd, error) {
	c := &crowd{dir: dir, nats: nats, certs: newCertificates(), book: newBook()}
	var err error
	if c.imap, err = imaptest.Start(imaptest.Options{}); err != nil {
		return nil, err
	}
	if c.pop3, err = pop3test.Start(pop3test.Options{TLS: &tls.Config{Certificates: []tls.Certificate{c.certs.good}, MinVersion: tls.VersionTLS12}}); err != nil {
		return nil, errors.Join(err, c.imap.Close())
	}
	for i := range mailboxes {
		h := healthy{ID: fmt.Sprintf("healthy-%02d", i), Protocol: "imap", Port: port(c.imap.Addr())}
		if i%3 == 2 {
			h.Protocol, h.Port = "pop3", port(c.pop3.Addr())
		}
		c.healthy = append(c.healthy, h)
	}
	for name, octets := range map[string][]byte{"imap.pem": c.imap.CA(), "ca.pem": c.certs.ca.PEM(), "password": []byte("secret")} {
		if err := os.WriteFile(filepath.Join(dir, name), octets, 0o600); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, c.configure(nil)
}

func (c *crowd) close() error { return errors.Join(c.imap.Close(), c.pop3.Close()) }

// deliver brings a message to one healthy mailbox.
func (c *crowd) deliver(i int) error {
	h := c.healthy[i]
	user := h.ID + "@example.com"
	message := c.book.send(h.ID)
	if h.Protocol == "pop3" {
		c.pop3.Add(user, message)
		return nil
	}
	return c.imap.Add(user, "INBOX", message, time.Now())
}

// keepMailing delivers so many messages a second until ctx ends. Each goes to any of the mailboxes: in
// turn they would keep step with the polls.
func (c *crowd) keepMailing(ctx context.Context, rate int) error {
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := c.deliver(rand.IntN(len(c.healthy))); err != nil {
				return fmt.Errorf("deliver: %w", err)
			}
		}
	}
}

const configText = `nats:
{{- if .NATS}}
  url: {{.NATS}}
{{- else}}
  data_dir: nats
{{- end}}
credentials: {all: {type: password, password: file:password}}
defaults: {provider: generic, credentials: all, start: all, poll_every: 1s}
mailboxes:
{{- range .Healthy}}
  - {id: {{.ID}}, address: {{.ID}}@example.com, protocol: {{.Protocol}}, host: 127.0.0.1, port: {{.Port}}, ca_file: {{if eq .Protocol "imap"}}imap{{else}}ca{{end}}.pem{{if eq .Protocol "imap"}}, poll_every: 60s{{end}}}
{{- end}}
{{- range .Hostile}}
  - {id: {{.ID}}, address: {{.ID}}@example.com, host: localhost, port: {{.Port}}, ca_file: ca.pem}
{{- end}}
http: {listen: "off"}
`

func (c *crowd) config() string { return filepath.Join(c.dir, "mailflume.yaml") }

// configure writes the configuration with these hostile mailboxes beside the healthy ones.
func (c *crowd) configure(hostile []healthy) error {
	t, err := template.New("config").Parse(configText)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, map[string]any{"NATS": c.nats, "Healthy": c.healthy, "Hostile": hostile}); err != nil {
		return err
	}
	tmp := c.config() + ".new"
	return errors.Join(os.WriteFile(tmp, b.Bytes(), 0o600), os.Rename(tmp, c.config()))
}
