package oauthtest

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// People say how the people at the issuer behave who are asked to sign in, and how the issuer treats
// their refresh tokens.
type People struct {
	User   string // who signs in; "": nobody is there, and device codes stay pending
	Error  string // instead of signing in: access_denied and the like
	Grants string // scopes that are granted; "": those that are asked for

	NoRefresh bool // no refresh tokens, as without offline_access
	NoRotate  bool // a refresh token stays good, as Google's do
	Nameless  bool // tokens do not say who signed in
}

// person is a sign-in that is under way: an authorization code or a device code.
type person struct {
	client, user, scope string
	redirect, challenge string // of an authorization code
	ends                time.Time
	asked               time.Time // of a device code: when the client last asked
	interval            time.Duration
}

// family are the refresh tokens that came from one sign-in (RFC 9700 section 4.14.2).
type family struct {
	client, user, scope string
	current             string
	revoked             bool
}

// signIns is the part of the issuer that people deal with. The issuer's lock guards it.
type signIns struct {
	people   People
	codes    map[string]*person // authorization codes
	devices  map[string]*person
	families map[string]*family // by every refresh token that ever was
	slow     int                // questions that came too early
}

func newSignIns() signIns {
	return signIns{codes: map[string]*person{}, devices: map[string]*person{}, families: map[string]*family{}}
}

// SetPeople changes how people behave from now on.
func (i *Issuer) SetPeople(p People) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.people = p
}

// RevokeSignIns makes all refresh tokens of a user void, as a changed password does.
func (i *Issuer) RevokeSignIns(user string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, f := range i.families {
		f.revoked = f.revoked || strings.EqualFold(f.user, user)
	}
}

// TooEarly counts the questions about device codes that came before the interval was over.
func (i *Issuer) TooEarly() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.slow
}

// AuthURL is the authorization endpoint (RFC 6749 section 3.1).
func (i *Issuer) AuthURL() string { return i.url + "/authorize" }

// DeviceURL is the device authorization endpoint (RFC 8628 section 3.1).
func (i *Issuer) DeviceURL() string { return i.url + "/devicecode" }

// authorize is the authorization endpoint (RFC 6749 section 4.1.1). Whoever opens it is the person: no
// form is shown. A redirect that is not one to this machine is never followed.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if err := i.knows(r.PathValue("tenant"), q.Get("client_id")); err != nil { // no redirect: nobody knows whose it is
		i.refused(w, err)
		return
	}
	to, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || to.Scheme != "http" || !loopback(to.Hostname()) {
		i.refused(w, refuse(http.StatusBadRequest, "invalid_request", 50011, "The redirect URI '%s' does not match the ones that are configured.", q.Get("redirect_uri")))
		return
	}
	i.mu.Lock()
	p := i.people
	back := url.Values{"state": {q.Get("state")}}
	switch {
	case q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "":
		back.Set("error", "invalid_request")
		back.Set("error_description", "response_type=code with PKCE (S256) is needed")
	case p.Error != "":
		back.Set("error", p.Error)
		back.Set("error_description", "The person said no.")
	default:
		code := rand.Text()
		i.codes[code] = &person{
			client: q.Get("client_id"), user: p.User, scope: or(p.Grants, q.Get("scope")), redirect: q.Get("redirect_uri"),
			challenge: q.Get("code_challenge"), ends: i.opt.Now().Add(10 * time.Minute),
		}
		back.Set("code", code)
	}
	i.mu.Unlock()
	to.RawQuery = back.Encode()
	http.Redirect(w, r, to.String(), http.StatusFound) //nolint:gosec // G710: a test's issuer; the host is this machine's
}

// loopback knows the names of this machine that native applications redirect to (RFC 8252 section 7.3).
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// deviceCode is the device authorization endpoint (RFC 8628 section 3.2).
func (i *Issuer) deviceCode(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.PostForm.Get("client_id") == "" {
		i.refused(w, refuse(http.StatusBadRequest, "invalid_request", 900144, "The request body must contain the following parameter: 'client_id'."))
		return
	}
	if err := i.knows(r.PathValue("tenant"), r.PostForm.Get("client_id")); err != nil {
		i.refused(w, err)
		return
	}
	code, user := rand.Text(), rand.Text()[:8]
	i.mu.Lock()
	i.devices[code] = &person{
		client: r.PostForm.Get("client_id"), scope: r.PostForm.Get("scope"), ends: i.opt.Now().Add(15 * time.Minute),
		asked: time.Now(), interval: i.deviceInterval(),
	}
	i.mu.Unlock()
	reply(w, http.StatusOK, map[string]any{
		"device_code": code, "user_code": user, "verification_uri": i.url + "/device", "verification_uri_complete": i.url + "/device?user_code=" + user,
		"expires_in": 900, "interval": int(i.deviceInterval() / time.Second),
	})
}

func (i *Issuer) deviceInterval() time.Duration {
	if i.opt.DeviceInterval > 0 {
		return i.opt.DeviceInterval
	}
	return 5 * time.Second
}

