package ingest

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"mailflume/publish"
)

// keys are the contents of what was published, so that messages are known again when the server has
// made all their Refs void. They lie in blobs of the mailbox's store, the newest in the snapshot that
// names those blobs. What no blob can be asked for is not forgotten silently: lost says until when.
//
// A folder has lives: each reset begins one. A message that was recognised belongs to the new life
// too, so that of two messages with the same octets each is known by one that was published.
type keys struct {
	scope    func(Ref) string // what a Ref becomes void with
	segments []segment        // oldest first
	loose    []byte           // the records that no segment holds yet
	count    int              // of them
	tag      tag              // of the last one
	lives    map[string]life  // of the scopes that had a reset
	lost     time.Time        // contents of events stored at or before are not all known; zero: all are
	latest   time.Time        // when the last loose one was stored
}

// tag is what all records behind it in a segment have in common.
type tag struct {
	scope string
	life  uint64
}

// newHere marks the scope of what was published after a reset and had not been before. It takes the place of
// nothing that was: what was recognised may be forgotten by a crash, and these events are not.
const newHere = "\x00"

// segment is a blob of records.
type segment struct {
	sum   [32]byte
	count uint64
	last  time.Time // when its last event was stored
}

// life counts the resets of a scope, and those within a day.
type life struct {
	number uint64
	since  time.Time
	recent uint64
}

const (
	segmentMagic = "MFK\x01"
	segmentKeys  = 512       // records that are worth a blob
	maxLoose     = 64 << 10  // records that wait for a store
	maxKeys      = 1_000_000 // of a mailbox; 20 bytes each
	flushWait    = 5 * time.Second
	maxSegment   = 8 << 20 // bytes of one that is read
	resetWindow  = 24 * time.Hour
)

// add remembers the content of an event, or of a message that was recognised.
func (k *keys) add(e Entry) {
	scope := k.scope(e.Ref)
	switch {
	case e.Type == publish.Reset:
		l := k.lives[scope]
		if l.number++; e.Time.Sub(l.since) >= resetWindow {
			l.since, l.recent = e.Time, 0
		}
		l.recent++
		k.lives[scope] = l
	case e.Type == PassedOver:
	case e.Type == Renamed: // it is in this life under its first Ref
	case e.Content != publish.Content{}:
		t := tag{scope, k.life(e.Ref)}
		if t.life > 0 && e.Type != Recognised {
			t.scope += newHere
		}
		k.loose = appendRecord(k.loose, t, e.Content, t != k.tag || k.count == 0)
		k.tag, k.latest = t, e.Time
		k.count++
	case e.Type == publish.Received:
		k.lost = later(k.lost, e.Time)
	}
}

// life is the number of resets that a Ref's scope had.
func (k *keys) life(r Ref) uint64 { return k.lives[k.scope(r)].number }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// recent is how many resets a scope had in the day before now.
func (k *keys) recent(scope string, now time.Time) uint64 {
	if l := k.lives[scope]; now.Sub(l.since) < resetWindow {
		return l.recent
	}
	return 0
}

// flush moves the loose records to the store once there are enough of them. A store that is away keeps
// nobody waiting: they travel in the snapshot until it takes them.
func (k *keys) flush(ctx context.Context, store publish.BlobStore) {
	if k.count < segmentKeys {
		return
	}
	s, err := k.segment(ctx, store)
	switch {
	case err == nil:
		k.segments = append(k.segments, s)
	case store != nil && k.count < maxLoose:
		return
	default:
		k.lost = later(k.lost, k.latest)
	}
	k.loose, k.count = nil, 0
	k.bound()
}

var errNoStore = errors.New("there is no store for what was published")

// segment stores the loose records.
func (k *keys) segment(ctx context.Context, store publish.BlobStore) (segment, error) {
	s := segment{count: uint64(k.count), last: k.latest}
	if store == nil {
		return s, errNoStore
	}
	ctx, cancel := context.WithTimeout(ctx, flushWait)
	defer cancel()
	blob, err := store.Put(ctx, "application/octet-stream", io.MultiReader(strings.NewReader(segmentMagic), bytes.NewReader(k.loose)))
	if err != nil {
		return s, err
	}
	if n, err := hex.Decode(s.sum[:], []byte(blob.SHA256)); err != nil || n != len(s.sum) {
		return s, fmt.Errorf("%w: the store names it %q", errSegment, blob.SHA256)
	}
	return s, nil
}

// bound forgets the oldest contents.
func (k *keys) bound() {
	var all uint64
	for _, s := range k.segments {
		all += s.count
	}
	for ; all > maxKeys; k.segments = k.segments[1:] {
		k.lost = later(k.lost, k.segments[0].last)
		all -= k.segments[0].count
	}
}

// each yields every record, the oldest first. Segments that the store does not have count as lost.
func (k *keys) each(ctx context.Context, store publish.BlobStore, yield func(tag, publish.Content)) error {
	open, _ := store.(publish.BlobOpener)
	for _, s := range k.segments {
		b, err := readSegment(ctx, open, s)
		if err == nil {
			err = eachRecord(b, yield)
		}
		if errors.Is(err, publish.ErrNotFound) || errors.Is(err, publish.ErrCorrupt) || errors.Is(err, errSegment) {
			k.lost = later(k.lost, s.last)
		} else if err != nil {
			return fmt.Errorf("read the contents that were published: %w", err)
		}
	}
	return eachRecord(append([]byte(segmentMagic), k.loose...), yield)
}

func readSegment(ctx context.Context, open publish.BlobOpener, s segment) ([]byte, error) {
	if open == nil {
		return nil, publish.ErrNotFound
	}
	r, err := open.Open(ctx, hex.EncodeToString(s.sum[:]))
	if err != nil {
		return nil, err
	}
	defer r.Close() // read only
	return io.ReadAll(io.LimitReader(r, maxSegment))
}

// A record is 0, scope, life and nothing else, or the size plus one and the digest.
func appendRecord(b []byte, t tag, c publish.Content, tagged bool) []byte {
	if tagged {
		b = append(b, 0)
		b = binary.AppendUvarint(b, uint64(len(t.scope)))
		b = append(b, t.scope...)
		b = binary.AppendUvarint(b, t.life)
	}
	b = binary.AppendUvarint(b, uint64(c.Size)+1)
	return append(b, c.Sum[:]...)
}

var errSegment = errors.New("the contents that were published are not readable")

// eachRecord decodes a segment.
func eachRecord(b []byte, yield func(tag, publish.Content)) error {
	b, ok := bytes.CutPrefix(b, []byte(segmentMagic))
	if !ok {
		return fmt.Errorf("%w: unknown form", errSegment)
	}
	var t tag
	for len(b) > 0 {
		v, w := binary.Uvarint(b)
		if w <= 0 {
			return fmt.Errorf("%w: a size is cut off", errSegment)
		}
		if b = b[w:]; v == 0 {
			scope, rest, ok := cutBytes(b)
			number, w := binary.Uvarint(rest)
			if !ok || w <= 0 {
				return fmt.Errorf("%w: a folder is cut off", errSegment)
			}
			t, b = tag{string(scope), number}, rest[w:]
			continue
		}
		c := publish.Content{Size: int64(v - 1)}
		if len(b) < len(c.Sum) || c.Size < 0 {
			return fmt.Errorf("%w: a digest is cut off", errSegment)
		}
		b = b[copy(c.Sum[:], b):]
		yield(t, c)
	}
	return nil
}
