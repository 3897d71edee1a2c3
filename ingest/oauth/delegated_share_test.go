package oauth

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/oauth/oauthtest"
)

// signedIn is a person who has signed in; the access token of the sign-in has ended by now.
func signedIn(t *testing.T, people oauthtest.People) *personTest {
	t.Helper()
	p := startPerson(t, people)
	if _, _, err := p.browser(t); err != nil {
		t.Fatal(err)
	}
	p.clock.pass(2 * time.Hour)
	return p
}

func TestNobodyHasSignedInYet(t *testing.T) {
	p := startPerson(t, ada())
	s := p.source(t)
	_, err := s.Token(t.Context(), "")
	wantFault(t, err, ingest.Auth, ingest.CodeLoginNeeded)
	if !strings.Contains(err.Error(), "mailflume login sales") || p.issuer.Requests("") != 0 {
		t.Errorf("error = %v after %d requests", err, p.issuer.Requests(""))
	}
	if _, _, err := p.browser(t); err != nil {
		t.Fatal(err)
	}
	p.clock.pass(holdOffMax)
	mustToken(t, s)
}

func TestWorkersThatStartTogetherExchangeOnce(t *testing.T) {
	p := signedIn(t, ada())
	before := p.issuer.Requests("/token")
	p.issuer.Fail(oauthtest.Fault{Path: "/token", Delay: 200 * time.Millisecond})
	var wg sync.WaitGroup
	got := make([]string, 5)
	for n := range got {
		s := p.source(t)
		wg.Go(func() {
			tok, err := s.Token(t.Context(), "")
			if err != nil {
				t.Error(err)
			}
			got[n] = tok.Value
		})
	}
	wg.Wait()
	if n := p.issuer.Requests("/token") - before; n != 1 {
		t.Errorf("%d exchanges of one refresh token", n)
	}
	for _, v := range got {
		if v != got[0] {
			t.Error("workers have different tokens")
		}
	}
}

func TestWorkersTakeTurnsForALongTime(t *testing.T) {
	p := signedIn(t, ada())
	a, b := p.source(t), p.source(t)
	before := p.issuer.Requests("/token")
	for range 10 {
		if mustToken(t, a) != mustToken(t, b) {
			t.Error("workers have different tokens")
		}
		p.clock.pass(time.Hour)
	}
	if n := p.issuer.Requests("/token") - before; n != 10 {
		t.Errorf("%d exchanges in ten hours", n)
	}
}

func TestARefusedTokenIsRenewedByOneWorkerForBoth(t *testing.T) {
	p := signedIn(t, ada())
	a, b := p.source(t), p.source(t)
	bad := mustToken(t, a)
	mustToken(t, b)
	before := p.issuer.Requests("/token")
	for _, s := range []*Source{a, b} {
		tok, err := s.Token(t.Context(), bad)
		if err != nil || tok.Value == bad {
			t.Errorf("%v, the same again: %v", err, tok.Value == bad)
		}
	}
	if n := p.issuer.Requests("/token") - before; n != 1 {
		t.Errorf("%d exchanges", n)
	}
}

