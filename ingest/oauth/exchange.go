package oauth

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxAnswer bounds the body of one answer. Entra's are below 10 KiB; MSAL itself reads without end.
const maxAnswer = 1 << 20

// What an exchange refuses to do; classify reads the answer's fields, MSAL needs some error.
var (
	errRedirect = errors.New("redirects are not followed")
	errTooLarge = errors.New("the answer is too large")
	errForeign  = errors.New("the token endpoint is not at the authority")
)

// newHTTPClient is a client that a secret can be given to: TLS 1.2 or newer, no redirects, bounded headers.
func newHTTPClient(roots *x509.CertPool) *http.Client {
	dial := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{
		// MSAL would follow a 307 and post the secret again, to whatever origin it names.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            dial.DialContext,
			TLSHandshakeTimeout:    10 * time.Second,
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           2,
			IdleConnTimeout:        10 * time.Second,
			ExpectContinueTimeout:  time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}
}

// answer is what came back for the last request of an exchange. Of the request it holds what must not be shown.
type answer struct {
	sent     []string
	token    bool   // from the token endpoint, not from discovery
	origin   string // scheme and host that were asked
	status   int    // 0: no answer
	header   http.Header
	body     []byte
	err      error  // of the transport
	redirect string // origin of the Location of a 3xx
	foreign  string // token endpoint's origin that was not asked
	tooLarge bool
	scope    string        // that was asked for
	skew     time.Duration // by which this machine's clock is ahead
}

// exchange is the HTTP client of one token request (of MSAL: discovery, then token). It
// remembers the last answer, because MSAL's errors hold the request with the secret in it and say
// too little about the answer.
type exchange struct {
	client   *http.Client
	host     string // of the authority
	platform bool   // ask wherever the platform says, in clear too: Azure's metadata service has no TLS
	scope    string
	now      func() time.Time
	last     answer
}

// CloseIdleConnections is part of the interface that MSAL asks for.
func (x *exchange) CloseIdleConnections() { x.client.CloseIdleConnections() }

// Do sends one request and reads the whole answer, within bounds.
func (x *exchange) Do(req *http.Request) (*http.Response, error) {
	// Discovery is a GET without anything secret, the token request a POST with the credential.
	x.last = answer{token: x.platform || req.Method == http.MethodPost, origin: originOf(req.URL), scope: x.scope, sent: secretsIn(req)}
	if !x.platform && (req.URL.Scheme != "https" || !sameAuthority(x.host, req.URL.Host)) {
		x.last.foreign = x.last.origin
		return nil, errForeign
	}
	resp, err := x.client.Do(req)
	if err != nil {
		x.last.err = err
		if whole, ok := errors.AsType[*url.Error](err); ok {
			x.last.err = whole.Err // without the address: some have keys in the query
		}
		return nil, err
	}
	defer func(body io.Closer) { _ = body.Close() }(resp.Body) // everything needed has been read
	if resp.StatusCode < http.StatusOK {
		resp.Body = http.NoBody // that of 101 is the connection, which no context ends
	}
	x.last.status, x.last.header, x.last.skew = resp.StatusCode, resp.Header, skewOf(resp.Header, x.now())
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		x.last.redirect = "nowhere"
		if to, err := resp.Location(); err == nil {
			x.last.redirect = originOf(to)
		}
		return nil, errRedirect
	}
	x.last.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	x.last.body = bytes.TrimPrefix(x.last.body, []byte("\ufeff")) // RFC 8259 section 8.1: may be passed over
	if err == nil {
		err = req.Context().Err() // a server that sees us leave may end a half answer in good order
	}
	switch {
	case err != nil:
		x.last.err = err
		return nil, fmt.Errorf("answer: %w", err)
	case len(x.last.body) > maxAnswer:
		x.last.tooLarge, x.last.body = true, nil
		return nil, errTooLarge
	}
	resp.Body = io.NopCloser(bytes.NewReader(x.last.body))
	return resp, nil
}

// secretsIn is what a request proves itself with: the issuer, or what stands between, may repeat it.
func secretsIn(req *http.Request) []string {
	var form url.Values
	if req.GetBody != nil {
		if body, err := req.GetBody(); err == nil {
			b, _ := io.ReadAll(body) // it is in memory
			form, _ = url.ParseQuery(string(b))
		}
	}
	var out []string
	for _, name := range []string{"client_secret", "client_assertion", "assertion", "refresh_token", "code", "code_verifier", "device_code"} {
		out = append(out, form[name]...)
	}
	if _, secret, ok := req.BasicAuth(); ok {
		plain, _ := url.QueryUnescape(secret)
		out = append(out, secret, plain)
	}
	if via, err := http.ProxyFromEnvironment(req); err == nil && via != nil {
		secret, _ := via.User.Password()
		out = append(out, secret)
	}
	return append(out, req.Header.Get("X-Identity-Header"))
}

// secrets is what an error about the answer must not show: what was sent, and what came.
func (a *answer) secrets() []string {
	if a == nil {
		return nil
	}
	var t tokenAnswer
	_ = json.Unmarshal(a.body, &t) // what is no JSON is known by its looks
	return append(t.secrets(), a.sent...)
}

// originOf leaves out path and query: a redirect may repeat the request's form in them.
func originOf(u *url.URL) string { return u.Scheme + "://" + u.Host }

// sameAuthority reports whether host may be given the secret that is meant for authority: it is the
// same host; or both are names of Microsoft's public cloud, whose discovery documents do not always
// name the host that was asked; or both are names of this machine.
//
// Without this rule a discovery document could do what redirects are refused for. OpenID Connect
// allows it (Discovery 1.0 section 3 lets the endpoints be anywhere), Entra does not need it.
func sameAuthority(authority, host string) bool {
	authority, host = canonical(authority), canonical(host)
	return authority == host || publicCloud(authority) && publicCloud(host)
}

// canonical is host:port in one spelling.
func canonical(hostport string) string {
	host, port, err := net.SplitHostPort(strings.ToLower(hostport))
	if err != nil { // without a port: RFC 9110 section 4.2.2
		host, port = strings.Trim(strings.ToLower(hostport), "[]"), "443"
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// publicCloud knows the names of login.microsoftonline.com that Microsoft publishes as aliases.
func publicCloud(host string) bool {
	switch host {
	case "login.microsoftonline.com:443", "login.microsoft.com:443", "login.windows.net:443", "sts.windows.net:443":
		return true
	}
	return false
}
