package imapsource

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"mailflume/ingest"
)

// lateUIDs is how long a UID that does not exist may still turn up below higher ones. Of those that a
// folder has given away when it is first seen nobody knows for how long; the last underWay may be new.
const (
	lateUIDs = 10 * time.Minute
	underWay = 1000
)

// Sync implements ingest.Session. It opens each wanted folder, lists what is unfinished there, and
// moves the low-water marks over UIDs that are finished or do not exist.
//
// A folder with a new UIDVALIDITY is another folder to IMAP: all numbers are void. It stays as it was
// in the position, and out of what Messages reads, until its reset is folded in (see Resets).
func (s *session) Sync(ctx context.Context, at ingest.Cursor) (ingest.Cursor, error) {
	pos, err := decodeCursor(at)
	if err != nil {
		return nil, err
	}
	folders, err := s.wanted(ctx)
	if err != nil {
		return nil, err
	}
	base := pos == nil
	if base {
		pos = &position{}
	}
	s.resets, s.sizes, s.epochs = nil, map[string]func(int64) bool{}, map[string]epoch{}
	for i := range pos.boxes {
		s.epochs[pos.boxes[i].name] = pos.boxes[i].epoch
	}
	old := chooser{folders: pos.folders, exclude: pos.exclude}
	s.order, s.uses, s.skipped, s.plans = nil, map[string]string{}, nil, map[string]*plan{}
	s.seen = map[string]selection{}
	for _, f := range folders {
		if err := s.syncFolder(ctx, pos, f, !base && old.takes(f)); err != nil {
			if c := ingest.FaultOf(err).Class; c != ingest.Config || s.ended(ctx) != nil {
				return nil, err
			}
			s.skipped = append(s.skipped, err)
		}
	}
	if len(s.order) == 0 && len(s.resets) == 0 {
		return nil, s.noFolder(ctx)
	}
	pos.folders, pos.exclude = s.src.opt.Folders, s.src.opt.Exclude
	return pos.encode(), nil
}

// syncFolder brings one folder's part of the position up to date. grown: the folder was wanted
// before and is new on the server, so that all of it is.
func (s *session) syncFolder(ctx context.Context, pos *position, f folderInfo, grown bool) error {
	if n := len(escape(f.name)); n > maxEscaped {
		return s.trouble().fault(ingest.Fault{Class: ingest.Config, Code: ingest.CodeConfigInvalid}, "imap open folder "+printable(f.name),
			fmt.Errorf("the name takes %d octets in an event's Ref, at most %d do", n, maxEscaped))
	}
	if err := s.selectFolder(ctx, f.name, false); err != nil {
		return s.absent(ctx, f.name, err)
	}
	top, err := s.top(ctx)
	if err != nil {
		return err
	}
	have := pos.find(f.name)
	if have != nil {
		if void, err := s.isVoid(ctx, have, top); void || err != nil {
			return err
		}
	}
	b := s.src.boxOf(have, grown, box{name: f.name, epoch: s.epoch(f.name), mark: top})
	if err := s.recallSizes(ctx, &b); err != nil {
		return err
	}
	p := &plan{validity: b.validity, next: b.from(), top: top, empty: s.selected.count == 0, witness: b.witness}
	if err := s.late(ctx, p, &b); err != nil {
		return err
	}
	if err := s.extend(ctx, p, &b); err != nil {
		return err
	}
	if p.denied {
		s.void(have, epoch{b.validity, b.life + 1})
		return nil
	}
	since := b.markAt
	if b.pass(p.clear(), top, s.src.opt.Now()); p.last.uid > 0 && (since != b.markAt || b.witness.uid == 0) {
		b.witness = p.last
	}
	pos.put(b)
	s.epochs[f.name] = b.epoch
	s.order = append(s.order, f.name)
	s.uses[f.name] = f.use
	s.plans[f.name], s.seen[f.name] = p, s.selected
	return nil
}

// boxOf is the folder as the position has it, or a new one whose base is now. b holds what the server
// says of it.
func (s *Source) boxOf(have *box, grown bool, b box) box {
	top, start, now := b.mark, s.opt.Start, s.opt.Now().Unix()
	switch {
	case have != nil:
		b = *have
		b.done, b.gaps = b.done.clone(), b.gaps.clone()
		if b.fresh {
			b.fresh, b.until, b.again = false, top, max(b.again, top)
		}
		if b.since == math.MaxInt64 && b.born == 0 { // of an older mailflume
			b.born = now
		}
	case grown || start.All || !start.Since.IsZero():
		s.since(&b, top)
	default:
		b.low, b.until, b.since, b.born = top, top, math.MaxInt64, now
	}
	if have == nil {
		b.mark = top - min(top, underWay)
	}
	return b
}

// since applies Start.Since to the messages that are there now.
func (s *Source) since(b *box, top uint32) {
	if t := s.opt.Start.Since; !t.IsZero() && !s.opt.Start.All {
		b.since, b.until = t.Unix(), top
	}
}

// top is the highest UID that the open folder has given away. Courier sends no UIDNEXT: there it
// is the last message's.
func (s *session) top(ctx context.Context) (uint32, error) {
	if s.selected.next > 0 {
		return s.selected.next - 1, nil
	}
	if s.selected.count == 0 {
		return 0, nil
	}
	return s.lastUID(ctx, s.selected.count)
}

// pass moves low over UIDs up to clear, of which none is there and unfinished. UIDs that nobody has
// seen are passed only if they were below the highest one at least lateUIDs ago.
func (b *box) pass(clear, top uint32, now time.Time) {
	if age := now.Unix() - b.markAt; age < int64(lateUIDs/time.Second) && age >= 0 {
		return
	}
	if to := min(clear, b.mark); to > b.low {
		b.leave(to)
		b.low = to
		b.tidy()
	}
	if top > b.mark {
		b.mark, b.markAt = top, now.Unix()
	}
}

// wants says whether a listed message is to be read.
func (b *box) wants(it item) bool {
	return !b.finished(it.uid) && (!b.skips(it) || b.mayBeKnown(it))
}

// mayBeKnown says whether a message that the start passes over could be one that was published under
// a number which is void now.
func (b *box) mayBeKnown(it item) bool {
	return b.sizes != nil && it.uid <= b.again && (it.size < 0 || b.sizes(it.size))
}

// skips says whether the start passes a message over. A start of now is one that nothing has reached.
func (b *box) skips(it item) bool {
	if it.received.IsZero() {
		return b.since == math.MaxInt64 && it.uid <= b.until
	}
	return it.uid <= b.until && it.received.Unix() < b.since
}

// plan is what a look at a folder found: the unfinished messages from low on, as far as it went.
type plan struct {
	validity uint32
	next     uint64 // the first UID not looked at
	top      uint32 // the highest UID given away when the folder was opened
	reach    uint32 // how many UIDs to look at in one command
	all      bool   // looked at to the end
	empty    bool   // no message in the folder
	items    []item // ascending

	witness, last witness // what is expected, and the last message seen
	denied        bool
}

// clear is the highest UID up to which nothing is unfinished.
func (p *plan) clear() uint32 {
	if len(p.items) > 0 {
		return min(p.items[0].uid-1, p.top)
	}
	if p.all {
		return p.top
	}
	return uint32(min(p.next-1, uint64(p.top)))
}

// drop takes what b has finished out of the plan.
func (p *plan) drop(b *box) {
	p.items = slices.DeleteFunc(p.items, func(it item) bool { return !b.wants(it) })
}
