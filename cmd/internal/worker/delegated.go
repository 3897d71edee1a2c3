package worker

import (
	"fmt"

	"mailflume/cmd/internal/config"
	"mailflume/ingest/oauth"
	"mailflume/publish/natsjs"
)

// signIns is where delegated credentials keep their sign-ins: in the NATS of the stream.
type signIns struct {
	store  oauth.TokenStore
	stream string
}

// signInsOf has no store without a connection: such credentials are then refused.
func signInsOf(cfg *config.Config, conn *natsjs.Conn) signIns {
	if conn == nil {
		return signIns{}
	}
	return signIns{conn.Tokens(cfg.NATS.Stream.Replicas), cfg.NATS.Stream.Name}
}

// options are those of a worker's tokens and of a person's sign-in alike.
func (s signIns) options(c *config.Credential, o oauth.Common) oauth.DelegatedOptions {
	opt := oauth.DelegatedOptions{
		Name: c.Name, Stream: s.stream, Account: c.Account,
		AuthURL: c.AuthURL, DeviceURL: c.DeviceURL, TokenURL: c.TokenURL,
		ClientID: c.ClientID, SecretPost: c.ClientAuth == config.ClientAuthPost, Scope: c.SignInScope(), Params: c.Params,
		Localhost: c.SignIn == config.SignInMicrosoft, // the only loopback name that the Entra portal lets one register
		Store:     s.store, Keys: oauth.TokenKeys{Current: c.TokenKey.ReadBytes}, Common: o,
	}
	if !c.ClientSecret.IsZero() {
		opt.Secret = c.ClientSecret.Read
	}
	if !c.TokenKeyPrevious.IsZero() {
		opt.Keys.Previous = c.TokenKeyPrevious.ReadBytes
	}
	return opt
}

// OpenSignIn prepares a person's sign-in for delegated credentials.
func OpenSignIn(cfg *config.Config, conn *natsjs.Conn, c *config.Credential) (*oauth.SignIn, error) {
	var o oauth.Common
	if c.CAFile != "" {
		pool, err := certPool(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("credentials.%s.ca_file: %w", c.Name, err)
		}
		o.RootCAs = pool
	}
	s, err := oauth.NewSignIn(signInsOf(cfg, conn).options(c, o))
	if err != nil {
		return nil, fmt.Errorf("credentials.%s: %w", c.Name, err)
	}
	return s, nil
}
