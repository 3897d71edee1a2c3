package oauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"mailflume/ingest"
	"mailflume/publish/redact"
)

// identityUpdate is how long Azure's metadata service answers 410 at most, by its guide.
const identityUpdate = 70 * time.Second

// opToken is the Op of errors: what was being done.
const opToken = "token"

// classify is the one place where a failed token request becomes an error with a Fault. a is the
// last answer, nil if nothing was sent; err is only a hint where the answer says nothing.
//
// The result never wraps err: MSAL's errors lead to the request, which holds the secret. Text of
// the issuer is cleaned and the secret blotted out of it.
func classify(id *identity, a *answer, err error) *ingest.Error {
	if id == nil {
		id = &identity{}
	}
	m := redact.New(slices.Concat(id.secrets, a.secrets())...)
	if ce, ok := errors.AsType[*credentialError](err); ok {
		f := ingest.Fault{Class: ingest.Auth, Code: ingest.CodeSecretMissing, Wait: holdOffMin}
		if ce.certificate {
			f.Code = ingest.CodeCertificate
		}
		return &ingest.Error{Fault: f, Op: opToken, Err: errors.New(quote(err.Error(), 600, m))}
	}
	var f ingest.Fault
	var text string
	switch {
	case a == nil || a.origin == "":
		f, text = ingest.Fault{Class: ingest.Config, Code: ingest.CodeConfigInvalid}, quote(err.Error(), 300, m)
		if id.grant == grantIdentity {
			f.Code = ingest.CodeIdentity
		}
	case a.foreign != "":
		f = ingest.Fault{Class: ingest.Config, Code: ingest.CodeTokenRedirect, Lasting: true}
		text = fmt.Sprintf("the authority names %s as the place to send the secret to; it was not sent", a.foreign)
	case a.redirect != "":
		f = ingest.Fault{Class: ingest.Config, Code: ingest.CodeTokenRedirect, Lasting: true}
		text = fmt.Sprintf("HTTP %d from %s redirects to %s; it was not followed", a.status, a.origin, a.redirect)
	case a.tooLarge:
		f = ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTokenAnswer}
		text = fmt.Sprintf("the answer of %s is larger than %d bytes", a.origin, maxAnswer)
	case a.err != nil:
		f, text = transportFault(a.err), a.origin+": "+quote(a.err.Error(), 300, m)
		if id.grant == grantIdentity { // most likely nobody is there: this is not Azure, or it has no identity
			f = ingest.Fault{Class: ingest.Config, Code: ingest.CodeIdentity}
		}
	default:
		f, text = answerFault(id, a, m)
		text += skewText(a.skew)
	}
	if f.Code == ingest.CodeCertificate && id.thumb != "" {
		text += fmt.Sprintf(" (we signed with the certificate SHA-256 %s, valid until %s)", id.thumb, day(id.ends))
	}
	switch f.Code {
	case ingest.CodeFederation, ingest.CodeClockOrAssertion, ingest.CodeDelegation, ingest.CodeSubject:
		if id.about != "" {
			text += " (" + id.about + ")"
		}
	}
	return &ingest.Error{Fault: f, Op: opToken, Err: errors.New(quote(text, 1000, m))}
}

// refusedAgain is for a mailbox whose server refuses a token that has just been renewed.
func refusedAgain(wait time.Duration) error {
	return &ingest.Error{
		Fault: ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAuthRefused, Wait: wait}, Op: opToken,
		Err: errors.New("the mail server refuses a token that has just been renewed: it is not the token's age"),
	}
}

// passwordUnchanged keeps a refused password from being tried again.
func passwordUnchanged() error {
	return &ingest.Error{
		Fault: ingest.Fault{Class: ingest.Auth, Code: ingest.CodePasswordRefused}, Op: "password",
		Err: errors.New("the password is still the one that the mail server refused"),
	}
}

// bearerUnchanged is the same for a token that something else should have renewed.
func bearerUnchanged() error {
	return &ingest.Error{
		Fault: ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAuthRefused}, Op: opToken,
		Err: errors.New("the token in the file is still the one that the mail server refused: see that it is renewed"),
	}
}

// closedError is what callers get once Close was called; it is nobody's fault.
func closedError() *ingest.Error {
	return &ingest.Error{Fault: ingest.Fault{Class: ingest.Transient, Code: ingest.CodeUnknown}, Op: opToken, Err: errClosed}
}

// transportFault is for a request without a whole answer. TLS and DNS have their own codes; a
// connection that fails or is silent is the token endpoint being down.
func transportFault(err error) ingest.Fault {
	if errors.Is(err, http.ErrSchemeMismatch) {
		return ingest.Fault{Class: ingest.Config, Code: ingest.CodeNotTLS}
	}
	f, ok := ingest.NetFault(err)
	if !ok {
		return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTokenDown}
	}
	switch f.Code {
	case ingest.CodeConnRefused, ingest.CodeTimeout, ingest.CodeConnLost:
		f.Code = ingest.CodeTokenDown
	case ingest.CodeCertUnknownCA: // TLS inspection, until ca_file names it
		f.Lasting = true
	}
	return f
}

