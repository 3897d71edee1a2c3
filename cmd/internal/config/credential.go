package config

import (
	"reflect"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// decode reads a credential.
func (c *Credential) decode(d *decoder, n ast.Node, _ string) {
	// Rules across keys are checked only if each key by itself was right.
	before := len(d.problems.list)
	own := *d
	own.places = map[string]place{}
	own.object(n, reflect.ValueOf(c).Elem(), "")
	own.places[""] = d.at(n)
	if len(d.problems.list) == before {
		c.places = own.places
	}
}

// credential fills in what a credential leaves open and checks it.
func (s *section) credential(name string, c *Credential) {
	c.Name = name
	if c.places == nil {
		return // reported while it was read
	}
	bad := func(key, message, hint string) {
		at, ok := c.places[key]
		if !ok {
			at = s.place("credentials." + name)
		}
		switch key { // the secret itself, put into the wrong place, perhaps
		case "client_id":
			at.veil(c.ClientID)
		case "tenant":
			at.veil(c.Tenant)
		}
		s.problems.at(at, message, hint)
	}
	if !regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`).MatchString(name) {
		bad("", quote(name)+" cannot name credentials", "use letters, digits, dot, underscore and hyphen")
	}
	switch c.Type {
	case TypeEntra:
		c.entra(bad)
	case TypeGoogle:
		c.google(bad)
	case TypeOAuth2:
		c.oauth2(bad)
	case TypeDelegated:
		c.delegated(bad)
	case TypePassword:
		c.password(bad)
	default:
		bad("", "these credentials have no type", "add type: entra, google, oauth2, delegated or password")
	}
	for _, key := range shapeOf(reflect.TypeFor[Credential]()).names {
		if _, given := c.places[key]; given && !contains(keysOf(c.Type), key) {
			bad(key, key+" does not belong to credentials of type "+string(c.Type), "remove it; known here: "+strings.Join(keysOf(c.Type), ", "))
		}
	}
	c.places = nil
}

// Secrets are all secrets that the credential may refer to; those that it does not are zero.
func (c *Credential) Secrets() []Secret {
	return []Secret{c.ClientSecret, c.Certificate, c.CertificatePassword, c.FederatedToken, c.ServiceAccount, c.RefreshToken, c.Token, c.TokenKey, c.TokenKeyPrevious, c.Password}
}

// SecretFiles are the files with the secrets of all credentials.
func (c *Config) SecretFiles() []string {
	var out []string
	for _, name := range c.CredentialNames() {
		for _, s := range c.Credentials[name].Secrets() {
			if path := s.Path(); path != "" {
				out = append(out, path)
			}
		}
	}
	return out
}

// keysOf lists the keys that a type of credentials takes.
func keysOf(t CredentialType) []string {
	switch t {
	case TypePassword:
		return []string{"type", "user", "password"}
	case TypeGoogle:
		return []string{"type", "service_account", "scope", "token_url", "ca_file"}
	case TypeOAuth2:
		return []string{"type", "token_url", "client_id", "client_secret", "client_secret_expires", "client_auth", "scope", "params", "refresh_token", "token", "ca_file"}
	}
	if t == TypeDelegated {
		return []string{
			"type", "provider", "tenant", "client_id", "client_secret", "client_secret_expires", "client_auth", "account", "scope", "params",
			"token_key", "token_key_previous", "cloud", "authority", "auth_url", "device_url", "token_url", "ca_file",
		}
	}
	return []string{
		"type", "tenant", "client_id", "client_secret", "client_secret_expires", "certificate", "certificate_password",
		"federated_token", "workload_identity", "managed_identity", "cloud", "authority", "scope", "ca_file",
	}
}

// password checks credentials of type password.
func (c *Credential) password(bad report) {
	if c.Password.IsZero() {
		bad("", "these credentials have no password", "add password: file:/path/to/it")
	}
}
