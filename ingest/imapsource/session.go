package imapsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailflume/ingest"
	"mailflume/ingest/sasl"
)

// session is one connection, signed in. One goroutine owns it; go-imap's reader is the second one,
// and it ends when the connection is closed, for which Close and kill wait.
type session struct {
	src  *Source
	g    *guard
	c    *imapclient.Client
	caps imap.CapSet
	ends time.Time // when the session has to end because its token does; zero: never

	news     chan struct{} // EXISTS was heard
	selected selection
	order    []string         // folders of the last Sync
	epochs   map[string]epoch // of the folders in the position
	resets   []ingest.Renewal // what the last Sync found void
	recall   func(ctx context.Context, scope string) (func(int64) bool, error)
	sizes    map[string]func(int64) bool // of published messages, for the folders that are judged
	uses     map[string]string           // their special uses, where the server told
	skipped  []error                     // folders that the last Sync could not open
	plans    map[string]*plan            // what the last Sync saw, until Messages takes it
	seen     map[string]selection        // the folders as the last Sync saw them
	lives    map[string]epoch            // of a position that a base is to fit to
	proved   map[string]time.Time        // when a folder's proofs were looked at
	refusals map[uint32]bool             // messages refused one by one since the last success

	ahead   atomic.Pointer[flight] // asked for, not yet looked at
	adopter atomic.Pointer[flight] // fetched alone: takes a body that comes without its UID

	unordered atomic.Bool // answers come so that windows do not work: every message alone
}

var _ ingest.Session = (*session)(nil)

// selection is the open folder.
type selection struct {
	name     string
	writable bool
	validity uint32
	next     uint32 // UIDNEXT, 0 if the server does not say
	count    uint32

	permanent []imap.Flag
}

// connect dials and signs in with one token, all within ConnectTimeout.
func (s *Source) connect(ctx context.Context, tok ingest.Token) (*session, error) {
	s.sent.Keep(tok.Value)
	sess, err := s.begin(ctx, func(sess *session) error { return sess.signIn(tok) })
	if err == nil {
		sess.ends = tok.SessionEnd(s.opt.Now())
	}
	return sess, err
}

// begin dials and does something within ConnectTimeout.
func (s *Source) begin(ctx context.Context, do func(*session) error) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opt.ConnectTimeout)
	defer cancel()
	g, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	sess := &session{src: s, g: g, news: make(chan struct{}, 1), refusals: map[uint32]bool{}, proved: map[string]time.Time{}}
	sess.c = imapclient.New(g, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: sess.heard, Fetch: sess.unasked,
	}})
	release := sess.until(ctx)
	err = do(sess)
	release()
	if err == nil {
		err = sess.ended(ctx)
	}
	if err != nil {
		_ = sess.kill(net.ErrClosed)
		return nil, err
	}
	g.disarm()
	return sess, nil
}

// signIn goes from the greeting to the capabilities of a signed-in session, which differ from those
// before (Exchange adds MOVE).
func (s *session) signIn(tok ingest.Token) error {
	if err := s.greeted(); err != nil {
		return err
	}
	if err := s.authenticate(tok); err != nil {
		return err
	}
	if s.caps = s.c.Caps(); s.caps == nil {
		return s.fault("imap capability", atOther, errors.New("server does not name its capabilities"))
	}
	return nil
}

// greeted goes from the greeting to the capabilities before the sign-in.
func (s *session) greeted() error {
	if err := s.c.WaitGreeting(); err != nil {
		if errors.Is(s.g.failure(), net.ErrClosed) && s.g.lastSaid().kind == "BYE" {
			err = fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err) // go-imap hung up on a BYE, and chance decides which of the two it says
		}
		return s.fault("imap greeting", atConnect, err)
	}
	if s.c.State() != imap.ConnStateNotAuthenticated {
		return s.mechanismError("server greets with PREAUTH: the session is somebody's, not this user's")
	}
	if s.caps = s.c.Caps(); s.caps == nil {
		return s.fault("imap capability", atConnect, errors.New("server does not name its capabilities"))
	}
	return nil
}

// authenticate does one SASL exchange, or LOGIN where a password server has no AUTH=PLAIN. After a
// failed one the connection is useless: go-imap leaves the command open (v2.0.0-beta.8).
func (s *session) authenticate(tok ingest.Token) error {
	l := s.src.opt.Login
	var (
		c   *sasl.Client
		err error
	)
	at := atToken
	switch s.mechanism(l.Mechanism) {
	case ingest.XOAUTH2:
		c, err = sasl.NewXOAUTH2(l.User, tok.Value)
	case ingest.OAUTHBEARER:
		c, err = sasl.NewOAUTHBEARER(l.User, tok.Value, s.src.opt.Endpoint.Addr)
	default:
		c, err = sasl.NewPlain(l.User, tok.Value)
		at = atPassword
	}
	if err != nil {
		return &ingest.Error{Fault: ingest.Fault{Class: ingest.Config, Code: ingest.CodeConfigInvalid}, Op: "imap login", Err: err}
	}
	mech, _, _ := c.Start()
	if !s.has("AUTH=" + mech) {
		if at != atPassword || s.has("LOGINDISABLED") {
			return s.mechanismError("server does not offer " + mech)
		}
		return s.fault("imap login", at, s.c.Login(l.User, tok.Value).Wait())
	}
	worked := &s.src.worked
	if err = s.c.Authenticate(c); err == nil {
		worked.Store(max(worked.Load(), int64(c.Size())))
		return nil
	}
	t := s.trouble()
	t.at, t.err, t.secret, t.worked = at, err, c.Size(), int(worked.Load())
	err = classify("imap login", t)
	if e, ok := errors.AsType[*ingest.Error](err); ok && len(c.Challenge()) > 0 {
		switch e.Fault.Code {
		case ingest.CodeBye, ingest.CodeConnLost, ingest.CodeTokenTooLong: // it hung up instead of the NO that was due
			e.Fault = ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAuthRefused}
		}
		if e.Fault.Code == ingest.CodeAuthRefused && sasl.Malformed(c.Challenge()) {
			e.Fault = ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAddress, Lasting: true}
		}
		e.Err = fmt.Errorf("%w; it gives the reason %s", e.Err, printable(s.src.sent.Masker().Text(string(c.Challenge()))))
	}
	return err
}

