package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
)

func TestWhoAsksWorkersGoesOnWhileTheFileIsBeingEdited(t *testing.T) {
	stage := demoStage(t)
	file := stage.ConfigFile()
	good, err := os.ReadFile(file)
	must(t, err)
	_, end := workBeside(t, file)
	defer end()
	for name, text := range map[string]string{
		"a value that is wrong":         strings.Replace(string(good), "protocol: imap", "protocol: imapp", 1),
		"a line that is not finished":   strings.Replace(string(good), "mailboxes:\n", "mailboxes:\n  - {id: new, addr\n", 1),
		"credentials that are no YAML":  strings.Replace(string(good), "credentials:\n", "credentials:\n  \"x: [\n", 1),
		"a mailbox that was cut out":    strings.Replace(string(good), "id: support", "identity: support", 1),
		"mailboxes in another position": "mailboxes: [}\n" + string(good),
	} {
		must(t, os.WriteFile(file, []byte(text), 0o600))
		for _, c := range []struct {
			args []string
			code int
			said string
		}{
			{[]string{"status"}, 0, "support"},
			{[]string{"pause", "support"}, 0, "support is paused (worker here)"},
			{[]string{"status", "-o", "json"}, 0, `"state":"paused"`},
			{[]string{"resume", "support"}, 0, "support goes on (worker here)"},
			{[]string{"poll", "default/invoices"}, 0, "invoices is being looked at"},
			{[]string{"pause", "nobody"}, exitFailed, ""},
			{[]string{"pause", "--all"}, 0, "invoices is paused (worker here)\nsupport is paused (worker here)"},
			{[]string{"resume", "--all"}, 0, "support goes on"},
			{[]string{"pause", "--credentials", "demo"}, exitConfig, ""},
			{[]string{"check"}, exitConfig, ""},
			{[]string{"check", "--json"}, exitConfig, `"kind":"configuration","name":"` + file + `","step":"file","status":"failed"`},
		} {
			code, out, errOut := call(t, append(c.args, "-c", file)...)
			if code != c.code || !strings.Contains(out, c.said) || !strings.Contains(errOut, "mailflume.yaml:") {
				t.Errorf("%s: %v: exit %d, %s\n%s", name, c.args, code, out, errOut)
			}
		}
	}
	must(t, os.WriteFile(file, []byte(strings.Replace(string(good), "data_dir:", "data_dri:", 1)), 0o600))
	if code, _, errOut := call(t, "status", "-c", file); code != exitConfig || !strings.Contains(errOut, "data_dri") {
		t.Errorf("a broken nats: section: exit %d, %s", code, errOut)
	}
}

func TestOnePassDoesNotWaitForANATSThatRefuses(t *testing.T) {
	stage := demoStage(t)
	file := stage.ConfigFile()
	good, err := os.ReadFile(file)
	must(t, err)
	must(t, os.WriteFile(file, []byte(strings.Replace(string(good), "data_dir: nats", "url: nats://127.0.0.1:"+closedPort(t), 1)), 0o600))
	began := time.Now()
	code, _, errOut := call(t, "run", "--once", "-c", file)
	if took := time.Since(began); code != exitNATS || took > 10*time.Second || !strings.Contains(errOut, "[MF-NATS-001]") || !strings.Contains(errOut, "next: check nats.url") {
		t.Errorf("exit %d after %v: %s", code, took, errOut)
	}
}

func TestABlobInAFolderIsFetchedWithoutNATS(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "mailflume.yaml")
	must(t, os.WriteFile(filepath.Join(dir, "secret"), []byte("x"), 0o600))
	must(t, os.WriteFile(file, []byte(`nats: {url: "nats://127.0.0.1:1"}
blobs: {url: "file://`+filepath.ToSlash(dir)+`/blobs"}
credentials: {box: {type: password, password: "file:secret"}}
mailboxes: [{address: a@example.com, host: mail.example.com}]
`), 0o600))
	cfg, err := config.Load(file)
	must(t, err)
	store, err := worker.OpenBlobs(cfg, nil, config.DefaultTenant)
	must(t, err)
	b, err := store.Put(t.Context(), "text/plain", strings.NewReader("hello"))
	must(t, err)
	if code, out, errOut := call(t, "blob", "get", b.SHA256, "-c", file); code != exitOK || out != "hello" {
		t.Errorf("exit %d, %q: %s", code, out, errOut)
	}
}
