package imapsource

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mailflume/ingest"
	"mailflume/publish/redact"
)

// Source is one IMAP mailbox. It is safe for concurrent use.
type Source struct {
	opt    Options
	signIn ingest.SignIn

	worked atomic.Int64 // length of the longest sign-in message that the server has taken
	plain  atomic.Int32 // how much less the listing asks for: this server's dates or sizes are not IMAP
	opened atomic.Int64 // when INBOX was opened last, in Unix time
	single atomic.Bool  // one window at a time: this server answers out of order and its sizes are not true

	sent redact.Memory // tokens and passwords

	mu    sync.Mutex
	notes map[msgRef]note
	looks map[string]time.Time // into the gaps of a folder
}

var _ interface {
	ingest.Source
	ingest.Preparer
} = (*Source)(nil)

// New checks the options and returns a Source. It does no I/O.
func New(o Options) (*Source, error) {
	o.applyDefaults()
	if err := o.check(); err != nil {
		return nil, &ingest.Error{Fault: ingest.Fault{Class: ingest.Config, Code: ingest.CodeConfigInvalid}, Op: "imap source", Err: err}
	}
	return &Source{opt: o, signIn: ingest.SignIn{Op: "imap", Tokens: o.Login.Tokens, Now: o.Now}, notes: map[msgRef]note{}, looks: map[string]time.Time{}}, nil
}

// check refuses what could not work, and names that could end a command line early.
func (o *Options) check() error {
	if _, _, err := net.SplitHostPort(o.Endpoint.Addr); err != nil {
		return fmt.Errorf("address %q: %w", o.Endpoint.Addr, err)
	}
	switch o.Endpoint.Security {
	case ingest.ImplicitTLS, ingest.StartTLS, "":
	default:
		return fmt.Errorf("security %q is neither implicit nor starttls", o.Endpoint.Security)
	}
	switch o.Login.Mechanism {
	case ingest.Bearer, ingest.XOAUTH2, ingest.OAUTHBEARER, ingest.Password:
	default:
		return fmt.Errorf("mechanism %q is not one of IMAP", o.Login.Mechanism)
	}
	if o.Login.User == "" || o.Login.Tokens == nil {
		return errors.New("login needs a user and a token source")
	}
	for _, name := range append(append([]string{o.After.Folder, o.After.Flag}, o.Folders...), o.Exclude...) {
		if strings.ContainsAny(name, "\r\n\x00") || len(name) > maxNameBytes {
			return fmt.Errorf("name %q is too long or holds a control character", printable(name))
		}
	}
	if len(o.Folders)+len(o.Exclude) > maxPatterns {
		return errors.New("too many folder patterns")
	}
	return o.checkAfter()
}

// checkAfter refuses a post-action without its argument.
func (o *Options) checkAfter() error {
	switch o.After.Action {
	case ingest.ActionNone, ingest.ActionSeen, ingest.ActionDelete, "":
	case ingest.ActionFlag:
		if o.After.Flag == "" || strings.ContainsAny(strings.TrimPrefix(o.After.Flag, `\`), `(){ %*"\]`) {
			return fmt.Errorf("flag %q is not an IMAP flag", o.After.Flag)
		}
	case ingest.ActionMove:
		if o.After.Folder == "" {
			return errors.New("move needs a folder")
		}
	default:
		return fmt.Errorf("action %q is unknown", o.After.Action)
	}
	return nil
}

// Prepare implements ingest.Preparer: it waits for a token.
func (s *Source) Prepare(ctx context.Context) error { return s.signIn.Prepare(ctx) }

// Open implements ingest.Source: it dials, secures and signs in.
func (s *Source) Open(ctx context.Context) (ingest.Session, error) {
	return opened(ingest.Connect(ctx, &s.signIn, s.connect))
}

// opened keeps a nil *session out of the interface, and IDLE out of a session without it.
func opened(s *session, err error) (ingest.Session, error) {
	if err != nil {
		return nil, err
	}
	if s.src.opt.Idle && s.has("IDLE") {
		return &idleSession{s}, nil
	}
	return s, nil
}

// Fold implements ingest.Source.
func (s *Source) Fold(at ingest.Cursor, entries iter.Seq[ingest.Entry]) (ingest.Cursor, error) {
	p, err := decodeCursor(at)
	if err != nil || p == nil {
		return nil, err
	}
	if !p.fold(entries) {
		return bytes.Clone(at), nil
	}
	return p.encode(), nil
}

// note is what is remembered of a message between sessions.
type note struct {
	deaths   int      // connections in a row that ended when it was asked for alone, before its first octet
	size     int64    // over MaxMessage: the literal's length
	verdicts int      // how often it was given up without asking the server
	proof    [2]int64 // the size and date it was listed with when it was read again as a proof
}

const (
	maxNotes  = 10_000
	maxDeaths = 8 // then the message is to blame, not the network: two minutes and more of nothing else
	// The engine sets a message aside after as many; a later retry asks the server again.
	maxVerdicts = 3
)

func (s *Source) noteOf(r msgRef) (note, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.notes[r]
	return n, ok
}

// noted changes what is remembered of a message.
func (s *Source) noted(r msgRef, change func(*note)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.notes[r]
	if !ok && len(s.notes) >= maxNotes {
		return
	}
	change(&n)
	s.notes[r] = n
}

// begun notes that the server can send the message after all.
func (s *Source) begun(r msgRef) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, ok := s.notes[r]; ok && n.deaths > 0 {
		n.deaths = 0
		s.notes[r] = n
	}
}

func (s *Source) forget(r msgRef) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.notes, r)
}
