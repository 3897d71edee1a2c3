package catalogue

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"mailflume/cmd/internal/submit/submittest"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/ingest/oauth/oauthtest"
	"mailflume/pop3/pop3test"
)

// The mailbox, the application and its tenant.
const (
	user   = "support@contoso.example"
	tenant = "contoso.example"
	client = "11112222-bbbb-3333-cccc-4444dddd5555"
)

// stage is one row on loopback.
type stage struct {
	dir    string
	issuer *oauthtest.Issuer
	key    []byte // of the credentials, besides the secret
	box    string // address of the mail server
	ends   []func() error

	submission string // address of the submission server, if there is one
}

// build starts what a row needs. Key signs the tokens; nil: a new one.
func build(r Row, key *rsa.PrivateKey) (s *stage, err error) {
	s = &stage{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "mailflume-fault-"); err != nil {
		return s, err
	}
	s.ends = append(s.ends, func() error { return os.RemoveAll(s.dir) })
	if s.issuer, err = oauthtest.Start(oauthtest.Options{ClientID: client, Tenant: tenant, Key: key}); err != nil {
		return s, err
	}
	s.ends = append(s.ends, s.issuer.Close)
	if r.Mint == nil && r.Issuer.Path == "" && r.Login == nil { // Entra gives what the registration asks for, and no more
		r.Mint = &oauthtest.MintOptions{Roles: []string{"IMAP.AccessAsApp"}}
		if r.POP3 != nil {
			r.Mint.Roles[0] = "POP.AccessAsApp"
		}
	}
	if r.Mint != nil {
		o := *r.Mint
		o.ClientID, o.Tenant = client, tenant
		s.issuer.Fail(oauthtest.Fault{Path: onToken, Body: fmt.Sprintf(`{"access_token":%q,"expires_in":3600,"token_type":"Bearer"}`, s.issuer.Mint(o))})
	}
	if r.Issuer.Path != "" {
		s.issuer.Fail(r.Issuer)
	}
	ca := s.issuer.CAPEM()
	cert := &tls.Config{Certificates: []tls.Certificate{s.issuer.CA().Server()}, MinVersion: tls.VersionTLS12}
	switch {
	case r.POP3 != nil:
		err = s.pop3(*r.POP3, cert)
	case r.IMAP != nil:
		err = s.script(&imaptest.Script{Rules: r.IMAP}, cert)
	default:
		ca, err = s.imap(r)
	}
	if err == nil && r.SMTP != "" {
		var more []byte
		more, err = s.smtp(r.SMTP)
		ca = append(ca, more...)
	}
	if err != nil {
		return s, err
	}
	return s, s.write(r, ca)
}

// smtp serves submission and answers tokens so.
func (s *stage) smtp(answer string) (ca []byte, err error) {
	srv, err := submittest.Start(submittest.Options{})
	if err != nil {
		return nil, err
	}
	srv.Answer("TOKEN", answer)
	s.submission = srv.Addr()
	s.ends = append(s.ends, srv.Close)
	return srv.CA(), nil
}

// certificate is an application that signs for itself.
func (s *stage) certificate() string {
	cert, text, err := oauthtest.ClientCertificate(time.Now().Add(-time.Hour), time.Now().Add(365*24*time.Hour))
	if err != nil { // no randomness
		panic(err)
	}
	s.issuer.Register(cert)
	s.key = text
	return s.application("certificate: file:key")
}

// federatedToken is an application for which a cluster signs.
func (s *stage) federatedToken() string {
	s.key = []byte(s.issuer.Workload("system:serviceaccount:mail:mailflume", "api://AzureADTokenExchange", time.Hour))
	return s.application("federated_token: file:key")
}

// application is one at Entra, with what proves it.
func (s *stage) application(proof string) string {
	return fmt.Sprintf("type: entra\n    tenant: %s\n    client_id: %s\n    %s\n    authority: %s", tenant, client, proof, s.issuer.URL())
}

// serviceAccount is one of Google's to which these scopes are delegated.
func (s *stage) serviceAccount(scopes ...string) string {
	s.key = s.issuer.ServiceAccount("mailflume@project.iam.gserviceaccount.com", scopes...)
	return "type: google\n    service_account: file:key"
}

// refreshToken is what a user has signed in for.
func (s *stage) refreshToken() string {
	s.key = []byte("a refresh token")
	return "type: oauth2\n    client_id: " + client + "\n    client_secret: file:secret\n    token_url: " + s.issuer.TokenURL() + "\n    refresh_token: file:key"
}

func (s *stage) imap(r Row) (ca []byte, err error) {
	srv, err := imaptest.Start(imaptest.Options{Mechanisms: []string{"XOAUTH2"}})
	if err != nil {
		return nil, err
	}
	s.ends = append(s.ends, srv.Close)
	if s.box = srv.Addr(); r.Real != nil {
		r.Real(srv)
	}
	return srv.CA(), nil
}

func (s *stage) pop3(o pop3test.Options, cert *tls.Config) error {
	o.TLS, o.Challenge = cert, "-"
	srv, err := pop3test.Start(o)
	if err != nil {
		return err
	}
	srv.Add(user, []byte("Subject: hello\r\n\r\nhello\r\n"))
	s.box = srv.Addr()
	s.ends = append(s.ends, srv.Close)
	return nil
}

// script serves a scripted mail server until the stage is closed.
func (s *stage) script(sc *imaptest.Script, cert *tls.Config) error {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.box = l.Addr().String()
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		conns []net.Conn
	)
	wg.Go(func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, raw)
			mu.Unlock()
			wg.Go(func() { _ = sc.Serve(tls.Server(raw, cert)) })
		}
	})
	s.ends = append(s.ends, func() error {
		err := l.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
		return err
	})
	return nil
}

// write writes what a user would: configuration, secret and authorities.
func (s *stage) write(r Row, ca []byte) error {
	protocol := "imap"
	if r.POP3 != nil {
		protocol = "pop3"
	}
	_, port, err := net.SplitHostPort(s.box)
	if err != nil {
		return err
	}
	login := s.application("client_secret: file:secret")
	if r.Login != nil {
		login = r.Login(s)
	}
	text := fmt.Sprintf(`nats: {data_dir: nats}
credentials:
  contoso:
    %s
    ca_file: issuer.pem
defaults: {provider: microsoft365, credentials: contoso, host: 127.0.0.1, start: all}
mailboxes:
  - {id: support, address: %s, protocol: %s, port: %s, ca_file: box.pem}
http: {listen: "off"}
`, login, user, protocol, port)
	if host, port, err := net.SplitHostPort(s.submission); err == nil {
		text = strings.Replace(text, "start: all", fmt.Sprintf("start: all, smtp: {host: %s, port: %s}", host, port), 1)
	}
	if r.Change[0] != "" {
		text = strings.Replace(text, strings.ReplaceAll(r.Change[0], "{{box}}", port), r.Change[1], 1)
	}
	other := oauthtest.NewCA()
	for name, b := range map[string][]byte{
		"mailflume.yaml": []byte(text), "secret": []byte(s.issuer.Secret()), "issuer.pem": s.issuer.CAPEM(), "box.pem": ca, "imap.pem": other.PEM(), "key": s.key,
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// close ends everything, the last thing first.
func (s *stage) close() error {
	var errs []error
	for i := len(s.ends) - 1; i >= 0; i-- {
		errs = append(errs, s.ends[i]())
	}
	return errors.Join(errs...)
}
