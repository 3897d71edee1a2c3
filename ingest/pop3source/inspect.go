package pop3source

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"

	"mailflume/ingest"
)

var (
	_ ingest.Handshaker = (*Source)(nil)
	_ ingest.Offerer    = (*Source)(nil)
	_ ingest.Inspector  = (*session)(nil)
)

// Handshake implements ingest.Handshaker.
func (s *Source) Handshake(ctx context.Context) (tls.ConnectionState, error) {
	var state tls.ConnectionState
	seen := *s.opt.Endpoint.TLSConfig()
	verify := seen.VerifyConnection
	seen.VerifyConnection = func(c tls.ConnectionState) error {
		if state = c; verify != nil {
			return verify(c)
		}
		return nil
	}
	look := &Source{opt: s.opt, host: s.host} // has sent nothing, and nothing of what it hears is shown but errors
	look.opt.Endpoint.TLS = &seen
	c, err := look.secured(ctx)
	if err != nil {
		return state, err
	}
	return state, c.Close()
}

// Offers implements ingest.Offerer with CAPA, which servers need not have.
func (s *Source) Offers(ctx context.Context) ([]string, error) {
	c, err := s.secured(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	caps, err := capabilities(ctx, c)
	if err != nil {
		return nil, classify(err, situation{op: "pop3 CAPA"})
	}
	out := slices.Clone(caps.SASL)
	if caps.User {
		out = append(out, "USER")
	}
	return out, nil
}

// Folders implements ingest.Inspector: a maildrop has one list. No message is asked for, so the QUIT at
// the end consumes nothing, not even where RETR marks a message as fetched.
func (s *session) Folders(ctx context.Context) (ingest.Finding, error) {
	box, err := s.maildrop(ctx)
	if err != nil {
		return ingest.Finding{}, err
	}
	f := ingest.Finding{Text: fmt.Sprintf("%d messages with UIDL", len(box)), Between: s.caps.LoginDelay}
	if s.unlisted > 0 {
		f.Doubts = append(f.Doubts, fmt.Sprintf("LIST has %d messages that UIDL has not: they cannot be read", s.unlisted))
	}
	return f, nil
}

// Rights implements ingest.Inspector. POP3 has no rights; what it has is servers that delete by themselves.
func (s *session) Rights(context.Context) (ingest.Finding, error) {
	f := ingest.Finding{Text: "nothing is deleted by mailflume (after: none)"}
	deletes := s.src.opt.After.Action == ingest.ActionDelete
	if deletes {
		f.Text = "after: delete: DELE belongs to every POP3 server"
	}
	switch e := s.caps.Expire; {
	case e.AtQuit() && !deletes:
		f.Doubts = append(f.Doubts, "the server announces EXPIRE 0: it removes what was read when the session ends, whatever after: says")
	case e.Known && !e.Never && !e.AtQuit() && !deletes:
		f.Doubts = append(f.Doubts, fmt.Sprintf("the server announces EXPIRE %d: it removes messages that have been read after so many days", e.Days))
	}
	return f, nil
}
