package oauth

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"mailflume/ingest/oauth/oauthtest"
	"mailflume/publish/redact"
)

func jwt(claims string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"none"}`)) + "." + enc([]byte(claims)) + "." + enc([]byte("signature"))
}

func TestDescribeShowsWhatATokenClaims(t *testing.T) {
	token := jwt(`{"aud":"https://outlook.office365.com","iss":"https://sts.windows.net/t/","roles":["IMAP.AccessAsApp","x\n"],
		"scp":"a b","tid":"tenant","appid":"app","oid":"object","iat":1700000000,"exp":1700003600.5}`)
	c, ok := Describe(token)
	want := Claims{
		Audience: []string{"https://outlook.office365.com"}, Issuer: "https://sts.windows.net/t/", Roles: []string{"IMAP.AccessAsApp", "x"},
		Scopes: []string{"a", "b"}, Tenant: "tenant", AppID: "app", ObjectID: "object",
		Issued: time.Unix(1700000000, 0), Expires: time.Unix(1700003600, 0), Fingerprint: c.Fingerprint,
	}
	if !ok || !reflect.DeepEqual(c, want) || len(c.Fingerprint) != 16 {
		t.Errorf("Describe = %+v, %v", c, ok)
	}
	if !c.HasRole("imap.accessasapp") || c.HasRole("POP.AccessAsApp") {
		t.Error("HasRole is wrong")
	}
	if text := leaks(c, token); text != "" {
		t.Errorf("the token is in %q", text)
	}
	if c, ok := Describe(jwt(`{"azp":"app2","aud":["a","b",3]}`)); !ok || c.AppID != "app2" || len(c.Audience) != 2 || !c.Expires.IsZero() {
		t.Errorf("Describe = %+v, %v", c, ok)
	}
}

func TestDescribeSaysNoToOpaqueTokens(t *testing.T) {
	for _, token := range []string{"", "opaque", "a.b.c", "..", jwt("[]"), jwt(`{"exp":"x"}`), jwt("{") + "x", strings.Repeat("a", 100<<10) + ".e30.c"} {
		if c, ok := Describe(token); ok {
			t.Errorf("Describe(%.20q) = %+v", token, c)
		}
	}
}

func FuzzDescribe(f *testing.F) {
	for _, seed := range []string{jwt(`{"aud":["x"],"exp":1e300,"iat":-1}`), jwt(`{"scp":{},"roles":[[]]}`), "a.b.c", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		c, ok := Describe(token)
		if !ok && !reflect.DeepEqual(c, Claims{}) {
			t.Errorf("claims of a token that is none: %+v", c)
		}
		if len(c.Audience)+len(c.Roles) > len(token) || strings.ContainsAny(fmt.Sprint(c), "\r\n\x1b\u202e") {
			t.Errorf("unbounded or unprintable: %+v", c)
		}
	})
}

// TestNoRoleOfALongTokenIsOverlooked: tokens that are too long for POP3 have hundreds.
func TestNoRoleOfALongTokenIsOverlooked(t *testing.T) {
	c, ok := Describe(jwt(`{"roles":["` + strings.Repeat(`x","`, 200) + `IMAP.AccessAsApp"]}`))
	if !ok || !c.HasRole("imap.accessasapp") {
		t.Errorf("%d roles, and not the last one", len(c.Roles))
	}
}

func FuzzQuote(f *testing.F) {
	f.Add("you sent "+canary, canary)
	f.Add("se\x00cret", "secret")
	f.Add("eyJhbGciOiJub25lIn0.e30.x", "")
	f.Fuzz(func(t *testing.T, s, secret string) {
		got := quote(s, 100, redact.New(secret))
		if n := len([]rune(got)); n > 110 {
			t.Errorf("%d characters", n)
		}
		if strings.ContainsAny(got, "\r\n\x00\x1b") {
			t.Errorf("not one printable line: %q", got)
		}
		if len(secret) >= 8 && !strings.Contains(secret, "***") && strings.Contains(got, secret) {
			t.Errorf("%q is in %q", secret, got)
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120", "")
	f.Add("Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:27:00 GMT")
	f.Add("NaN", "x")
	f.Fuzz(func(t *testing.T, v, date string) {
		h := http.Header{"Retry-After": {v}, "Date": {date}}
		if d := retryAfter(h); d < 0 || d > maxObeyed {
			t.Errorf("wait = %v", d)
		}
	})
}

func TestRetryAfterReadsSecondsAndDates(t *testing.T) {
	for _, c := range []struct {
		value, date string
		want        time.Duration
	}{
		{"17", "", 17 * time.Second},
		{" 2 ", "", 2 * time.Second},
		{"1.5", "", 1500 * time.Millisecond},
		{"-3", "", 0},
		{"soon", "", 0},
		{"", "", 0},
		{"99999999999999999999", "", maxObeyed},
		{"1000000000000000000", "", maxObeyed},
		{"7200", "", 2 * time.Hour},
		{"NaN", "", 0},
		{"Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:27:00 GMT", time.Minute}, // by the issuer's own clock
		{"Wed, 21 Oct 2015 07:28:00 GMT", "", 0},                                        // long past
	} {
		if got := retryAfter(http.Header{"Retry-After": {c.value}, "Date": {c.date}}); got != c.want {
			t.Errorf("Retry-After %q at %q = %v, want %v", c.value, c.date, got, c.want)
		}
	}
}

func TestALifetimeNeedsNoAgreementOfClocks(t *testing.T) {
	now := time.Now()
	hour := jwt(fmt.Sprintf(`{"iat":%d,"exp":%d}`, now.Unix(), now.Add(time.Hour).Unix()))
	for _, c := range []struct {
		name, body, token string
		byClock, want     time.Duration
	}{
		{"expires_in wins over expires_on", `{"expires_in":3599,"expires_on":1}`, "t", -time.Hour, 3599 * time.Second},
		{"as a string", `{"expires_in":"3599"}`, "t", time.Minute, 3599 * time.Second},
		{"too large for a duration", `{"expires_in":9223372036854775807}`, "t", time.Minute, maxLifetime},
		{"only expires_on", `{"expires_on":1}`, "t", 50 * time.Minute, 50 * time.Minute},
		{"only expires_on, clock ahead", `{"expires_on":1}`, hour, -time.Hour, time.Hour},
		{"only expires_on, clock ahead, opaque token", `{"expires_on":1}`, "t", -time.Hour, 5 * time.Minute},
		{"zero", `{"expires_in":0}`, hour, 0, time.Hour},
		{"less than nothing", `{"expires_in":-3600}`, "t", -time.Hour, 5 * time.Minute},
		{"a fraction", `{"expires_in":3599.5}`, "t", 0, 3599*time.Second + 500*time.Millisecond},
		{"no number", `{"expires_in":["3600"]}`, "t", 50 * time.Minute, 50 * time.Minute},
		{"a token that ends before expires_in", `{"expires_in":86400}`, hour, 24 * time.Hour, time.Hour},
		{"a token that ends after expires_in", `{"expires_in":600}`, hour, 0, 10 * time.Minute},
	} {
		if got := lifetime([]byte(c.body), c.token, c.byClock); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestASkewedClockMakesNoRequestStorm(t *testing.T) {
	i := startIssuer(t, oauthtest.Options{})
	o := optionsFor(i)
	for _, skew := range []time.Duration{-10 * time.Minute, 10 * time.Minute, 48 * time.Hour} {
		o.Now = func() time.Time { return time.Now().Add(skew) }
		before, e := i.Requests("/token"), startEntra(t, o)
		for range 5 {
			if _, err := e.Token(t.Context(), ""); err != nil {
				t.Fatal(err)
			}
		}
		if n := i.Requests("/token") - before; n != 1 {
			t.Errorf("skew %v: %d requests, want 1", skew, n)
		}
	}
}
