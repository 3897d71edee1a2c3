package s3blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"time"

	"github.com/minio/minio-go/v7"

	"mailflume/publish"
)

// stall is how long a read may wait for the next octets before the connection is called dead.
const stall = time.Minute

// maxBreaks is how often in a row a connection may break without bringing an octet.
const maxBreaks = 5

// Open implements publish.BlobOpener. The name is checked first: it comes from an event or a command
// line, and nothing but a digest may become a key. A connection that breaks is opened again where it
// broke.
func (s *Store) Open(ctx context.Context, sum string) (io.ReadCloser, error) {
	if b, err := hex.DecodeString(sum); err != nil || len(b) != sha256.Size || hex.EncodeToString(b) != sum {
		return nil, fmt.Errorf("open blob: %w: %.80q is not 64 lower-case hex digits", publish.ErrNotFound, sum)
	}
	r := &reader{s: s, ctx: ctx, want: sum, hash: sha256.New()}
	if err := r.open(); err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	return r, nil
}

// reader verifies while it reads. One goroutine owns it.
type reader struct {
	s      *Store
	ctx    context.Context //nolint:containedctx // of the Open that made it
	want   string
	hash   hash.Hash
	at     int64 // octets read
	size   int64
	body   io.ReadCloser // nil: to be opened at at
	cancel context.CancelFunc
	breaks int // since the last octet
	err    error
}

// open asks for the octets that are missing.
func (r *reader) open() error {
	return r.s.persist(r.ctx, func(context.Context) error {
		// The body outlives the attempt: its reads are watched one by one.
		ctx, cancel := context.WithCancel(r.ctx)
		watch := time.AfterFunc(stall, cancel)
		defer watch.Stop()
		var opt minio.GetObjectOptions
		if r.at > 0 {
			_ = opt.SetRange(r.at, 0) // fails for what is no range
		}
		body, info, header, err := r.s.api.GetObject(ctx, r.s.o.Bucket, r.s.blobKey(r.want), opt)
		if err == nil && r.at > 0 && header.Get("Content-Range") == "" {
			_, err = io.CopyN(io.Discard, body, r.at) // a server without ranges
		} else if err == nil {
			r.size = r.at + info.Size
		}
		if err != nil {
			cancel()
			if body != nil {
				_ = body.Close()
			}
			return err
		}
		r.body, r.cancel = body, cancel
		return nil
	})
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	for len(p) > 0 && r.err == nil {
		if r.body == nil {
			if err := r.open(); err != nil {
				r.err = fmt.Errorf("read blob: %w", err)
				break
			}
		}
		n, err := r.watched(p)
		_, _ = r.hash.Write(p[:n]) // never fails
		if r.at += int64(n); n > 0 {
			r.breaks = 0
		}
		if err != nil {
			r.end(err)
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, r.err
}

// watched is a read that does not wait for ever.
func (r *reader) watched(p []byte) (int, error) {
	watch := time.AfterFunc(stall, r.cancel)
	defer watch.Stop()
	return r.body.Read(p)
}

// end judges the end of a body: that of the octets, or only of a connection.
func (r *reader) end(err error) {
	r.shut()
	r.breaks++
	switch {
	case r.at < r.size && r.ctx.Err() != nil:
		r.err = fmt.Errorf("read blob: %w", r.ctx.Err())
	case r.at < r.size && r.breaks > maxBreaks:
		r.err = fmt.Errorf("read blob: %w", r.s.masked(classify(err)))
	case r.at < r.size: // the rest is asked for
	case hex.EncodeToString(r.hash.Sum(nil)) != r.want:
		r.err = fmt.Errorf("read blob %s: %w", r.s.blobKey(r.want), publish.ErrCorrupt)
	default:
		r.err = io.EOF
	}
}

func (r *reader) shut() {
	if r.body != nil {
		r.cancel()
		_ = r.body.Close()
		r.body = nil
	}
}

// Close implements io.Closer.
func (r *reader) Close() error {
	r.shut()
	r.err = fmt.Errorf("read blob %s: %w", r.want, fs.ErrClosed)
	return nil
}
