package s3blob

import (
	"context"
	"fmt"
	"time"

	"github.com/minio/minio-go/v7"
)

// SweepAge is the usual age for Sweep: no upload takes that long.
const SweepAge = 24 * time.Hour

// Sweep removes what writers that died left behind: temporary objects and incomplete uploads that are
// older than olderThan (SweepAge if it is not positive). It returns how many it removed.
func (s *Store) Sweep(ctx context.Context, olderThan time.Duration) (removed int, err error) {
	if olderThan <= 0 {
		olderThan = SweepAge
	}
	before := time.Now().Add(-olderThan)
	objects, err := s.sweepObjects(ctx, before)
	if err != nil {
		return objects, fmt.Errorf("sweep %s: %w", s.Bucket(), err)
	}
	uploads, err := s.sweepUploads(ctx, before)
	if err != nil {
		err = fmt.Errorf("sweep %s: %w", s.Bucket(), err)
	}
	return objects + uploads, err
}

func (s *Store) sweepObjects(ctx context.Context, before time.Time) (removed int, err error) {
	ctx, cancel := context.WithCancel(ctx) // ends the client's listing when we end early
	defer cancel()
	for o := range s.api.ListObjectsIter(ctx, s.o.Bucket, minio.ListObjectsOptions{Prefix: s.key(tempDir), Recursive: true}) {
		if o.Err != nil {
			return removed, s.masked(classify(o.Err))
		}
		if !o.LastModified.Before(before) {
			continue
		}
		err := s.persist(ctx, func(ctx context.Context) error {
			return s.api.RemoveObject(ctx, s.o.Bucket, o.Key, minio.RemoveObjectOptions{})
		})
		if err != nil {
			return removed, err
		}
		removed++
	}
	return removed, ctx.Err()
}

// sweepUploads aborts uploads. A server that lists none by prefix (MinIO) drops stale ones itself.
func (s *Store) sweepUploads(ctx context.Context, before time.Time) (removed int, err error) {
	var page minio.ListMultipartUploadsResult
	for more := true; more; more = page.IsTruncated {
		key, id := page.NextKeyMarker, page.NextUploadIDMarker
		err := s.persist(ctx, func(ctx context.Context) (err error) {
			page, err = s.api.ListMultipartUploads(ctx, s.o.Bucket, s.key(tempDir), key, id, "", 1000)
			return err
		})
		if err != nil {
			return removed, err
		}
		for _, u := range page.Uploads {
			if !u.Initiated.Before(before) {
				continue
			}
			abort := upload{s: s, key: u.Key, id: u.UploadID}
			if err := abort.abort(ctx); err != nil {
				return removed, err
			}
			removed++
		}
	}
	return removed, nil
}

// Sweepable asks for what Sweep needs, or for a lifecycle rule of the bucket that does the same. It
// removes nothing.
func (s *Store) Sweepable(ctx context.Context) error {
	_, err := s.api.ListMultipartUploads(ctx, s.o.Bucket, s.key(tempDir), "", "", "", 1)
	if err == nil {
		return nil
	}
	rules, lerr := s.api.GetBucketLifecycle(ctx, s.o.Bucket)
	if lerr == nil {
		for _, r := range rules.Rules {
			if r.AbortIncompleteMultipartUpload.DaysAfterInitiation > 0 {
				return nil
			}
		}
	}
	return fmt.Errorf("list uploads: %w", s.masked(classify(err)))
}
