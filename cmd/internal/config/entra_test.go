package config

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWorkloadIdentityTakesWhatKubernetesSets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("projected\n"), 0o644); err != nil { // as kubelet writes it
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AZURE_TENANT_ID": "1b2d0000-0000-4000-8000-00000000000a", "AZURE_CLIENT_ID": "1b2d0000-0000-4000-8000-00000000000b",
		"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us/", "AZURE_FEDERATED_TOKEN_FILE": file,
	} {
		t.Setenv(name, value)
	}
	c, err := Parse("mailflume.yaml", []byte(`
credentials: {pod: {type: entra, workload_identity: true, cloud: usgov, client_id: own}}
mailboxes: [{address: support@contoso.com}]`))
	if err != nil {
		t.Fatal(err)
	}
	got := c.Credentials["pod"]
	if got.Tenant != "1b2d0000-0000-4000-8000-00000000000a" || got.ClientID != "own" || got.Authority != "https://login.microsoftonline.us" {
		t.Errorf("tenant %q, client %q, authority %q", got.Tenant, got.ClientID, got.Authority)
	}
	if token, err := got.FederatedToken.Read(t.Context()); err != nil || token != "projected" {
		t.Errorf("token = %q, %v", token, err)
	}
	if err := c.CheckSecrets(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAFileThatIsNotTextKeepsEveryOctet: the last octet of a PFX may look like a line break.
func TestAFileThatIsNotTextKeepsEveryOctet(t *testing.T) {
	file := filepath.Join(t.TempDir(), "app.pfx")
	want := []byte{0x30, 0x82, 0x00, '\r', '\n'}
	if err := os.WriteFile(file, want, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := ParseSecret("file:" + file)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.ReadBytes(t.Context()); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestSecretsOfEveryKindAreMaskedInAFileThatIsNoYAML: what cannot be parsed has no keys, only lines.
func TestSecretsOfEveryKindAreMaskedInAFileThatIsNoYAML(t *testing.T) {
	for _, key := range []string{"client_secret", "certificate", "certificate_password", "federated_token", "service_account", "refresh_token", "token", "token_key", "token_key_previous", "password"} {
		_, err := Parse("m.yaml", []byte("credentials:\n  c: {type: oauth2, "+key+": CANARY-value, token_url: 'https://idp.example.com/token', client_secret_expires: soon\n"))
		if err == nil || strings.Contains(err.Error(), "CANARY") || !strings.Contains(err.Error(), "idp.example.com") {
			t.Errorf("%s: %v", key, err)
		}
	}
}
