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
	grantEntra     grant = iota // client credentials of an application in Entra ID
	grantClient                 // client credentials of another issuer (RFC 6749 section 4.4)
	grantRefresh                // a refresh token (RFC 6749 section 6)
	grantMailbox                // a service account's assertion for one mailbox (RFC 7523 section 2.1)
	grantIdentity               // Azure's managed identity
	grantDelegated              // the refresh token of an account that a person signed in to
	grantSignIn                 // a person's sign-in: an authorization code (section 4.1) or a device code (RFC 8628)
)

// maxSkew is how far the clocks may differ: Google and Entra allow five minutes or less.
const maxSkew = 5 * time.Minute

// refusal decides by the error field of RFC 6749 section 5.2, the numbers of Entra, and, for what was
// signed with a time in it, the difference between the clocks.
func (g grant) refusal(field string, numbers []int, skew time.Duration) ingest.Fault {
	config := func(c ingest.Code) ingest.Fault { return ingest.Fault{Class: ingest.Config, Code: c} }
	f := refusalFault(field, numbers)
	if g >= grantDelegated {
		return personFault(g, field, numbers, f)
	}
	switch {
	case f.Class != ingest.Auth || f.Code != byField(field).Code:
		return f // the endpoint is down, or the numbers say more
	case g == grantRefresh && field == "invalid_grant":
		return ours(ingest.CodeRefreshToken)
	case g == grantMailbox && skew.Abs() > maxSkew:
		return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeClockOrAssertion}
	case g == grantMailbox && field == "invalid_grant":
		return ingest.Fault{Class: ingest.Config, Code: ingest.CodeSubject, Lasting: true}
	case g == grantMailbox && field == "unauthorized_client":
		return config(ingest.CodeDelegation)
	}
	return f
}

// personFault is refusal where a person signs in: other people have to act than for an application.
func personFault(g grant, field string, numbers []int, f ingest.Fault) ingest.Fault {
	auth := func(c ingest.Code) ingest.Fault { return ingest.Fault{Class: ingest.Auth, Code: c} }
	byNumber := refusalFault("", numbers)
	switch {
	case f.Class != ingest.Auth:
		return f
	case field == "consent_required", byNumber.Code == ingest.CodeConsent:
		return auth(ingest.CodeLoginConsent)
	case byNumber.Code == ingest.CodeRefreshToken, byNumber.Code == ingest.CodeSignInAgain:
		field = "invalid_grant" // what the person gave has ended
	case byNumber.Code != ingest.CodeTokenOther:
		return byNumber
	}
	switch field {
	case "access_denied", "authorization_declined": // the second is Entra's, for a device code
		return auth(ingest.CodeLoginDenied)
	case "expired_token", "bad_verification_code":
		return auth(ingest.CodeLoginExpired)
	case "invalid_grant":
		if g == grantSignIn {
			return auth(ingest.CodeLoginExpired) // a code that came too late
		}
		return auth(ingest.CodeLoginEnded)
	case "interaction_required", "login_required":
		return auth(ingest.CodeLoginEnded)
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
