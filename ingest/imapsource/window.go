package imapsource

import (
	"fmt"
	"slices"

	"mailflume/ingest"
)

// window is what one FETCH asks for, or, with err, a message that is not asked for at all.
type window struct {
	items []item
	alone bool
	err   error
}

// window takes the next messages off the list.
func (r *run) window(items []item, room int) (w window, rest []item) {
	if len(items) == 0 || room <= 0 {
		return window{}, items
	}
	if err := r.verdict(items[0]); err != nil {
		return window{items: items[:1], err: err}, items[1:]
	}
	if r.mustGoAlone(items[0]) {
		return window{items: items[:1], alone: true}, items[1:]
	}
	n, octets := 0, int64(0)
	for n < len(items) && n < min(maxWindow, room) {
		it := items[n]
		if octets += it.size; n > 0 && (octets > r.s.src.opt.WindowBytes || r.mustGoAlone(it) || r.verdict(it) != nil) {
			break
		}
		n++
	}
	return window{items: slices.Clone(items[:n])}, items[n:]
}

// mustGoAlone says whether nothing may be in flight behind a message: it is large, of unknown size,
// or a connection ended at it before.
func (r *run) mustGoAlone(it item) bool {
	if it.size < 0 || it.size > min(aloneFrom, r.s.src.opt.WindowBytes) || r.s.unordered.Load() {
		return true
	}
	_, suspect := r.s.src.noteOf(r.key(it))
	return suspect
}

// verdict says why a message is not even asked for. RFC822.SIZE is an estimate on Exchange, so only
// twice the limit is believed; the literal's own length decides below that.
func (r *run) verdict(it item) error {
	limit := r.s.src.opt.MaxMessage
	size := it.size
	n, ok := r.s.src.noteOf(r.key(it))
	if ok && n.size > limit {
		size = n.size
	} else if size/2 <= limit {
		size = 0
	}
	if size > 0 {
		return ingest.TooLarge("imap fetch", size, limit)
	}
	if !ok || n.deaths < maxDeaths {
		return nil
	}
	return &ingest.Error{Fault: ingest.Fault{Class: ingest.BadMessage, Code: ingest.CodeMessageTruncated}, Op: "imap fetch",
		Err: fmt.Errorf("the server ended the connection %d times when it was asked for this message alone", n.deaths)}
}

// key names a message of the folder being read.
func (r *run) key(it item) msgRef {
	return msgRef{folder: r.box.name, epoch: r.box.epoch, uid: it.uid}
}

// message returns what the listing says of a message, without a body.
func (r *run) message(it item) *ingest.Message {
	m := &ingest.Message{Ref: r.key(it).ref(), Folder: r.folderD, UID: it.uid, Size: it.size, Received: it.received, Flags: it.flags, Life: r.box.life}
	m.Again, m.Since = r.box.judges(it.uid)
	return m
}
