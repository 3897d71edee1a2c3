package imapsource

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"mailflume/ingest"
	"mailflume/publish"
)

// position is a Cursor in the open: per folder what is finished.
type position struct {
	folders, exclude []string // the selection it was made for: a folder it would have taken is new on the server, not in the configuration
	boxes            []box    // sorted by name
}

// epoch is one life of a folder: UIDs mean something in it only. A server that was set back without
// saying so begins a new life under the same UIDVALIDITY.
type epoch struct{ validity, life uint32 }

// box is one folder in one epoch. A message is finished if its UID is at most low and in no gap, or in
// done, or if it was there at the base and older than the configured start.
type box struct {
	name string
	epoch
	low   uint32
	done  spans // above low
	gaps  spans // the last UIDs that low has passed and nobody has seen
	since int64 // Unix seconds; of the UIDs up to until, only those received then or later are wanted
	until uint32
	// Servers with several writers let a UID become visible after a higher one. So low passes a UID
	// that does not exist only up to mark, the highest UID of a look at the server that was at
	// markAt (Unix seconds), at least lateUIDs ago.
	mark   uint32
	markAt int64

	born  int64  // when the folder's base was taken (Unix seconds), of a start of now
	again uint32 // UIDs up to this one were there when the epoch began, after another one
	fresh bool   // it has begun, and no look has told yet what was there
	known spans  // of those, what was recognised as published before
	over  spans  // and what is passed over by its own date

	witness witness
	proofs  []proof // ascending

	sizes func(int64) bool // which sizes were published before; nil: not known. Not part of the cursor
}

const (
	cursorMagic  = "mfi\x03"
	cursorMagic2 = "mfi\x02" // without proofs
	cursorMagic1 = "mfi\x01" // nor lives and gaps
	maxCursor    = 64 << 20
	maxBoxes     = 100_000
	maxPatterns  = 10_000
	maxNameBytes = 8 << 10
)

var errCursor = errors.New("position is not readable")

// find returns a folder of the position, nil if it is not there. The pointer is good until put.
func (p *position) find(name string) *box {
	i, ok := slices.BinarySearchFunc(p.boxes, name, func(b box, n string) int { return strings.Compare(b.name, n) })
	if !ok {
		return nil
	}
	return &p.boxes[i]
}

// put adds or replaces a folder.
func (p *position) put(b box) {
	i, ok := slices.BinarySearchFunc(p.boxes, b.name, func(x box, n string) int { return strings.Compare(x.name, n) })
	if ok {
		p.boxes[i] = b
		return
	}
	p.boxes = slices.Insert(p.boxes, i, b)
}

// tidy moves low over what is finished without a gap.
func (b *box) tidy() {
	b.done = b.done.above(b.low)
	if len(b.done) > 0 && b.done[0].lo == b.low+1 {
		b.low = b.done[0].hi
		b.done = b.done[1:]
	}
}

// finished says whether a UID needs no more work.
func (b *box) finished(uid uint32) bool {
	return uid <= b.low && !b.gaps.has(uid) || b.done.has(uid)
}

// encode writes the position: magic, selection, folders; numbers as varints, spans as differences,
// because every event is folded into it and every snapshot carries it.
func (p *position) encode() ingest.Cursor {
	n := len(cursorMagic) + 16
	for i := range p.boxes {
		n += len(p.boxes[i].name) + 40 + 4*len(p.boxes[i].done)
	}
	b := make([]byte, 0, n)
	b = append(b, cursorMagic...)
	b = appendStrings(b, p.folders)
	b = appendStrings(b, p.exclude)
	b = binary.AppendUvarint(b, uint64(len(p.boxes)))
	for i := range p.boxes {
		b = p.boxes[i].append(b)
	}
	return b
}

// append writes one folder.
func (b *box) append(buf []byte) []byte {
	buf = appendString(buf, b.name)
	for _, v := range []uint32{b.validity, b.low, b.until, b.mark} {
		buf = binary.AppendUvarint(buf, uint64(v))
	}
	buf = binary.AppendVarint(buf, b.since)
	buf = binary.AppendVarint(buf, b.markAt)
	buf = b.done.append(buf, b.low)
	buf = binary.AppendVarint(buf, b.born)
	buf = binary.AppendUvarint(buf, uint64(b.witness.uid))
	buf = binary.AppendVarint(buf, b.witness.at)
	buf = binary.AppendVarint(buf, b.witness.size)
	fresh := uint64(0)
	if b.fresh {
		fresh = 1
	}
	for _, v := range []uint64{uint64(b.life), uint64(b.again), fresh} {
		buf = binary.AppendUvarint(buf, v)
	}
	for _, s := range []spans{b.gaps, b.known, b.over} {
		buf = s.append(buf, 0)
	}
	return appendProofs(buf, b.proofs)
}

// append writes the set; all of it is above from.
func (s spans) append(buf []byte, from uint32) []byte {
	buf = binary.AppendUvarint(buf, uint64(len(s)))
	for _, x := range s {
		buf = binary.AppendUvarint(buf, uint64(x.lo-from))
		buf = binary.AppendUvarint(buf, uint64(x.hi-x.lo))
		from = x.hi
	}
	return buf
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendStrings(b []byte, l []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(l)))
	for _, s := range l {
		b = appendString(b, s)
	}
	return b
}

