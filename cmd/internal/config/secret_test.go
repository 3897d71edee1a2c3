package config

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/goccy/go-yaml"

	"mailflume/ingest"
)

const canary = "hunter2-CANARY"

func writeFile(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
}

func TestASecretPrintsAsStarsInEveryForm(t *testing.T) {
	c := loadGood(t, "full")
	s := c.Credentials["contoso"].ClientSecret
	asJSON, err1 := json.Marshal(c)
	asYAML, err2 := yaml.Marshal(c)
	text, err3 := s.MarshalText()
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	forms := []string{string(asJSON), string(asYAML), string(text), fmt.Sprint(c.Credentials["contoso"]), fmt.Sprint(s.String(), s.GoString(), c.NATS)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%p"} {
		forms = append(forms, fmt.Sprintf(verb, s), fmt.Sprintf(verb, &s), fmt.Sprintf(verb, *c.Credentials["contoso"]), fmt.Sprintf(verb, *c))
	}
	for _, form := range forms {
		if strings.Contains(form, "/run/secrets") || strings.Contains(form, s.Reference()) {
			t.Errorf("the reference shows: %s", form)
		}
	}
	if got := fmt.Sprintf("%v %+v %#v %s %q %x", s, s, s, s, s, s); got != "*** *** *** *** *** ***" {
		t.Errorf("got %s", got)
	}
}

// TestALiteralSecretNeverShowsAgain puts one into every key that takes secrets and into shapes of
// file that cannot be parsed.
func TestALiteralSecretNeverShowsAgain(t *testing.T) {
	for _, text := range []string{
		"credentials: {c: {type: entra, client_secret: %s, bogus: 1, tenant: common}}",
		"credentials:\n  c:\n    type: entra\n    client_secret: %s\n    tenant: common",
		"credentials:\n  c:\n    type: entra\n    client_secret:\n      %s\n    tenant: common",
		"credentials:\n  c:\n    type: entra\n    client_secret: >-\n      %s\n      more\n",
		"credentials:\n  c:\n    type: password\n    password: '%s'",
		"credentials:\n  c:\n    type: password\n    password: !!str %s",
		"credentials:\n  c:\n    type: password\n    password: [%s]",
		"credentials:\n  c:\n    type: password\n    password: {value: %s}",
		"credentials:\n  c:\n    type: password\n    passwrod: %s",
		"credentials:\n  c:\n    type: google\n    client_secret: %s",
		"credentials:\n  c: {type: google, client_secret: %s}",
		"credentials:\n  c:\n    certificate: %s",
		"credentials:\n  c:\n    type: password\n    password: \"%s",
		"credentials:\n  c:\n    type: password\n    password: %s: %s",
		"credentials:\n  c:\n    type: password\n    password: |\n      a\n\t  %s",
		"nats: {url: 'nats://user:%s@host'}",
		"nats: {url: 'nats://%s@host:99999'}",
		"nats: {url: 'nats://user:pa/%s@ho st'}",
		"nats: {password_file: \"%s\\nx\"}",
		"nats: {password: %s}",
		"nats: {token: %s}",
		"blobs: {url: 's3://key:%s@bucket'}",
		"blobs: {url: 's3://bucket?access_key=a&secret_access_key=%s'}",
		"nats: {url: 'nats://host:4222?token=%s'}",
		"blobs: {url: 's3://bucket?region=x&session_token=%s'}",
		"credentials: {c: {type: oauth2, token_url: 'https://idp.example.com/token?api-key=%s&b=c', client_id: x, client_secret: file:x}}",
		"credentials: {c: {type: oauth2, token_url: 'http://idp.example.com/token?a=b&client_secret=%s', client_id: x, client_secret: file:x}}",
		"credentials: {c: {type: entra, tenant: contoso.com, client_id: x, client_secret: file:x, authority: 'https://idp.example.com/?key=%s'}}",
		"credentials: {c: {type: oauth2, token_url: 'https://idp.example.com/token', client_id: x, client_secret: file:x, params: {password: %s}}}",
		"credentials:\n  c:\n    type: oauth2\n    params:\n      x-api-key: %s\n",
		"defaults: {labels: {api_key: %s}}",
		"mailboxes: [{address: a@example.com, labels: {client_secret: [%s]}}]",
		"credentials: {c: {type: password, pw: %s}}",
		"credentials: {c: {type: password, geheim: [\"%s\", {x: '%s'}]}}",
		"credentials: {c: {type: oauth2, toekn: %s}}",
		"credentials: {c: %s}",
		"credentials: {c: {type: entra, tenant: contoso.com, client_id: \"%s x\", client_secret: file:x}}",
		"credentials: {c: {type: entra, tenant: \"%s/x\", client_id: x, client_secret: file:x}}",
		"credentials:\n  c:\n    type: password\n    password: file:x\n    %s\n",
		"credentials:\n  c:\n    type: password\n\n    password: file:x\n  %s\nmailboxes: []\n",
		"mailboxes: [{address: a@example.com, pw: %s}]",
		"password: %s",
		"client_secret: %s\nclient_secret: %s",
		"credentials: {a: {type: password, password: hunter2}, b: {type: password, password: %s}}",
	} {
		text = strings.ReplaceAll(text, "%s", canary)
		c, err := Parse("mailflume.yaml", []byte(text))
		if err == nil {
			t.Errorf("accepted:\n%s\n%+v", text, c)
			continue
		}
		encoded, jsonErr := json.Marshal(err)
		if jsonErr != nil {
			t.Fatal(jsonErr)
		}
		for _, form := range []string{err.Error(), fmt.Sprintf("%+v", err), string(encoded)} {
			if strings.Contains(form, canary) || strings.Contains(form, "CANARY") {
				t.Errorf("shown for\n%s\nin\n%s", text, form)
			}
		}
	}
}

