package worker_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"mailflume/cmd/internal/check"
	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/probe"
	"mailflume/cmd/internal/submit/submittest"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/ingest/oauth"
	"mailflume/ingest/oauth/oauthtest"
	"mailflume/pop3/pop3test"
	"mailflume/publish"
	"mailflume/publish/natsjs"
	"mailflume/publish/natsjs/embed"
)

// circle is a mail system that ends where it begins: what is submitted lies in the mailbox.
type circle struct {
	issuer *oauthtest.Issuer
	smtp   *submittest.Server
	imap   *imaptest.Server
	pop3   *pop3test.Server
	lost   atomic.Bool // accepted, and delivered nowhere
	file   string
}

const circleConfig = `nats: {data_dir: nats}
credentials:
  app: {type: entra, tenant: demo.example, client_id: mailflume-demo, client_secret: file:secret, authority: ISSUER, ca_file: issuer.pem}
defaults: {provider: generic, credentials: app, poll_every: 1s, host: 127.0.0.1, ca_file: all.pem, smtp: {host: 127.0.0.1, port: SMTP}}
mailboxes:
  - {id: imap, address: imap@example.com, port: IMAP}
  - {id: pop3, address: pop3@example.com, protocol: pop3, port: POP3}
http: {listen: "127.0.0.1:0"}
`

func newCircle(t *testing.T) *circle {
	t.Helper()
	c := &circle{}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	c.issuer, err = oauthtest.Start(oauthtest.Options{})
	must(err)
	verify := func(_, token string) error {
		_, err := c.issuer.Verify(token)
		return err
	}
	c.imap, err = imaptest.Start(imaptest.Options{Mechanisms: []string{"XOAUTH2"}, Verify: verify})
	must(err)
	cert := &tls.Config{Certificates: []tls.Certificate{c.issuer.CA().Server()}, MinVersion: tls.VersionTLS12}
	c.pop3, err = pop3test.Start(pop3test.Options{TLS: cert, Mechanisms: []string{"XOAUTH2"}, NoUser: true, Verify: verify})
	must(err)
	c.smtp, err = submittest.Start(submittest.Options{Verify: verify, Deliver: func(m submittest.Message) {
		switch {
		case c.lost.Load():
		case m.To == "pop3@example.com":
			c.pop3.Add(m.To, m.Octets)
		default:
			_ = c.imap.Add(m.To, "INBOX", m.Octets, time.Now())
		}
	}})
	must(err)
	text := circleConfig
	for name, addr := range map[string]string{"SMTP": c.smtp.Addr(), "IMAP": c.imap.Addr(), "POP3": c.pop3.Addr()} {
		_, port, _ := net.SplitHostPort(addr)
		text = strings.ReplaceAll(text, ": "+name, ": "+port)
	}
	dir := t.TempDir()
	c.file = filepath.Join(dir, "mailflume.yaml")
	for name, b := range map[string]string{
		"mailflume.yaml": strings.ReplaceAll(text, "ISSUER", c.issuer.URL()), "secret": c.issuer.Secret(), "issuer.pem": string(c.issuer.CAPEM()),
		"all.pem": string(c.imap.CA()) + string(c.issuer.CAPEM()) + string(c.smtp.CA()),
	} {
		must(os.WriteFile(filepath.Join(dir, name), []byte(b), 0o600))
	}
	return c
}

