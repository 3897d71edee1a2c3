package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/demo"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// untouched is a stage whose mail nobody wants: start is now, and one pass was made.
func untouched(t *testing.T) (file string) {
	t.Helper()
	stage, err := demo.Start()
	must(t, err)
	t.Cleanup(func() { must(t, stage.Close()) })
	b, err := os.ReadFile(stage.ConfigFile())
	must(t, err)
	text := strings.Replace(string(b), "start: all", "start: now", 1)
	if text == string(b) {
		t.Fatal("the stage does not say start: all")
	}
	must(t, os.WriteFile(stage.ConfigFile(), []byte(text), 0o600))
	if code, out, errOut := call(t, "run", "--once", "-c", stage.ConfigFile()); code != 0 {
		t.Fatalf("exit %d: %s%s", code, out, errOut)
	}
	return stage.ConfigFile()
}

func TestABackfillAndAReplayOverBothProtocolsWithoutAWorkerAndBesideOne(t *testing.T) {
	t.Parallel()
	file, mail := untouched(t), len(digests(t))
	want := func(said string, args ...string) string {
		t.Helper()
		code, out, errOut := call(t, append(args, "-c", file)...)
		if code != 0 || !strings.Contains(out, said) {
			t.Errorf("%v: exit %d, want %q: %s%s", args, code, said, out, errOut)
		}
		return out
	}
	clean := func(replays int) {
		t.Helper()
		for _, box := range []string{"support", "invoices"} {
			code, a, errOut := auditJSON(t, box, "--chain", "-c", file)
			if code != 0 || a.Published != mail || a.Log.Replays != replays || a.Log.Break != nil {
				t.Errorf("%s: exit %d, %+v, %+v %s", box, code, a.AuditReport, a.Log, errOut)
			}
		}
	}
	for _, box := range []string{"support", "invoices"} {
		want("0 published", "backfill", box, "--since", "2000-01-01", "--until", "2000-01-02")
		want(fmt.Sprintf("backfill %s: %d published, 0 set aside, 0 failed", box, mail), "backfill", box, "--since", "2000-01-01")
		want("0 published", "backfill", box, "--since", "2000-01-01")
	}
	clean(0)

	_, end := workBeside(t, file)
	for begin := time.Now(); ; {
		if code, _, errOut := call(t, "resume", "support", "-c", file); code == 0 && !strings.Contains(errOut, "no worker") {
			break
		} else if time.Since(begin) > 20*time.Second {
			t.Fatal(errOut)
		}
	}
	for _, box := range []string{"support", "invoices"} {
		want("0 published", "backfill", box, "--since", "2000-01-01")
		out := want(`"message_type":"summary"`, "replay", box, "--since", "1h", "--json")
		lines := strings.Split(strings.TrimSpace(out), "\n")
		var last metered
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Published != mail {
			t.Errorf("%s: %v: %s", box, err, out)
		}
		want("retry "+box+": 0 published", "quarantine", "retry", box)
	}
	end()
	clean(mail)
	want(fmt.Sprint("replay support: ", mail, " published"), "replay", "support", "--since", "1h")
}

func TestJobsRefuseWhatTheyCannotDo(t *testing.T) {
	file, ids := setAsideSome(t, nil)
	for _, row := range []struct {
		args []string
		code int
		err  string
	}{
		{[]string{"backfill", "box"}, exitUsage, "--since is needed"},
		{[]string{"backfill"}, exitUsage, "name a mailbox: mailflume backfill MAILBOX"},
		{[]string{"backfill", "box", "--since", "2999-01-01"}, exitUsage, "in the future"},
		{[]string{"replay", "box", "--since", "2020-01-02", "--until", "2020-01-02"}, exitUsage, "is not after --since"},
		{[]string{"backfill", "box", "--since", "yesterday"}, exitUsage, "30d"},
		{[]string{"replay", "box", "--since", "1d", "--until", "now"}, exitUsage, "--until"},
		{[]string{"replay", "nobody", "--since", "1d"}, exitUsage, "config show"},
		{[]string{"pause"}, exitUsage, "name a mailbox: mailflume pause MAILBOX"},
		{[]string{"poll", "a", "b"}, exitUsage, "one only"},
		{[]string{"quarantine", "show"}, exitUsage, "name an id"},
		{[]string{"tap", "--mailbox", "nope"}, exitUsage, "config show"},
		{[]string{"tap", "--mailbox", "nope", "--from-start"}, exitUsage, "config show"},
		{[]string{"quarantine", "export", ids[0][:12], "-o", "/nonexistent/x"}, exitFailed, "[MF-FILE-003] write /nonexistent/x: no such file or directory"},
		{[]string{"quarantine", "retry", "zzz"}, exitFailed, "quarantine ls"},
		{[]string{"quarantine", "retry", ids[2]}, exitFailed, "quarantine ls"}, // was received since
	} {
		if code, _, errOut := call(t, append(row.args, "-c", file)...); code != row.code || !strings.Contains(errOut, row.err) {
			t.Errorf("%v: exit %d %s", row.args, code, errOut)
		}
	}
}

func TestAMessageThatIsGoneCannotBeTriedAgainAndThatIsSaid(t *testing.T) {
	t.Parallel()
	file, _ := auditStage(t)
	key, id := publish.Key{Tenant: config.DefaultTenant, Mailbox: "support"}, publish.NewID("gone")
	onServer(t, file, func(ctx context.Context, conn *natsjs.Conn) {
		claim, err := conn.Log().Claim(ctx, key)
		must(t, err)
		at := time.Now()
		data := &publish.Data{
			Mailbox: publish.MailboxInfo{ID: key.Mailbox, Tenant: key.Tenant}, Folder: &publish.Folder{Path: "INBOX", UIDValidity: 1}, UID: 999, ReceivedAt: &at,
			Quarantine: &publish.Quarantine{Code: "MF-MSG-004", Reason: "odd", Attempts: 3},
		}
		must(t, claim.Append(ctx, publish.NewEvent(key, publish.Quarantined, id, at, data), "INBOX;1;999"))
	})
	code, out, errOut := call(t, "quarantine", "retry", id[:12], "-c", file)
	if code != exitFailed || !strings.Contains(errOut, "no longer in support") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
}
