package publish

import (
	"context"
	"errors"
	"time"
)

// Ref names one message of a mailbox, valid across sessions and workers: folder, UIDVALIDITY and
// UID, or a UIDL. It is printable ASCII without spaces (it travels in a message header).
type Ref string

// Key names one mailbox's log: the tenant and the mailbox id of the configuration, unescaped.
type Key struct{ Tenant, Mailbox string }

// String returns tenant/mailbox, for people.
func (k Key) String() string { return k.Tenant + "/" + k.Mailbox }

// Entry is one message of a log as its position sees it.
type Entry struct {
	Ref  Ref
	Type EventType
	Time time.Time // when the log stored it
	// Content tells the message by its octets; zero if they are not known.
	Content Content
}

// Log hands out claims on mailbox logs. It is safe for concurrent use.
type Log interface {
	// Claim takes the log of box over: from its return on, every earlier claim's writes fail with
	// ErrFenced. It waits out an unavailable server until ctx ends.
	Claim(ctx context.Context, box Key) (Claim, error)
	// MaxEvent is the largest encoded event, in bytes, that Append takes.
	MaxEvent() int
}

// Claim is the exclusive right to write one mailbox's log. One goroutine owns it.
//
// Errors that end the claim wrap ErrFenced (another owner took over: stop), or ErrLogMoved (the log
// is not what this owner believes: claim again and take the position from the log).
// Everything else that a server can answer is retried inside until ctx ends, because a write whose
// outcome is unknown must be resolved before anything else may be written.
type Claim interface {
	// Position returns the last complete snapshot and the entries written after what it covers, in
	// order, complete up to this claim. A log without a snapshot returns nil. It is asked for before the
	// claim's first write; what it returns need not be kept longer.
	Position() (snapshot []byte, since []Entry)
	// Append writes the event and its Ref in one write, exactly once. The event's encoding must not
	// exceed MaxEvent (ErrTooLarge).
	Append(ctx context.Context, ev *Event, ref Ref) error
	// Save writes a new snapshot that covers everything appended so far.
	Save(ctx context.Context, snapshot []byte) error
	// Release gives the claim up; it writes nothing, so Save comes first.
	Release(ctx context.Context) error
}

// Verifier is a Claim that can prove its acknowledgements are still true.
type Verifier interface {
	// Verify reads the log's last message from the leader. It returns nil only if that is this
	// claim's own last write: then nothing that was acknowledged has been lost since. It is asked
	// before anything on the mail server is changed.
	Verify(ctx context.Context) error
	// Doubts reports whether there is a reason to ask: since the last write or Verify the server was
	// away, and may have come back without what it had not put on disk yet; or that was long ago.
	Doubts() bool
}

// Noter is a Claim that can leave word for the next one: what its owner is at, should it die.
type Noter interface {
	// Left returns the word of the owner before, and whether there was an owner. The word stays until
	// it is replaced, through any number of claims.
	Left() (word []byte, owned bool)
	// Note replaces the word, in a write like Append's that moves no position. A word of a few
	// kilobytes is the most that it should be given.
	Note(ctx context.Context, word []byte) error
}

// Clock is a Claim that knows the time by the clock that its log's entries carry, whatever this machine's own
// clock says: what another owner wrote down is compared with nothing else.
type Clock interface {
	// Now returns two times between which the log's clock is. How long ago something was is counted to the
	// earlier one, what happens now is noted with the later one: nothing seems older than it is.
	Now() (earliest, latest time.Time)
}

// The errors that callers tell apart, with errors.Is.
var (
	// ErrFenced: another owner has claimed the log. Stop; the work is somebody else's now.
	ErrFenced = errors.New("the mailbox's log was claimed by another worker")
	// ErrLogMoved: the log's last message is not the one this owner wrote last (its tail was lost,
	// expired or purged). Claim again and resume from what the log says.
	ErrLogMoved = errors.New("the mailbox's log is not where this worker left it")
	// ErrTooLarge: the event is larger than the server takes.
	ErrTooLarge = errors.New("event exceeds the server's maximum payload")
	// ErrNewerFormat: the log was written by a newer version of mailflume. Upgrade this worker.
	ErrNewerFormat = errors.New("the mailbox's log was written by a newer mailflume: upgrade this worker")
	// ErrUnavailable: the server could not be reached or could not store. Wait and try again.
	ErrUnavailable = errors.New("the store is unavailable")
	// ErrFull: the stream, the account or the disk is full. Nothing is lost: fetching waits.
	ErrFull = errors.New("the store is full")
	// ErrDenied: the server refused the credentials or a permission.
	ErrDenied = errors.New("the store refused the credentials or a permission")
	// ErrUnsafe: the stream's settings would lose mail; the text names the setting.
	ErrUnsafe = errors.New("the stream's settings would lose mail")
	// ErrBlobs: the folder or bucket for blobs cannot be used; it comes with one of the errors above.
	ErrBlobs = errors.New("the blob store cannot be used")
	// ErrNotFound: no such blob.
	ErrNotFound = errors.New("not found")
	// ErrCorrupt: stored octets do not have the digest they are named by.
	ErrCorrupt = errors.New("stored octets do not match their digest")
)
