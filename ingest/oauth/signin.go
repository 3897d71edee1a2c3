package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"mailflume/ingest"
	"mailflume/publish/redact"
)

// signInTime is how long a person has to sign in, unless the issuer says otherwise.
const signInTime = 10 * time.Minute

// SignIn lets a person sign in to the account that a [Source] made by NewDelegated then has the tokens
// of. Use one for each sign-in.
type SignIn struct {
	*issuerClient
	auth, device *url.URL // nil: the issuer has none
	patience     time.Duration
	second       time.Duration // a second of RFC 8628; shorter in tests
}

// SignedIn is what a sign-in brought. It holds no secret.
type SignedIn struct {
	Account  string // as the issuer names it; "": it does not say who signed in
	Scope    string // what was granted
	Replaced bool   // an earlier sign-in
}

// NewSignIn checks the options. It does no I/O.
func NewSignIn(o DelegatedOptions) (*SignIn, error) {
	c, err := newIssuerClient(o)
	if err != nil {
		return nil, err
	}
	s := &SignIn{issuerClient: c, patience: signInTime, second: time.Second}
	for _, u := range []struct {
		text string
		to   **url.URL
	}{{o.AuthURL, &s.auth}, {o.DeviceURL, &s.device}} {
		if u.text == "" {
			continue
		}
		at, err := newEndpoint(u.text, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("delegated: %w", err)
		}
		*u.to = at.url
	}
	return s, nil
}

// String names the sign-in without its credential.
func (s *SignIn) String() string { return "sign-in " + s.opt.Name + " client " + s.opt.ClientID }

// GoString hides what String hides.
func (s *SignIn) GoString() string { return s.String() }

// Browser signs in with an authorization code and PKCE (RFC 6749 section 4.1, RFC 7636). show gets the
// page to open in a browser on this machine; the answer comes back to a port of the loopback interface
// (RFC 8252 section 7.3), which is open until then, or until ctx or ten minutes end.
func (s *SignIn) Browser(ctx context.Context, show func(page string)) (SignedIn, error) {
	if s.auth == nil {
		return SignedIn{}, loginError(ingest.Config, ingest.CodeLoginBrowser, "the issuer has no authorization endpoint")
	}
	if e := s.ready(ctx); e != nil {
		return SignedIn{}, e
	}
	defer s.at.http.CloseIdleConnections()
	ctx, cancel := context.WithTimeoutCause(ctx, s.patience, errNobody)
	defer cancel()
	back, err := listenBack(s.opt.Localhost)
	if err != nil {
		return SignedIn{}, loginError(ingest.Config, ingest.CodeLoginBrowser, "listen for the browser's answer: %w", err)
	}
	defer back.close()
	verifier := rand.Text() + rand.Text() // 52 characters with 260 random bits: RFC 7636 section 4.1 wants 43 to 128
	show(s.page(back, verifier))
	got, err := back.wait(ctx)
	if err != nil {
		return SignedIn{}, s.nobody(ctx)
	}
	if got.failure != "" {
		return SignedIn{}, s.refused(got)
	}
	return s.redeem(ctx, url.Values{
		"grant_type": {"authorization_code"}, "code": {got.code}, "redirect_uri": {back.url}, "code_verifier": {verifier},
	}, got.code, verifier)
}

// errNobody ends the wait for a person.
var errNobody = errors.New("nobody has signed in in time")

// nobody is the end of a wait: the caller's own, or that of the patience.
func (s *SignIn) nobody(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), errNobody) {
		return loginError(ingest.Auth, ingest.CodeLoginExpired, "%w", errNobody)
	}
	return fmt.Errorf("sign-in: %w", context.Cause(ctx))
}

