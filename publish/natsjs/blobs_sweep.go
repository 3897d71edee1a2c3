package natsjs

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"mailflume/publish"
)

// SweepAge is the usual age for Sweep.
const SweepAge = 24 * time.Hour

// Sweep removes chunks that no metadata names: what is left of writers that died, or were cut off
// before they could clean up. Only objects whose last chunk is older than olderThan are touched
// (SweepAge if it is not positive); less than two hours is safe only while nobody writes. It
// returns the number of objects removed. Memory: eight bytes for each object of the bucket, and one
// page of the server's subject list.
func (b *Blobs) Sweep(ctx context.Context, olderThan time.Duration) (removed int, err error) {
	if olderThan <= 0 {
		olderThan = SweepAge
	}
	bk, err := b.bind(ctx, false)
	if err != nil {
		return 0, fmt.Errorf("sweep: %w", err)
	}
	s := &sweep{b: b, bk: bk, olderThan: olderThan, seed: maphash.MakeSeed()}
	// Names first, chunks second: whatever is committed in between has chunks too young to go.
	if err := s.names(ctx); err != nil {
		return 0, fmt.Errorf("sweep bucket %s: %w", b.bucket, err)
	}
	for offset := 0; ; {
		page, err := s.page(ctx, offset)
		if err != nil {
			return s.removed, fmt.Errorf("sweep bucket %s: %w", b.bucket, err)
		}
		gone, err := s.chunks(ctx, page)
		if err != nil {
			return s.removed, fmt.Errorf("sweep bucket %s: %w", b.bucket, err)
		}
		offset += len(page.State.Subjects) - gone // the list closes up behind what was removed
		if len(page.State.Subjects) == 0 || offset >= page.Total-gone {
			return s.removed, nil
		}
	}
}

type sweep struct {
	b         *Blobs
	bk        *bucket
	olderThan time.Duration
	seed      maphash.Seed
	named     []uint64 // hashes of the NUIDs in use, sorted: a collision spares an orphan, no more
	removed   int
}

// names collects the NUIDs of all metadata, one read each: no consumer, so no further permission.
func (s *sweep) names(ctx context.Context) error {
	for seq := uint64(1); ; {
		var m *blobMsg
		err := s.b.persist(ctx, func(ctx context.Context) (err error) {
			m, err = s.b.anyGet(ctx, s.bk, blobGet{Seq: seq, Next: "$O." + s.b.bucket + ".M.>"})
			return err
		})
		if err != nil {
			return err
		}
		if m == nil {
			slices.Sort(s.named)
			return nil
		}
		if t := s.b.parseMeta(m); !t.Deleted {
			s.named = append(s.named, maphash.String(s.seed, t.NUID))
		}
		seq = m.Seq + 1
	}
}

func (s *sweep) page(ctx context.Context, offset int) (p blobSubjects, err error) {
	err = s.b.persist(ctx, func(ctx context.Context) (err error) {
		p, err = s.b.subjects(ctx, s.b.chunkSubject(">"), offset)
		return err
	})
	return p, err
}

// chunks removes the orphans of a page and says how many subjects disappeared.
func (s *sweep) chunks(ctx context.Context, page blobSubjects) (gone int, err error) {
	prefix := s.b.chunkSubject("")
	for subject := range page.State.Subjects {
		id, ok := strings.CutPrefix(subject, prefix)
		if !ok || !validNUID(id) {
			continue // not a chunk that an Object Store client wrote
		}
		if _, used := slices.BinarySearch(s.named, maphash.String(s.seed, id)); used {
			continue
		}
		var last *blobMsg
		err := s.b.persist(ctx, func(ctx context.Context) (err error) {
			last, err = s.b.leaderGet(ctx, blobGet{Last: subject})
			return err
		})
		if err != nil {
			return gone, err
		}
		// The last chunk counts, not the first: a large upload over a slow line may take long. Both times are
		// the server's: this machine's clock may have been set since it was compared with the server's.
		if last == nil || page.Now.Sub(last.Time) <= s.olderThan {
			continue
		}
		if err := s.purge(ctx, subject, last.Seq); err != nil {
			return gone, err
		}
		gone++
		s.removed++
	}
	return gone, nil
}

// purge removes the chunks up to the one whose age was judged, none that came after.
func (s *sweep) purge(ctx context.Context, subject string, through uint64) error {
	return s.b.persist(ctx, func(ctx context.Context) error {
		var resp struct {
			Success bool `json:"success"`
		}
		err := s.b.api(ctx, "STREAM.PURGE", struct {
			Filter string `json:"filter"`
			Seq    uint64 `json:"seq"`
		}{subject, through + 1}, &resp)
		if err == nil && !resp.Success {
			return fmt.Errorf("%w: the server did not purge %s", publish.ErrUnavailable, subject)
		}
		return err
	})
}
