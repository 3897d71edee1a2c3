package publish

import (
	"context"
	"io"
)

// BlobStore keeps octets under their SHA-256. It is safe for concurrent use. Storing the same
// octets twice keeps one copy.
type BlobStore interface {
	// Put reads r to its end and returns only when the octets are stored. An error of r is returned
	// as it is (wrapped) and nothing stays behind; the stream before a failed chunk is never re-read.
	// Errors of the store itself wrap ErrUnavailable, ErrFull or ErrDenied.
	Put(ctx context.Context, mediaType string, r io.Reader) (Blob, error)
}

// BlobOpener reads what a BlobStore stored.
type BlobOpener interface {
	// Open finds octets by their lower-case hex SHA-256 (ErrNotFound) and returns them; reading to
	// the end verifies the digest and returns ErrCorrupt instead of io.EOF if it differs.
	Open(ctx context.Context, sha256 string) (io.ReadCloser, error)
}

// Blob tells where octets are stored.
type Blob struct {
	SHA256 string // lower-case hex of the stored octets
	Size   int64  // in bytes
	Ref    string // URI of the store: nats-obj://bucket/sha256-<hex>, file:///…; empty if only hashed
}
