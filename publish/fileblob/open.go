package fileblob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"mailflume/publish"
)

// Reader reads the blobs of the folder dir and changes nothing in it. A folder that is missing has none.
func Reader(dir string) (publish.BlobOpener, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open blob folder: %w", classify(err))
	}
	return &Store{dir: abs}, nil
}

// Open implements publish.BlobOpener. The name is checked first: it comes from an event or a command
// line, and nothing but a digest may become a path.
func (s *Store) Open(ctx context.Context, sum string) (io.ReadCloser, error) {
	if b, err := hex.DecodeString(sum); err != nil || len(b) != sha256.Size || hex.EncodeToString(b) != sum {
		return nil, fmt.Errorf("open blob: %w: %.80q is not 64 lower-case hex digits", publish.ErrNotFound, sum)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	f, err := os.Open(s.path(sum))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open blob: %w: %w", publish.ErrNotFound, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open blob: %w", classify(err))
	}
	return &reader{ctx: ctx, f: f, want: sum, hash: sha256.New()}, nil
}

// reader verifies while it reads. One goroutine owns it.
type reader struct {
	ctx  context.Context
	f    *os.File
	want string
	hash hash.Hash
	err  error
}

func (r *reader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if err := r.ctx.Err(); err != nil {
		return 0, fmt.Errorf("read blob %s: %w", r.want, err)
	}
	n, err := r.f.Read(p)
	_, _ = r.hash.Write(p[:n]) // never fails
	switch {
	case err == io.EOF && hex.EncodeToString(r.hash.Sum(nil)) != r.want:
		r.err = fmt.Errorf("read blob %s: %w", r.f.Name(), publish.ErrCorrupt)
	case err == io.EOF:
		r.err = io.EOF
	case err != nil:
		r.err = fmt.Errorf("read blob: %w", classify(err))
	}
	return n, r.err
}

// Close implements io.Closer.
func (r *reader) Close() error {
	r.err = fmt.Errorf("read blob %s: %w", r.want, fs.ErrClosed)
	return r.f.Close()
}

// classify wraps an error of the file system in the sentinel that tells callers what to do. A folder
// that is gone is ErrUnavailable and not made again: its disk may not be mounted.
func classify(err error) error {
	kind := publish.ErrUnavailable
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		kind = publish.ErrFull
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		kind = publish.ErrDenied
	}
	return fmt.Errorf("%w (%w): %w", publish.ErrBlobs, kind, err)
}
