package imapsource

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"

	"mailflume/ingest"
	"mailflume/publish"
)

var (
	_ ingest.Scoper  = (*Source)(nil)
	_ ingest.Renewer = (*session)(nil)
	_ ingest.Heir    = (*session)(nil)
)

// A server that cannot keep UIDVALIDITY changes it at every session (RFC 9051 section 2.3.1.1). Each
// time all messages have to be read to be recognised.
const resetsPerDay = 5

// Scope implements ingest.Scoper: UIDs become void with their folder.
func (s *Source) Scope(ref ingest.Ref) string {
	if r, ok := parseRef(ref); ok {
		return r.folder
	}
	folder, _, _ := parseReset(ref)
	return folder
}

// Resets implements ingest.Renewer.
func (s *session) Resets() []ingest.Renewal { return s.resets }

// Recall implements ingest.Renewer.
func (s *session) Recall(sizes func(context.Context, string) (func(int64) bool, error)) {
	s.recall = sizes
}

// Inherit implements ingest.Heir.
func (s *session) Inherit(at ingest.Cursor) error {
	pos, err := decodeCursor(at)
	if err != nil || pos == nil {
		return err
	}
	s.lives = map[string]epoch{}
	for i := range pos.boxes {
		s.lives[pos.boxes[i].name] = pos.boxes[i].epoch
	}
	return nil
}

// epoch is that of the open folder, if nothing is known of it yet.
func (s *session) epoch(name string) epoch {
	if e := s.lives[name]; e.validity == s.selected.validity {
		return e
	}
	return epoch{validity: s.selected.validity}
}

// isVoid tells whether the UIDs that the position has of the open folder mean nothing any more. That is
// so with a new UIDVALIDITY, and on a server that was set back to an earlier state and kept it: there
// UIDNEXT, which never falls otherwise, is lower than it has been, and no message is above it, or a UID
// is for other octets than it was.
func (s *session) isVoid(ctx context.Context, have *box, top uint32) (bool, error) {
	next := epoch{validity: s.selected.validity}
	if next.validity == have.validity {
		if s.selected.next == 0 || top >= have.highest() {
			if wrong, err := s.disproved(ctx, have); !wrong || err != nil {
				return false, err
			}
		} else if s.selected.count > 0 {
			if last, err := s.lastUID(ctx, s.selected.count); err != nil || last > top {
				return false, err
			}
		}
		next.life = have.life + 1
	}
	s.void(have, next)
	return true, nil
}

// void notes that the UIDs of a folder mean nothing any more.
func (s *session) void(have *box, next epoch) {
	s.resets = append(s.resets, ingest.Renewal{
		Ref: resetRef(have.name, next), Scope: have.name, PerDay: resetsPerDay,
		Info: publish.ResetInfo{Folder: have.name, OldUIDValidity: have.validity, NewUIDValidity: next.validity},
	})
}

// witness is a message as it was listed once. A server that was set back and has got new mail since may
// show no lower UIDNEXT, but another message under that UID. Neither a size nor a date alone proves
// that: Exchange estimates the one, and some servers write the other in a zone that changes.
type witness struct {
	uid  uint32
	at   int64 // INTERNALDATE, Unix seconds
	size int64
}

func (w witness) denies(it item) bool {
	return it.uid == w.uid && it.size >= 0 && !it.received.IsZero() && it.size != w.size && it.received.Unix() != w.at
}

// see takes in a listed message: the last one will be the witness.
func (p *plan) see(it item) {
	if p.witness.denies(it) {
		p.denied = true
	}
	if it.uid > p.last.uid && it.size >= 0 && !it.received.IsZero() {
		p.last = witness{it.uid, it.received.Unix(), it.size}
	}
}

// from is where a look at a folder begins: with what has been seen there, to see that it is the same.
func (b *box) from() uint64 {
	if b.witness.uid > 0 && b.witness.uid <= b.low {
		return uint64(b.witness.uid)
	}
	return max(uint64(b.low), 1)
}

// renew begins the next epoch. What the start passed over is told by its date from now on.
func (b *box) renew(next epoch) {
	n := box{name: b.name, epoch: next, since: b.since, born: b.born, fresh: true}
	if n.since == math.MaxInt64 {
		n.since = b.born
	}
	if next.validity == b.validity { // it may yet catch up with what it has lost
		n.again = b.highest()
	}
	*b = n
}

// judges says whether a message was there when the epoch began, and from which date on an unknown one
// is wanted.
func (b *box) judges(uid uint32) (again bool, since time.Time) {
	if uid > b.again {
		return false, since
	}
	if uid <= b.until && b.since != 0 && b.since != math.MaxInt64 {
		since = time.Unix(b.since, 0)
	}
	return true, since
}

// recallSizes asks what may be known of what the start passes over, while that is judged.
func (s *session) recallSizes(ctx context.Context, b *box) (err error) {
	if s.recall != nil && b.again > b.low && b.since != 0 {
		b.sizes, err = s.recall(ctx, b.name)
		s.sizes[b.name] = b.sizes
	}
	return err
}

const (
	maxGaps   = 256       // the last ones of a folder, in one command
	lateEvery = time.Hour // between two looks for UIDs that turned up below the low-water mark
)

// late looks into the gaps that the low-water mark has left behind: a message may become visible long
// after those above it.
func (s *session) late(ctx context.Context, p *plan, b *box) error {
	if len(b.gaps) == 0 || p.empty || !s.src.lookDue(b.name) {
		return nil
	}
	var set imap.UIDSet
	for _, g := range b.gaps {
		set.AddRange(imap.UID(g.lo), imap.UID(g.hi))
	}
	found, _, err := s.list(ctx, set, func(it item) bool { return b.gaps.has(it.uid) }, b)
	if err != nil {
		return err
	}
	p.items = append(p.items, found[:min(len(found), keptItems)]...)
	if len(found) == 0 {
		s.src.looked(b.name)
	}
	return nil
}

// lookDue says whether it is time to look into a folder's gaps.
func (s *Source) lookDue(folder string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opt.Now().Sub(s.looks[folder]) >= lateEvery
}

func (s *Source) looked(folder string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks[folder] = s.opt.Now()
}

// leave notes as gaps what low passes on its way to a higher UID.
func (b *box) leave(to uint32) {
	gaps := joined(slices.Concat(b.gaps, b.done.holes(b.low+1, to)))
	b.gaps = gaps[max(0, len(gaps)-maxGaps):]
}
