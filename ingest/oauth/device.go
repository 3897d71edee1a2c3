package oauth

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"time"

	"mailflume/ingest"
)

const (
	deviceInterval = 5  // seconds between two questions, unless the issuer says otherwise (RFC 8628 section 3.2)
	slowDown       = 5  // more of them each time the issuer asks to slow down (section 3.5)
	maxInterval    = 60 // of the backoff when the issuer does not answer
	maxPatience    = time.Hour
)

// DeviceCode is what a person needs to sign in on another device (RFC 8628 section 3.2).
type DeviceCode struct {
	Page     string // to open in any browser
	Code     string // to type there
	WithCode string // the page with the code already typed, for a link or a picture; may be ""
	Expires  time.Time
}

// deviceAnswer is RFC 8628 section 3.2; Google calls the page verification_url.
type deviceAnswer struct {
	DeviceCode string  `json:"device_code"`
	UserCode   string  `json:"user_code"`
	Page       string  `json:"verification_uri"`
	PageGoogle string  `json:"verification_url"`
	WithCode   string  `json:"verification_uri_complete"`
	ExpiresIn  seconds `json:"expires_in"`
	Interval   seconds `json:"interval"`
}

// Device signs in with a device code (RFC 8628): show gets the page and the code, which a person opens
// and types on any device. It asks the issuer as seldom as that wants until the code ends.
func (s *SignIn) Device(ctx context.Context, show func(DeviceCode)) (SignedIn, error) {
	if s.device == nil {
		return SignedIn{}, loginError(ingest.Config, ingest.CodeLoginDevice, "the issuer has no device codes for mail")
	}
	if e := s.ready(ctx); e != nil {
		return SignedIn{}, e
	}
	defer s.at.http.CloseIdleConnections()
	d, e := s.deviceCode(ctx)
	if e != nil {
		return SignedIn{}, e
	}
	patience := s.patience
	if d.ExpiresIn > 0 {
		patience = d.ExpiresIn.atMost(maxPatience)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errNobody)
	defer cancel()
	show(DeviceCode{Page: d.Page, Code: d.UserCode, WithCode: d.WithCode, Expires: s.opt.Now().Add(patience)})
	return s.await(ctx, d)
}

// deviceCode asks for a code (RFC 8628 section 3.1).
func (s *SignIn) deviceCode(ctx context.Context) (d deviceAnswer, e *ingest.Error) {
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	id := identity{grant: grantSignIn}
	form := url.Values{"client_id": {s.opt.ClientID}, "scope": {s.opt.Scope}}
	user, err := s.client.client(ctx, &id, form)
	if err != nil {
		return d, classify(&id, nil, err)
	}
	at := &endpoint{s.device, s.at.http, s.opt.Now}
	got, err := at.send(ctx, form, user)
	if err != nil {
		return d, classify(&id, got, err)
	}
	usable := got.status/100 == 2 && decode(got.body, &d)
	if d.Page == "" {
		d.Page = d.PageGoogle
	}
	d.Page, d.UserCode, d.WithCode = clean(d.Page, 300), clean(d.UserCode, 60), clean(d.WithCode, 600)
	if !usable || d.DeviceCode == "" || d.UserCode == "" || d.Page == "" {
		return d, s.blame(classify(&id, got, errNotBearer))
	}
	return d, nil
}

// await asks whether somebody has signed in (RFC 8628 sections 3.4 and 3.5).
func (s *SignIn) await(ctx context.Context, d deviceAnswer) (SignedIn, error) {
	interval := deviceInterval
	if d.Interval > 0 {
		interval = int(math.Ceil(min(float64(d.Interval), maxPatience.Seconds()))) // section 3.2: no sooner, however long
	}
	for {
		if !pause(ctx, time.Duration(interval)*s.second) {
			return SignedIn{}, s.nobody(ctx)
		}
		m, a, field, failure := s.ask(ctx, d.DeviceCode)
		switch {
		case failure == nil:
			return s.store(ctx, m, a)
		case field == "authorization_pending":
		case field == "slow_down":
			interval += slowDown
		case field == "" && (failure.Fault.Class == ingest.Transient || failure.Fault.Class == ingest.Throttled):
			interval = max(interval, min(2*interval, maxInterval)) // section 3.5: back off when there is no answer
		default:
			return SignedIn{}, failure
		}
	}
}

// ask asks once, and returns the issuer's error field, too.
func (s *SignIn) ask(ctx context.Context, code string) (m minted, a tokenAnswer, field string, e *ingest.Error) {
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	id := identity{grant: grantSignIn, secrets: []string{code}}
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {code}}
	form.Set("client_id", s.opt.ClientID) // section 3.4 wants it of public clients, Entra of all
	user, err := s.client.client(ctx, &id, form)
	if err != nil {
		return m, a, "", classify(&id, nil, err)
	}
	began := s.opt.Now()
	got, err := s.at.send(ctx, form, user)
	if err != nil {
		return m, a, "", classify(&id, got, err)
	}
	var j issuerAnswer
	// Some issuers say so with 200.
	if got.status < 500 && got.status != http.StatusTooManyRequests && decode(got.body, &j) {
		field = j.Error
	}
	m, a, e = got.minted(&id, began, 0)
	return m, a, field, s.blame(e)
}
