package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mailflume/ingest"
)

// endpoint is a token endpoint that is asked without MSAL (RFC 6749 section 3.2).
type endpoint struct {
	url  *url.URL
	http *http.Client
	now  func() time.Time
}

// newEndpoint checks a token URL.
func newEndpoint(tokenURL string, client *http.Client, now func() time.Time) (*endpoint, error) {
	u, err := url.Parse(tokenURL)
	switch {
	case err != nil:
		return nil, errors.New("token URL is not a URL") // url.Error would print it, with a password if it has one
	case u.User != nil || u.Fragment != "":
		return nil, errors.New("token URL must hold neither a user name nor a fragment")
	case u.Scheme != "https" || u.Hostname() == "":
		return nil, fmt.Errorf("token URL %.120q must start with https:// and a host", tokenURL)
	}
	return &endpoint{u, client, now}, nil
}

// tokenAnswer is RFC 6749 section 5.1, and OpenID Connect Core 1.0 section 3.1.3.3.
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    any    `json:"token_type"`
	RefreshToken string `json:"refresh_token"`
	IDToken      string `json:"id_token"`
	Scope        words  `json:"scope"`
}

// secrets are the tokens of an answer.
func (t tokenAnswer) secrets() []string {
	return []string{t.AccessToken, t.RefreshToken, t.IDToken}
}

// post sends one form and reads the token in its answer.
func (p *endpoint) post(ctx context.Context, id *identity, form url.Values, client *url.Userinfo) (minted, tokenAnswer, *ingest.Error) {
	began := p.now()
	got, err := p.send(ctx, form, client)
	if err != nil {
		return minted{}, tokenAnswer{}, classify(id, got, err)
	}
	return got.minted(id, began, 0)
}

// send posts one form and returns the answer, which has a body unless there is an error. client, if it
// is set, goes into the header as HTTP basic authentication, each part encoded as a form is (RFC 6749
// section 2.3.1).
func (p *endpoint) send(ctx context.Context, form url.Values, client *url.Userinfo) (*answer, error) {
	x := &exchange{client: p.http, host: p.url.Host, now: p.now}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if client != nil {
		secret, _ := client.Password()
		req.SetBasicAuth(url.QueryEscape(client.Username()), url.QueryEscape(secret))
	}
	resp, err := x.Do(req)
	if err == nil {
		_ = resp.Body.Close() // it is in memory
	}
	return &x.last, err
}

// minted reads the token in an answer. byClock is how long it lives by the answer's expires_on. What came
// beside a token that is none is the caller's all the same: its refresh token may be the only one left.
func (a *answer) minted(id *identity, began time.Time, byClock time.Duration) (minted, tokenAnswer, *ingest.Error) {
	var t tokenAnswer
	if a.status/100 != 2 || !decode(a.body, &t) {
		return minted{}, tokenAnswer{}, classify(id, a, errNotBearer)
	}
	if !bearer(t.AccessToken) || !t.known() {
		return minted{}, t, classify(id, a, errNotBearer)
	}
	return minted{value: t.AccessToken, life: lifetime(a.body, t.AccessToken, byClock), began: began}, t, nil
}

// known reports whether the token is of the one type that mail servers take: a token of a type that is
// not known must not be used (RFC 6749 section 7.1).
func (t tokenAnswer) known() bool {
	name, ok := t.TokenType.(string)
	return t.TokenType == nil || ok && (name == "" || strings.EqualFold(name, "bearer"))
}