// answerPerson answers the grants that come from a person's sign-in; it is false for any other request.
// A public client needs no secret, one that sends a secret must have the right one.
func (i *Issuer) answerPerson(w http.ResponseWriter, r *http.Request, tenant string) bool {
	if r.ParseForm() != nil {
		return false
	}
	f := maps.Clone(r.PostForm)
	if id, pw, ok := basicAuth(r); ok {
		f.Set("client_id", id)
		f.Set("client_secret", pw)
	}
	known, err := i.personal(f)
	if known == nil && err == nil {
		return false
	}
	if !i.opt.Public || f.Get("client_secret") != "" {
		if no := i.credential(f, i.url+r.URL.Path); no != nil {
			err = no
		}
	}
	if err != nil {
		i.refused(w, err)
		return true
	}
	i.personGrant(w, known, tenant)
	return true
}

// personal finds whose sign-in a grant belongs to; nil without an error: nobody's.
func (i *Issuer) personal(f url.Values) (*family, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch f.Get("grant_type") {
	case "authorization_code":
		return i.redeem(f)
	case "urn:ietf:params:oauth:grant-type:device_code":
		return i.redeemDevice(f)
	case "refresh_token":
		if known := i.families[f.Get("refresh_token")]; known != nil {
			return known, i.useFamily(known, f)
		}
	}
	return nil, nil //nolint:nilnil // an application's grant
}

// redeem takes an authorization code, once (RFC 6749 section 4.1.3, RFC 7636 section 4.6).
func (i *Issuer) redeem(f url.Values) (*family, error) {
	p := i.codes[f.Get("code")]
	delete(i.codes, f.Get("code"))
	sum := sha256.Sum256([]byte(f.Get("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	switch {
	case p == nil || p.client != f.Get("client_id") || i.opt.Now().After(p.ends):
		return nil, refuse(http.StatusBadRequest, "invalid_grant", 70000, "The provided code is not valid or has expired.")
	case p.redirect != f.Get("redirect_uri"):
		return nil, refuse(http.StatusBadRequest, "invalid_grant", 70000, "The redirect URI is another one.")
	case subtle.ConstantTimeCompare([]byte(challenge), []byte(p.challenge)) != 1:
		return nil, refuse(http.StatusBadRequest, "invalid_grant", 501481, "The Code_Verifier does not match the code_challenge supplied in the authorization request.")
	}
	return &family{client: p.client, user: p.user, scope: p.scope}, nil
}

// redeemDevice answers a question about a device code (RFC 8628 section 3.5).
func (i *Issuer) redeemDevice(f url.Values) (*family, error) {
	no := func(field string) (*family, error) {
		return nil, refuse(http.StatusBadRequest, field, 70016, "The device code: %s.", field)
	}
	p := i.devices[f.Get("device_code")]
	if p == nil || p.client != f.Get("client_id") {
		return no("invalid_grant")
	}
	since := time.Since(p.asked)
	p.asked = time.Now()
	switch {
	case i.opt.Now().After(p.ends):
		return no("expired_token")
	case since < p.interval:
		i.slow++
		return no("slow_down")
	case i.people.Error != "":
		return no(i.people.Error)
	case i.people.User == "":
		return no("authorization_pending")
	}
	delete(i.devices, f.Get("device_code"))
	return &family{client: p.client, user: i.people.User, scope: or(i.people.Grants, p.scope)}, nil
}

// useFamily spends a refresh token. One that was spent before is taken for stolen: all of its family
// are revoked (RFC 9700 section 4.14.2).
func (i *Issuer) useFamily(known *family, f url.Values) error {
	switch {
	case known.revoked || known.client != f.Get("client_id"):
		return refuse(http.StatusBadRequest, "invalid_grant", 50173, "The provided grant has expired due to it being revoked, a fresh auth token is needed.")
	case known.current != f.Get("refresh_token") && !i.people.NoRotate:
		known.revoked = true
		return refuse(http.StatusBadRequest, "invalid_grant", 54005, "The refresh token was already redeemed.")
	}
	return nil
}

// personGrant is the answer with a person's tokens (OpenID Connect Core 1.0 section 3.1.3.3).
func (i *Issuer) personGrant(w http.ResponseWriter, f *family, tenant string) {
	i.mu.Lock()
	p := i.people
	extra := map[string]any{"scope": f.scope}
	if !p.NoRefresh {
		if f.current == "" || !p.NoRotate {
			f.current = rand.Text()
			i.families[f.current] = f
		}
		extra["refresh_token"] = f.current
	}
	i.mu.Unlock()
	subject := f.user
	if p.Nameless {
		subject = "-"
	} else {
		extra["id_token"] = must(sign(i.key, i.kid, map[string]any{"iss": i.url, "aud": f.client, "preferred_username": f.user}))
	}
	i.grant(w, MintOptions{ClientID: f.client, Tenant: tenant, Subject: subject, Roles: []string{}}, extra)
}
