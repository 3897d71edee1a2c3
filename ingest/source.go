package ingest

import (
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"time"

	"mailflume/publish"
)

// Ref names one message across sessions and workers; see publish.Ref.
type Ref = publish.Ref

// Entry is one published message as a position sees it; see publish.Entry.
type Entry = publish.Entry

// Cursor is a snapshot of a position in a mailbox: opaque to the engine, written and read only by
// its Source, versioned by it.
type Cursor []byte

// Source is one mailbox on one server. It is safe for concurrent use.
type Source interface {
	// Open dials and authenticates. Everything it waits for has a deadline.
	Open(ctx context.Context) (Session, error)
	// Fold returns the position after the entries too. It is pure: no I/O, at and the result share
	// no memory. A nil Cursor is the position of a log without a snapshot. Entries that the position
	// already holds, or that belong to folders it does not know, change nothing.
	Fold(at Cursor, entries iter.Seq[Entry]) (Cursor, error)
}

// Session is one authenticated connection. One goroutine owns it.
type Session interface {
	// Sync looks at the server and returns the position brought up to date: the base of a log that
	// has none (where start says), new folders, new epochs, forgotten messages. The engine saves
	// the result, if it differs from at, before the next event is appended.
	Sync(ctx context.Context, at Cursor) (Cursor, error)
	// Messages yields the messages that from does not hold as finished, oldest first, at most limit
	// of them (0: no limit). It asks the server ahead of the loop, bounded by bytes, so no other
	// method may be called inside the loop, and a Message dies when the loop advances.
	//
	// (m, nil) is a message; (m, err) is a message that the server or its size makes unreadable (m
	// has its Ref but no Body) and the loop goes on; (nil, err) ends it: the session is over.
	// Breaking out early is allowed and may end the connection.
	Messages(ctx context.Context, from Cursor, limit int) iter.Seq2[*Message, error]
	// Settle applies the post-action to messages whose events are acknowledged and reports those
	// for which it is done (or whose message is gone). It is idempotent.
	Settle(ctx context.Context, refs []Ref) (done []Ref, err error)
	// Close ends the connection in an orderly way where that is possible without waiting long.
	Close() error
}

// Preparer is a Source with something to wait for before Open that has nothing to do with its host: a
// token. Until then the mailbox takes no other's place there.
type Preparer interface {
	Prepare(ctx context.Context) error
}

// Waiter is a Session that can wait for news on its connection (IMAP IDLE).
type Waiter interface {
	// Wait returns nil when there may be news or atMost has passed; an error means the session is over.
	Wait(ctx context.Context, atMost time.Duration) error
}

// Scoper is a Source whose server can make Refs void, all those of a scope at once.
type Scoper interface {
	// Scope names what a Ref becomes void with: its folder; empty: the whole maildrop.
	Scope(ref Ref) string
}

// Renewer is a Session of a Scoper. It takes nothing for new or known by itself: the engine appends an
// event for each reset, and folding that into the position begins the scope's new life. The messages
// that were there then are yielded marked with Again.
type Renewer interface {
	// Resets returns what the last Sync found void. Sync has left these scopes as they were, and
	// Messages leaves them out.
	Resets() []Renewal
	// Recall is called before Sync. It gives the session the question which sizes were published in a
	// scope: a message that the start passes over need not be read unless it could be one of those.
	Recall(sizes func(ctx context.Context, scope string) (known func(size int64) bool, err error))
}

// Heir is a Session that can begin where others are: the next base is taken in the lives that the
// position at has, so that its Refs are the same ones.
type Heir interface {
	Inherit(at Cursor) error
}

// Renewal is a reset that was found.
type Renewal struct {
	Ref    Ref // of the reset event; folded into a position it begins the new life
	Scope  string
	Info   publish.ResetInfo
	PerDay int // resets within a day that are believed; the mailbox waits at one more
}

