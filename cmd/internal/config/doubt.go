package config

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// DoubtSecrets names what in secrets looks like a slip of pasting. None of it is certain, a password may be
// anything; but a server says only that it refuses.
func (c *Config) DoubtSecrets(ctx context.Context) []string {
	var out []string
	for _, name := range c.CredentialNames() {
		cred := c.Credentials[name]
		for _, s := range []Secret{cred.ClientSecret, cred.CertificatePassword, cred.RefreshToken, cred.Token, cred.Password} {
			text, err := s.Read(ctx)
			if s.IsZero() || err != nil {
				continue
			}
			if doubt := oddity(text, cred.Type == TypeEntra && s == cred.ClientSecret); doubt != "" {
				out = append(out, fmt.Sprintf("the secret %s %s", s.Reference(), doubt))
			}
		}
	}
	return out
}

// oddity says what is odd about a secret, without a part of it.
func oddity(text string, entra bool) string {
	text = strings.TrimRight(strings.TrimPrefix(text, "\ufeff"), "\r\n") // whoever reads it passes over these, too
	switch {
	case strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff"): // UTF-16: what it says is read elsewhere
	case strings.TrimSpace(text) != text:
		return "begins or ends with a space: if that is not part of it, remove it"
	case regexp.MustCompile("^(?:\".*\"|'.*'|`.*`)$").MatchString(text):
		return "stands in quotes: if they are not part of it, remove them"
	case entra && regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`).MatchString(text):
		return "has the form of an id: what is wanted is the Value of the client secret, which is shown only once, when it is made"
	case entra && strings.ContainsFunc(text, unicode.IsSpace):
		return "has a space in it: a client secret of Entra has none"
	}
	return ""
}
