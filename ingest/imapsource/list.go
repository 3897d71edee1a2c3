package imapsource

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailflume/ingest"
)

// item is a message as listed.
type item struct {
	uid      uint32
	size     int64 // RFC822.SIZE, -1 if unknown: a hint
	received time.Time
	flags    []string
}

const (
	firstReach  = 1000 // UIDs looked at in the first command
	enoughItems = 1000 // a look ends with so many
	keptItems   = 4000 // of one answer, the lowest
	listedFew   = 200  // below: look further the next time
	itemOctets  = 4096 // what a server may say about one message in a listing
)

// extend looks further along the folder until it has something to do or is at its end.
//
// It lists ranges of UIDs, never SEARCH: the answer to that is one line, 8 MB for a million
// messages. UIDs may lie far apart, so the range grows while answers are short. The last range is
// open: a server's UIDNEXT may lie.
func (s *session) extend(ctx context.Context, p *plan, b *box) error {
	if p.empty || p.next > math.MaxUint32 {
		p.all = true
	}
	if p.reach == 0 {
		p.reach = firstReach
	}
	for !p.all && len(p.items) < enoughItems {
		from := uint32(p.next)
		to := uint32(0) // "*"
		if end := p.next + uint64(p.reach) - 1; end < uint64(p.top) {
			to = uint32(end)
		}
		found, seen, err := s.list(ctx, imap.UIDSet{{Start: imap.UID(from), Stop: imap.UID(to)}}, func(it item) bool {
			if it.uid < from || (to != 0 && it.uid > to) {
				return false // "n:*" names the last message even if it is below n (RFC 9051 section 9)
			}
			p.see(it)
			return true
		}, b)
		if err != nil {
			return err
		}
		switch {
		case len(found) > keptItems:
			found = found[:keptItems]
			p.next = uint64(found[keptItems-1].uid) + 1
		case to == 0:
			p.all = true
		default:
			p.next = uint64(to) + 1
		}
		p.items = append(p.items, found...)
		p.reach = nextReach(p.reach, seen)
	}
	return nil
}

// nextReach adapts to how densely the UIDs lie: fast over gaps, bounded answers where they are dense.
func nextReach(reach uint32, seen int) uint32 {
	switch {
	case seen < listedFew:
		return uint32(min(uint64(reach)*4, math.MaxUint32))
	case seen > 2*enoughItems:
		return max(uint32(uint64(reach)*enoughItems/uint64(seen)), 1)
	}
	return reach
}

// list returns the wanted messages of a set, ascending, the lowest keptItems+1 at least, and how
// many messages there are.
func (s *session) list(ctx context.Context, set imap.UIDSet, in func(item) bool, b *box) (found []item, seen int, err error) {
	budget := int64(s.selected.count)*itemOctets + normalBudget
	err = s.command(ctx, budget, func() error {
		cmd := s.c.Fetch(set, s.listItems())
		for m := cmd.Next(); m != nil; m = cmd.Next() {
			it, ok := s.readItem(m)
			if !ok || !in(it) {
				continue
			}
			if seen++; b.wants(it) {
				found = append(found, it)
			}
			if len(found) >= 4*keptItems {
				found = lowest(found)[:keptItems+1]
			}
		}
		return s.listFault(cmd.Close())
	})
	return lowest(found), seen, err
}

// lowest sorts by UID: servers answer in any order (RFC 9051 section 7.5.2).
func lowest(l []item) []item {
	slices.SortFunc(l, func(a, b item) int { return cmp.Compare(a.uid, b.uid) })
	return l
}

// plainest is the listing that asks for UIDs alone.
const plainest = 2

// listItems never holds ENVELOPE or BODYSTRUCTURE: go-imap parses both without limits, and real
// servers write both wrong.
func (s *session) listItems() *imap.FetchOptions {
	switch s.src.plain.Load() {
	case 0:
		return &imap.FetchOptions{UID: true, Flags: true, InternalDate: true, RFC822Size: true}
	case 1:
		return &imap.FetchOptions{UID: true, Flags: true}
	default:
		return &imap.FetchOptions{UID: true}
	}
}

// listFault classifies a failed listing. go-imap ends the connection on an INTERNALDATE or size
// that it cannot read; the next session asks for less.
func (s *session) listFault(err error) error {
	err = s.fault("imap list messages", atOther, err)
	if err != nil && ingest.FaultOf(err).Code == ingest.CodeProtocol && s.src.plain.Load() < plainest {
		s.src.plain.Add(1)
	}
	return err
}

// readItem reads one answer of a listing. A body in it was never asked for.
func (s *session) readItem(m *imapclient.FetchMessageData) (it item, ok bool) {
	it.size = -1
	for data := m.Next(); data != nil; data = m.Next() {
		switch d := data.(type) {
		case imapclient.FetchItemDataUID:
			it.uid = uint32(d.UID)
		case imapclient.FetchItemDataRFC822Size:
			it.size = d.Size
		case imapclient.FetchItemDataInternalDate:
			it.received = d.Time
		case imapclient.FetchItemDataFlags:
			for _, fl := range d.Flags {
				it.flags = append(it.flags, string(fl))
			}
		case imapclient.FetchItemDataBodySection, imapclient.FetchItemDataBinarySection:
			_ = s.g.fail(limitError("message in the answer to a listing"))
		}
	}
	return it, it.uid != 0
}

// exist returns which of the UIDs are still there.
func (s *session) exist(ctx context.Context, uids []uint32) (map[uint32]bool, error) {
	there := map[uint32]bool{}
	var set imap.UIDSet
	for _, u := range uids {
		set.AddNum(imap.UID(u))
	}
	err := s.command(ctx, normalBudget, func() error {
		cmd := s.c.Fetch(set, &imap.FetchOptions{UID: true})
		for m := cmd.Next(); m != nil; m = cmd.Next() {
			if it, ok := s.readItem(m); ok {
				there[it.uid] = true
			}
		}
		return s.fault("imap look for messages", atOther, cmd.Close())
	})
	return there, err
}

// lastUID returns the UID of the last message.
func (s *session) lastUID(ctx context.Context, count uint32) (uid uint32, err error) {
	err = s.command(ctx, normalBudget, func() error {
		cmd := s.c.Fetch(imap.SeqSetNum(count), &imap.FetchOptions{UID: true})
		for m := cmd.Next(); m != nil; m = cmd.Next() {
			if it, ok := s.readItem(m); ok {
				uid = it.uid
			}
		}
		return s.fault("imap look for the last message", atOther, cmd.Close())
	})
	if err == nil && uid == 0 {
		err = s.fault("imap look for the last message", atOther, errors.New("server names no UID for its last message"))
	}
	return uid, err
}