// issuerAnswer is the JSON of both endpoints, as far as it matters here.
type issuerAnswer struct {
	Error       string          `json:"error"`
	Description string          `json:"error_description"`
	Numbers     json.RawMessage `json:"error_codes"`
	Correlation string          `json:"correlation_id"`
	Trace       string          `json:"trace_id"`
	Issuer      string          `json:"issuer"`
	Endpoint    string          `json:"token_endpoint"`
	AccessToken string          `json:"access_token"`
	Scope       words           `json:"scope"`
}

// answerFault is for a request that was answered. The status comes before the body where it says
// more: proxies and gateways put anything into a 429 or 5xx. A 4xx counts as a refusal only with
// the error field of RFC 6749 section 5.2; a block page of a firewall is not Entra's word.
func answerFault(id *identity, a *answer, m *redact.Masker) (ingest.Fault, string) {
	var j issuerAnswer
	isJSON := decode(a.body, &j)
	numbered, _ := adviceFor(j.numbers())
	wait := max(retryAfter(a.header), numbered.wait)
	text := j.text(a, m)
	switch {
	case a.status == http.StatusTooManyRequests:
		return ingest.Fault{Class: ingest.Throttled, Code: ingest.CodeTokenThrottled, Wait: wait}, text
	case a.status >= 500:
		return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTokenDown, Wait: wait}, text
	case id.grant == grantIdentity && a.status == http.StatusGone: // the metadata service is being updated, which takes up to 70 s
		return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTokenDown, Wait: max(wait, identityUpdate)}, text
	case isJSON && j.Error != "":
		f := id.grant.refusal(j.Error, j.numbers(), a.skew)
		f.Wait = wait
		return f, text
	case id.grant == grantIdentity && a.status/100 == 4:
		return ingest.Fault{Class: ingest.Config, Code: ingest.CodeIdentity, Wait: wait}, text
	case !isJSON && !a.token && a.status == http.StatusNotFound:
		return ingest.Fault{Class: ingest.Config, Code: ingest.CodeTenantUnknown}, text
	case !isJSON || a.status/100 != 2:
		return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTokenAnswer, Wait: wait}, text
	case !a.token:
		return ingest.Fault{Class: ingest.Config, Code: ingest.CodeTokenAnswer, Lasting: true},
			fmt.Sprintf("the discovery document of %s lacks an endpoint, or its issuer %q belongs to another authority", a.origin, quote(j.Issuer, 200, m))
	case j.AccessToken != "" && j.declined(a.scope):
		return ingest.Fault{Class: ingest.Auth, Code: ingest.CodeScope},
			fmt.Sprintf("%s granted %q, not the scope %s", a.origin, quote(string(j.Scope), 200, m), a.scope)
	}
	return ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTokenAnswer},
		fmt.Sprintf("%s answered HTTP %d with JSON that is no usable token (a bearer access_token and a whole-numbered expires_in are needed)", a.origin, a.status)
}

// text is the answer in the issuer's own words, with the ids that its support asks for.
func (j issuerAnswer) text(a *answer, m *redact.Masker) string {
	if j.Error == "" && j.Description == "" {
		kind := clean(a.header.Get("Content-Type"), 60)
		return fmt.Sprintf("%s answered HTTP %d with %q instead of a token: %s", a.origin, a.status, kind, quote(string(a.body), 120, m))
	}
	// Entra repeats the ids and the time at the end of the description; they have their own fields.
	words, _, _ := strings.Cut(j.Description, "Trace ID:")
	s := fmt.Sprintf("%s (HTTP %d): %s", quote(j.Error, 60, m), a.status, quote(words, 300, m))
	if j.Correlation != "" {
		s += " correlation_id=" + quote(j.Correlation, 64, m)
	}
	if j.Trace != "" {
		s += " trace_id=" + quote(j.Trace, 64, m)
	}
	return s
}

// declined reports whether the issuer names what it granted (RFC 6749 section 5.1) and leaves out what was asked for.
func (j issuerAnswer) declined(scope string) bool {
	granted := strings.Fields(string(j.Scope))
	return len(granted) > 0 && !slices.ContainsFunc(granted, func(s string) bool { return strings.EqualFold(s, scope) })
}

// numbers are the AADSTS numbers; an issuer that writes something else there is no reason to fail.
func (j issuerAnswer) numbers() []int {
	var n []int
	if json.Unmarshal(j.Numbers, &n) != nil {
		return nil
	}
	return n
}
