package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Claims are what a token says about itself, for diagnosis only: nothing is verified, and the token
// is not in it.
type Claims struct {
	Audience    []string  // for Exchange Online https://outlook.office365.com
	Issuer      string    // iss
	Subject     string    // sub
	Roles       []string  // application permissions: IMAP.AccessAsApp, POP.AccessAsApp; none: no admin consent
	Scopes      []string  // delegated permissions: an application's token has none
	Tenant      string    // tid
	AppID       string    // appid, or azp in version 2 tokens
	ObjectID    string    // oid: the Enterprise Application's object id, what New-ServicePrincipal must have been given
	Issued      time.Time // iat
	Expires     time.Time // exp
	Fingerprint string    // first 16 hex digits of the token's SHA-256, to tell tokens apart in logs
}

const maxToken = 64 << 10

// Describe reads the claims of a JWT. ok is false for a token that is not one: tokens are opaque to
// clients, so that alone is no fault.
func Describe(token string) (c Claims, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(token) > maxToken {
		return Claims{}, false
	}
	body, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return Claims{}, false
	}
	var raw struct {
		Aud, Roles, Scp any
		Iss, Sub        string
		Tid, Oid        string
		Appid, Azp      string
		Exp, Iat        float64
	}
	if json.Unmarshal(body, &raw) != nil {
		return Claims{}, false
	}
	sum := sha256.Sum256([]byte(token))
	c = Claims{
		Audience: texts(raw.Aud), Issuer: clean(raw.Iss, 300), Subject: clean(raw.Sub, 300), Roles: texts(raw.Roles), Scopes: texts(raw.Scp),
		Tenant: clean(raw.Tid, 100), AppID: clean(raw.Appid, 100), ObjectID: clean(raw.Oid, 100),
		Issued: unix(raw.Iat), Expires: unix(raw.Exp), Fingerprint: fmt.Sprintf("%x", sum[:8]),
	}
	if c.AppID == "" {
		c.AppID = clean(raw.Azp, 100)
	}
	return c, true
}

// HasRole reports whether the token grants an application permission, in any case of letters.
func (c Claims) HasRole(role string) bool {
	return slices.ContainsFunc(c.Roles, func(r string) bool { return strings.EqualFold(r, role) })
}

// texts takes a string of words or a list of strings (RFC 7519 section 4.1.3, RFC 8693 section 4.2).
func texts(v any) []string {
	var out []string
	switch v := v.(type) {
	case string:
		for _, w := range strings.Fields(v) {
			out = append(out, clean(w, 300))
		}
	case []any:
		for _, w := range v {
			if s, ok := w.(string); ok {
				out = append(out, clean(s, 300))
			}
		}
	}
	return out
}

// unix reads a NumericDate (RFC 7519 section 2), which may have a fraction.
func unix(f float64) time.Time {
	if f <= 0 || f > 253402300799 || math.IsNaN(f) { // the year 9999
		return time.Time{}
	}
	return time.Unix(int64(f), 0)
}