func TestASecretIsReadFromFileVariableAndSystemd(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("MAILFLUME_TEST_SECRET", canary)
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	writeFile(t, filepath.Join(dir, "owner"), canary+"\n", 0o600)
	writeFile(t, filepath.Join(dir, "readonly"), canary+"\r\n", 0o400)
	writeFile(t, filepath.Join(dir, "handed"), canary, 0o440)
	for _, ref := range []string{
		"file:" + filepath.Join(dir, "owner"), "file://" + filepath.Join(dir, "readonly"), "env:MAILFLUME_TEST_SECRET", "credential:handed",
	} {
		s, err := ParseSecret(ref)
		if err != nil {
			t.Fatal(ref, err)
		}
		if got, err := s.Read(t.Context()); err != nil || got != canary {
			t.Errorf("%s: got %q, %v", ref, got, err)
		}
	}
}

func TestARotatedSecretIsReadAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	writeFile(t, path, "old\n", 0o600)
	s, _ := ParseSecret("file:" + path)
	first, _ := s.Read(t.Context())
	writeFile(t, path+".new", "new\n\n", 0o600)
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	if second, err := s.Read(t.Context()); first != "old" || second != "new\n" || err != nil {
		t.Errorf("got %q, then %q, %v", first, second, err)
	}
}

func TestAnUnusableSecretSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	t.Setenv("MAILFLUME_EMPTY", "")
	in := func(name string) string { return filepath.Join(dir, name) }
	writeFile(t, in("group"), canary, 0o640)
	writeFile(t, in("world"), canary, 0o604)
	writeFile(t, in("empty"), " \n", 0o600)
	writeFile(t, in("large"), strings.Repeat("x", maxSecretSize+1), 0o600)
	if err := syscall.Mkfifo(in("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[string]string{
		"file:" + in("group"):            "its mode 0640 lets other users at it: run chmod 600 " + in("group"),
		"file:" + in("world"):            "its mode 0604 lets other users at it: run chmod 600 " + in("world"),
		"file:" + in("empty"):            "it is empty",
		"file:" + in("large"):            "larger than 1 MiB",
		"file:" + in("pipe"):             "not a regular file",
		"file:" + dir:                    "not a regular file",
		"file:" + in("missing"):          "no such file or directory: create it, with mode 0600",
		"env:MAILFLUME_NOT_SET_ANYWHERE": "is not set",
		"env:MAILFLUME_EMPTY":            "it is empty",
		"credential:contoso":             "LoadCredential=contoso:",
	} {
		s, err := ParseSecret(ref)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Read(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: got %v, want %s", ref, err, want)
		}
		if f := ingest.FaultOf(err); f.Code != ingest.CodeSecretMissing || f.Class != ingest.Config {
			t.Errorf("%s: fault %+v", ref, f)
		}
	}
}

func TestReadingASecretEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	t.Setenv("MAILFLUME_TEST_SECRET", canary)
	s, _ := ParseSecret("env:MAILFLUME_TEST_SECRET")
	if _, err := s.Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestOnlyReferencesAreSecrets(t *testing.T) {
	for _, text := range []string{"", "hunter2", "file:", "env:", "env:A B", "env:A=B", "credential:../x", "credential:..", "vault:x", "FILE:x", "file:a\nb", "https://x"} {
		if _, err := ParseSecret(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestCheckSecretsPointsAtEachReferenceThatFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mailflume.yaml")
	text := "nats: {url: nats://127.0.0.1, credentials_file: nats.creds}\n" +
		"credentials:\n  a: {type: password, password: file:secrets/a}\n  b:\n    type: password\n    password: file:secrets/b\n" +
		"defaults: {host: mail.example.com, ca_file: ca.pem}\n" +
		"mailboxes:\n  - {address: a@example.com, credentials: a}\n  - {address: b@example.com, credentials: b}\n"
	writeFile(t, path, text, 0o644)
	writeFile(t, filepath.Join(dir, "secrets/a"), canary, 0o600)
	writeFile(t, filepath.Join(dir, "secrets/b"), canary, 0o644)
	writeFile(t, filepath.Join(dir, "ca.pem"), "no certificate", 0o644)
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	err = c.CheckSecrets(t.Context())
	var all Errors
	if !errors.As(err, &all) || len(all) != 3 {
		t.Fatalf("got %v", err)
	}
	for i, want := range []string{"ca.pem cannot be used", "mailflume.yaml:1:49: the secret file:", "mailflume.yaml:6:15: the secret file:"} {
		if !strings.Contains(all[i].Error(), want) {
			t.Errorf("error %d: got %v, want %s", i, all[i], want)
		}
	}
	if strings.Contains(err.Error(), canary) {
		t.Errorf("a secret is shown: %v", err)
	}
	writeFile(t, filepath.Join(dir, "secrets/b"), canary, 0o600)
	writeFile(t, filepath.Join(dir, "nats.creds"), canary, 0o600)
	b, err := os.ReadFile(filepath.Join(samples, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "ca.pem"), string(b), 0o644)
	if err := c.CheckSecrets(t.Context()); err != nil {
		t.Errorf("everything is there now: %v", err)
	}
}
