package check_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mailflume/cmd/internal/check"
	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/ingest/oauth/oauthtest"
	"mailflume/pop3/pop3test"
	"mailflume/publish/natsjs"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.(*Server).startGoRoutine.func1"))
}

// stage is everything that a check looks at.
type stage struct {
	dir    string
	issuer *oauthtest.Issuer
	imap   *imaptest.Server
	pop3   *pop3test.Server
}

const client, tenant = "11112222-bbbb-3333-cccc-4444dddd5555", "contoso.example"

// newStage starts an issuer and two mail servers that take its tokens.
func newStage(t *testing.T, io imaptest.Options, po pop3test.Options) *stage {
	t.Helper()
	s := &stage{dir: t.TempDir()}
	var err error
	if s.issuer, err = oauthtest.Start(oauthtest.Options{ClientID: client, Tenant: tenant, DeviceInterval: 10 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	verify := func(_, token string) error {
		_, err := s.issuer.Verify(token)
		return err
	}
	if io.Verify == nil {
		io.Verify = verify
	}
	if po.Verify == nil {
		po.Verify = verify
	}
	if s.imap, err = imaptest.Start(io); err != nil {
		t.Fatal(err)
	}
	po.TLS = &tls.Config{Certificates: []tls.Certificate{s.issuer.CA().Server()}, MinVersion: tls.VersionTLS12}
	if s.pop3, err = pop3test.Start(po); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	s.write(t, "secret", []byte(s.issuer.Secret()))
	s.write(t, "issuer.pem", s.issuer.CAPEM())
	s.write(t, "imap.pem", s.imap.CA())
	return s
}

func (s *stage) close() error {
	for _, c := range []interface{ Close() error }{s.imap, s.pop3, s.issuer} {
		if err := c.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func portOf(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// box is a line of mailboxes on one of the servers, as Exchange would have it.
func (s *stage) box(protocol, id, more string) string {
	addr, ca := s.imap.Addr(), "imap.pem"
	if protocol == "pop3" {
		addr, ca = s.pop3.Addr(), "issuer.pem"
	}
	return fmt.Sprintf("  - {id: %s, address: %s@contoso.example, protocol: %s, port: %s, ca_file: %s%s}\n", id, id, protocol, portOf(addr), ca, more)
}

// load writes and loads a configuration.
func (s *stage) load(t *testing.T, boxes, more string) *config.Config {
	t.Helper()
	return s.loadText(t, "data_dir: nats", boxes, more)
}

// loadNATS is load with another NATS.
func (s *stage) loadNATS(t *testing.T, nats, boxes string) *config.Config {
	t.Helper()
	return s.loadText(t, nats, boxes, "")
}

func (s *stage) loadText(t *testing.T, nats, boxes, more string) *config.Config {
	t.Helper()
	s.write(t, "mailflume.yaml", fmt.Appendf(nil, `nats: {%s}
credentials:
  contoso: {type: entra, tenant: %s, client_id: %s, client_secret: "file:secret", authority: %s, ca_file: issuer.pem}
defaults: {provider: microsoft365, host: 127.0.0.1, credentials: contoso}
mailboxes:
%shttp: {listen: "off"}
%s`, nats, tenant, client, s.issuer.URL(), boxes, more))
	cfg, err := config.Load(filepath.Join(s.dir, "mailflume.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// look runs a check. NATS is a server of its own in the data directory, if there is one.
func look(t *testing.T, cfg *config.Config, change ...func(*check.Options)) *check.Report {
	t.Helper()
	o := check.Options{Mailboxes: cfg.Mailboxes, Reach: func(ctx context.Context) (natsjs.Options, func(), error) {
		if !cfg.NATS.Embedded() {
			opt, err := worker.ExternalNATS(cfg)
			return opt, func() {}, err
		}
		server, err := worker.StartEmbedded(ctx, cfg, 0, nil)
		if err != nil {
			return natsjs.Options{}, nil, err
		}
		return server.Options(), server.Shutdown, nil
	}}
	for _, f := range change {
		f(&o)
	}
	return check.Run(t.Context(), cfg, o)
}

// step finds "kind name step".
func step(t *testing.T, r *check.Report, kind check.Kind, name, step string) *check.Step {
	t.Helper()
	for _, s := range r.Sections {
		for _, st := range s.Steps {
			if s.Kind == kind && strings.Contains(s.Name, name) && st.Name == step {
				return st
			}
		}
	}
	t.Fatalf("there is no step %s %s %s in\n%s", kind, name, step, text(t, r))
	return nil
}

func text(t *testing.T, r *check.Report) string {
	t.Helper()
	var b strings.Builder
	if err := check.Print(&b, r, check.Style{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func (s *stage) chmod(t *testing.T, name string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(filepath.Join(s.dir, name), mode); err != nil {
		t.Fatal(err)
	}
}