// run runs a worker on the circle until the test ends.
func (c *circle) run(t *testing.T, change func(*config.Mailbox)) (*worker.Worker, *config.Config, *lines) {
	t.Helper()
	cfg, err := config.Load(c.file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range cfg.Mailboxes {
		change(m)
	}
	log := &lines{new: make(chan struct{}, 1)}
	w, err := worker.Start(t.Context(), cfg, worker.Options{Log: zerolog.New(log), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = w.Close()
		for _, s := range []interface{ Close() error }{c.smtp, c.imap, c.pop3, c.issuer} {
			_ = s.Close()
		}
	})
	return w, cfg, log
}

func (c *circle) options(t *testing.T, w *worker.Worker, m *config.Mailbox) probe.Options {
	t.Helper()
	entra, err := oauth.NewEntra(oauth.EntraOptions{
		Tenant: "demo.example", ClientID: "mailflume-demo", Authority: c.issuer.URL(), Scope: m.Credential.Scope,
		Secret: func(context.Context) (string, error) { return c.issuer.Secret(), nil }, Common: oauth.Common{RootCAs: c.issuer.CA().Pool()},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = entra.Close() })
	opt, err := worker.Submission(m, ingest.Login{User: m.User, Mechanism: m.Auth, Tokens: entra})
	if err != nil {
		t.Fatal(err)
	}
	return probe.Options{Box: m.Key(), Address: m.Address, Submit: opt, Stream: w.Conn()}
}

func TestAProbeIsFollowedFromTheSubmissionToItsEvent(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	w, cfg, log := c.run(t, func(*config.Mailbox) {})
	log.await(t, `"mailbox":"imap","tenant":"default","state":"idle"`) // the first look is when "now" is
	log.await(t, `"mailbox":"pop3","tenant":"default","state":"polling_wait"`)
	for _, m := range cfg.Mailboxes {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		legs, err := probe.Send(ctx, c.options(t, w, m))
		if err != nil || legs.Token <= 0 || legs.Connect <= 0 || legs.Submit <= 0 || legs.Total < legs.Token+legs.Connect+legs.Submit || legs.Sequence == 0 {
			t.Fatalf("%s: %+v, %v", m.ID, legs, err)
		}
		for d, err := range w.Conn().Events(ctx, natsjs.Filter{Mailbox: m.ID, After: legs.Sequence - 1}) {
			if err != nil || d.Event.Kind != publish.Received || ingest.ProbeOf(d.Event.Data) != legs.Probe {
				t.Fatalf("%s: %v, %v", m.ID, d, err)
			}
			if s := strings.Join(d.Event.Data.Signals, " "); !strings.Contains(s, "mailflume-probe") || d.Event.Data.Kind != "message" || len(d.Event.Data.Issues) > 0 {
				t.Errorf("%s: a %s with the signals %q, issues %v", m.ID, d.Event.Data.Kind, s, d.Event.Data.Issues)
			}
			break
		}
	}
	report := checkSend(t, cfg, cfg.Mailboxes)
	sent := 0
	for _, s := range report.Sections {
		for _, st := range s.Steps {
			if st.Name == "probe" && st.Level == check.OK && strings.Contains(st.Text, "submit") {
				sent++
			} else if st.Name == "probe" {
				t.Errorf("%s: %+v", s.Name, st.Outcome)
			}
		}
	}
	if sent != len(cfg.Mailboxes) {
		t.Errorf("check sent %d probes", sent)
	}
	c.smtp.Answer("TOKEN", "535 5.7.3 x")
	wantProbe(t, cfg, ingest.CodeSubmitRefused, "so far: token", "", "Add-RecipientPermission -Identity "+cfg.Mailboxes[0].Address)
	c.smtp.Answer("TOKEN", "")
	_, err := worker.Ask(t.Context(), w.Conn(), natsjs.Request{Box: cfg.Mailboxes[0].Key(), Verb: worker.VerbPause}, natsjs.Asking{})
	if err != nil {
		t.Fatal(err)
	}
	wantProbe(t, cfg, ingest.CodePaused, "nothing was sent")
	_, err = worker.Ask(t.Context(), w.Conn(), natsjs.Request{Box: cfg.Mailboxes[0].Key(), Verb: worker.VerbResume}, natsjs.Asking{})
	if err != nil {
		t.Fatal(err)
	}
	wantSubmission(t, c, cfg)
	c.lost.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if legs, err := probe.Send(ctx, c.options(t, w, cfg.Mailboxes[0])); ingest.FaultOf(err).Code != ingest.CodeCanaryLate || legs.Submit <= 0 {
		t.Errorf("a lost probe: %+v, %v", legs, err)
	}
	c.smtp.Answer("TOKEN", "535 5.7.139 x")
	if _, err := probe.Send(t.Context(), c.options(t, w, cfg.Mailboxes[0])); ingest.FaultOf(err).Code != ingest.CodeSubmitOff {
		t.Errorf("SMTP AUTH is off: %v", err)
	}
}

// checkSend is check --send.
func checkSend(t *testing.T, cfg *config.Config, boxes []*config.Mailbox) *check.Report {
	t.Helper()
	return check.Run(t.Context(), cfg, check.Options{Mailboxes: boxes, Send: true, Reach: func(context.Context) (natsjs.Options, func(), error) {
		opt, err := embed.Attach(cfg.NATS.DataDir)
		return opt, func() {}, err
	}})
}

// wantSubmission wants a check of a mailbox with a canary to sign in to the submission server, and to send nothing.
func wantSubmission(t *testing.T, c *circle, cfg *config.Config) {
	t.Helper()
	box := *cfg.Mailboxes[0]
	box.Canary.Every = config.Duration(15 * time.Minute)
	for answer, want := range map[string]check.Level{"": check.OK, "535 5.7.3 x": check.Failed} {
		before := len(c.smtp.Lines())
		c.smtp.Answer("TOKEN", answer)
		r := check.Run(t.Context(), cfg, check.Options{Mailboxes: []*config.Mailbox{&box}, Reach: func(context.Context) (natsjs.Options, func(), error) {
			return natsjs.Options{}, nil, errors.New("not needed")
		}})
		steps := r.Sections[len(r.Sections)-1].Steps
		if last := steps[len(steps)-1]; last.Name != "submission" || last.Level != want {
			t.Errorf("%q: %s %+v", answer, last.Name, last.Outcome)
		}
		for _, l := range c.smtp.Lines()[before:] {
			if strings.HasPrefix(l, "MAIL") || strings.HasPrefix(l, "DATA") {
				t.Errorf("it sent: %s", l)
			}
		}
	}
	c.smtp.Answer("TOKEN", "")
}

// wantProbe wants the probe of the first mailbox to fail, and the report to say so.
func wantProbe(t *testing.T, cfg *config.Config, code ingest.Code, says ...string) {
	t.Helper()
	var out strings.Builder
	r := checkSend(t, cfg, cfg.Mailboxes[:1])
	if err := check.Print(&out, r, check.Style{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range append(says, string(code)) {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}
}

func TestACanaryRaisesStalledAndRecoveredInTheStream(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	c.lost.Store(true)
	w, _, log := c.run(t, func(m *config.Mailbox) { // faster than a configuration may say
		m.Canary = config.Canary{Every: config.Duration(2 * time.Second), Timeout: config.Duration(1900 * time.Millisecond)}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	seen := map[string][]publish.EventType{}
	well := 0
	f := natsjs.Filter{Types: []publish.EventType{publish.AuthFailed, publish.Stalled, publish.Recovered}, FromStart: true, Follow: true}
	for d, err := range w.Conn().Events(ctx, f) {
		if err != nil {
			t.Fatalf("%v; so far %v\n%s", err, seen, log.text())
		}
		id := d.Event.Data.Mailbox.ID
		seen[id] = append(seen[id], d.Event.Kind)
		if p := d.Event.Data.Problem; d.Event.Kind == publish.Stalled && (p == nil || p.Code != string(ingest.CodeCanaryLate) || p.Next == "") {
			t.Errorf("stalled without a reason: %+v", p)
		}
		if len(seen) == 2 {
			c.lost.Store(false)
		}
		if d.Ref != "" {
			t.Errorf("%s has the Ref %s", d.Event.Kind, d.Ref)
		}
		if d.Event.Kind == publish.Recovered {
			if well++; well == 2 {
				break
			}
		}
	}
	for id, kinds := range seen {
		if len(kinds) != 2 || kinds[0] != publish.Stalled || kinds[1] != publish.Recovered {
			t.Errorf("%s: %v", id, kinds)
		}
	}
	if _, text := get(t, w, "/metrics"); !strings.Contains(text, `mailflume_canary_seconds{mailbox="imap"}`) ||
		!strings.Contains(text, `mailflume_canary_failures_total{code="MF-BOX-020",mailbox="pop3"}`) || !strings.Contains(text, `mailflume_mailbox_events_total{mailbox="imap",type="recovered"} 1`) {
		t.Error("the metrics do not tell")
	}
	history, err := w.Conn().History(ctx, publish.Key{Tenant: "default", Mailbox: "imap"}, natsjs.Reading{Chain: true})
	if err != nil || history.Break != nil || history.Events <= history.Received {
		t.Errorf("the chain does not verify: %+v, %v", history, err)
	}
}
