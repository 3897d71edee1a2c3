package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/managedidentity"

	"mailflume/ingest"
)

// ManagedIdentityOptions describe the identity that Azure gives to the machine, container or app
// that this process runs in. There is nothing secret to keep.
type ManagedIdentityOptions struct {
	ClientID string // of a user-assigned identity; "": the system-assigned one
	Cloud    string // gives the Scope: public (default), usgov, dod, china
	Scope    string // https://outlook.office365.com/.default

	Common
}

// managed asks the platform through MSAL.
type managed struct {
	opt  ManagedIdentityOptions
	id   managedidentity.ID
	http *http.Client
}

// NewManagedIdentity checks the options and makes a source of the tokens of a managed identity. It
// does no I/O. Where to ask, the platform says in the environment (IDENTITY_ENDPOINT and
// IDENTITY_HEADER on App Service and Container Apps); without it that is the machine's metadata
// service, 169.254.169.254.
func NewManagedIdentity(o ManagedIdentityOptions) (*Source, error) {
	_, scope, err := cloudDefaults(o.Cloud)
	if o.Scope == "" {
		o.Scope = scope
	}
	id, name := managedidentity.SystemAssigned(), "system-assigned"
	if o.ClientID != "" {
		id, name = managedidentity.UserAssignedClientID(o.ClientID), o.ClientID
		err = errors.Join(err, checkClientID(o.ClientID))
	}
	if err := errors.Join(err, checkScope(o.Scope)); err != nil {
		return nil, fmt.Errorf("managed identity: %w", err)
	}
	o.fill()
	m := &managed{opt: o, id: id, http: newHTTPClient(o.RootCAs)}
	m.http.Transport.(*http.Transport).Proxy = nil // the platform is on this machine, whatever the environment says
	return newSource("managed identity "+name+" scope "+o.Scope, m.http, m.mint, o.Common), nil
}

// mint makes one real request. MSAL keeps tokens of managed identities for the whole process and
// cannot be told that one was refused; claims are the way around that. It retries by itself unless
// it is told not to: waiting is the renewer's part.
func (m *managed) mint(ctx context.Context) (minted, *ingest.Error) {
	id := identity{grant: grantIdentity, secrets: []string{os.Getenv("IDENTITY_HEADER")}}
	x := &exchange{client: m.http, platform: true, scope: m.opt.Scope, now: m.opt.Now}
	defer m.http.CloseIdleConnections()
	client, err := managedidentity.New(m.id, managedidentity.WithHTTPClient(x), managedidentity.WithRetryPolicyDisabled())
	if err != nil {
		return minted{}, classify(&id, nil, err)
	}
	began := time.Now()
	r, err := client.AcquireToken(ctx, m.opt.Scope, managedidentity.WithClaims("{}"))
	if err != nil {
		return minted{}, classify(&id, &x.last, err)
	}
	out, _, failure := x.last.minted(&id, time.Time{}, r.ExpiresOn.Sub(began))
	return out, failure
}
