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
)

// position is a Cursor in the open: per folder what is finished.
type position struct {
	folders, exclude []string // the selection it was made for: a folder it would have taken is new on the server, not in the configuration
	boxes            []box    // sorted by name
}

// box is one folder in one epoch. A message is finished if its UID is at most low, or in done, or
// if it was there at the base and older than the configured start.
type box struct {
	name     string
	validity uint32
	low      uint32
	done     spans // above low
	since    int64 // Unix seconds; of the UIDs up to until, only those received then or later are wanted
	until    uint32
	// Servers with several writers let a UID become visible after a higher one. So low passes a UID
	// that does not exist only up to mark, the highest UID of a look at the server that was at
	// markAt (Unix seconds), at least lateUIDs ago.
	mark   uint32
	markAt int64
}

const (
	cursorMagic  = "mfi\x01"
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
func (b *box) finished(uid uint32) bool { return uid <= b.low || b.done.has(uid) }

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
	buf = binary.AppendUvarint(buf, uint64(len(b.done)))
	at := b.low
	for _, s := range b.done {
		buf = binary.AppendUvarint(buf, uint64(s.lo-at))
		buf = binary.AppendUvarint(buf, uint64(s.hi-s.lo))
		at = s.hi
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
	b   []byte
	bad bool
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

// box reads one folder, and refuses spans that encode would not write.
func (d *decoder) box() box {
	b := box{name: d.string(), validity: d.uid(), low: d.uid(), until: d.uid(), mark: d.uid(), since: d.int(), markAt: d.int()}
	n := int(d.uint(uint64(len(d.b)) / 2)) // two octets a span at least
	if d.bad || n == 0 {
		return b
	}
	b.done = make(spans, 0, n+1)
	at := uint64(b.low)
	for i := 0; i < n && !d.bad; i++ {
		lo := at + d.uint(math.MaxUint32)
		hi := lo + d.uint(math.MaxUint32)
		if hi > math.MaxUint32 || lo == at || (i > 0 && lo == at+1) {
			d.bad = true
			return b
		}
		b.done = append(b.done, span{uint32(lo), uint32(hi)})
		at = hi
	}
	return b
}

// decodeCursor reads a Cursor; nil is the position of a log without a snapshot.
func decodeCursor(c ingest.Cursor) (*position, error) {
	if c == nil {
		return nil, nil
	}
	if len(c) > maxCursor || len(c) < len(cursorMagic) || string(c[:len(cursorMagic)]) != cursorMagic {
		return nil, fmt.Errorf("decode position of %d bytes: %w", len(c), errCursor)
	}
	d := &decoder{b: c[len(cursorMagic):]}
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

// fold marks the entries of the folders and epochs that p knows as finished, whether they were
// received or quarantined.
func (p *position) fold(entries iter.Seq[ingest.Entry]) (changed bool) {
	uids := map[*box][]uint32{}
	for e := range entries {
		r, ok := parseRef(e.Ref)
		if !ok {
			continue
		}
		b := p.find(r.folder)
		if b != nil && b.validity == r.validity && !b.finished(r.uid) {
			uids[b] = append(uids[b], r.uid)
		}
	}
	for b, l := range uids {
		b.done = b.done.addAll(l)
		b.tidy()
	}
	return len(uids) > 0
}
