package oauth

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/oauth/oauthtest"
)

const robot = "mailflume@project.iam.gserviceaccount.com"

func startGoogle(t *testing.T, o GoogleOptions) *Google {
	t.Helper()
	g, err := NewGoogle(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

func googleFor(i *oauthtest.Issuer, key []byte) GoogleOptions {
	return GoogleOptions{Key: func(context.Context) ([]byte, error) { return key, nil }, Common: Common{RootCAs: i.CAPool()}}
}

func TestAServiceAccountGetsATokenForEachMailbox(t *testing.T) {
	i := startIssuer(t, oauthtest.Options{})
	g := startGoogle(t, googleFor(i, i.ServiceAccount(robot, GoogleIMAP)))
	for _, box := range []string{"anna@contoso.example", "bert@contoso.example"} {
		tok, err := g.Mailbox(box).Token(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if c, err := i.Verify(tok.Value); err != nil || c.UPN != box {
			t.Errorf("claims = %+v, %v", c, err)
		}
		if again, err := g.Mailbox(box).Token(t.Context(), ""); err != nil || again.Value != tok.Value {
			t.Errorf("second call = %v, %v", again, err)
		}
	}
	if n := i.Requests("/token"); n != 2 {
		t.Errorf("%d requests, want one for each mailbox", n)
	}
}

func TestWhatWasNotAskedIsNotReported(t *testing.T) {
	i := startIssuer(t, oauthtest.Options{})
	i.Fail(oauthtest.Fault{Path: "/token", Status: 503})
	var reports atomic.Int32
	o := googleFor(i, i.ServiceAccount(robot, GoogleIMAP))
	o.Hooks.Refreshed = func(RefreshInfo) { reports.Add(1) }
	g := startGoogle(t, o)
	for n := range 20 {
		_, err := g.Mailbox(fmt.Sprint("box", n)).Token(t.Context(), "")
		wantFault(t, err, ingest.Transient, ingest.CodeTokenDown)
	}
	if asked := i.Requests("/token"); asked != 1 || reports.Load() != 1 {
		t.Errorf("%d requests, %d reports of one", asked, reports.Load())
	}
}

// TestGooglesRefusalsSayWhatToDo are rows 43 to 46 of the failure catalogue, and what a key can be.
func TestGooglesRefusalsSayWhatToDo(t *testing.T) {
	skewed := func(by time.Duration) func() time.Time { return func() time.Time { return time.Now().Add(by) } }
	for _, c := range []struct {
		name   string
		change func(i *oauthtest.Issuer, o *GoogleOptions)
		class  ingest.Class
		code   ingest.Code
		says   string
	}{
		{"delegation is missing for the scope", func(_ *oauthtest.Issuer, o *GoogleOptions) { o.Scope = GoogleMail }, ingest.Config, ingest.CodeDelegation, GoogleMail},
		{"the mailbox does not exist", func(i *oauthtest.Issuer, _ *GoogleOptions) { i.Suspend("anna@contoso.example") }, ingest.Config, ingest.CodeSubject, "anna@contoso.example"},
		{"the clock is behind", func(_ *oauthtest.Issuer, o *GoogleOptions) { o.Now = skewed(-3 * time.Hour) }, ingest.Auth, ingest.CodeClockOrAssertion, "3h0m0s behind"},
		{"the clock is ahead", func(_ *oauthtest.Issuer, o *GoogleOptions) { o.Now = skewed(time.Hour) }, ingest.Auth, ingest.CodeClockOrAssertion, "1h0m0s ahead"},
		{"the account is gone", func(_ *oauthtest.Issuer, o *GoogleOptions) { o.Key = edited(o.Key, robot, "gone@project.example") }, ingest.Config, ingest.CodeSubject, "account not found"},
		{"another kind of key", func(_ *oauthtest.Issuer, o *GoogleOptions) {
			o.Key = edited(o.Key, "service_account", "authorized_user")
		}, ingest.Auth, ingest.CodeSecretMissing, "authorized_user"},
		{"no key", func(_ *oauthtest.Issuer, o *GoogleOptions) {
			o.Key = func(context.Context) ([]byte, error) { return []byte("-----BEGIN"), nil }
		}, ingest.Auth, ingest.CodeSecretMissing, "JSON"},
		{"a token URL in clear", func(_ *oauthtest.Issuer, o *GoogleOptions) { o.Key = edited(o.Key, "https://", "http://") }, ingest.Config, ingest.CodeConfigInvalid, "https"},
		{"throttled", func(i *oauthtest.Issuer, _ *GoogleOptions) { i.Fail(oauthtest.Fault{Status: 429, RetryAfter: "9"}) }, ingest.Throttled, ingest.CodeTokenThrottled, "429"},
		{"redirected", func(i *oauthtest.Issuer, _ *GoogleOptions) {
			i.Fail(oauthtest.Fault{Redirect: "https://evil.example/"})
		}, ingest.Config, ingest.CodeTokenRedirect, "evil.example"},
		{"a token of another type", func(i *oauthtest.Issuer, _ *GoogleOptions) {
			i.Fail(oauthtest.Fault{Body: `{"access_token":"t","token_type":"mac","expires_in":3600}`})
		}, ingest.Transient, ingest.CodeTokenAnswer, "bearer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := startIssuer(t, oauthtest.Options{})
			o := googleFor(i, i.ServiceAccount(robot, GoogleIMAP))
			c.change(i, &o)
			_, err := startGoogle(t, o).Mailbox("anna@contoso.example").Token(t.Context(), "")
			wantFault(t, err, c.class, c.code)
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("error = %q, want it to say %q", err, c.says)
			}
			var key accountKey
			if json.Unmarshal(i.ServiceAccount(robot), &key) != nil || leaks(err, key.PrivateKey, "eyJ") != "" {
				t.Errorf("the key or the assertion is in %q", err)
			}
		})
	}
}

func edited(read func(context.Context) ([]byte, error), old, by string) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		b, err := read(ctx)
		return []byte(strings.ReplaceAll(string(b), old, by)), err
	}
}

