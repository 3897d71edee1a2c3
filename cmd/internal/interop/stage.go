package interop

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"text/template"

	"mailflume/cmd/internal/rig"
	"mailflume/ingest/oauth/oauthtest"
)

// Stage is an OAuth2 issuer and a Dovecot that takes its tokens.
type Stage struct {
	Dir     string
	Issuer  *oauthtest.Issuer
	Dovecot *rig.Dovecot
	configs int
}

// NewStage starts both. dir holds the configurations and secrets.
func NewStage(dir string) (*Stage, error) {
	s := &Stage{Dir: dir}
	var err error
	if s.Issuer, err = oauthtest.Start(oauthtest.Options{}); err != nil {
		return nil, err
	}
	cert := s.Issuer.CA().Server()
	chain, key, err := oauthtest.ServerPEM(cert)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.Dovecot, err = rig.Start(rig.Options{Issuer: s.Issuer.URL(), WriteKey: s.Issuer.WriteDovecotKey, TLSCert: chain, TLSKey: key, AppOnly: true})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, errors.Join(
		os.WriteFile(filepath.Join(dir, "secret"), []byte(s.Issuer.Secret()), 0o600),
		os.WriteFile(filepath.Join(dir, "ca.pem"), s.Issuer.CAPEM(), 0o600))
}

// Close ends both servers.
func (s *Stage) Close() error {
	var errs []error
	if s.Dovecot != nil {
		errs = append(errs, s.Dovecot.Stop())
	}
	return errors.Join(append(errs, s.Issuer.Close())...)
}

// Box is one mailbox of a configuration.
type Box struct {
	ID, User string
	Protocol string // imap or pop3
	StartTLS bool
	Extra    string // more keys, for example "start: now"
}

// Setup is a configuration.
type Setup struct {
	NATS  string // URL; empty: embedded, in DataDir
	Data  string // data_dir of the embedded server
	Blobs string // blobs.url; empty: nats:
	Boxes []Box
	Extra string // more top-level keys
}

const configText = `nats:
{{- if .NATS}}
  url: {{.NATS}}
{{- else}}
  data_dir: {{.Data}}
{{- end}}
blobs: {url: "{{or .Blobs "nats:"}}"}
credentials:
  rig: {type: entra, tenant: rig.example, client_id: rig, client_secret: file:secret, authority: {{.Issuer}}, ca_file: ca.pem}
defaults: {provider: generic, credentials: rig, auth: xoauth2, start: all, poll_every: 1s, host: 127.0.0.1, ca_file: ca.pem}
mailboxes:
{{- range .Boxes}}
  - {id: {{.ID}}, address: {{.User}}, protocol: {{.Protocol}}, port: {{call $.Port .}}, tls: {{if .StartTLS}}starttls{{else}}implicit{{end}}{{with .Extra}}, {{.}}{{end}}}
{{- end}}
http: {listen: "off"}
{{.Extra}}
`

// Config writes a configuration and returns its file.
func (s *Stage) Config(o Setup) (string, error) {
	t, err := template.New("config").Parse(configText)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = t.Execute(&b, struct {
		Setup
		Issuer string
		Port   func(Box) (string, error)
	}{o, s.Issuer.URL(), s.port})
	if err != nil {
		return "", fmt.Errorf("write a configuration: %w", err)
	}
	s.configs++
	path := filepath.Join(s.Dir, fmt.Sprintf("config-%d.yaml", s.configs))
	return path, os.WriteFile(path, b.Bytes(), 0o600)
}

func (s *Stage) port(b Box) (string, error) {
	addr := map[string]string{
		"imap": s.Dovecot.IMAPS, "pop3": s.Dovecot.POP3S, "imap+": s.Dovecot.IMAP, "pop3+": s.Dovecot.POP3,
	}[b.Protocol+map[bool]string{true: "+"}[b.StartTLS]]
	_, port, err := net.SplitHostPort(addr)
	return port, err
}
