package ingest

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// SignIn is how a Source comes from tokens to connections. It is safe for concurrent use.
type SignIn struct {
	Op     string // of errors: the protocol
	Tokens TokenSource
	Now    func() time.Time

	mu    sync.Mutex
	tried string // a token that the server could not look at
	since time.Time
}

// tooLongTemporary is after how long a server that cannot look at a token gets another one: Dovecot calls it
// temporary, too, when its issuer does not know a token any more and its active_attribute is not set.
const tooLongTemporary = 5 * time.Minute

// Prepare waits for a token, see Preparer.
func (s *SignIn) Prepare(ctx context.Context) error {
	_, err := s.token(ctx)
	return err
}

func (s *SignIn) token(ctx context.Context) (Token, error) {
	tok, err := s.Tokens.Token(ctx, "")
	if err != nil {
		return tok, fmt.Errorf("%s token: %w", s.Op, err)
	}
	return tok, nil
}

// Connect connects with the cached token, and if another one may help, once more with a fresh one, on a new
// connection: go-imap and some servers do not survive a failed sign-in. Never more often: servers punish the
// address.
func Connect[S any](ctx context.Context, s *SignIn, connect func(context.Context, Token) (S, error)) (S, error) {
	var none S
	tok, err := s.token(ctx)
	if err != nil {
		return none, err
	}
	conn, err := connect(ctx, tok)
	stale := s.stale(tok, err)
	code := FaultOf(err).Code
	if err == nil || !stale && !refused(code) && code != CodeTokenTooLong {
		return conn, err
	}
	fresh, tokenErr := s.Tokens.Token(ctx, tok.Value)
	switch {
	case tokenErr != nil && !stale && !refused(FaultOf(tokenErr).Code):
		return none, fmt.Errorf("%s token: %w; one is needed because %w", s.Op, tokenErr, err)
	case tokenErr != nil, fresh.Value == tok.Value, code == CodeTokenTooLong && len(fresh.Value) >= len(tok.Value):
		return none, err // nothing better to try: the server's words say more
	}
	return connect(ctx, fresh)
}

// refused tells a refusal of the credentials from what no other token can mend.
func refused(c Code) bool { return c == CodeAuthRefused || c == CodePasswordRefused }

// stale reports whether the server has been unable to look at this token for too long.
func (s *SignIn) stale(tok Token, err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	switch {
	case FaultOf(err).Code != CodeAuthTemporary:
		s.tried = ""
		return false
	case s.tried != tok.Value:
		s.tried, s.since = tok.Value, now
	}
	if now.Sub(s.since) < tooLongTemporary {
		return false
	}
	s.since = now
	return true
}
