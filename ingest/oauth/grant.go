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
	grantEntra       grant = iota // client credentials of an application in Entra ID, with a secret
	grantCertificate              // the same, with an assertion that we signed (RFC 7523 section 2.2)
	grantFederated                // the same, with a token of another issuer
	grantClient                   // client credentials of another issuer (RFC 6749 section 4.4)
	grantRefresh                  // a refresh token (RFC 6749 section 6)
	grantMailbox                  // a service account's assertion for one mailbox (RFC 7523 section 2.1)
	grantIdentity                 // Azure's managed identity
	grantDelegated                // the refresh token of an account that a person signed in to
	grantSignIn                   // a person's sign-in: an authorization code (section 4.1) or a device code (RFC 8628)
)

// maxSkew is how far the clocks may differ: Google and Entra allow five minutes or less.
const maxSkew = 5 * time.Minute

// refusal decides by the error field of RFC 6749 section 5.2, by what was sent, and, where that has a time in
// it, by the difference between the clocks. The numbers of Entra choose better advice, and with it how soon
// somebody may have followed it: never what kind of failure it is, since Microsoft says that they change.
func (g grant) refusal(field string, numbers []int, skew time.Duration) ingest.Fault {
	f := g.byField(field)
	row, known := adviceFor(numbers)
	switch {
	case f.Class == ingest.Transient:
	case known && g != grantMailbox && g != grantIdentity: // which are not Entra's
		f.Code, f.Lasting = row.code, row.lasting
		if g >= grantDelegated {
			f = g.ofPerson(f)
		}
	case skew.Abs() > maxSkew && (g == grantMailbox || f.Code == ingest.CodeCertificate || f.Code == ingest.CodeFederation):
		return theirs(ingest.CodeClockOrAssertion)
	}
	return f
}

// byField reads the error field. One that nobody knows is a refusal: somebody must look.
func (g grant) byField(field string) ingest.Fault {
	switch field {
	case "temporarily_unavailable", "server_error", "slow_down":
		return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTokenDown}
	}
	if f, ok := g.special(field); ok {
		return f
	}
	switch field {
	case "invalid_client":
		return ours(ingest.CodeClientSecret)
	case "unauthorized_client":
		return ours(ingest.CodeAppUnknown)
	case "invalid_scope", "invalid_resource", "invalid_target":
		return ours(ingest.CodeScope)
	case "invalid_tenant":
		return ours(ingest.CodeTenantUnknown)
	case "invalid_request", "unsupported_grant_type", "unsupported_response_type":
		return ours(ingest.CodeTokenRequest)
	case "consent_required", "interaction_required", "access_denied":
		return theirs(ingest.CodeConsent)
	}
	return theirs(ingest.CodeTokenOther) // invalid_grant and new ones
}

// special is what a field means under one kind of request only.
func (g grant) special(field string) (f ingest.Fault, ok bool) {
	switch {
	case g >= grantDelegated:
		return g.person(field)
	case g == grantIdentity:
		return ingest.Fault{Class: ingest.Config, Code: ingest.CodeIdentity}, true
	case g == grantCertificate && field == "invalid_client":
		return ours(ingest.CodeCertificate), true
	case g == grantFederated && field == "invalid_client":
		return theirs(ingest.CodeFederation), true
	case g == grantRefresh && field == "invalid_grant":
		return ours(ingest.CodeRefreshToken), true
	case g == grantMailbox && field == "invalid_grant":
		return ingest.Fault{Class: ingest.Config, Code: ingest.CodeSubject, Lasting: true}, true
	case g == grantMailbox && field == "unauthorized_client":
		return ingest.Fault{Class: ingest.Config, Code: ingest.CodeDelegation}, true
	}
	return f, false
}

// person is special where a person signs in: other people have to act than for an application.
func (g grant) person(field string) (f ingest.Fault, ok bool) {
	switch field {
	case "consent_required":
		return theirs(ingest.CodeLoginConsent), true
	case "access_denied", "authorization_declined": // the second is Entra's, for a device code
		return theirs(ingest.CodeLoginDenied), true
	case "expired_token", "bad_verification_code":
		return theirs(ingest.CodeLoginExpired), true
	case "invalid_grant":
		return theirs(g.ended()), true
	case "interaction_required", "login_required":
		return theirs(ingest.CodeLoginEnded), true
	}
	return f, false
}

// ended is for what a person gave: a sign-in that has ended, or a code that came too late.
func (g grant) ended() ingest.Code {
	if g == grantSignIn {
		return ingest.CodeLoginExpired
	}
	return ingest.CodeLoginEnded
}

// ofPerson is an application's advice for a person's sign-in.
func (g grant) ofPerson(f ingest.Fault) ingest.Fault {
	switch f.Code {
	case ingest.CodeConsent:
		return theirs(ingest.CodeLoginConsent)
	case ingest.CodeRefreshToken, ingest.CodeSignInAgain:
		return theirs(g.ended())
	}
	return f
}

// ours is a refusal that lasts until something here changes, theirs one that somebody else can end at any time.
func ours(c ingest.Code) ingest.Fault {
	return ingest.Fault{Class: ingest.Auth, Code: c, Lasting: true}
}

func theirs(c ingest.Code) ingest.Fault { return ingest.Fault{Class: ingest.Auth, Code: c} }

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