// crowd has a thousand mailboxes ask for two hours as the runner does, and returns the most requests
// that came in one minute after the first.
func crowd(t *testing.T, answer func(box string, n int) *ingest.Error) (most int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex
		minutes := map[int]int{}
		var calls atomic.Int32
		gate := newGate(time.Now)
		var boxes []*renewer
		for n := range 1000 {
			box := fmt.Sprintf("box%d", n)
			boxes = append(boxes, newRenewer(func(ctx context.Context) (minted, *ingest.Error) {
				if e := gate.enter(ctx, box); e != nil {
					return minted{}, e
				}
				mu.Lock()
				minutes[int(time.Since(start)/time.Minute)]++
				mu.Unlock()
				pass(100 * time.Millisecond)
				e := answer(box, int(calls.Add(1)))
				gate.leave(box, e)
				return minted{value: box, life: time.Hour}, e
			}, time.Now, time.Hour, nil))
		}
		var wg sync.WaitGroup
		for _, r := range boxes {
			wg.Go(func() {
				for time.Since(start) < 2*time.Hour {
					if _, err := r.Token(t.Context(), ""); err != nil {
						pass(max(30*time.Second, ingest.FaultOf(err).Wait))
					} else {
						pass(time.Minute)
					}
				}
			})
		}
		wg.Wait()
		for _, r := range boxes {
			r.close()
		}
		for _, n := range minutes {
			most = max(most, n)
		}
	})
	return most
}

func TestAThousandMailboxesOfABrokenAccountMakeNoStorm(t *testing.T) {
	t.Parallel()
	refused := func(c ingest.Code) *ingest.Error {
		return &ingest.Error{Fault: ingest.Fault{Class: ingest.Config, Code: c}, Op: opToken, Err: errNotBearer}
	}
	for _, c := range []struct {
		name string
		f    *ingest.Error
	}{{"no delegation", refused(ingest.CodeDelegation)}, {"the key is deleted", refused(ingest.CodeSubject)}, {"Google is down", down(0)}} {
		t.Run(c.name, func(t *testing.T) {
			if most := crowd(t, func(string, int) *ingest.Error { return c.f }); most > 8 {
				t.Errorf("%d requests in one minute, want a handful", most)
			}
		})
	}
}

func TestSomeWrongMailboxesDoNotHoldTheOthersUp(t *testing.T) {
	var wrong, right atomic.Int32
	crowd(t, func(box string, _ int) *ingest.Error {
		if strings.HasSuffix(box, "7") { // a hundred of them
			wrong.Add(1)
			return &ingest.Error{Fault: ingest.Fault{Class: ingest.Config, Code: ingest.CodeSubject}, Op: opToken, Err: errNotBearer}
		}
		right.Add(1)
		return nil
	})
	if n := right.Load(); n < 900*2 {
		t.Errorf("%d tokens in two hours, want at least one an hour for each of 900", n)
	}
	if n := wrong.Load(); n > 4000 {
		t.Errorf("%d refusals in two hours", n)
	}
}

func TestTheGateOpensForEveryoneWhenTheAccountWorksAgain(t *testing.T) {
	var broken atomic.Bool
	broken.Store(true)
	i := startIssuer(t, oauthtest.Options{})
	i.Fail(oauthtest.Fault{Path: "/token", Status: 503})
	c := &clock{}
	o := googleFor(i, i.ServiceAccount(robot, GoogleIMAP))
	o.Now = c.now
	g := startGoogle(t, o)
	for n := range 20 {
		_, err := g.Mailbox(fmt.Sprintf("box%d@contoso.example", n)).Token(t.Context(), "")
		wantFault(t, err, ingest.Transient, ingest.CodeTokenDown)
	}
	if n := i.Requests("/token"); n != 1 {
		t.Errorf("%d requests while the issuer is down, want 1", n)
	}
	g.Reread()
	g.Reread()
	_, err := g.Mailbox("box0@contoso.example").Token(t.Context(), "")
	wantFault(t, err, ingest.Transient, ingest.CodeTokenDown)
	if n := i.Requests("/token"); n != 2 {
		t.Errorf("%d requests after the key changed, want one more", n)
	}
	i.ClearFaults()
	c.pass(20 * time.Second)
	for n := range 20 {
		if _, err := g.Mailbox(fmt.Sprintf("box%d@contoso.example", n)).Token(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzServiceAccountKey(f *testing.F) {
	f.Add([]byte(`{"type":"service_account","client_email":"a@b","private_key":"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := parseKey(text)
		if (err == nil) != (k != nil && k.rsa != nil) {
			t.Errorf("key %v with error %v", k, err)
		}
	})
}