// Partial is a Session that could not look at everything the configuration names.
type Partial interface {
	// Skipped returns why the last Sync left folders out, one error for each; the others go on.
	Skipped() []error
}

// Lister is a Session that can tell which messages the mailbox holds: for an audit, which compares
// them with the log.
type Lister interface {
	// List yields every message that the server holds and the configuration selects, folder by folder,
	// without asking for any, and says how the position at has it. Base is the position that the log
	// began with, nil if that is not known. It changes nothing on the server and holds no more than a
	// part of the list, or what the protocol cannot give in parts. An error ends it. No other method
	// may be called inside the loop.
	List(ctx context.Context, base, at Cursor) iter.Seq2[Listed, error]
}

// Listed is one message of a list.
type Listed struct {
	Ref      Ref
	Received time.Time // INTERNALDATE; zero if the protocol has none or the server does not tell
	Size     int64     // as announced, -1 if unknown
	Standing Standing
}

// Standing is how a position has a message.
type Standing int

// The standings.
const (
	Waiting Standing = iota // not finished: Messages would yield it
	Passed                  // finished: its event was published, or it was set aside
	Skipped                 // finished because the configured start passes it over
	Known                   // finished: after a reset it was recognised as published before
)

// Message is one message on its way. It dies when the loop that yields it advances.
type Message struct {
	Ref      Ref
	Folder   *publish.Folder // nil for POP3
	UID      uint32          // IMAP
	UIDL     string          // POP3
	Size     int64           // octets as announced: a hint (Exchange estimates), -1 if unknown
	Received time.Time       // INTERNALDATE; zero if the protocol has none
	Flags    []string
	// Again: it was there when its Ref's scope became void, so it may have been published under another
	// Ref. If it was not, and was received before Since, it stays passed over.
	Again bool
	Since time.Time
	// Was tells by its octets whether it was finished under a Ref that has vanished. Nil: it was not. It is
	// safe for concurrent use, and takes each vanished message for one.
	Was func(publish.Content) Acquaintance
	// Life tells this life of the folder from an earlier one with the same UIDVALIDITY; else 0.
	Life uint32
	// Body yields the octets exactly as the server sent them. io.EOF comes only after the whole
	// message; a connection lost before that is any other error.
	Body io.Reader
}

// Acquaintance is what a Source knows of a message's octets.
type Acquaintance int

// The acquaintances.
const (
	Stranger   Acquaintance = iota // nothing
	Renumbered                     // a message with these octets has vanished: this is it
	Unwanted                       // so it has, and the start had passed it over
	Twin                           // one with the same octets is finished and still there: this is another
)

// Token is a bearer token with its end.
type Token struct {
	Value   string
	Expires time.Time // zero: unknown or never
}

// tokenMargin is how long before its token a session ends at the latest.
const tokenMargin = 5 * time.Minute

// SessionEnd is when a session that is opened with the token now has to end: servers cut it with the token, in
// the middle of a message. That is five to ten minutes before, spread because all mailboxes of a credential
// have the same token, and less of a life that is short anyway. Zero: never.
func (t Token) SessionEnd(now time.Time) time.Time {
	if t.Expires.IsZero() {
		return time.Time{}
	}
	margin := min(tokenMargin, max(t.Expires.Sub(now)/5, 0))
	return t.Expires.Add(-margin - rand.N(margin+1))
}

// Format hides the token under every verb.
func (Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "***") }

// String hides the token.
func (Token) String() string { return "***" }

// GoString hides the token.
func (Token) GoString() string { return "***" }

// MarshalText hides the token from every encoder.
func (Token) MarshalText() ([]byte, error) { return []byte("***"), nil }

// TokenSource gives bearer tokens. It is safe for concurrent use, caches, and asks the issuer at
// most once at a time.
type TokenSource interface {
	// Token returns a valid token. refused is the Value of a token that the mail server has just
	// rejected ("" if none): the source then never answers with that one again, it forces a fresh one.
	Token(ctx context.Context, refused string) (Token, error)
}
