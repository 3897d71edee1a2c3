package oauth

import (
	"fmt"
	"net/http"
	"time"

	"mailflume/ingest"
)

// grant is the kind of a token request. The same error field means other things under another one.
type grant int

const (
	grantEntra    grant = iota // client credentials of an application in Entra ID
	grantClient                // client credentials of another issuer (RFC 6749 section 4.4)
	grantRefresh               // a refresh token (RFC 6749 section 6)
	grantMailbox               // a service account's assertion for one mailbox (RFC 7523 section 2.1)
	grantIdentity              // Azure's managed identity
)

// maxSkew is how far the clocks may differ: Google and Entra allow five minutes or less.
const maxSkew = 5 * time.Minute

// refusal decides by the error field of RFC 6749 section 5.2, the numbers of Entra, and, for what was
// signed with a time in it, the difference between the clocks.
func (g grant) refusal(field string, numbers []int, skew time.Duration) ingest.Fault {
	config := func(c ingest.Code) ingest.Fault { return ingest.Fault{Class: ingest.Config, Code: c} }
	f := refusalFault(field, numbers)
	switch {
	case f.Class != ingest.Auth || f.Code != byField(field).Code:
		return f // the endpoint is down, or the numbers say more
	case g == grantRefresh && field == "invalid_grant":
		return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeRefreshToken}
	case g == grantMailbox && skew.Abs() > maxSkew:
		return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeClockOrAssertion}
	case g == grantMailbox && field == "invalid_grant":
		return config(ingest.CodeSubject)
	case g == grantMailbox && field == "unauthorized_client":
		return config(ingest.CodeDelegation)
	}
	return f
}

// skewOf is by how much this machine's clock is ahead of the issuer's, by the Date of an answer
// (RFC 9110 section 6.6.1); 0 if it has none.
func skewOf(h http.Header, now time.Time) time.Duration {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return now.Sub(at)
}

// skewText tells people about a skew that matters.
func skewText(skew time.Duration) string {
	switch skew = skew.Round(time.Minute); {
	case skew > maxSkew:
		return fmt.Sprintf("; this machine's clock is %v ahead of the issuer's", skew)
	case skew < -maxSkew:
		return fmt.Sprintf("; this machine's clock is %v behind the issuer's", -skew)
	}
	return ""
}
