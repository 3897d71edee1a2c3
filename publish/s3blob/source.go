package s3blob

import (
	"context"
	"fmt"
	"io"
	"slices"
)

const (
	firstRead = 64 << 10
	emptyRead = 100 // reads without a byte before a reader is called broken
)

// source reads for Put: it ends with its context and does not trust the reader's numbers.
type source struct {
	ctx   context.Context //nolint:containedctx // of one call
	r     io.Reader
	ended bool
}

// fill appends to buf what r has, up to limit octets in all. The buffer grows with what comes: most
// content is small.
func (s *source) fill(buf []byte, limit int) ([]byte, error) {
	for empty := 0; len(buf) < limit && !s.ended; {
		if err := s.ctx.Err(); err != nil {
			return nil, err
		}
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, min(max(len(buf), firstRead), limit-len(buf)))
		}
		room := buf[len(buf):min(cap(buf), limit)]
		n, err := s.r.Read(room)
		switch {
		case n < 0 || n > len(room):
			return nil, fmt.Errorf("the reader says it read %d bytes into %d", n, len(room))
		case err == io.EOF:
			s.ended = true
		case err != nil:
			return nil, fmt.Errorf("read the octets to store: %w", err)
		case n > 0:
			empty = 0
		default:
			if empty++; empty == emptyRead {
				return nil, fmt.Errorf("read the octets to store: %w", io.ErrNoProgress)
			}
		}
		buf = buf[:len(buf)+n]
	}
	return buf, nil
}
