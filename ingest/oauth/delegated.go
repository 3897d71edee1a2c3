package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"time"

	"mailflume/ingest"
)

// DelegatedOptions describe an account that a person has signed in to, or is about to.
type DelegatedOptions struct {
	Name    string // of the credential: what the sign-in is stored under
	Stream  string // whose workers share it
	Account string // address of the account that must sign in; "": whichever does

	AuthURL   string // of the authorization endpoint (RFC 6749 section 3.1); a source does not need it
	DeviceURL string // of the device authorization endpoint (RFC 8628 section 3.1); "": the issuer has none
	TokenURL  string // of the token endpoint

	ClientID   string
	Secret     func(ctx context.Context) (string, error) // nil: a public client
	SecretPost bool                                      // the secret goes into the form instead of the Authorization header
	Scope      string
	Params     map[string]string // added to the authorization request: access_type=offline at Google
	Localhost  bool              // the redirect goes to http://localhost, as Entra wants it, instead of http://127.0.0.1

	Store TokenStore
	Keys  TokenKeys

	Common
}

const (
	claimLife   = 45 * time.Second // a worker that has not finished its exchange by then has died
	claimLook   = 500 * time.Millisecond
	lastBreath  = 5 * time.Second  // an exchange under way may take so long after Close
	sharedLeft  = 5 * time.Minute  // a token that another worker got is taken while it has so much left
	lookAgain   = 15 * time.Second // whether somebody has signed in
	refusedHold = time.Hour        // before a refused sign-in is tried again: it may have been a passing rule
)

// issuerClient asks the token endpoint for one account.
type issuerClient struct {
	opt    DelegatedOptions
	at     *endpoint
	client clientSource // how it proves itself
	vault  *vault
}

func newIssuerClient(o DelegatedOptions) (*issuerClient, error) {
	o.fill()
	at, err := newEndpoint(o.TokenURL, newHTTPClient(o.RootCAs), o.Now)
	if o.Name == "" || o.Store == nil || o.Keys.Current == nil {
		err = errors.Join(err, errors.New("a name, a store and its key are needed"))
	}
	if err := errors.Join(err, checkClientID(o.ClientID)); err != nil {
		return nil, fmt.Errorf("delegated: %w", err)
	}
	return &issuerClient{
		opt: o, at: at, vault: newVault(o.Store, o.Keys, o.Name, o.Stream),
		client: clientSource{opt: OAuth2Options{ClientID: o.ClientID, Secret: o.Secret, SecretPost: o.SecretPost}},
	}, nil
}

// post sends one form to the token endpoint.
func (c *issuerClient) post(ctx context.Context, id *identity, form url.Values) (minted, tokenAnswer, *ingest.Error) {
	ctx, cancel := context.WithTimeout(ctx, c.opt.Timeout)
	defer cancel()
	user, err := c.client.client(ctx, id, form)
	if err != nil {
		return minted{}, tokenAnswer{}, classify(id, nil, err)
	}
	m, a, failure := c.at.post(ctx, id, form, user)
	return m, a, c.blame(failure)
}

// blame is for an issuer that wants a secret where none is set.
func (c *issuerClient) blame(failure *ingest.Error) *ingest.Error {
	if failure == nil || c.opt.Secret != nil {
		return failure
	}
	switch failure.Fault.Code {
	case ingest.CodeClientSecret, ingest.CodePublicClient:
		failure.Fault.Code = ingest.CodeLoginClient
	}
	return failure
}

// delegated gives the tokens of one account. One mint is under way at a time, so its fields need no lock.
//
// Workers that share the account share its record. Whoever exchanges the refresh token writes a claim
// first, and the others wait for what it brings: an issuer that gives each refresh token once takes a
// second use for theft and revokes them all (RFC 9700 section 4.14.2). What the exchange brought is
// stored before it is used. A worker that dies between the issuer's answer and the store takes the new
// refresh token with it; another one then tries the old one, which Entra and Google accept, and others
// for a moment. Where it is refused, a person has to sign in again.
type delegated struct {
	*issuerClient
	claimLife time.Duration
	last      string // the access token given out last
	unsaved   *unsaved
	seen      sighting
}

// unsaved is what the issuer gave while the store was away.
type unsaved struct {
	rec      record
	revision uint64
	m        minted // zero: it gave nothing
	rotated  bool   // rec has another refresh token than the one that was spent
	spent    string
}

// sighting is when a claim was first seen: the clocks of workers do not agree, so each counts by its own.
type sighting struct {
	revision uint64
	at       time.Time
}

// NewDelegated makes a source of tokens for an account that a person has signed in to. It does no I/O.
func NewDelegated(o DelegatedOptions) (*Source, error) {
	c, err := newIssuerClient(o)
	if err != nil {
		return nil, err
	}
	d := &delegated{issuerClient: c, claimLife: claimLife}
	own := c.opt.Common
	own.Timeout = 2*claimLife + 2*own.Timeout // of the wait for another worker; a request has its own
	return newSource("delegated "+o.Name+" client "+o.ClientID+" scope "+o.Scope, c.at.http, d.mint, own), nil
}

