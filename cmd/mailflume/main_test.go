package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.uber.org/goleak"

	"mailflume/publish"
	"mailflume/publish/schema"
	"mailflume/testdata"
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	if path := os.Getenv(asPanic); path != "" {
		crashWithSecrets(path)
	}
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.(*Server).startGoRoutine.func1"))
}

// asProgram, in the environment, makes the test binary the program itself.
const asProgram = "MAILFLUME_TEST_AS_PROGRAM"

// call runs the program with args.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(args, &out, &err)
	return code, out.String(), err.String()
}

// digests returns the SHA-256 of every testdata message.
func digests(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(testdata.Mail(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(testdata.Mail(), name)
		sum := sha256.Sum256(b)
		out[hex.EncodeToString(sum[:])] = name
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheDemoPublishesEveryMessageOverBothProtocols(t *testing.T) {
	t.Parallel()
	code, out, errOut := call(t, "demo", "--once", "--json")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	want := digests(t)
	seen := map[string]map[string]int{"imap": {}, "pop3": {}}
	for line := range strings.Lines(out) {
		var ev publish.Event
		if err := json.Unmarshal([]byte(line), &ev); err != nil {
			t.Fatalf("not an event: %v: %.100s", err, line)
		}
		validate(t, ev.DataSchema, line)
		raw := ev.Data.Raw
		if raw == nil || raw.Ref == "" {
			t.Errorf("%s: no raw message: %+v", ev.ID, raw)
			continue
		}
		seen[ev.Data.Mailbox.Protocol][raw.SHA256]++
	}
	for protocol, sums := range seen {
		for sum, name := range want {
			if n := sums[sum]; n != 1 && !endsOpen(t, name) {
				t.Errorf("%s: %s came %d times", protocol, name, n)
			}
		}
		if len(sums) != len(want) {
			t.Errorf("%s: %d messages, want %d", protocol, len(sums), len(want))
		}
	}
}

// endsOpen tells a message without a line end at its end: POP3 cannot carry it without adding one.
func endsOpen(t *testing.T, name string) bool {
	t.Helper()
	b, err := fs.ReadFile(testdata.Mail(), name)
	if err != nil {
		t.Fatal(err)
	}
	return !bytes.HasSuffix(b, []byte("\r\n"))
}

func validate(t *testing.T, name, event string) {
	t.Helper()
	text, ok := schema.For(name)
	if !ok {
		t.Fatalf("no schema %q", name)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	inst, err := jsonschema.UnmarshalJSON(strings.NewReader(event))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(inst); err != nil {
		t.Errorf("the event does not fit its schema: %v", err)
	}
}

func TestParsePrintsOneLineForEachFileAndKeepsAttachments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var files []string
	for sum, name := range digests(t) {
		b, err := fs.ReadFile(testdata.Mail(), name)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, sum)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	kept := filepath.Join(dir, "kept")
	code, out, errOut := call(t, append([]string{"parse", "--attachments", kept}, files...)...)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || len(lines) != len(files) {
		t.Fatalf("exit %d, %d lines for %d files: %s", code, len(lines), len(files), errOut)
	}
	attachments := 0
	for i, line := range lines {
		var d publish.Data
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatal(err)
		}
		if d.Raw.SHA256 != filepath.Base(files[i]) {
			t.Errorf("line %d is of another file", i)
		}
		for _, a := range d.Attachments {
			attachments++
			path := strings.TrimPrefix(a.Ref, "file://")
			b, err := os.ReadFile(path)
			sum := sha256.Sum256(b)
			if err != nil || hex.EncodeToString(sum[:]) != a.SHA256 {
				t.Errorf("%s: %v, %d octets", a.Ref, err, len(b))
			}
		}
	}
	if attachments < 20 {
		t.Errorf("only %d attachments", attachments)
	}
}

func TestCommandsAnswerWithTheirExitCodes(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "mailflume.yaml")
	bad := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(bad, []byte("mailboxes:\n  - id: x\n    adddress: a@example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		args []string
		code int
		out  string // in stdout
		err  string // in stderr
	}{
		{[]string{"version", "--json"}, 0, `"version"`, ""},
		{[]string{"explain", "mf-auth-002"}, 0, "paste the secret's Value", ""},
		{[]string{"explain", "MF-XXX-000"}, 1, "", "lists them all"},
		{[]string{"explain", "date-invald"}, 1, "", "date-invalid"},
		{[]string{"explain", "base64"}, 1, "", "base64-garbage"},
		{[]string{"explain", "DATE-INVALID"}, 0, "date_raw", ""},
		{[]string{"rnu"}, 1, "", "run"},
		{[]string{"rnu"}, 1, "", "next: mailflume --help"},
		{[]string{"parse"}, 1, "", "arg"},
		{[]string{"parse", "--nope"}, 1, "", "next: mailflume parse --help"},
		{[]string{"config", "shwo"}, 1, "", "next: mailflume config --help"},
		{[]string{"config"}, 1, "", "next: mailflume config --help"},
		{[]string{"config", "schema"}, 0, `"$schema"`, ""},
		{[]string{"config", "show", "-c", bad}, 2, "", "did you mean"},
		{[]string{"config", "validate", "-c", bad}, 2, "", "bad.yaml:3:"},
		{[]string{"run", "-c", filepath.Join(dir, "none.yaml")}, 2, "", "mailflume init to write one, or name yours with -c FILE\n"},
		{[]string{"run", "-c", dir}, 2, "", dir},
		{[]string{"init", "-c", file}, 0, "", "wrote"},
		{[]string{"init", "-c", file}, 1, "", "exists"},
		{[]string{"init", "--provider", "hotmail", "-c", "-"}, 1, "", "microsoft365"},
		{[]string{"init", "--provider", "gmial", "-c", "-"}, 1, "", "did you mean gmail?"},
		{[]string{"init", "--provider", "office365", "-c", "-"}, 0, "type: entra", ""},
		{[]string{"init", "--provider", "delegated", "-c", "-"}, 0, "type: delegated", ""},
		{[]string{"init", "-c", filepath.Join(dir, "none", "x.yaml")}, 2, "", "make the folder"},
		{[]string{"check", "--offline", "-c", file}, 2, "is still what mailflume init wrote", ""},
		{[]string{"init", "--provider", "generic", "-c", "-"}, 0, "mailboxes:", ""},
		{[]string{"config", "show", "-c", file}, 0, "***", ""},
		{[]string{"config", "validate", "-c", file}, 2, "", "with mode 0600"},
		{[]string{"blob", "get", "-c", file, "abc"}, 1, "", "64 hexadecimal digits"},
		{[]string{"status", "-c", file, "-o", "xml"}, 1, "", "table, wide, json or yaml"},
		{[]string{"status", "-c", file}, 3, "", "MF-NATS-012"},
		{[]string{"tap", "-c", file, "--follow"}, 5, "", "MF-NATS-012"},
	} {
		code, out, errOut := call(t, row.args...)
		if code != row.code || !strings.Contains(out, row.out) || !strings.Contains(errOut, row.err) {
			t.Errorf("%v: exit %d, want %d\nstdout %q wants %q\nstderr %q wants %q", row.args, code, row.code, out, row.out, errOut, row.err)
		}
		if strings.Contains(errOut, "goroutine") {
			t.Errorf("%v: a stack trace: %s", row.args, errOut)
		}
	}
}
