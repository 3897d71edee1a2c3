package oauth

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/oauth/oauthtest"
)

// memory is a TokenStore in memory that can fail and that a test can look into.
type memory struct {
	mu      sync.Mutex
	values  map[string][]byte
	seq     map[string]uint64
	err     error
	loadErr error
	before  func() // runs once, before the next Save
	saves   int
	written [][]byte
}

func (m *memory) Load(_ context.Context, name string) ([]byte, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values[name], m.seq[name], cmp.Or(m.loadErr, m.err)
}

func (m *memory) Save(_ context.Context, name string, value []byte, revision uint64) (uint64, error) {
	m.mu.Lock()
	before := m.before
	m.before = nil
	m.mu.Unlock()
	if before != nil {
		before()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return 0, m.err
	}
	if m.seq[name] != revision {
		return 0, nil
	}
	if m.values == nil {
		m.values, m.seq = map[string][]byte{}, map[string]uint64{}
	}
	m.saves++
	m.values[name], m.seq[name] = value, revision+1
	m.written = append(m.written, value)
	return revision + 1, nil
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

func newKey(t *testing.T) []byte {
	t.Helper()
	key := make([]byte, sealKey)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	key[0] = 0xff // no 32 letters, whatever the others are
	return key
}

func keyOf(key []byte) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) { return key, nil }
}

// person is a test's issuer, store and options.
type personTest struct {
	issuer *oauthtest.Issuer
	store  *memory
	opt    DelegatedOptions
	clock  *clock
}

func startPerson(t *testing.T, people oauthtest.People) *personTest {
	t.Helper()
	i := startIssuer(t, oauthtest.Options{Public: true, DeviceInterval: 20 * time.Millisecond})
	i.SetPeople(people)
	p := &personTest{issuer: i, store: &memory{}, clock: &clock{}}
	p.opt = DelegatedOptions{
		Name: "sales", Stream: "MAIL", Account: "sales@contoso.com",
		AuthURL: i.AuthURL(), DeviceURL: i.DeviceURL(), TokenURL: i.TokenURL(), ClientID: "app",
		Scope: "https://outlook.office.com/IMAP.AccessAsUser.All offline_access openid", Store: p.store,
		Keys: TokenKeys{Current: keyOf(newKey(t))}, Common: Common{RootCAs: i.CAPool(), Now: p.clock.now},
	}
	return p
}

func ada() oauthtest.People { return oauthtest.People{User: "Sales@contoso.com"} }

func (p *personTest) signIn(t *testing.T) *SignIn {
	t.Helper()
	s, err := NewSignIn(p.opt)
	if err != nil {
		t.Fatal(err)
	}
	s.second = 5 * time.Millisecond
	return s
}

