package pop3source

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"mailflume/ingest"
	"mailflume/publish"
)

// The cursor's layout: version, flags, key, hour of the last marks, life, base, number of entries; then
// the 8-byte digests in ascending order; then for each digest, in that order, its attributes as a
// varint (see entry). 100,000 UIDLs take 0.9 MB, 1.2 MB if all of them are missing. Version 1 had no
// life and no base, and one attribute less.
const (
	cursorVersion = 2
	flagBased     = 1 // a Sync has seen the maildrop: start is decided
	flagJudging   = 2
	flagFresh     = 4
	keySize       = 16
	headerSize    = 1 + 1 + keySize + 4 + 4 + 8 + 4
	headerSize1   = headerSize - 4 - 8
	digestSize    = 8
	hour          = int64(time.Hour / time.Second)
)

var errCursor = errors.New("the position of this maildrop is damaged")

// position is a decoded cursor.
type position struct {
	based   bool
	key     [keySize]byte
	marked  uint32  // hour in which missing messages were last marked
	entries []entry // ascending by digest

	life    uint32 // counts the resets
	judging bool   // what is not finished may have been published in an earlier life
	fresh   bool   // and no Sync has looked at it yet
	since   int64  // Unix seconds: what was received before is not wanted; 0: all is, unknownBase: see Sync
}

// unknownBase is the base of a position that an older mailflume wrote.
const unknownBase = math.MinInt64

// entry is one finished message.
type entry struct {
	digest    uint64
	published bool   // an event went out for it; else it was skipped or quarantined
	known     bool   // in an earlier life
	missing   uint32 // hour since which no list had it; 0: the last list had it
}

// newPosition has a key of its own, so that nobody who chooses UIDLs can aim at a collision.
func newPosition() *position {
	p := &position{}
	_, _ = rand.Read(p.key[:]) // never fails (crypto/rand)
	return p
}

// decode reads a cursor; an empty one is the position of a log without a snapshot. Everything is
// checked: a position that is misread publishes a whole maildrop again.
func decode(c ingest.Cursor) (*position, error) {
	if len(c) == 0 {
		return &position{}, nil
	}
	if c[0] > cursorVersion {
		return nil, fmt.Errorf("pop3 position of version %d: %w", c[0], publish.ErrNewerFormat)
	}
	size := headerSize
	if c[0] == 1 {
		size = headerSize1
	}
	if c[0] == 0 || len(c) < size {
		return nil, fmt.Errorf("%w: header", errCursor)
	}
	p := &position{based: c[1]&flagBased != 0, key: [keySize]byte(c[2:]), marked: binary.BigEndian.Uint32(c[2+keySize:]), since: unknownBase}
	p.judging, p.fresh = c[1]&flagJudging != 0, c[1]&flagFresh != 0
	if c[0] > 1 {
		p.life = binary.BigEndian.Uint32(c[headerSize1-4:])
		p.since = int64(binary.BigEndian.Uint64(c[headerSize1:]))
	}
	n := int(binary.BigEndian.Uint32(c[size-4:]))
	digests := c[size:]
	if n > len(digests)/(digestSize+1) {
		return nil, fmt.Errorf("%w: %d messages in %d octets", errCursor, n, len(digests))
	}
	attributes := digests[n*digestSize:]
	p.entries = make([]entry, n)
	for i := range p.entries {
		e := &p.entries[i]
		e.digest = binary.BigEndian.Uint64(digests[i*digestSize:])
		if i > 0 && e.digest <= p.entries[i-1].digest {
			return nil, fmt.Errorf("%w: order", errCursor)
		}
		v, used := binary.Uvarint(attributes)
		if c[0] == 1 {
			v = v&1 | v>>1<<2
		}
		if used <= 0 || v > 1<<34-1 {
			return nil, fmt.Errorf("%w: attributes", errCursor)
		}
		e.published, e.known, e.missing = v&1 != 0, v&2 != 0, uint32(v>>2)
		attributes = attributes[used:]
	}
	if len(attributes) > 0 {
		return nil, fmt.Errorf("%w: %d octets too many", errCursor, len(attributes))
	}
	return p, nil
}