// TestAWorkerThatDiedIsWaitedForAndThenReplaced: it has claimed and not finished. What it had sent
// may be spent: then a person has to sign in again, and where old refresh tokens stay good nobody has.
func TestAWorkerThatDiedIsWaitedForAndThenReplaced(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spent bool // the issuer has answered the dead worker
		keeps bool // and takes the old refresh token all the same
		code  ingest.Code
	}{
		{"before it asked", false, false, ""},
		{"between answer and store, at an issuer like Entra", true, true, ""},
		{"between answer and store, at an issuer that takes reuse for theft", true, false, ingest.CodeLoginEnded},
	} {
		t.Run(c.name, func(t *testing.T) {
			people := ada()
			p := signedIn(t, people)
			rec, _ := p.record(t)
			p.put(t, func(r *record) { r.Claim = "dead" })
			if c.spent {
				dead := p.source(t)
				_ = dead.Close()
				spend(t, p, rec.Refresh)
			}
			people.NoRotate = c.keeps
			p.issuer.SetPeople(people)
			began := time.Now()
			_, err := p.source(t).Token(t.Context(), "")
			if took := time.Since(began); took < 2*time.Second {
				t.Errorf("the claim was taken over after %v", took)
			}
			if c.code != "" {
				wantFault(t, err, ingest.Auth, c.code)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// spend exchanges a refresh token and forgets what came of it.
func spend(t *testing.T, p *personTest, refresh string) {
	t.Helper()
	c, err := newIssuerClient(p.opt)
	if err != nil {
		t.Fatal(err)
	}
	defer c.at.http.CloseIdleConnections()
	id := identity{grant: grantDelegated}
	if _, _, e := c.post(t.Context(), &id, map[string][]string{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}); e != nil {
		t.Fatal(e)
	}
}

func TestARevokedSignInIsAskedForOnceAnHourAndHealsWhenSomebodySignsIn(t *testing.T) {
	p := signedIn(t, ada())
	a, b := p.source(t), p.source(t)
	p.issuer.RevokeSignIns("sales@contoso.com")
	before := p.issuer.Requests("/token")
	for range 10 {
		for _, s := range []*Source{a, b} {
			_, err := s.Token(t.Context(), "")
			wantFault(t, err, ingest.Auth, ingest.CodeLoginEnded)
			if !strings.Contains(err.Error(), "mailflume login sales") || !strings.Contains(err.Error(), "AADSTS50173") {
				t.Errorf("error = %v", err)
			}
		}
		p.clock.pass(holdOffMax)
	}
	if n := p.issuer.Requests("/token") - before; n != 1 {
		t.Errorf("%d requests in 50 minutes", n)
	}
	p.clock.pass(15 * time.Minute)
	_, err := a.Token(t.Context(), "")
	wantFault(t, err, ingest.Auth, ingest.CodeLoginEnded)
	if n := p.issuer.Requests("/token") - before; n != 2 {
		t.Errorf("%d requests in 65 minutes", n)
	}
	if got, _, err := p.browser(t); err != nil || !got.Replaced {
		t.Fatal(got, err)
	}
	p.clock.pass(holdOffMax)
	mustToken(t, a)
	mustToken(t, b)
}

func TestASignInDuringAnExchangeWins(t *testing.T) {
	for _, refused := range []bool{false, true} {
		p := signedIn(t, ada())
		p.store.before = func() { // before the claim; the next Save is that of the exchange
			p.store.before = func() {
				if _, _, err := p.browser(t); err != nil {
					t.Error(err)
				}
			}
		}
		if refused {
			p.issuer.RevokeSignIns("sales@contoso.com")
		}
		tok := mustToken(t, p.source(t))
		if rec, _ := p.record(t); rec.Access != tok || rec.Claim != "" {
			t.Errorf("refused %v: the token is not that of the new sign-in", refused)
		}
	}
}

// TestASlowWorkerThatWasTakenForDeadKeepsWhatItGot: the other one has only claimed, so the refresh
// token in the store is the spent one.
func TestASlowWorkerThatWasTakenForDeadKeepsWhatItGot(t *testing.T) {
	p := signedIn(t, ada())
	old, _ := p.record(t)
	p.store.before = func() {
		p.store.before = func() { p.put(t, func(r *record) { r.Claim = "another" }) }
	}
	tok := mustToken(t, p.source(t))
	if rec, _ := p.record(t); rec.Access != tok || rec.Refresh == old.Refresh || rec.Claim != "" {
		t.Error("what the issuer gave was thrown away")
	}
}

func TestATokenIsNotUsedBeforeItsRefreshTokenIsStored(t *testing.T) {
	p := signedIn(t, ada())
	s := p.source(t)
	p.store.before = func() {
		p.store.before = func() { p.store.fail(errors.New("NATS is away")) }
	}
	if tok, err := s.Token(t.Context(), ""); err == nil {
		t.Fatalf("a token was given out: %v", tok)
	}
	p.store.fail(nil)
	before := p.issuer.Requests("/token")
	p.clock.pass(time.Minute)
	tok := mustToken(t, s)
	if n := p.issuer.Requests("/token") - before; n != 0 {
		t.Errorf("%d more exchanges, with a spent refresh token", n)
	}
	if rec, _ := p.record(t); rec.Access != tok {
		t.Error("the token in use is not the stored one")
	}
}

func TestARefreshTokenBesideATokenThatIsNoneIsStored(t *testing.T) {
	for _, away := range []bool{false, true} {
		p := signedIn(t, ada())
		s := p.source(t)
		p.issuer.Fail(oauthtest.Fault{Path: "/token", Times: 1, Body: `{"access_token":"a b","refresh_token":"the next one","expires_in":3600}`})
		p.store.before = func() {
			p.store.before = func() {
				if away {
					p.store.fail(errors.New("NATS is away"))
				}
			}
		}
		_, err := s.Token(t.Context(), "")
		wantFault(t, err, ingest.Transient, ingest.CodeTokenAnswer)
		p.store.fail(nil)
		if away { // what was not stored is with the next try
			p.clock.pass(time.Minute)
			_, _ = s.Token(t.Context(), "")
		}
		if rec, _ := p.record(t); rec.Refresh != "the next one" || rec.Claim != "" {
			t.Errorf("away %v: the refresh token that the issuer gave last is lost", away)
		}
	}
}

// TestWhatTheIssuerGaveOutlivesAStoreThatFailsTwice: another worker has claimed meanwhile, tried the
// spent refresh token in vain, and said so.
func TestWhatTheIssuerGaveOutlivesAStoreThatFailsTwice(t *testing.T) {
	p := signedIn(t, ada())
	s := p.source(t)
	p.store.before = func() {
		p.store.before = func() {
			p.put(t, func(r *record) { r.Claim, r.Refused = "", p.clock.now() })
			p.store.loadErr = errors.New("NATS is away")
		}
	}
	if tok, err := s.Token(t.Context(), ""); err == nil {
		t.Fatalf("a token was given out: %v", tok)
	}
	p.store.loadErr = nil
	p.clock.pass(time.Minute)
	tok := mustToken(t, s)
	if rec, _ := p.record(t); rec.Access != tok || !rec.Refused.IsZero() {
		t.Error("the sign-in stays refused, although there is a good refresh token")
	}
}

func TestAnOutageOfTheIssuerReleasesTheClaim(t *testing.T) {
	p := signedIn(t, ada())
	p.issuer.Fail(oauthtest.Fault{Path: "/token", Times: 1, Status: 503, Body: "<html>"})
	s := p.source(t)
	_, err := s.Token(t.Context(), "")
	wantFault(t, err, ingest.Transient, ingest.CodeTokenDown)
	if rec, _ := p.record(t); rec.Claim != "" || !rec.Refused.IsZero() {
		t.Errorf("the record is left claimed or refused")
	}
	p.clock.pass(time.Minute)
	mustToken(t, s)
}

func TestCloseLetsAnExchangeFinishAndStore(t *testing.T) {
	p := signedIn(t, ada())
	s := p.source(t)
	old, _ := p.record(t)
	p.issuer.Fail(oauthtest.Fault{Path: "/token", Delay: 300 * time.Millisecond, Times: 1})
	asked := make(chan struct{})
	p.store.before = func() { close(asked) }
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = s.Token(t.Context(), "") })
	<-asked
	for p.issuer.Requests("/token") < 2 { // the sign-in's was the first
		<-time.After(5 * time.Millisecond)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if rec, _ := p.record(t); rec.Refresh == old.Refresh || rec.Claim != "" {
		t.Error("the new refresh token was lost")
	}
}

func TestNoErrorAndNoSourceShowsATokenOfAPerson(t *testing.T) {
	p := signedIn(t, ada())
	rec, _ := p.record(t)
	p.opt.Secret = static(canary)
	s := p.source(t)
	p.issuer.Fail(oauthtest.Fault{Path: "/token", Times: 1, Status: 400, Body: `{"error":"invalid_grant","error_description":"` + rec.Refresh + ` is void"}`})
	_, err := s.Token(t.Context(), "")
	wantFault(t, err, ingest.Auth, ingest.CodeLoginEnded)
	if what := leaks(err, rec.Refresh, rec.Access, canary); what != "" {
		t.Errorf("a secret is in %q", what)
	}
	if rec, _ := p.record(t); leaks(rec.Why, rec.Refresh) != "" || strings.Contains(rec.String()+rec.GoString(), rec.Refresh) {
		t.Error("a secret is in what is kept of the error")
	}
}
