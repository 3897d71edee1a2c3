package oauthtest

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// refusal is an answer of the token endpoint that is not a token (RFC 6749 section 5.2).
type refusal struct {
	status int
	field  string // the error field
	code   int    // AADSTS number
	text   string
}

func (r *refusal) Error() string { return fmt.Sprintf("%s: AADSTS%d: %s", r.field, r.code, r.text) }

func refuse(status int, field string, code int, format string, args ...any) error {
	return &refusal{status, field, code, fmt.Sprintf(format, args...)}
}

// discovery is OpenID Connect Discovery 1.0 section 4.2, as far as MSAL needs it: it insists on the
// issuer and the two endpoints, and that the issuer's host is the authority's.
func (i *Issuer) discovery(w http.ResponseWriter, r *http.Request) {
	tenant := r.PathValue("tenant")
	if err := i.knowsTenant(tenant); err != nil {
		i.refused(w, err)
		return
	}
	doc := map[string]any{
		"issuer": i.url, "token_endpoint": i.TokenURL(), "authorization_endpoint": i.url + "/authorize",
		"jwks_uri": i.url + "/jwks", "introspection_endpoint": i.url + "/introspect",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "client_secret_basic", "private_key_jwt"},
	}
	if tenant != "" {
		base := i.url + "/" + tenant
		doc["issuer"] = base + "/v2.0"
		doc["token_endpoint"] = base + "/oauth2/v2.0/token"
		doc["authorization_endpoint"] = base + "/oauth2/v2.0/authorize"
		doc["jwks_uri"] = base + "/discovery/v2.0/keys"
	}
	reply(w, http.StatusOK, doc)
}

// knowsTenant compares without case: MSAL writes authorities in lower case.
func (i *Issuer) knowsTenant(t string) error {
	if i.opt.Tenant == "" || t == "" || strings.EqualFold(t, i.opt.Tenant) {
		return nil
	}
	return refuse(http.StatusBadRequest, "invalid_tenant", 90002, "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.", t)
}

// knows refuses what is of no tenant here, or no application in it.
func (i *Issuer) knows(tenant, client string) error {
	if err := i.knowsTenant(tenant); err != nil {
		return err
	}
	if i.opt.ClientID != "" && client != i.opt.ClientID {
		return refuse(http.StatusBadRequest, "unauthorized_client", 700016, "Application with identifier '%s' was not found in the directory '%s'.", client, tenant)
	}
	return nil
}

// jwks publishes the key that tokens are signed with, for resource servers that fetch it.
func (i *Issuer) jwks(w http.ResponseWriter, _ *http.Request) {
	enc := base64.RawURLEncoding
	reply(w, http.StatusOK, map[string]any{"keys": []any{map[string]any{ // RFC 7517 section 4, RFC 7518 section 6.3
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": i.kid,
		"n": enc.EncodeToString(i.key.N.Bytes()), "e": enc.EncodeToString(big.NewInt(int64(i.key.E)).Bytes()),
	}}})
}

// entraToken is Entra's endpoint: client credentials only, for one resource's .default.
func (i *Issuer) entraToken(w http.ResponseWriter, r *http.Request) {
	tenant := r.PathValue("tenant")
	if i.answerPerson(w, r, tenant) {
		return
	}
	aud, err := i.entraCheck(r, tenant)
	if err != nil {
		i.refused(w, err)
		return
	}
	i.grant(w, MintOptions{ClientID: r.PostForm.Get("client_id"), Tenant: tenant, Audience: aud}, nil)
}

