package config

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestTheContentsOfAllSecretsAreFoundWhereverTheyStand(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"entra", "mail", "nats", "key", "s3"} {
		writeFile(t, filepath.Join(dir, name), canary+"-"+name+"\n", 0o600)
	}
	writeFile(t, filepath.Join(dir, "mailflume.yaml"), `
nats: {url: "tls://127.0.0.1", user: u, password_file: nats, tls: {cert_file: cert, key_file: key}}
blobs: {url: "s3://bucket?region=r", credentials_file: s3}
credentials:
  a: {type: entra, tenant: contoso.com, client_id: x, client_secret: "file:entra"}
  b: {type: password, password: "file:mail"}
  c: {type: password, password: "file:missing"}
mailboxes: [{address: a@example.com, credentials: a}]
`, 0o600)
	c, err := Load(filepath.Join(dir, "mailflume.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	got := c.SecretContents(t.Context())
	slices.Sort(got)
	want := []string{canary + "-entra", canary + "-key", canary + "-mail", canary + "-nats", canary + "-s3"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
