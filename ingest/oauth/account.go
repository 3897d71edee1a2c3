package oauth

import (
	"encoding/base64"
	"slices"
	"strings"
)

// accountNames are the names by which tokens call the account, the best first. The tokens came from
// the issuer itself over TLS, which stands in for their signature (OpenID Connect Core 1.0 section
// 3.1.3.7); what they say guards against mistakes, not against the issuer.
func accountNames(tokens ...string) (names []string) {
	for _, t := range tokens {
		parts := strings.Split(t, ".")
		if len(parts) != 3 || len(t) > maxToken {
			continue
		}
		body, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
		if err != nil {
			continue
		}
		var c struct {
			Preferred string `json:"preferred_username"`
			UPN       string `json:"upn"`
			Unique    string `json:"unique_name"`
			Email     string `json:"email"`
		}
		if !decode(body, &c) {
			continue
		}
		for _, n := range []string{c.Preferred, c.UPN, c.Unique, c.Email} {
			if n = clean(n, 300); strings.Contains(n, "@") && !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	return names
}