// mint takes the token that another worker has got, or exchanges the refresh token.
func (d *delegated) mint(ctx context.Context) (minted, *ingest.Error) {
	defer d.at.http.CloseIdleConnections()
	if m, done, e := d.saveLate(ctx); done || e != nil {
		return m, e
	}
	for {
		rec, revision, e := d.vault.load(ctx)
		if e != nil {
			return minted{}, e
		}
		if m, ok := d.share(rec); ok {
			return m, nil
		}
		now := d.opt.Now()
		switch {
		case rec.Refresh == "":
			return minted{}, d.needed(ingest.CodeLoginNeeded, "nobody has signed in")
		case !rec.Refused.IsZero() && now.Sub(rec.Refused).Abs() < refusedHold:
			return minted{}, d.needed(ingest.CodeLoginEnded, rec.Why)
		case rec.Claim != "" && d.held(revision, now):
			if !pause(ctx, claimLook) {
				return minted{}, loginError(ingest.Transient, ingest.CodeTokenDown, "another worker is getting the token and does not finish")
			}
			continue
		}
		if e := d.opt.Gate.enter(ctx, d.opt.Name); e != nil { // before the claim: nobody else waits meanwhile
			return minted{shared: true}, e
		}
		rec.Claim = fmt.Sprintf("%016x", rand.Uint64())
		saved, e := d.vault.save(ctx, rec, revision)
		if e != nil || saved == 0 {
			d.opt.Gate.free()
		}
		if e != nil {
			return minted{}, e
		}
		if saved == 0 {
			continue
		}
		if m, done, e := d.exchange(ctx, rec, saved); done || e != nil {
			return m, e
		}
	}
}

// share takes a token that is in the record and was not given out by this source yet. One that the
// mail server refuses is the last one that was given out.
func (d *delegated) share(rec record) (minted, bool) {
	now := d.opt.Now()
	left := rec.Expires.Sub(now)
	if rec.Access == "" || rec.Access == d.last || left < sharedLeft {
		return minted{}, false
	}
	d.last = rec.Access
	return minted{value: rec.Access, life: left, began: now}, true
}

// held reports whether the worker that has the claim may still be at it.
func (d *delegated) held(revision uint64, now time.Time) bool {
	if d.seen.revision != revision {
		d.seen = sighting{revision, now}
	}
	return now.Sub(d.seen.at) < d.claimLife
}

// needed tells that a person has to act. To look again costs one question to the store and none to the
// issuer, so it is not left for long.
func (d *delegated) needed(code ingest.Code, why string) *ingest.Error {
	e := loginError(ingest.Auth, code, "%s: run mailflume login %s", why, d.opt.Name)
	e.Fault.Wait = lookAgain
	return e
}

// exchange spends the refresh token (RFC 6749 section 6) under a claim that is stored as revision, and
// stores what came of it. done is false when another's record has to be read instead.
func (d *delegated) exchange(ctx context.Context, rec record, revision uint64) (m minted, done bool, failure *ingest.Error) {
	ctx, cancel := outlive(ctx, lastBreath)
	defer cancel()
	id := identity{grant: grantDelegated, secrets: []string{rec.Refresh}}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {rec.Refresh}}
	if d.opt.Scope != "" {
		form.Set("scope", d.opt.Scope)
	}
	m, a, failure := d.post(ctx, &id, form)
	d.opt.Gate.leave(d.opt.Name, failure)
	next, rotated := rec, false
	next.Claim = ""
	if a.RefreshToken != "" && a.RefreshToken != rec.Refresh {
		next.Refresh, rotated = a.RefreshToken, true
	}
	switch {
	case failure == nil:
		next.Access, next.Expires, next.Refused, next.Why = m.value, m.began.Add(m.life), time.Time{}, ""
	case failure.Fault.Code == ingest.CodeLoginEnded:
		next.Refused, next.Why = d.opt.Now(), failure.Err.Error()
		failure = d.needed(ingest.CodeLoginEnded, next.Why)
	}
	m, done, e := d.keep(ctx, unsaved{next, revision, m, rotated, rec.Refresh})
	switch {
	case failure == nil:
		return m, done, e
	case !done && e == nil && failure.Fault.Code == ingest.CodeLoginEnded:
		return minted{}, false, nil // somebody else has a newer refresh token
	}
	return minted{}, true, failure
}

// keep stores what the exchange of a refresh token brought. done is false when another record has come
// first: that of a new sign-in, or of a worker that took this one for dead. The one whose refresh token
// is still the spent one is no newer.
func (d *delegated) keep(ctx context.Context, u unsaved) (m minted, done bool, e *ingest.Error) {
	defer func() {
		if e != nil && (u.m.value != "" || u.rotated) {
			d.unsaved = &u
		}
	}()
	for {
		saved, e := d.vault.save(ctx, u.rec, u.revision)
		if e != nil {
			return minted{}, false, e
		}
		if saved != 0 {
			d.last = cmp.Or(u.m.value, d.last)
			return u.m, true, nil
		}
		rec, revision, e := d.vault.load(ctx)
		if e != nil || !u.rotated || rec.Refresh != u.spent {
			return minted{}, false, e
		}
		u.revision = revision
	}
}

// saveLate stores what the issuer gave while the store was away.
func (d *delegated) saveLate(ctx context.Context) (m minted, done bool, e *ingest.Error) {
	u := d.unsaved
	if u == nil {
		return minted{}, false, nil
	}
	d.unsaved = nil
	u.m.life -= d.opt.Now().Sub(u.m.began)
	u.m.began = d.opt.Now()
	m, done, e = d.keep(ctx, *u)
	return m, done && m.life > 0, e
}

// outlive returns a context that ends a while after ctx: a refresh token that was sent may be spent,
// and what comes for it should be stored.
func outlive(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(d, cancel) })
	return own, func() {
		stop()
		cancel()
	}
}

// pause waits and reports whether ctx lasted.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
