package main

import (
	"strings"
	"testing"

	"mailflume/ingest"
	"mailflume/publish/natsjs"
)

func TestMailboxesArePausedResumedAndPolledBesideAWorkerAndWithoutOne(t *testing.T) {
	t.Parallel()
	stage := demoStage(t)
	file := stage.ConfigFile()
	want := func(code int, said string, args ...string) {
		t.Helper()
		got, out, errOut := call(t, append(args, "-c", file)...)
		if got != code || !strings.Contains(out+errOut, said) || (code == 0) != (out != "") {
			t.Errorf("%v: exit %d, %s%s", args, got, out, errOut)
		}
	}
	want(exitUsage, "config show", "pause", "nobody")
	want(exitUsage, "name a mailbox", "resume")

	w, end := workBeside(t, file)
	for range w.Conn().Events(t.Context(), natsjs.Filter{FromStart: true, Follow: true}) {
		break // it is at work
	}
	want(0, "support is paused (worker here)", "pause", "support")
	want(exitFailed, "MF-CTL-002", "poll", "support")
	want(0, "support goes on (worker here)", "resume", "support")
	want(0, "invoices is being looked at (worker here)", "poll", "invoices")
	want(0, "invoices is paused", "pause", "invoices")
	want(0, "support is paused (worker here)\ninvoices is paused (worker here)", "pause", "--all")
	want(0, "support goes on (worker here)\ninvoices goes on", "resume", "--credentials", "demo")
	want(exitUsage, "there are the credentials demo", "pause", "--credentials", "other")
	want(exitUsage, "unknown command", "pause", "--all", "support")
	want(0, "support is being looked at (worker here)\ninvoices is", "poll", "--all", "--tenant", "default")
	want(0, "invoices is paused", "pause", "invoices")
	for _, r := range w.Board().Rows() {
		if (r.State == string(ingest.StatePaused)) != (r.Mailbox == "invoices") {
			t.Errorf("%s is %s", r.Mailbox, r.State)
		}
	}
	end()

	want(0, "support is paused (no worker is running)", "pause", "support")
	want(0, "invoices goes on (no worker is running)", "resume", "invoices")
	want(exitFailed, "MF-NATS-012", "poll", "invoices")
	code, out, errOut := call(t, "run", "--once", "-c", file)
	if code != 0 || !strings.Contains(out, "paused") || !strings.Contains(out, "polling_wait") && !strings.Contains(out, "stopped") {
		t.Errorf("exit %d:\n%s%s", code, out, errOut)
	}
}
