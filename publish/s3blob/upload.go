package s3blob

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/minio/minio-go/v7"

	"mailflume/publish"
)

const (
	tempDir   = "tmp/"
	cleanWait = 10 * time.Second // for cleaning up after a call that failed
)

// upload is a multipart upload to a temporary object. One goroutine owns it.
type upload struct {
	s     *Store
	key   string
	id    string
	parts []minio.CompletePart
	size  int64
	done  bool // complete: it is an object now
}

// large streams content whose first part is head, and has the server copy it to its name.
func (s *Store) large(ctx context.Context, in *source, head []byte) (publish.Blob, error) {
	u := &upload{s: s, key: s.key(tempDir + rand.Text())}
	defer u.clean(ctx)
	err := s.persist(ctx, func(ctx context.Context) (err error) {
		u.id, err = s.api.NewMultipartUpload(ctx, s.o.Bucket, u.key, minio.PutObjectOptions{})
		return err
	})
	if err != nil {
		return publish.Blob{}, err
	}
	h := sha256.New()
	for part := head; len(part) > 0; {
		_, _ = h.Write(part) // never fails
		if err := u.part(ctx, part); err != nil {
			return publish.Blob{}, err
		}
		if part, err = in.fill(part[:0], partSize); err != nil {
			return publish.Blob{}, err
		}
	}
	if err := u.complete(ctx); err != nil {
		return publish.Blob{}, err
	}
	b := publish.Blob{SHA256: hex.EncodeToString(h.Sum(nil)), Size: u.size}
	if have, err := s.renew(ctx, b.SHA256, b.Size); have || err != nil {
		return b, err
	}
	err = s.copy(ctx, s.blobKey(b.SHA256), u.key, u.size)
	if errors.Is(err, publish.ErrNotFound) {
		err = lost(u.key, err)
	}
	return b, err
}

// part sends one part; its octets stay in memory until the server has them.
func (u *upload) part(ctx context.Context, octets []byte) error {
	digest := sha256.Sum256(octets)
	n := len(u.parts) + 1
	var done minio.ObjectPart
	err := u.s.persist(ctx, func(ctx context.Context) (err error) {
		done, err = u.s.api.PutObjectPart(ctx, u.s.o.Bucket, u.key, u.id, n, bytes.NewReader(octets), int64(len(octets)),
			minio.PutObjectPartOptions{Sha256Hex: hex.EncodeToString(digest[:]), DisableContentSha256: true})
		return err
	})
	u.parts = append(u.parts, minio.CompletePart{PartNumber: n, ETag: done.ETag})
	u.size += int64(len(octets))
	return err
}

// complete makes the parts an object. If an answer is lost, the upload is gone when it is asked
// again: then the object must be there.
func (u *upload) complete(ctx context.Context) error {
	err := u.s.persist(ctx, func(ctx context.Context) error {
		_, err := u.s.api.CompleteMultipartUpload(ctx, u.s.o.Bucket, u.key, u.id, u.parts, minio.PutObjectOptions{})
		return err
	})
	u.done = err == nil || errors.Is(err, errNoUpload)
	if !errors.Is(err, errNoUpload) {
		return err
	}
	if info, serr := u.s.stat(ctx, u.key); serr != nil || info.Size != u.size {
		return lost(u.key, errors.Join(err, serr))
	}
	return nil
}

// lost says that the server no longer has what it acknowledged.
func lost(key string, err error) error {
	return fmt.Errorf("%w (%w): the server lost %s: %w", publish.ErrBlobs, publish.ErrUnavailable, key, err)
}

// abort ends an upload that is not complete; one that is gone is no failure.
func (u *upload) abort(ctx context.Context) error {
	err := u.s.persist(ctx, func(ctx context.Context) error {
		return u.s.api.AbortMultipartUpload(ctx, u.s.o.Bucket, u.key, u.id)
	})
	if errors.Is(err, errNoUpload) || errors.Is(err, publish.ErrNotFound) {
		return nil
	}
	return err
}

// clean removes what is temporary, also after ctx has ended. What it cannot remove is for Sweep.
func (u *upload) clean(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanWait)
	defer cancel()
	if u.id != "" && !u.done {
		_ = u.abort(ctx)
	}
	_ = u.s.persist(ctx, func(ctx context.Context) error {
		return u.s.api.RemoveObject(ctx, u.s.o.Bucket, u.key, minio.RemoveObjectOptions{})
	})
}
