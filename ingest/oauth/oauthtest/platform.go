package oauthtest

import (
	"crypto/subtle"
	"net/http"
	"strconv"
	"time"
)

// Platform returns what Azure puts into the environment of an app with a managed identity:
// IDENTITY_ENDPOINT and IDENTITY_HEADER.
func (i *Issuer) Platform() (endpoint, header string) { return i.url + "/msi/token", i.platform }

// platformToken is App Service's endpoint for managed identities (api-version 2019-08-01).
func (i *Issuer) platformToken(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	no := func(status int, message string) {
		reply(w, status, map[string]any{"statusCode": status, "message": message})
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(r.Header.Get("X-IDENTITY-HEADER")), []byte(i.platform)) != 1:
		no(http.StatusForbidden, "Forbidden")
		return
	case q.Get("api-version") != "2019-08-01" || q.Get("resource") == "":
		no(http.StatusBadRequest, "Bad Request")
		return
	case i.opt.ClientID != "" && q.Get("client_id") != i.opt.ClientID:
		no(http.StatusBadRequest, "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.")
		return
	}
	o := MintOptions{ClientID: or(q.Get("client_id"), "system-assigned"), Tenant: i.opt.Tenant, Audience: q.Get("resource")}
	reply(w, http.StatusOK, map[string]any{
		"access_token": i.Mint(o), "token_type": "Bearer", "resource": o.Audience, "client_id": o.ClientID,
		"expires_on": strconv.FormatInt(i.opt.Now().Add(i.opt.TTL).Truncate(time.Second).Unix(), 10),
	})
}
