package check

import (
	"context"
	"fmt"
	"strings"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/ingest"
)

// signedIn is a mailbox's session while its steps go on.
type signedIn struct {
	m       *config.Mailbox
	token   *tokenSteps // nil: it signs in with a password
	session ingest.Session
}

// mailbox is the section of one mailbox. Its token and its server have been looked at before, unless
// the token is its own. A probe that is sent and waited for comes behind the last step.
func (r *run) mailbox(m *config.Mailbox) *Section {
	s := &Section{Kind: Mailbox, Name: m.Name(), About: fmt.Sprintf("%s, %s %s:%d", m.Address, m.Protocol, m.Host, m.Port)}
	needs := []*Step{r.servers[serverKey(m)].sasl}
	t := r.tokens[m.Credentials]
	if t == nil && m.Credential.Type != config.TypePassword {
		t = r.token(s, m)
	}
	if t != nil {
		needs = append(needs, t.claims)
	}
	b := &signedIn{m: m, token: t}
	login := s.add("login", func(ctx context.Context) Outcome { return r.login(ctx, b) }, needs...)
	folders := s.add("folders", b.folders, login)
	s.add("rights", b.rights, folders)
	switch {
	case r.opt.Send:
		s.add("probe", func(ctx context.Context) Outcome { return r.probe(ctx, b) }, login, r.linked).Limit = probeTime + time.Duration(m.PollEvery)
	case m.Canary.Every > 0:
		s.add("submission", func(ctx context.Context) Outcome { return r.submission(ctx, b) }, needs...)
	}
	s.end = b.close
	return s
}

// A running worker has a POP3 maildrop for moments; so long it is waited for.
const (
	lockedTries = 6
	lockedPause = time.Second
)

// open signs in. Nothing is tried again but a maildrop that somebody else has open.
func open(ctx context.Context, src ingest.Source) (session ingest.Session, err error) {
	for range lockedTries {
		if session, err = src.Open(ctx); ingest.FaultOf(err).Code != ingest.CodeLocked {
			break
		}
		select {
		case <-time.After(lockedPause):
		case <-ctx.Done():
			return session, err
		}
	}
	return session, err
}

// login signs in, once: what a server refuses is not tried again.
func (r *run) login(ctx context.Context, b *signedIn) Outcome {
	login, err := r.parts.Login(b.m)
	if err != nil {
		return failed(err)
	}
	if b.token != nil {
		login.Tokens = fixed{func() ingest.Token { return b.token.got }}
	}
	src, err := r.parts.Source(b.m, login)
	if err != nil {
		return failed(err)
	}
	server := r.servers[serverKey(b.m)]
	if server.silent.Load() >= silence {
		return Outcome{Text: fmt.Sprintf("not done: the server did not answer %d sign-ins in a row", silence)}
	}
	b.session, err = open(ctx, src)
	server.heard(err)
	if err != nil {
		b.session = nil
		return b.failed(err)
	}
	with := strings.ToUpper(string(b.m.Auth))
	if b.m.Auth == ingest.Bearer { // as the server offers
		with = "a token"
	}
	return fine(fmt.Sprintf("as %s with %s", b.m.User, with))
}

// failed judges what the server said, with the ids of the token in hand.
func (b *signedIn) failed(err error) Outcome {
	out := failed(err)
	if out.Code == ingest.CodeLocked {
		out.Level = Warning
		out.Next = []string{"a maildrop is open to one session at a time: a running worker has it, or another client. Try again, or pause the mailbox first: mailflume pause " + b.m.ID}
	}
	if b.token != nil {
		if better := Advice(out.Code, b.m, b.token.says); better != nil {
			out.Next = better
		}
	}
	return out
}

// folders looks at what would be read.
func (b *signedIn) folders(ctx context.Context) Outcome {
	return b.inspect(ctx, ingest.Inspector.Folders)
}

// rights looks at what the post-action needs.
func (b *signedIn) rights(ctx context.Context) Outcome {
	out := b.inspect(ctx, ingest.Inspector.Rights)
	if b.m.Protocol == config.POP3 && b.m.Provider == config.Gmail && out.Level == OK {
		out.Text += "; Gmail marks what was read as fetched when the session ends, and shows it no more"
	}
	return out
}

func (b *signedIn) inspect(ctx context.Context, look func(ingest.Inspector, context.Context) (ingest.Finding, error)) Outcome {
	if b.session == nil {
		return Outcome{Text: "not done: it needs login"}
	}
	i, ok := b.session.(ingest.Inspector)
	if !ok {
		return fine("nothing to look at")
	}
	f, err := look(i, ctx)
	if err != nil {
		return b.failed(err)
	}
	if every := time.Duration(b.m.PollEvery); f.Between > every {
		f.Doubts = append(f.Doubts, fmt.Sprintf("the server wants %s between two sign-ins (LOGIN-DELAY): set poll_every to that or more, it is %s", f.Between, every))
	}
	if len(f.Doubts) > 0 {
		return doubtful(f.Text, f.Doubts...)
	}
	return fine(f.Text)
}

func (b *signedIn) close() {
	if b.session != nil {
		_ = b.session.Close() // everything is known
		b.session = nil
	}
}