// mechanism is what signs in with a token where the configuration leaves it open: XOAUTH2, which more
// servers have got right, unless the server offers only OAUTHBEARER.
func (s *session) mechanism(m ingest.Mechanism) ingest.Mechanism {
	switch {
	case m != ingest.Bearer:
		return m
	case !s.has("AUTH="+sasl.MechXOAUTH2) && s.has("AUTH="+sasl.MechOAUTHBEARER):
		return ingest.OAUTHBEARER
	}
	return ingest.XOAUTH2
}

// offers are the mechanisms that the server names.
func (s *session) offers() (out []string) {
	for c := range s.caps {
		if m, ok := strings.CutPrefix(strings.ToUpper(string(c)), "AUTH="); ok {
			out = append(out, printable(m))
		}
	}
	slices.Sort(out)
	return out
}

// mechanismError says what the server offers instead.
func (s *session) mechanismError(what string) error {
	offered := s.offers()
	return s.trouble().fault(ingest.Fault{Class: ingest.Config, Code: ingest.CodeMechanism}, "imap login",
		fmt.Errorf("%s; it offers: %s", what, strings.Join(offered[:min(len(offered), 20)], ", ")))
}

// has looks a capability up. Capability names are case-insensitive, go-imap's set is not.
func (s *session) has(name string) bool {
	if s.caps.Has(imap.Cap(name)) {
		return true
	}
	for c := range s.caps {
		if strings.EqualFold(string(c), name) {
			return true
		}
	}
	return false
}

// heard is called by go-imap's reader.
func (s *session) heard(d *imapclient.UnilateralDataMailbox) {
	if d.NumMessages == nil {
		return
	}
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// fault classifies an error of this session.
func (s *session) fault(op string, at stage, err error) error {
	t := s.trouble()
	t.at, t.err = at, err
	return classify(op, t)
}

// trouble is what this session knows of any.
func (s *session) trouble() trouble {
	return trouble{end: s.g.failure(), said: s.g.lastSaid(), sent: &s.src.sent}
}

// until makes the end of ctx the end of the connection, while an answer is awaited. The caller must
// call release.
func (s *session) until(ctx context.Context) (release func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		s.interrupt(context.Cause(ctx))
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}

// interrupt ends the connection from another goroutine. What is on its way to the consumer still
// reaches it.
func (s *session) interrupt(err error) { _ = s.g.fail(err) }

// kill ends the connection and waits for go-imap's reader. The order matters: with the connection
// open, draining waits for the server, and go-imap's Close waits for the drain
// (go-imap v2.0.0-beta.8).
func (s *session) kill(err error) error {
	err = s.g.fail(err)
	if f := s.ahead.Swap(nil); f != nil {
		_ = f.close()
	}
	_ = s.c.Close()
	return err
}

// ended says why the session cannot go on, nil if it can.
func (s *session) ended(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := s.g.failure(); err != nil {
		return s.fault("imap session", atOther, err)
	}
	if !s.ends.IsZero() && !s.src.opt.Now().Before(s.ends) {
		return &ingest.Error{Fault: ingest.Fault{Class: ingest.SessionOver, Code: ingest.CodeTokenExpired}, Op: "imap session",
			Err: errors.New("token is about to expire")}
	}
	return nil
}

// command runs one exchange with the server under ctx and the guard.
func (s *session) command(ctx context.Context, budget int64, f func() error) error {
	if err := s.ended(ctx); err != nil {
		return err
	}
	release := s.until(ctx)
	s.g.arm(s.src.opt.ProgressTimeout, budget)
	err := f()
	s.g.disarm()
	release()
	return err
}

const logoutWait = 5 * time.Second

// Close implements ingest.Session.
func (s *session) Close() error {
	if s.g.failure() == nil {
		s.g.arm(logoutWait, normalBudget)
		_ = s.c.Logout().Wait() // a courtesy; the connection is closed either way
	}
	_ = s.kill(net.ErrClosed)
	return nil
}

// Skipped returns why the last Sync left folders out, one error for each; the others go on.
func (s *session) Skipped() []error { return slices.Clone(s.skipped) }

// selectFolder opens a folder with EXAMINE, or with SELECT to change something in it.
func (s *session) selectFolder(ctx context.Context, name string, writable bool) error {
	s.selected = selection{}
	at := atSelect
	if canonical(name) == "INBOX" {
		if at = atInbox; s.src.opt.Now().Unix()-s.src.opened.Load() < int64(24*time.Hour/time.Second) {
			at = atKnown
		}
	}
	return s.command(ctx, normalBudget, func() error {
		data, err := s.c.Select(name, &imap.SelectOptions{ReadOnly: !writable}).Wait()
		if err != nil {
			return s.fault("imap open folder "+printable(name), at, err)
		}
		if at != atSelect {
			s.src.opened.Store(s.src.opt.Now().Unix())
		}
		s.selected = selection{name: name, writable: writable, validity: data.UIDValidity, next: uint32(data.UIDNext), count: data.NumMessages,
			permanent: data.PermanentFlags}
		return nil
	})
}
