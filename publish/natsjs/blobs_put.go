package natsjs

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"mailflume/publish"
)

// rawMail is the media type of content that is new nearly every time.
const rawMail = "message/rfc822"

// Put implements publish.BlobStore. Content of up to 1 MiB is read and hashed first and sent only
// if the bucket has none of it; longer content is streamed, 256 KiB at a time, and gets its name at
// the end. Put holds 1.5 MiB at most. A Read that never returns cannot be interrupted by ctx: that
// is for the owner of r.
func (b *Blobs) Put(ctx context.Context, mediaType string, r io.Reader) (publish.Blob, error) {
	if err := ctx.Err(); err != nil {
		return publish.Blob{}, fmt.Errorf("store blob: %w", err)
	}
	p := &blobPut{b: b, r: r, mediaType: mediaType, size: b.chunkSize(), hash: sha256.New()}
	defer p.free()
	if err := p.readHead(ctx); err != nil {
		return publish.Blob{}, err
	}
	bk, err := b.bind(ctx, true)
	if err != nil {
		return publish.Blob{}, err
	}
	p.bk = bk
	if p.ended && p.total <= blobSmall {
		return p.small(ctx)
	}
	return p.large(ctx)
}

// chunkSize is 256 KiB, or less on a server whose messages are smaller.
func (b *Blobs) chunkSize() int {
	const headers = 4 << 10
	if m := int(b.c.nc.MaxPayload()) - headers; m > 0 {
		return min(blobChunk, m)
	}
	return blobChunk
}

// blobPut is one call of Put.
type blobPut struct {
	b         *Blobs
	bk        *bucket
	r         io.Reader
	mediaType string
	size      int // of a chunk
	hash      hash.Hash
	head      [][]byte // read and not yet sent
	total     int64
	ended     bool
}

func (p *blobPut) free() {
	for _, c := range p.head {
		p.b.bufs.put(c)
	}
	p.head = nil
}

// next reads and hashes one chunk.
func (p *blobPut) next(ctx context.Context) ([]byte, error) {
	c, end, err := p.b.bufs.chunk(ctx, p.r, p.size)
	if err != nil {
		return nil, err
	}
	p.ended = end
	p.total += int64(len(c))
	_, _ = p.hash.Write(c) // never fails
	return c, nil
}

// readHead reads on until it is known whether the content is small.
func (p *blobPut) readHead(ctx context.Context) error {
	for !p.ended && p.total <= blobSmall {
		if err := p.more(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *blobPut) digest() blobDigest { return blobDigest(p.hash.Sum(nil)) }

// small stores content that is in memory: it can begin anew when the server lost a part of it.
func (p *blobPut) small(ctx context.Context) (publish.Blob, error) {
	d := p.digest()
	leave, err := p.b.flight.enter(ctx, d)
	if err != nil {
		return publish.Blob{}, fmt.Errorf("store blob: %w", err)
	}
	defer leave()
	life := p.b.life() // before the write: if the connection changes under it, it is not remembered
	if p.b.recent.has(d, life) && p.b.same(ctx) {
		return p.b.blob(d, p.total), nil
	}
	for until := time.Now().Add(p.b.o.RetryFor); ; {
		err = p.smallOnce(ctx, d)
		if err == nil {
			p.b.recent.add(d, life, p.bk.recentFor())
			return p.b.blob(d, p.total), nil
		}
		if !errors.Is(err, errBlobLost) || time.Now().After(until) {
			return publish.Blob{}, blobFailed(err)
		}
		if err := blobPause(ctx, nil, 2); err != nil {
			return publish.Blob{}, blobFailed(err)
		}
	}
}

func (p *blobPut) smallOnce(ctx context.Context, d blobDigest) error {
	var old *blobMeta
	if p.mediaType != rawMail { // a mail is as good as never there: commit will tell
		var err error
		if old, err = p.b.lookup(ctx, p.bk, d); err != nil {
			return err
		}
		if old.live() {
			keep, err := p.b.keeps(ctx, p.bk, old, d)
			if keep || err != nil {
				return err
			}
		}
	}
	var err error
	u := p.b.newUpload(p.bk)
	for _, c := range p.head {
		if err = p.send(ctx, u, c); err != nil {
			break
		}
	}
	if err == nil {
		err = u.commit(ctx, d, p.mediaType, old)
	}
	if err != nil {
		u.discard(ctx)
	}
	return err
}

// large streams: what was sent is gone from memory, so a lost part ends it.
func (p *blobPut) large(ctx context.Context) (publish.Blob, error) {
	u := p.b.newUpload(p.bk)
	err := p.stream(ctx, u)
	// The digest is known only now: equal content may be there, and commit finds that out under the
	// metadata's fence, without a question before.
	d := p.digest()
	if err == nil {
		err = u.commit(ctx, d, p.mediaType, nil)
	}
	if err != nil {
		u.discard(ctx)
		return publish.Blob{}, blobFailed(err)
	}
	return p.b.blob(d, p.total), nil
}

// stream sends what was read so far and then the rest. While a chunk is on its way the next one is
// read and hashed; the chunk after it waits for the acknowledgement.
func (p *blobPut) stream(ctx context.Context, u *upload) error {
	for {
		if len(p.head) == 0 {
			return nil
		}
		sent := make(chan error, 1)
		go func(c []byte) { sent <- p.send(ctx, u, c) }(p.head[0])
		var failed error
		if len(p.head) == 1 && !p.ended {
			failed = p.more(ctx)
		}
		if err := errors.Join(<-sent, failed); err != nil {
			return err
		}
		p.b.bufs.put(p.head[0])
		p.head = p.head[1:]
	}
}

// more reads the next chunk into head.
func (p *blobPut) more(ctx context.Context) error {
	c, err := p.next(ctx)
	if err == nil {
		p.head = append(p.head, c)
	}
	return err
}

// send stores a chunk; the end of the content can be an empty one, which is none.
func (p *blobPut) send(ctx context.Context, u *upload, c []byte) error {
	if len(c) == 0 {
		return nil
	}
	return u.chunk(ctx, c)
}

// blobFailed adds what was done; a part that the server lost is an unavailable server to callers.
func blobFailed(err error) error {
	if errors.Is(err, errBlobLost) {
		err = fmt.Errorf("%w: %w", publish.ErrUnavailable, err)
	}
	return fmt.Errorf("store blob: %w", err)
}

// life counts the connections so far: what an earlier server acknowledged, the next may not have.
func (b *Blobs) life() uint64 { return b.c.nc.Stats().Reconnects }

// same says whether the bucket is still the one that what is remembered lies in.
func (b *Blobs) same(ctx context.Context) bool {
	if b.recent.sure() {
		return true
	}
	var p blobBucket
	return b.api(ctx, "STREAM.INFO", struct{}{}, &p) == nil && b.recent.belong(p.Created)
}

// recentFor is how long a stored blob is taken for granted.
func (bk *bucket) recentFor() time.Duration {
	if bk.maxAge > 0 {
		return min(recentFor, bk.maxAge/8)
	}
	return recentFor
}