// encode writes equal positions as equal octets.
func (p *position) encode() ingest.Cursor {
	b := make([]byte, 0, headerSize+len(p.entries)*(digestSize+2))
	var flags byte
	for flag, on := range map[byte]bool{flagBased: p.based, flagJudging: p.judging, flagFresh: p.fresh} {
		if on {
			flags |= flag
		}
	}
	b = append(b, cursorVersion, flags)
	b = append(b, p.key[:]...)
	b = binary.BigEndian.AppendUint32(b, p.marked)
	b = binary.BigEndian.AppendUint32(b, p.life)
	b = binary.BigEndian.AppendUint64(b, uint64(p.since))
	b = binary.BigEndian.AppendUint32(b, uint32(len(p.entries)))
	for _, e := range p.entries {
		b = binary.BigEndian.AppendUint64(b, e.digest)
	}
	for _, e := range p.entries {
		v := uint64(e.missing) << 2
		if e.published {
			v |= 1
		}
		if e.known {
			v |= 2
		}
		b = binary.AppendUvarint(b, v)
	}
	return b
}

// digest is the short name of a message in the position.
func (p *position) digest(r ingest.Ref) uint64 {
	b := make([]byte, 0, 256)
	b = append(append(b, p.key[:]...), r...)
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}

// find returns the place of a digest and whether it is there.
func (p *position) find(d uint64) (int, bool) {
	return slices.BinarySearchFunc(p.entries, d, func(e entry, d uint64) int { return cmp.Compare(e.digest, d) })
}

// holds tells whether a message is finished.
func (p *position) holds(r ingest.Ref) bool {
	_, ok := p.find(p.digest(r))
	return ok
}

// add merges entries in; those that are held already stay as they are.
func (p *position) add(more []entry) {
	slices.SortFunc(more, func(a, b entry) int {
		if a.digest == b.digest && a.published {
			return -1 // quarantined first and published later is published
		}
		return cmp.Compare(a.digest, b.digest)
	})
	old := p.entries
	p.entries = make([]entry, 0, len(old)+len(more))
	for len(old) > 0 || len(more) > 0 {
		var e entry
		if len(more) == 0 || len(old) > 0 && old[0].digest <= more[0].digest {
			e, old = old[0], old[1:]
		} else {
			e, more = more[0], more[1:]
		}
		if n := len(p.entries); n == 0 || p.entries[n-1].digest != e.digest {
			p.entries = append(p.entries, e)
		}
	}
}

// Fold returns the position after the entries too. It is pure: on a log without a snapshot the
// entries are kept under an empty key until Sync makes the base of them.
func (s *Source) Fold(at ingest.Cursor, entries iter.Seq[ingest.Entry]) (ingest.Cursor, error) {
	p, err := decode(at)
	if err != nil {
		return nil, positionError(err)
	}
	var more []entry
	renewed := false
	for e := range entries {
		if life, ok := parseReset(e.Ref); ok && p.based && life > p.life {
			p.life, p.judging, p.fresh, renewed = life, true, true, true
		}
		if !isRef(e.Ref) {
			continue // states and resets of the mailbox are not messages
		}
		d := p.digest(e.Ref)
		if _, held := p.find(d); !held {
			known := e.Type == ingest.Recognised
			more = append(more, entry{digest: d, published: known || e.Type == publish.Received, known: known})
		}
	}
	if len(more) == 0 && !renewed {
		return bytes.Clone(at), nil
	}
	p.add(more)
	return p.encode(), nil
}

// positionError classifies what decode returns: neither kind heals by itself.
func positionError(err error) error {
	f := ingest.FaultOf(err)
	if errors.Is(err, errCursor) {
		f = ingest.Fault{Class: ingest.Permanent, Code: ingest.CodeUnknown}
	}
	return &ingest.Error{Fault: f, Op: "pop3 position", Err: err}
}
