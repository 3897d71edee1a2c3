package natsjs

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
)

// Open implements publish.BlobOpener. The reader asks for one chunk at a time, holds one, and lives
// as long as ctx. It also reads what standard Object Store clients stored under the same name. If a
// writer renews the object meanwhile, the reader goes on in the new copy.
func (b *Blobs) Open(ctx context.Context, sha256hex string) (io.ReadCloser, error) {
	d, ok := parseDigest(sha256hex)
	if !ok {
		return nil, fmt.Errorf("open blob: %w: %q is not 64 lower-case hex digits", publish.ErrNotFound, clipName(sha256hex))
	}
	bk, err := b.bind(ctx, false)
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", sha256hex, err)
	}
	m, err := b.object(ctx, bk, d)
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", sha256hex, err)
	}
	return &blobReader{ctx: ctx, b: b, bk: bk, want: d, meta: m, hash: sha256.New()}, nil
}

func clipName(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

// object reads an object's metadata.
func (b *Blobs) object(ctx context.Context, bk *bucket, d blobDigest) (*blobMeta, error) {
	var got *blobMsg
	err := b.persist(ctx, func(ctx context.Context) (err error) {
		got, err = b.anyGet(ctx, bk, blobGet{Last: b.metaSubject(d.name())})
		if errorCode(err) == jetstream.JSErrCodeStreamNotFound {
			return publish.ErrNotFound
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if m := b.parseMeta(got); m.live() {
		return m, nil
	}
	return nil, publish.ErrNotFound
}

// blobReader reads an object's chunks in order. One goroutine owns it.
type blobReader struct {
	ctx  context.Context
	b    *Blobs
	bk   *bucket
	want blobDigest
	meta *blobMeta
	hash hash.Hash

	seq    uint64 // of the last chunk read
	chunks uint32 // read of this copy
	skip   uint64 // octets of this copy that an earlier copy already gave
	given  uint64 // octets hashed
	buf    []byte
	err    error
}

// Read implements io.Reader. The end is io.EOF only if the digest is right.
func (r *blobReader) Read(p []byte) (int, error) {
	for len(r.buf) == 0 {
		if r.err == nil {
			r.err = r.next()
		}
		if r.err != nil {
			return 0, r.err
		}
	}
	n := copy(p, r.buf)
	r.buf = r.buf[n:]
	return n, nil
}

// Close ends the reader; it holds nothing open.
func (r *blobReader) Close() error {
	r.buf, r.err = nil, fmt.Errorf("read blob %s: %w", r.want.hex(), io.ErrClosedPipe)
	return nil
}

// next fetches a chunk into buf, or says how the blob ended.
func (r *blobReader) next() error {
	if r.chunks == r.meta.Chunks {
		if blobDigest(r.hash.Sum(nil)) != r.want || r.given != r.meta.Size {
			return r.corrupt("the octets have another digest")
		}
		return io.EOF
	}
	// The chunks of a NUID are found by asking for the first one after the last, so gaps in the
	// sequence (other objects' chunks) do not matter.
	m, err := r.fetch()
	if err != nil {
		return fmt.Errorf("read blob %s: %w", r.want.hex(), err)
	}
	if m == nil {
		return r.renewed()
	}
	r.seq = m.Seq
	r.chunks++
	data := m.Data
	gone := min(r.skip, uint64(len(data)))
	r.skip -= gone
	r.buf = data[gone:]
	_, _ = r.hash.Write(r.buf) // never fails
	r.given += uint64(len(r.buf))
	if r.given > r.meta.Size {
		r.buf = nil
		return r.corrupt("there are more octets than were stored")
	}
	return nil
}

// fetch reads the chunk after seq; nil if the leader has none either.
func (r *blobReader) fetch() (m *blobMsg, err error) {
	err = r.b.persist(r.ctx, func(ctx context.Context) (err error) {
		m, err = r.b.anyGet(ctx, r.bk, blobGet{Seq: r.seq + 1, Next: r.b.chunkSubject(r.meta.NUID)})
		return err
	})
	return m, err
}

// renewed goes on in the copy that replaced the one whose chunk is gone.
func (r *blobReader) renewed() error {
	was := r.meta.NUID
	m, err := r.b.object(r.ctx, r.bk, r.want)
	switch {
	case errors.Is(err, publish.ErrNotFound):
		return r.corrupt("it was deleted while it was read")
	case err != nil:
		return fmt.Errorf("read blob %s: %w", r.want.hex(), err)
	case m.NUID == was:
		return r.corrupt(fmt.Sprintf("chunk %d of %d is missing", r.chunks+1, m.Chunks))
	}
	r.meta, r.seq, r.chunks, r.skip = m, 0, 0, r.given
	return nil
}

func (r *blobReader) corrupt(why string) error {
	return fmt.Errorf("read blob %s from bucket %s: %w: %s", r.want.hex(), r.b.bucket, publish.ErrCorrupt, why)
}
