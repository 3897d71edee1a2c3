package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/demo"
	"mailflume/cmd/internal/worker"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// auditStage is a stage whose mail was published once.
func auditStage(t *testing.T) (file string, mail int) {
	t.Helper()
	stage, err := demo.Start()
	must(t, err)
	t.Cleanup(func() { must(t, stage.Close()) })
	if code, out, errOut := call(t, "run", "--once", "-c", stage.ConfigFile()); code != 0 {
		t.Fatalf("exit %d: %s%s", code, out, errOut)
	}
	return stage.ConfigFile(), len(digests(t))
}

func auditJSON(t *testing.T, args ...string) (code int, a audited, errOut string) {
	t.Helper()
	code, out, errOut := call(t, append([]string{"audit", "-o", "json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &a); err != nil || a.AuditReport == nil {
		t.Fatalf("%v: exit %d, %v: %s%s", args, code, err, out, errOut)
	}
	return code, a, errOut
}

func TestAnAuditOfWhatWasPublishedIsClean(t *testing.T) {
	t.Parallel()
	file, mail := auditStage(t)
	for _, box := range []string{"support", "invoices"} {
		code, a, errOut := auditJSON(t, box, "--chain", "-c", file)
		if code != 0 || a.InMailbox != mail || a.Published != mail || a.Missing+a.Duplicate+a.Waiting+a.Expired != 0 {
			t.Errorf("%s: exit %d, %+v %s", box, code, a.AuditReport, errOut)
		}
		c := a.Log.Chain
		if a.Log.Break != nil || a.Log.Events != mail || c == nil || c.Verified < mail || c.Begins != a.Log.First || c.Expired {
			t.Errorf("%s: %+v, chain %+v", box, a.Log, c)
		}
		if code, a, errOut = auditJSON(t, box, "--pin", c.Pin, "-c", file); code != 0 || a.Log.Chain.Pin != c.Pin {
			t.Errorf("%s with its pin: exit %d %s", box, code, errOut)
		}
		code, _, errOut = auditJSON(t, box, "--pin", strings.Replace(c.Pin, ":", "9:", 1), "-c", file)
		if code != exitFailed || !strings.Contains(errOut, "MF-AUDIT-002") {
			t.Errorf("%s with a pin beyond its end: exit %d %s", box, code, errOut)
		}
	}
	code, out, errOut := call(t, "audit", "support", "-c", file)
	if code != 0 || !strings.Contains(out, "skipped by start") || strings.Contains(out, "links") {
		t.Errorf("exit %d:\n%s%s", code, out, errOut)
	}
}

// onServer works on the stage's stream while nobody else does.
func onServer(t *testing.T, file string, work func(ctx context.Context, conn *natsjs.Conn)) {
	t.Helper()
	cfg, err := config.Load(file)
	must(t, err)
	conn, done, err := reach(t.Context(), cfg, false)
	must(t, err)
	defer done()
	work(t.Context(), conn)
}

func TestAnAuditTellsWhatIsDoubledAndWhatIsMissing(t *testing.T) {
	t.Parallel()
	file, mail := auditStage(t)
	support := publish.Key{Tenant: config.DefaultTenant, Mailbox: "support"}
	other := publish.Key{Tenant: config.DefaultTenant, Mailbox: "other"}
	onServer(t, file, func(ctx context.Context, conn *natsjs.Conn) {
		h, err := conn.History(ctx, support, natsjs.Reading{})
		must(t, err)
		for d, err := range conn.Events(ctx, natsjs.Filter{Mailbox: "support", FromStart: true}) {
			must(t, err)
			claim, err := conn.Log().Claim(ctx, support)
			must(t, err)
			must(t, claim.Append(ctx, d.Event, d.Ref)) // another owner that did not know
			break
		}
		claim, err := conn.Log().Claim(ctx, other)
		must(t, err)
		must(t, claim.Save(ctx, h.Snapshot)) // a position without the events it stands for
	})
	code, a, errOut := auditJSON(t, "support", "--chain", "-c", file)
	if code != exitFailed || a.Duplicate != 1 || len(a.DuplicateRefs) != 1 || a.Missing != 0 || a.Published != mail || a.Log.Break != nil || !strings.Contains(errOut, "MF-AUDIT-001") {
		t.Errorf("doubled: exit %d, %+v %s", code, a.AuditReport, errOut)
	}
	cfg, err := config.Load(file)
	must(t, err)
	box, err := findMailbox(cfg, "", "support")
	must(t, err)
	box.ID = other.Mailbox
	found, err := audit(t.Context(), cfg, box, natsjs.Reading{})
	must(t, err)
	if found.Missing != mail || len(found.MissingRefs) != 20 || found.Published != 0 || exitCode(found.verdict()) != exitFailed {
		t.Errorf("missing: %+v", found.AuditReport)
	}
}

func TestAnAuditGoesOnBesideAWorker(t *testing.T) {
	t.Parallel()
	stage := demoStage(t)
	cfg, err := config.Load(stage.ConfigFile())
	must(t, err)
	w, err := worker.Start(t.Context(), cfg, worker.Options{Log: zerolog.Nop(), Version: "test"})
	must(t, err)
	defer w.Close()
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- w.Run(ctx) }()
	for range 4 {
		for _, box := range []string{"support", "invoices"} {
			code, a, errOut := auditJSON(t, box, "--chain", "-c", stage.ConfigFile())
			if code != 0 || a.Missing+a.Duplicate != 0 || a.Published+a.Waiting != a.InMailbox {
				t.Errorf("%s: exit %d, %+v, %+v %s", box, code, a.AuditReport, a.Log.Break, errOut)
			}
		}
	}
	stop()
	must(t, <-ran)
}

func TestAnAuditVerifiesTheLogOfAMailboxThatCannotBeListed(t *testing.T) {
	t.Parallel()
	file, mail := auditStage(t)
	b, err := os.ReadFile(file)
	must(t, err)
	_, rest, _ := strings.Cut(string(b), "host: 127.0.0.1, port: ")
	port, _, _ := strings.Cut(rest, ",")
	must(t, os.WriteFile(file, bytes.Replace(b, []byte("port: "+port), []byte("port: "+closedPort(t)), 1), 0o600))
	for _, box := range []string{"support", "invoices"} {
		code, a, errOut := auditJSON(t, box, "--chain", "-c", file)
		if code == 0 { // the other protocol has its own server
			continue
		}
		if code != exitFailed || a.NotListed == "" || a.Log.Events != mail || a.Log.Chain.Verified < mail || a.Log.Chain.Pin == "" || !strings.Contains(errOut, "MF-NET-003") {
			t.Errorf("exit %d, %+v %s", code, a, errOut)
		}
		_, out, _ := call(t, "audit", box, "--chain", "-c", file)
		if !strings.Contains(out, "not listed") || !strings.Contains(out, "links verified") || strings.Contains(out, "in mailbox") {
			t.Error(out)
		}
		return
	}
	t.Error("no mailbox lost its server")
}

func TestAnAuditRefusesWhatItCannotDo(t *testing.T) {
	file, _ := setAsideSome(t, nil)
	for _, row := range []struct {
		args []string
		code int
		err  string
	}{
		{[]string{"nobody"}, exitUsage, "config show"},
		{[]string{"box", "--pin", "12"}, exitUsage, "SEQUENCE:DIGEST"},
		{[]string{"box", "-o", "xml"}, exitUsage, "table or json"},
		{[]string{}, exitUsage, "name a mailbox"},
	} {
		code, _, errOut := call(t, append([]string{"audit", "-c", file}, row.args...)...)
		if code != row.code || !strings.Contains(errOut, row.err) {
			t.Errorf("%v: exit %d %s", row.args, code, errOut)
		}
	}
}
