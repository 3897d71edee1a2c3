package oauth

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"mailflume/ingest"
)

// Password makes a mailbox's password a token source, for ingest.Login with Mechanism Password.
// read is called for every sign-in, so a changed file is picked up; a trailing line break is cut.
//
// A password that the server has just refused is not given again: a second try could lock the account.
func Password(read func(ctx context.Context) (string, error)) ingest.TokenSource {
	return fileSource{read: read, what: "password", refused: passwordUnchanged}
}

// Bearer makes a token that something else keeps fresh a token source: a file, read for every
// sign-in, with the token alone or as the value of an Authorization header. A token that the server
// has just refused is not given again.
func Bearer(read func(ctx context.Context) (string, error)) ingest.TokenSource {
	return fileSource{read: read, what: "token", refused: bearerUnchanged, bearer: true}
}

type fileSource struct {
	read    func(ctx context.Context) (string, error)
	what    string
	refused func() error
	bearer  bool
}

// Token reads the secret.
func (p fileSource) Token(ctx context.Context, refused string) (ingest.Token, error) {
	t, err := p.take(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return ingest.Token{}, fmt.Errorf("%s: %w", p.what, context.Cause(ctx))
		}
		return ingest.Token{}, classify(nil, nil, &credentialError{err: fmt.Errorf("%s: %w", p.what, err)})
	}
	if refused != "" && t.Value == refused {
		return ingest.Token{}, p.refused()
	}
	return t, nil
}

// take reads the secret; of a token that says when it ends, sessions end before.
func (p fileSource) take(ctx context.Context) (ingest.Token, error) {
	if !p.bearer {
		s, err := readSecret(ctx, p.read)
		return ingest.Token{Value: s}, err
	}
	s, err := readLine(ctx, p.read, maxToken)
	if err != nil {
		return ingest.Token{}, err
	}
	words := strings.Fields(s)
	for _, prefix := range []string{"Authorization:", "Bearer"} {
		if len(words) > 1 && strings.EqualFold(words[0], prefix) {
			words = words[1:]
		}
	}
	if len(words) != 1 || !bearer(words[0]) {
		return ingest.Token{}, errors.New("it is no bearer token: write the token alone, or Authorization: Bearer and the token")
	}
	c, _ := Describe(words[0])
	return ingest.Token{Value: words[0], Expires: c.Expires}, nil
}