// entraCheck refuses in the order in which Entra does: tenant, grant, application, credential, scope.
func (i *Issuer) entraCheck(r *http.Request, tenant string) (audience string, err error) {
	if err := r.ParseForm(); err != nil {
		return "", refuse(http.StatusBadRequest, "invalid_request", 900144, "The request body is malformed.")
	}
	if err := i.knowsTenant(tenant); err != nil {
		return "", err
	}
	f := r.PostForm
	switch {
	case strings.EqualFold(tenant, "common"), strings.EqualFold(tenant, "consumers"):
		return "", refuse(http.StatusBadRequest, "invalid_request", 9001023, "The grant type isn't supported over the /common or /consumers endpoints.")
	case f.Get("grant_type") != "client_credentials":
		return "", refuse(http.StatusBadRequest, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '%s'.", f.Get("grant_type"))
	case f.Get("client_id") == "":
		return "", refuse(http.StatusBadRequest, "invalid_request", 900144, "The request body must contain the following parameter: 'client_id'.")
	}
	if err := i.knows(tenant, f.Get("client_id")); err != nil {
		return "", err
	}
	if err := i.credential(f, i.url+"/"+tenant+"/oauth2/v2.0/token"); err != nil {
		return "", err
	}
	return resource(f.Get("scope"))
}

// resource takes the one <resource>/.default out of a scope; the OpenID scopes that MSAL adds are let pass.
func resource(scope string) (string, error) {
	var found string
	for _, s := range strings.Fields(scope) {
		switch s {
		case "openid", "offline_access", "profile":
			continue
		}
		res, ok := strings.CutSuffix(s, "/.default")
		if !ok || found != "" {
			return "", refuse(http.StatusBadRequest, "invalid_scope", 1002012, "The provided value for scope %s is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.", s)
		}
		found = res
	}
	if found == "" {
		return "", refuse(http.StatusBadRequest, "invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid.")
	}
	return found, nil
}

// credential checks a secret in the form, or a signed assertion.
func (i *Issuer) credential(f url.Values, endpoint string) error {
	if a := f.Get("client_assertion"); a != "" {
		return i.assertion(f, a, endpoint)
	}
	given, want := f.Get("client_secret"), i.Secret()
	switch {
	case given == "":
		return refuse(http.StatusUnauthorized, "invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
	case subtle.ConstantTimeCompare([]byte(given), []byte(want)) != 1:
		return refuse(http.StatusUnauthorized, "invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", f.Get("client_id"))
	}
	return nil
}

// genericToken is the endpoint of an issuer that is not Entra: secrets in the form or by HTTP basic
// authentication, refresh tokens that change with each use, and assertions of service accounts.
func (i *Issuer) genericToken(w http.ResponseWriter, r *http.Request) {
	if i.answerPerson(w, r, "") {
		return
	}
	opt, extra, err := i.genericCheck(r)
	if err != nil {
		i.refused(w, err)
		return
	}
	i.grant(w, opt, extra)
}

// genericCheck is RFC 6749 sections 4.4.2 and 6.
func (i *Issuer) genericCheck(r *http.Request) (opt MintOptions, extra map[string]any, err error) {
	if err := r.ParseForm(); err != nil {
		return opt, nil, refuse(http.StatusBadRequest, "invalid_request", 900144, "The request body is malformed.")
	}
	f := r.PostForm
	if id, pw, ok := basicAuth(r); ok {
		f.Set("client_id", id)
		f.Set("client_secret", pw)
	}
	if f.Get("grant_type") == grantJWT { // the assertion is all there is
		opt, err = i.mailboxGrant(f)
		return opt, nil, err
	}
	public := i.opt.Public && f.Get("grant_type") == "refresh_token" && f.Get("client_secret") == ""
	if err := i.credential(f, i.TokenURL()); err != nil && !public {
		return opt, nil, err
	}
	id := f.Get("client_id")
	opt = MintOptions{ClientID: id, Subject: f.Get("username"), Audience: or(f.Get("audience"), f.Get("resource"))}
	switch f.Get("grant_type") {
	case "client_credentials":
	case "refresh_token":
		if !i.useRefresh(f.Get("refresh_token"), id) {
			return opt, nil, refuse(http.StatusBadRequest, "invalid_grant", 70008, "The provided refresh token has expired or is not known.")
		}
	default:
		return opt, nil, refuse(http.StatusBadRequest, "unsupported_grant_type", 70003, "The grant type '%s' is not supported.", f.Get("grant_type"))
	}
	return opt, map[string]any{"refresh_token": i.MintRefresh(id)}, nil
}

// basicAuth undoes the form encoding that RFC 6749 section 2.3.1 puts under HTTP basic authentication.
func basicAuth(r *http.Request) (id, pw string, ok bool) {
	id, pw, ok = r.BasicAuth()
	if u, err := url.QueryUnescape(id); err == nil {
		id = u
	}
	if p, err := url.QueryUnescape(pw); err == nil {
		pw = p
	}
	return id, pw, ok
}

// MintRefresh makes a refresh token for the client; it is good once, at the generic token endpoint.
func (i *Issuer) MintRefresh(clientID string) string {
	t := rand.Text()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.refresh[t] = clientID
	return t
}

// useRefresh spends a refresh token. Rotation is what RFC 9700 section 4.14.2 asks of issuers, and
// what a client that forgets to store the new one breaks on.
func (i *Issuer) useRefresh(token, clientID string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	id, ok := i.refresh[token]
	if !ok || id != clientID {
		return false
	}
	delete(i.refresh, token)
	return true
}

// grant is the successful answer of RFC 6749 section 5.1. Like Entra's it names no scope.
func (i *Issuer) grant(w http.ResponseWriter, o MintOptions, extra map[string]any) {
	answer := map[string]any{
		"token_type": "Bearer", "access_token": i.Mint(o),
		"expires_in": int(i.opt.TTL / time.Second), "ext_expires_in": int(i.opt.TTL / time.Second),
	}
	for k, v := range extra {
		answer[k] = v
	}
	reply(w, http.StatusOK, answer)
}

// introspect is RFC 7662 section 2 for resource servers that have the client secret.
func (i *Issuer) introspect(w http.ResponseWriter, r *http.Request) {
	_, pw, ok := basicAuth(r)
	if !ok || subtle.ConstantTimeCompare([]byte(pw), []byte(i.Secret())) != 1 {
		w.Header().Set("WWW-Authenticate", `Basic realm="introspect"`)
		reply(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	c, err := i.Verify(r.PostFormValue("token"))
	if err != nil {
		reply(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"active": true, "token_type": "Bearer", "client_id": c.AppID, "username": c.UPN, "upn": c.UPN, "sub": c.Subject,
		"aud": c.Audience, "iss": c.Issuer, "exp": c.Expires, "iat": c.IssuedAt, "nbf": c.NotBefore, "jti": c.ID,
		"scope": strings.Join(c.Roles, " "),
	})
}

// refused answers in Entra's shape on every path.
func (i *Issuer) refused(w http.ResponseWriter, err error) {
	ref, ok := errors.AsType[*refusal](err)
	if !ok {
		ref = &refusal{http.StatusInternalServerError, "server_error", 50000, err.Error()}
	}
	body := must(entraError(ref.field, ref.code, ref.text, i.opt.Now()))
	if ref.code == 0 { // Google's shape
		body = must(json.Marshal(map[string]any{"error": ref.field, "error_description": ref.text}))
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(ref.status)
	_, _ = w.Write(body) // a client that has gone is not our concern
}

// entraError is the shape that Entra's documentation shows.
func entraError(field string, code int, text string, now time.Time) ([]byte, error) {
	trace, corr, at := uuidOf(rand.Text()), uuidOf(rand.Text()), now.UTC().Format("2006-01-02 15:04:05Z")
	return json.Marshal(map[string]any{
		"error":             field,
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", code, text, trace, corr, at),
		"error_codes":       []int{code}, "timestamp": at, "trace_id": trace, "correlation_id": corr,
		"error_uri": fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", code),
	})
}

// reply answers with JSON that no cache may keep.
func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store") // RFC 6749 section 5.1
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that has gone is not our concern
}