// decoder reads what encode writes. Its first error sticks.
type decoder struct {
	b       []byte
	version byte
	bad     bool
}

// uint reads a number up to limit; a larger one is a broken cursor, not a large allocation.
func (d *decoder) uint(limit uint64) uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > limit {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) uid() uint32 { return uint32(d.uint(math.MaxUint32)) }

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) string() string {
	n := int(d.uint(maxNameBytes))
	if n > len(d.b) {
		d.bad, d.b = true, nil
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func (d *decoder) strings() []string {
	n := int(d.uint(maxPatterns))
	var out []string
	for i := 0; i < n && !d.bad; i++ {
		out = append(out, d.string())
	}
	return out
}

// box reads one folder.
func (d *decoder) box() box {
	b := box{name: d.string(), epoch: epoch{validity: d.uid()}, low: d.uid(), until: d.uid(), mark: d.uid(), since: d.int(), markAt: d.int()}
	b.done = d.spans(b.low)
	if d.version == 1 {
		return b
	}
	b.born, b.witness = d.int(), witness{uid: d.uid(), at: d.int(), size: d.int()}
	b.life, b.again, b.fresh = d.uid(), d.uid(), d.uint(1) == 1
	b.gaps, b.known, b.over = d.spans(0), d.spans(0), d.spans(0)
	if d.version > 2 {
		b.proofs = d.proofs()
	}
	return b
}

// spans reads a set, and refuses what append would not write.
func (d *decoder) spans(from uint32) spans {
	n := int(d.uint(uint64(len(d.b)) / 2)) // two octets a span at least
	if d.bad || n == 0 {
		return nil
	}
	out := make(spans, 0, n+1)
	at := uint64(from)
	for i := 0; i < n && !d.bad; i++ {
		lo := at + d.uint(math.MaxUint32)
		hi := lo + d.uint(math.MaxUint32)
		if hi > math.MaxUint32 || lo == at || (i > 0 && lo == at+1) {
			d.bad = true
			return nil
		}
		out = append(out, span{uint32(lo), uint32(hi)})
		at = hi
	}
	return out
}

// decodeCursor reads a Cursor; nil is the position of a log without a snapshot.
func decodeCursor(c ingest.Cursor) (*position, error) {
	if c == nil {
		return nil, nil
	}
	if len(c) > maxCursor || len(c) < len(cursorMagic) {
		return nil, fmt.Errorf("decode position of %d bytes: %w", len(c), errCursor)
	}
	magic := string(c[:len(cursorMagic)])
	if magic[:3] == cursorMagic[:3] && magic > cursorMagic {
		return nil, fmt.Errorf("imap position of version %d: %w", magic[3], publish.ErrNewerFormat)
	}
	if magic != cursorMagic && magic != cursorMagic2 && magic != cursorMagic1 {
		return nil, fmt.Errorf("decode position of %d bytes: %w", len(c), errCursor)
	}
	d := &decoder{b: c[len(cursorMagic):], version: magic[3]}
	p := &position{folders: d.strings(), exclude: d.strings()}
	n := int(d.uint(maxBoxes))
	for i := 0; i < n && !d.bad; i++ {
		b := d.box()
		if b.name == "" || (i > 0 && b.name <= p.boxes[i-1].name) {
			d.bad = true
			break
		}
		p.boxes = append(p.boxes, b)
	}
	if d.bad || len(d.b) > 0 {
		return nil, fmt.Errorf("decode position of %d bytes: %w", len(c), errCursor)
	}
	return p, nil
}

// fold marks the entries of the folders and epochs that p knows as finished, whatever came of them. A
// reset begins its folder's next epoch.
func (p *position) fold(entries iter.Seq[ingest.Entry]) (changed bool) {
	uids := map[*box]*folded{}
	for e := range entries {
		if name, next, ok := parseReset(e.Ref); ok {
			if b := p.find(name); b != nil && b.epoch != next {
				uids[b].into(b)
				delete(uids, b)
				b.renew(next)
				changed = true
			}
			continue
		}
		r, ok := parseRef(e.Ref)
		if !ok {
			continue
		}
		if b := p.find(r.folder); b != nil && b.epoch == r.epoch && !b.finished(r.uid) {
			if uids[b] == nil {
				uids[b] = &folded{}
			}
			uids[b].add(r.uid, e.Type)
			if proves(e) {
				uids[b].proofs = append(uids[b].proofs, proofOf(r.uid, e.Content))
			}
		}
	}
	for b, l := range uids {
		l.into(b)
	}
	return changed || len(uids) > 0
}

// folded are UIDs on their way into a folder's position.
type folded struct {
	done, known, over []uint32
	proofs            []proof
}

func (f *folded) add(uid uint32, as publish.EventType) {
	f.done = append(f.done, uid)
	switch as {
	case ingest.Recognised:
		f.known = append(f.known, uid)
	case ingest.PassedOver:
		f.over = append(f.over, uid)
	}
}

func (f *folded) into(b *box) {
	if f == nil {
		return
	}
	b.done, b.known, b.over = b.done.addAll(f.done), b.known.addAll(f.known), b.over.addAll(f.over)
	b.gaps = b.gaps.without(f.done)
	b.prove(f.proofs)
	b.tidy()
}
