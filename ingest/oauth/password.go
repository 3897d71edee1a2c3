package oauth

import (
	"context"
	"fmt"

	"mailflume/ingest"
)

// Password makes a mailbox's password a token source, for ingest.Login with Mechanism Password.
// read is called for every sign-in, so a changed file is picked up; a trailing line break is cut.
//
// A password that the server has just refused is not given again: a second try could lock the account.
func Password(read func(ctx context.Context) (string, error)) ingest.TokenSource {
	return passwordSource{read}
}

type passwordSource struct {
	read func(ctx context.Context) (string, error)
}

// Token reads the password.
func (p passwordSource) Token(ctx context.Context, refused string) (ingest.Token, error) {
	s, err := readSecret(ctx, p.read)
	if err != nil {
		if ctx.Err() != nil {
			return ingest.Token{}, fmt.Errorf("password: %w", context.Cause(ctx))
		}
		return ingest.Token{}, classify(nil, nil, &credentialError{err: fmt.Errorf("password: %w", err)})
	}
	if refused != "" && s == refused {
		return ingest.Token{}, passwordUnchanged()
	}
	return ingest.Token{Value: s}, nil
}
