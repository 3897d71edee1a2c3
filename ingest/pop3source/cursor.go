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
	"strconv"
	"time"

	"mailflume/ingest"
	"mailflume/publish"
)

// The cursor's layout: version, flags, key, hour of the last marks, life, base, number of entries; then
// the 8-byte digests in ascending order; then for each digest, in that order, its attributes as a
// varint and its content (see entry). 100,000 UIDLs take 1.7 MB, 2.1 MB if all of them are missing.
// Version 2 had no contents, version 1 neither life nor base.
const (
	cursorVersion = 3
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
	published bool   // it was; else it was passed over or set aside
	aside     bool   // and not passed over
	known     bool   // under another Ref
	heir      bool   // and that Ref may still be among the entries
	deleted   bool   // by us: it has not vanished
	content   uint64 // keyed digest of its octets, or of its announced size if they were not read; 0: not known
	missing   uint32 // hour since which no list had it; 0: the last list had it
	here      bool   // in the list of this session; not part of the cursor
}

// The attributes of an entry: flags below the hour. Before version 3 there were only the first two.
const (
	attrPublished = 1 << iota
	attrKnown
	attrHeir
	attrDeleted
	attrContent
	attrAside
	attrBits  = iota
	attrBits2 = 2
	attrBits1 = 1
)

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
		rest, ok := e.decode(attributes, c[0])
		if !ok {
			return nil, fmt.Errorf("%w: attributes", errCursor)
		}
		attributes = rest
	}
	if len(attributes) > 0 {
		return nil, fmt.Errorf("%w: %d octets too many", errCursor, len(attributes))
	}
	return p, nil
}

// decode reads the attributes and the content of an entry off the front of b.
func (e *entry) decode(b []byte, version byte) (rest []byte, ok bool) {
	v, used := binary.Uvarint(b)
	bits := map[byte]int{1: attrBits1, 2: attrBits2, cursorVersion: attrBits}[version]
	if used <= 0 || v>>bits > math.MaxUint32 {
		return nil, false
	}
	b = b[used:]
	e.missing = uint32(v >> bits)
	v &= 1<<bits - 1
	e.published, e.known, e.heir, e.deleted, e.aside = v&attrPublished != 0, v&attrKnown != 0, v&attrHeir != 0, v&attrDeleted != 0, v&attrAside != 0
	if v&attrContent == 0 {
		return b, true
	}
	if len(b) < digestSize {
		return nil, false
	}
	e.content = binary.BigEndian.Uint64(b)
	return b[digestSize:], e.content != 0
}

func (e *entry) append(b []byte) []byte {
	v := uint64(e.missing) << attrBits
	for i, on := range []bool{e.published, e.known, e.heir, e.deleted, e.content != 0, e.aside} {
		if on {
			v |= 1 << i
		}
	}
	if b = binary.AppendUvarint(b, v); e.content != 0 {
		b = binary.BigEndian.AppendUint64(b, e.content)
	}
	return b
}

// encode writes equal positions as equal octets.
func (p *position) encode() ingest.Cursor {
	b := make([]byte, 0, headerSize+len(p.entries)*(2*digestSize+2))
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
		b = e.append(b)
	}
	return b
}

// digest is the short name of a message in the position.
func (p *position) digest(r ingest.Ref) uint64 { return p.keyed(string(r)) }

// content is the short name of a message's octets.
func (p *position) content(c publish.Content) uint64 {
	if c == (publish.Content{}) {
		return 0
	}
	return p.keyed("octets " + c.String())
}

// sized is the short name of what is known of octets that nobody has read.
func (p *position) sized(announced int64) uint64 {
	if announced < 0 {
		return 0
	}
	return p.keyed("size " + strconv.FormatInt(announced, 10))
}

func (p *position) keyed(s string) uint64 {
	b := make([]byte, 0, 256)
	sum := sha256.Sum256(append(append(b, p.key[:]...), s...))
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
	slices.SortStableFunc(more, func(a, b entry) int { return cmp.Compare(a.digest, b.digest) })
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
	places := map[uint64]int{} // in more
	changed := false
	for e := range entries {
		if life, ok := parseReset(e.Ref); ok && p.based && life > p.life {
			p.life, p.judging, p.fresh, changed = life, true, true, true
		}
		if !isRef(e.Ref) {
			continue // states and resets of the mailbox are not messages
		}
		d := p.digest(e.Ref)
		if i, held := p.find(d); held {
			changed = p.entries[i].become(e.Type, p.content(e.Content)) || changed
			continue
		}
		i, again := places[d]
		if !again {
			i, places[d] = len(more), len(more)
			more = append(more, entry{digest: d})
		}
		more[i].become(e.Type, p.content(e.Content))
	}
	if len(more) == 0 && !changed {
		return bytes.Clone(at), nil
	}
	p.add(more)
	return p.encode(), nil
}

// become notes what came of a message. One that was passed over or set aside may be published later.
func (e *entry) become(as publish.EventType, content uint64) (changed bool) {
	was := *e
	switch as {
	case publish.Received:
		e.published = true
	case publish.Quarantined:
		e.aside = e.aside || !e.published
	case ingest.PassedOver:
		e.heir = e.heir || e.content == 0 && content != 0
	case ingest.Recognised, ingest.Renamed:
		if !e.published {
			e.published, e.known, e.heir = true, true, content != 0
		}
	case ingest.Settled:
		e.deleted = e.deleted || e.missing == 0
	}
	if content != 0 && as != ingest.Settled {
		e.content = content
	}
	return *e != was
}

// positionError classifies what decode returns: neither kind heals by itself.
func positionError(err error) error {
	f := ingest.FaultOf(err)
	if errors.Is(err, errCursor) {
		f = ingest.Fault{Class: ingest.Permanent, Code: ingest.CodeUnknown}
	}
	return &ingest.Error{Fault: f, Op: "pop3 position", Err: err}
}
