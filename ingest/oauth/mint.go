package oauth

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"mailflume/ingest"
)

// mint makes one real token request. A fresh MSAL client each time reads the credential anew, and
// never answers from MSAL's own cache, which cannot be told that a token was refused.
func (e *entra) mint(ctx context.Context) (minted, *ingest.Error) {
	id, err := e.identify(ctx)
	out := minted{certEnds: id.ends}
	if err != nil {
		return out, classify(&id, nil, err)
	}
	x := &exchange{client: e.http, host: e.host, scope: e.opt.Scope, now: e.opt.Now}
	defer e.http.CloseIdleConnections() // the next request is most of an hour away
	client, err := confidential.New(e.opt.Authority, e.opt.ClientID, id.cred,
		confidential.WithHTTPClient(x),
		confidential.WithInstanceDiscovery(false),              // asks login.microsoftonline.com about every authority
		confidential.WithAzureRegion("DisableMsalForceRegion"), // or MSAL_FORCE_REGION moves the secret to another host
	)
	if err != nil {
		return out, classify(&id, nil, err)
	}
	began := time.Now()
	r, err := client.AcquireTokenByCredential(ctx, []string{e.opt.Scope})
	if err != nil {
		return out, classify(&id, &x.last, err)
	}
	m, _, failure := x.last.minted(&id, time.Time{}, r.ExpiresOn.Sub(began))
	m.certEnds = id.ends
	return m, failure
}

// errNotBearer only marks the place; classify sees the answer.
var errNotBearer = errors.New("the access token has characters that no bearer token has")

// bearer reports whether the token is a b64token (RFC 6750 section 2.1). Anything else could end
// the SASL message that it is put into.
func bearer(t string) bool {
	return t != "" && len(t) <= 64<<10 && !strings.ContainsFunc(t, func(r rune) bool {
		return notNameRune(r) && r != '~' && r != '+' && r != '/' && r != '='
	})
}

// lifetime is how long the token lives from now. expires_in comes first: it is the only form that
// does not depend on two clocks agreeing (MSAL prefers expires_on). A token that seems to have
// ended before it came tells of a skewed clock: then its own exp - iat counts; and it never lives
// longer than that, whatever the answer says: mail servers look at nothing else.
func lifetime(body []byte, token string, byClock time.Duration) time.Duration {
	var a struct {
		ExpiresIn seconds `json:"expires_in"`
	}
	own := maxLifetime
	c, _ := Describe(token)
	if d := c.Expires.Sub(c.Issued); d > 0 && !c.Issued.IsZero() {
		own = min(d, maxLifetime)
	}
	switch {
	case decode(body, &a) && a.ExpiresIn > 0:
		return min(a.ExpiresIn.atMost(maxLifetime), own)
	case byClock > 0:
		return min(byClock, own)
	case own < maxLifetime:
		return own
	}
	return 5 * time.Minute
}
