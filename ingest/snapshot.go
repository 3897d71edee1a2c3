package ingest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"mailflume/publish"
)

// snapshotMagic opens every snapshot; its last byte is the version. Version 1 had no contents.
const (
	snapshotMagic  = "MFS\x02"
	snapshotMagic1 = "MFS\x01"
)

// encode lays a snapshot out as magic, base, cursor, pending, keys, action; lengths and times are varints.
func (p *position) encode() []byte {
	b := []byte(snapshotMagic)
	b = appendBytes(b, p.base)
	b = appendBytes(b, p.cursor)
	b = binary.AppendUvarint(b, uint64(len(p.pending)))
	for _, d := range p.pending {
		b = appendBytes(b, d.ref)
		b = appendTime(b, d.at)
		b = binary.AppendUvarint(b, d.life)
		b = binary.AppendUvarint(b, uint64(d.content.Size))
		b = append(b, d.content.Sum[:]...)
	}
	b = p.keys.append(b)
	return append(b, p.action...)
}

// append writes the keys: segments, loose records with what they have in common, lives, times.
func (k *keys) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(k.segments)))
	for _, s := range k.segments {
		b = append(b, s.sum[:]...)
		b = binary.AppendUvarint(b, s.count)
		b = appendTime(b, s.last)
	}
	b = binary.AppendUvarint(b, uint64(k.count))
	b = appendBytes(b, k.loose)
	b = appendBytes(b, k.tag.scope)
	b = binary.AppendUvarint(b, k.tag.life)
	b = binary.AppendUvarint(b, uint64(len(k.lives)))
	for _, scope := range slices.Sorted(maps.Keys(k.lives)) {
		l := k.lives[scope]
		b = appendBytes(b, scope)
		b = binary.AppendUvarint(b, l.number)
		b = binary.AppendUvarint(b, l.recent)
		b = appendTime(b, l.since)
	}
	return appendTime(appendTime(b, k.lost), k.latest)
}

func appendBytes[T ~[]byte | ~string](b []byte, field T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(field))), field...)
}

// appendTime writes milliseconds, 0 for the zero time.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.AppendVarint(b, 0)
	}
	return binary.AppendVarint(b, t.UnixMilli())
}

var errSnapshot = errors.New("the snapshot of the position is not readable")

func (p *position) decode(b []byte) error {
	if len(b) == 0 {
		return nil // a log without a snapshot
	}
	d := &decoder{b: b}
	magic := string(d.take(len(snapshotMagic)))
	if magic != snapshotMagic && magic != snapshotMagic1 {
		if len(magic) == len(snapshotMagic) && magic[:3] == snapshotMagic[:3] && magic > snapshotMagic {
			return fmt.Errorf("snapshot of version %d: %w", magic[3], publish.ErrNewerFormat)
		}
		return fmt.Errorf("%w: it begins with %q", errSnapshot, b[:min(len(b), len(snapshotMagic))])
	}
	base, cursor := d.bytes(), d.bytes()
	if len(cursor) > 0 {
		p.base, p.cursor = bytes.Clone(base), bytes.Clone(cursor)
	}
	for range d.count(2) {
		w := due{ref: Ref(d.bytes()), at: d.time()}
		if magic != snapshotMagic1 {
			w.life = d.uint()
			w.content.Size = int64(d.uint())
			copy(w.content.Sum[:], d.take(len(w.content.Sum)))
		}
		p.pending = append(p.pending, w)
	}
	if magic == snapshotMagic1 {
		p.keys.lost = time.Now() // what was published so far is known by nothing but its Ref
	} else {
		p.keys.decode(d)
	}
	if d.bad {
		return fmt.Errorf("%w: it is cut off", errSnapshot)
	}
	p.saved = Action(d.b)
	return nil
}

func (k *keys) decode(d *decoder) {
	for range d.count(34) {
		var s segment
		copy(s.sum[:], d.take(len(s.sum)))
		s.count, s.last = d.uint(), d.time()
		k.segments = append(k.segments, s)
	}
	k.count, k.loose = int(d.uint()), bytes.Clone(d.bytes())
	k.tag = tag{string(d.bytes()), d.uint()}
	k.lives = map[string]life{}
	for range d.count(4) {
		scope := string(d.bytes())
		k.lives[scope] = life{number: d.uint(), recent: d.uint(), since: d.time()}
	}
	k.lost, k.latest = d.time(), d.time()
}

// decoder reads what encode writes. Once something is wrong everything is.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) fail() {
	d.b, d.bad = nil, true
}

func (d *decoder) take(n int) []byte {
	if n > len(d.b) {
		d.fail()
		return nil
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) uint() uint64 {
	v, w := binary.Uvarint(d.b)
	if w <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[w:]
	return v
}

// count reads how many things of at least so many bytes follow.
func (d *decoder) count(size int) int {
	n := d.uint()
	if n > uint64(len(d.b)/size) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) bytes() []byte {
	field, rest, ok := cutBytes(d.b)
	if !ok {
		d.fail()
		return nil
	}
	d.b = rest
	return field
}

func (d *decoder) time() time.Time {
	ms, w := binary.Varint(d.b)
	if w <= 0 {
		d.fail()
		return time.Time{}
	}
	d.b = d.b[w:]
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// cutBytes cuts a length-prefixed field off b.
func cutBytes(b []byte) (field, rest []byte, ok bool) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return nil, nil, false
	}
	return b[w : w+int(n)], b[w+int(n):], true
}