// browse opens a page as a browser does, redirects to this machine included, and returns what it shows.
func (p *personTest) browse(t *testing.T, page string) string {
	t.Helper()
	hc := newHTTPClient(p.issuer.CAPool())
	defer hc.CloseIdleConnections()
	hc.CheckRedirect = nil
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := hc.Do(req)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

// browser signs in and returns what the browser showed at the end.
func (p *personTest) browser(t *testing.T) (got SignedIn, shown string, err error) {
	t.Helper()
	var wg sync.WaitGroup
	got, err = p.signIn(t).Browser(t.Context(), func(page string) { wg.Go(func() { shown = p.browse(t, page) }) })
	wg.Wait()
	return got, shown, err
}

// source is one worker's.
func (p *personTest) source(t *testing.T) *Source {
	t.Helper()
	c, err := newIssuerClient(p.opt)
	if err != nil {
		t.Fatal(err)
	}
	d := &delegated{issuerClient: c, claimLife: 2 * time.Second}
	own := c.opt.Common
	own.Timeout = 20 * time.Second
	s := newSource("test", c.at.http, d.mint, own)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// record opens what is stored.
func (p *personTest) record(t *testing.T) (record, uint64) {
	t.Helper()
	rec, revision, e := newVault(p.store, p.opt.Keys, p.opt.Name, p.opt.Stream).load(t.Context())
	if e != nil {
		t.Fatal(e)
	}
	return rec, revision
}

func (p *personTest) put(t *testing.T, change func(*record)) {
	t.Helper()
	rec, revision := p.record(t)
	change(&rec)
	if saved, e := newVault(p.store, p.opt.Keys, p.opt.Name, p.opt.Stream).save(t.Context(), rec, revision); e != nil || saved == 0 {
		t.Fatal(saved, e)
	}
}

func mustToken(t *testing.T, s *Source) string {
	t.Helper()
	tok, err := s.Token(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return tok.Value
}

func TestAPersonSignsInWithABrowserAndAWorkerHasTokens(t *testing.T) {
	p := startPerson(t, ada())
	var page string
	got, shown, err := func() (SignedIn, string, error) {
		var wg sync.WaitGroup
		var shown string
		got, err := p.signIn(t).Browser(t.Context(), func(u string) { page = u; wg.Go(func() { shown = p.browse(t, u) }) })
		wg.Wait()
		return got, shown, err
	}()
	if err != nil || got.Account != "Sales@contoso.com" || got.Replaced {
		t.Fatalf("SignedIn = %+v, %v", got, err)
	}
	if !strings.Contains(shown, "you may close this window") {
		t.Errorf("the browser shows %q", shown)
	}
	u, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for k, want := range map[string]string{"response_type": "code", "code_challenge_method": "S256", "login_hint": "sales@contoso.com", "scope": p.opt.Scope} {
		if q.Get(k) != want {
			t.Errorf("%s = %q, want %q", k, q.Get(k), want)
		}
	}
	if !strings.HasPrefix(q.Get("redirect_uri"), "http://127.0.0.1:") || len(q.Get("state")) < 26 || len(q.Get("code_challenge")) != 43 {
		t.Errorf("the request is %v", q)
	}
	s := p.source(t)
	before := p.issuer.Requests("/token")
	tok := mustToken(t, s)
	if c, err := p.issuer.Verify(tok); err != nil || c.UPN != "Sales@contoso.com" {
		t.Errorf("claims = %+v, %v", c, err)
	}
	if n := p.issuer.Requests("/token") - before; n != 0 {
		t.Errorf("%d requests for a token that the sign-in brought", n)
	}
	p.clock.pass(time.Hour)
	old, _ := p.record(t)
	if next := mustToken(t, s); next == tok {
		t.Error("the token was not renewed")
	}
	if rec, _ := p.record(t); rec.Refresh == old.Refresh || rec.Claim != "" {
		t.Error("the new refresh token is not stored, or the claim still is")
	}
	for _, v := range p.store.written {
		if strings.Contains(string(v), old.Refresh) || strings.Contains(string(v), tok) {
			t.Error("a token is stored in clear")
		}
	}
}

func TestASignInCanRedirectToLocalhost(t *testing.T) {
	p := startPerson(t, ada())
	p.opt.Localhost, p.opt.Account = true, ""
	if _, _, err := p.browser(t); err != nil {
		t.Error(err)
	}
	if got, _, err := p.browser(t); err != nil || !got.Replaced {
		t.Errorf("a second sign-in: %+v, %v", got, err)
	}
}

func TestASignInThatFailsSaysWhy(t *testing.T) {
	for _, c := range []struct {
		name   string
		people oauthtest.People
		change func(*DelegatedOptions)
		fault  *oauthtest.Fault
		code   ingest.Code
		says   string
	}{
		{name: "denied", people: oauthtest.People{Error: "access_denied"}, code: ingest.CodeLoginDenied, says: "access_denied"},
		{name: "consent", people: oauthtest.People{Error: "consent_required"}, code: ingest.CodeLoginConsent},
		{name: "another account", people: oauthtest.People{User: "bob@contoso.com"}, code: ingest.CodeLoginAccount, says: "bob@contoso.com signed in"},
		{name: "no refresh token", people: oauthtest.People{User: "sales@contoso.com", NoRefresh: true}, code: ingest.CodeLoginNoRefresh},
		{name: "a box unticked", people: oauthtest.People{User: "sales@contoso.com", Grants: "openid"}, code: ingest.CodeLoginConsent, says: "IMAP.AccessAsUser.All"},
		{name: "no consent, in Entra's numbers", people: ada(), code: ingest.CodeLoginConsent, fault: &oauthtest.Fault{
			Path: "/token", Status: 400, Body: oauthtest.EntraError("invalid_grant", 65001, "The user or administrator has not consented.")}},
		{name: "a public client is not allowed", people: ada(), code: ingest.CodeLoginClient, fault: &oauthtest.Fault{
			Path: "/token", Status: 401, Body: oauthtest.EntraError("invalid_client", 7000218, "The request body must contain client_secret.")}},
		{name: "a code too late", people: ada(), code: ingest.CodeLoginExpired, fault: &oauthtest.Fault{
			Path: "/token", Status: 400, Body: oauthtest.EntraError("invalid_grant", 70008, "The provided authorization code has expired.")}},
		{name: "a wrong secret", people: ada(), code: ingest.CodeClientSecret, change: func(o *DelegatedOptions) { o.Secret = static("wrong") }},
		{name: "no key", people: ada(), code: ingest.CodeLoginKey, change: func(o *DelegatedOptions) {
			o.Keys.Current = func(context.Context) ([]byte, error) { return nil, errors.New("no such file") }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := startPerson(t, c.people)
			if c.change != nil {
				c.change(&p.opt)
			}
			if c.fault != nil {
				p.issuer.Fail(*c.fault)
			}
			_, _, err := p.browser(t)
			if f := ingest.FaultOf(err); f.Code != c.code || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error = %v, want %s and %q", err, c.code, c.says)
			}
			if p.store.saves != 0 {
				t.Error("something was stored")
			}
		})
	}
}

func TestASignInWithoutANameIsTakenAndSaysSo(t *testing.T) {
	people := ada()
	people.Nameless = true
	p := startPerson(t, people)
	if got, _, err := p.browser(t); err != nil || got.Account != "" {
		t.Errorf("SignedIn = %+v, %v", got, err)
	}
}

func TestOnlyTheRightAnswerEndsTheWaitForTheBrowser(t *testing.T) {
	p := startPerson(t, ada())
	ctx, cancel := context.WithCancel(t.Context())
	var shown []string
	_, err := p.signIn(t).Browser(ctx, func(page string) {
		u, err := url.Parse(page)
		if err != nil {
			t.Fatal(err)
		}
		back := u.Query().Get("redirect_uri")
		for _, bad := range []string{"/?code=x", "/?code=x&state=guess", "/favicon.ico", "/?state=" + u.Query().Get("state")} {
			shown = append(shown, p.browse(t, back+bad))
		}
		cancel()
	})
	if !errors.Is(err, context.Canceled) || slices.ContainsFunc(shown, func(s string) bool { return strings.Contains(s, "has the answer") }) {
		t.Errorf("error = %v, shown %q", err, shown)
	}
}

func TestNobodySignsInInTime(t *testing.T) {
	p := startPerson(t, ada())
	s := p.signIn(t)
	s.patience = 10 * time.Millisecond
	_, err := s.Browser(t.Context(), func(string) {})
	wantFault(t, err, ingest.Auth, ingest.CodeLoginExpired)
}
