package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/ingest"
	"mailflume/ingest/imapsource/imaptest"
	"mailflume/ingest/oauth/oauthtest"
	"mailflume/publish/natsjs"
)

// loginStage is an issuer with people, a mailbox that its owner's tokens open, and a configuration.
func loginStage(t *testing.T) (issuer *oauthtest.Issuer, file string) {
	t.Helper()
	issuer, err := oauthtest.Start(oauthtest.Options{Public: true, DeviceInterval: time.Second})
	must(t, err)
	t.Cleanup(func() { must(t, issuer.Close()) })
	box, err := imaptest.Start(imaptest.Options{Verify: func(user, token string) error {
		c, err := issuer.Verify(token)
		if err == nil && !strings.EqualFold(c.UPN, user) {
			err = errors.New("not the owner of the mailbox")
		}
		return err
	}})
	must(t, err)
	t.Cleanup(func() { must(t, box.Close()) })
	must(t, box.Add("sales@contoso.com", "INBOX", []byte("Subject: one\r\n\r\nbody\r\n"), time.Now()))
	_, port, err := net.SplitHostPort(box.Addr())
	must(t, err)
	dir := t.TempDir()
	file = filepath.Join(dir, "mailflume.yaml")
	for name, text := range map[string][]byte{
		"issuer.pem": issuer.CAPEM(), "imap.pem": box.CA(), "token.key": bytes.Repeat([]byte{0x80}, 32),
		"mailflume.yaml": fmt.Appendf(nil, `nats: {data_dir: nats}
credentials:
  us: {type: delegated, tenant: contoso.com, client_id: app, authority: '%s', ca_file: issuer.pem, token_key: file:token.key}
  app: {type: password, password: env:NONE}
mailboxes:
  - {address: sales@contoso.com, credentials: us, start: all, host: 127.0.0.1, port: %s, ca_file: imap.pem}
http: {listen: off}
`, issuer.URL(), port),
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	return issuer, file
}

func TestAfterALoginWithACodeTheMailboxIsRead(t *testing.T) {
	t.Parallel()
	issuer, file := loginStage(t)
	if code, _, errOut := call(t, "run", "--once", "-c", file); code != exitAuth && code != exitFailed || !strings.Contains(errOut, "MF-LOGIN-001") || !strings.Contains(errOut, "mailflume login us") {
		t.Errorf("before the login: exit %d: %s", code, errOut)
	}
	issuer.SetPeople(oauthtest.People{User: "bob@contoso.com"})
	code, out, errOut := call(t, "login", "us", "--device", "-c", file)
	if code != exitAuth || !strings.Contains(errOut, "MF-LOGIN-005") || out != "" {
		t.Errorf("the wrong account: exit %d: %s%s", code, out, errOut)
	}
	issuer.SetPeople(oauthtest.People{User: "Sales@Contoso.com"})
	code, out, errOut = call(t, "login", "us", "--device", "-c", file)
	if code != 0 || !strings.HasPrefix(out, "us: Sales@Contoso.com is signed in; no running worker") || !strings.Contains(errOut, issuer.URL()+"/device") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	if code, _, errOut := call(t, "run", "--once", "-c", file); code != 0 {
		t.Errorf("after the login: exit %d: %s", code, errOut)
	}
	if code, out, errOut := call(t, "tap", "--from-start", "--json", "-c", file); code != 0 || strings.Count(out, "\n") != 1 {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	if code, a, errOut := auditJSON(t, "sales@contoso.com", "-c", file); code != 0 || a.Published != 1 {
		t.Errorf("audit: exit %d, %+v %s", code, a.AuditReport, errOut)
	}
}

func TestALoginWithABrowserPrintsTheAddressAndOpensIt(t *testing.T) {
	issuer, file := loginStage(t)
	issuer.SetPeople(oauthtest.People{User: "sales@contoso.com"})
	cfg, err := config.Load(file)
	must(t, err)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: issuer.CAPool(), MinVersion: tls.VersionTLS12}}
	defer tr.CloseIdleConnections()
	var wg sync.WaitGroup
	var shown bytes.Buffer
	open := func(page string) error {
		if !strings.Contains(shown.String(), page) || !strings.Contains(page, "redirect_uri=http%3A%2F%2Flocalhost%3A") {
			t.Errorf("%s is opened after %s", page, &shown)
		}
		wg.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page, http.NoBody)
			if err != nil {
				t.Error(err)
				return
			}
			resp, err := (&http.Client{Transport: tr}).Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			_ = resp.Body.Close()
		})
		return errors.New("no desktop")
	}
	got, _, err := login(t.Context(), cfg, cfg.Credentials["us"], false, open, &shown)
	wg.Wait()
	if err != nil || got.Account != "sales@contoso.com" || !strings.Contains(shown.String(), "mailflume login us --device") {
		t.Errorf("%+v, %v\n%s", got, err, &shown)
	}
}

func TestALoginThatCannotBeSaysWhatToDo(t *testing.T) {
	_, file := loginStage(t)
	key := filepath.Join(filepath.Dir(file), "token.key")
	for _, c := range []struct {
		name string
		do   func()
		args []string
		code int
		says string
	}{
		{"no such credentials", nil, []string{"sales"}, exitUsage, "there are us"},
		{"of another type", nil, []string{"app"}, exitUsage, "type password"},
		{"no name", nil, nil, exitUsage, "--help"},
		{"a key for all to read", func() { must(t, os.Chmod(key, 0o644)) }, []string{"us", "--device"}, exitConfig, "chmod 600"},
		{"a short key", func() { must(t, errors.Join(os.Chmod(key, 0o600), os.WriteFile(key, []byte("hunter2"), 0o600))) }, []string{"us"}, exitConfig, "openssl rand"},
		{"no key", func() { must(t, os.Remove(key)) }, []string{"us"}, exitConfig, string(ingest.CodeLoginKey)},
	} {
		if c.do != nil {
			c.do()
		}
		code, out, errOut := call(t, append([]string{"login", "-c", file}, c.args...)...)
		if code != c.code || !strings.Contains(errOut, c.says) || out != "" || strings.Contains(errOut, "hunter2") {
			t.Errorf("%s: exit %d: %s%s", c.name, code, out, errOut)
		}
	}
}

func TestARunningWorkerNoticesALoginAtOnce(t *testing.T) {
	t.Parallel()
	issuer, file := loginStage(t)
	cfg, err := config.Load(file)
	must(t, err)
	w, err := worker.Start(t.Context(), cfg, worker.Options{Log: zerolog.Nop(), Version: "test"})
	must(t, err)
	defer func() { must(t, w.Close()) }()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	ran := make(chan error, 1)
	go func() { ran <- w.Run(ctx) }()
	for w.Board().Troubled() == 0 && ctx.Err() == nil {
		<-time.After(20 * time.Millisecond)
	}
	issuer.SetPeople(oauthtest.People{User: "sales@contoso.com"})
	began := time.Now()
	code, out, errOut := call(t, "login", "us", "--device", "-c", file)
	if code != 0 || !strings.Contains(out, "are being looked at") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	for d, err := range w.Conn().Events(ctx, natsjs.Filter{FromStart: true, Follow: true}) {
		must(t, err)
		if d.Event != nil {
			break
		}
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("the event came after %v", took)
	}
	stop()
	must(t, <-ran)
}