// page is the address of the authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
func (s *SignIn) page(back *callback, verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	u := *s.auth
	q := u.Query()
	for k, v := range s.opt.Params {
		q.Set(k, v)
	}
	for k, v := range map[string]string{
		"response_type": "code", "client_id": s.opt.ClientID, "redirect_uri": back.url, "state": back.state,
		"code_challenge": base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method": "S256",
		"scope": s.opt.Scope, "login_hint": s.opt.Account,
	} {
		if v != "" {
			q.Set(k, v)
		}
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// SignInParams are the parameters of an authorization request that Params may not set.
func SignInParams() []string {
	return []string{"response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "scope", "login_hint", "response_mode"}
}

// refused is the answer of an authorization endpoint that gives no code (RFC 6749 section 4.1.2.1).
func (s *SignIn) refused(got answered) error {
	f := grantSignIn.refusal(got.failure, nil, 0)
	return &ingest.Error{Fault: f, Op: "sign-in", Err: fmt.Errorf("%s: %s", quote(got.failure, 60, nil), quote(got.words, 300, nil))}
}

// ready finds out whether a sign-in could be stored, before anybody is asked to sign in.
func (s *SignIn) ready(ctx context.Context) *ingest.Error {
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	if _, e := s.vault.ring(ctx); e != nil {
		return e
	}
	_, _, e := s.vault.load(ctx)
	if e != nil && e.Fault.Code == ingest.CodeLoginSealed {
		return nil // it is about to be replaced
	}
	return e
}

// redeem trades a code for tokens and stores them.
func (s *SignIn) redeem(ctx context.Context, form url.Values, secrets ...string) (SignedIn, error) {
	id := identity{grant: grantSignIn, secrets: secrets}
	m, a, failure := s.post(ctx, &id, form)
	if failure != nil {
		return SignedIn{}, failure
	}
	return s.store(ctx, m, a)
}

// store checks what the issuer gave and keeps it. A sign-in that has just been made wins over whatever
// a worker writes at the same time.
func (s *SignIn) store(ctx context.Context, m minted, a tokenAnswer) (SignedIn, error) {
	account, e := s.verify(m, a)
	if e != nil {
		return SignedIn{}, e
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opt.Timeout) // somebody took the trouble to sign in
	defer cancel()
	rec := record{Account: account, Signed: s.opt.Now().UTC(), Refresh: a.RefreshToken, Access: m.value, Expires: m.began.Add(m.life).UTC()}
	for {
		old, revision, e := s.vault.load(ctx)
		unreadable := e != nil && e.Fault.Code == ingest.CodeLoginSealed
		if e != nil && !unreadable {
			return SignedIn{}, e
		}
		saved, e := s.vault.save(ctx, rec, revision)
		if e != nil {
			return SignedIn{}, e
		}
		if saved != 0 {
			return SignedIn{Account: account, Scope: quote(string(a.Scope), 500, redact.New(a.secrets()...)), Replaced: unreadable || old.Refresh != ""}, nil
		}
	}
}

// verify checks that the right account signed in and granted what the mailbox needs.
func (s *SignIn) verify(m minted, a tokenAnswer) (account string, e *ingest.Error) {
	names := accountNames(a.IDToken, m.value)
	if want := s.opt.Account; want != "" && len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, want) }) {
		return "", loginError(ingest.Auth, ingest.CodeLoginAccount, "%s signed in, and it should have been %s; nothing was stored", strings.Join(names, ", "), want)
	}
	if missing := ungranted(s.opt.Scope, string(a.Scope)); missing != "" {
		return "", loginError(ingest.Auth, ingest.CodeLoginConsent, "the issuer granted %q, without %s; nothing was stored", quote(string(a.Scope), 300, redact.New(a.secrets()...)), missing)
	}
	if a.RefreshToken == "" {
		return "", loginError(ingest.Auth, ingest.CodeLoginNoRefresh, "the issuer gave no refresh token; nothing was stored")
	}
	if len(names) > 0 {
		account = names[0]
	}
	return account, nil
}

// ungranted returns a scope that was asked for and not granted: people may untick some. An issuer that
// does not name what it granted has granted all (RFC 6749 section 5.1).
func ungranted(asked, granted string) string {
	have := strings.Fields(granted)
	for _, want := range strings.Fields(asked) {
		switch want {
		case "openid", "profile", "email", "offline_access": // of OpenID Connect; not always named
			continue
		}
		// Entra may name the resource by another of its hosts.
		tail := want[strings.LastIndex(want, "/")+1:]
		is := func(s string) bool {
			return strings.EqualFold(s, want) || tail != "" && strings.EqualFold(s[strings.LastIndex(s, "/")+1:], tail)
		}
		if len(have) > 0 && !slices.ContainsFunc(have, is) {
			return want
		}
	}
	return ""
}
