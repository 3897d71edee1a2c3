package fileblob

import (
	"context"
	"fmt"
	"io"
)

// source reads for Put: it ends with its context, keeps the reader's own error apart from the
// disk's, and does not trust the reader's numbers.
type source struct {
	ctx   context.Context
	r     io.Reader
	err   error // what the reader failed with
	ended bool
}

func (s *source) Read(p []byte) (int, error) {
	if s.ended {
		return 0, io.EOF
	}
	for range emptyRead {
		if err := s.ctx.Err(); err != nil {
			s.err = err
			return 0, err
		}
		n, err := s.r.Read(p)
		switch {
		case n < 0 || n > len(p):
			s.err = fmt.Errorf("the reader says it read %d bytes into %d", n, len(p))
			return 0, s.err
		case err == io.EOF:
			s.ended = true
			return n, io.EOF
		case err != nil:
			s.err = fmt.Errorf("read the octets to store: %w", err)
			return 0, s.err
		case n > 0 || len(p) == 0:
			return n, nil
		}
	}
	s.err = fmt.Errorf("read the octets to store: %w", io.ErrNoProgress)
	return 0, s.err
}
