package config

import (
	"bytes"
	"os"
	"path/filepath"
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
