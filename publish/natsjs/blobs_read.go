package natsjs

import (
	"context"
	"fmt"
	"io"
	"sync"
)

// chunkPool lends buffers of three sizes, so that a thousand small mails in hand cost a few
// megabytes and not a quarter of a gigabyte.
type chunkPool struct{ classes [3]sync.Pool }

func classSize(i int) int { return 4 << 10 << (3 * i) } // 4 KiB, 32 KiB, 256 KiB

func (p *chunkPool) get(i int) []byte {
	if b, ok := p.classes[i].Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, classSize(i))
}

func (p *chunkPool) put(b []byte) {
	b = b[:cap(b)]
	for i := range p.classes {
		if len(b) == classSize(i) {
			p.classes[i].Put(&b)
		}
	}
}

// chunk reads the next chunk of at most size bytes into a borrowed buffer that grows with what is
// read. It is shorter than size only at the end of r, and empty if there is nothing more.
func (p *chunkPool) chunk(ctx context.Context, r io.Reader, size int) (chunk []byte, end bool, err error) {
	n := 0
	for i := range p.classes {
		next := p.get(i)
		if chunk != nil {
			copy(next, chunk[:n])
			p.put(chunk)
		}
		chunk = next
		m, end, err := fillChunk(ctx, r, chunk[n:min(size, len(chunk))])
		n += m
		if err != nil {
			p.put(chunk)
			return nil, false, err
		}
		if end || n == size {
			return chunk[:n], end, nil
		}
	}
	return chunk[:n], false, nil
}

// fillChunk reads until buf is full or r ends. It is not io.ReadFull because that one says
// ErrUnexpectedEOF for a short last chunk and for a reader that was cut off alike.
func fillChunk(ctx context.Context, r io.Reader, buf []byte) (n int, end bool, err error) {
	for empty := 0; n < len(buf); {
		if err := ctx.Err(); err != nil {
			return n, false, err
		}
		m, err := r.Read(buf[n:])
		if m < 0 || m > len(buf)-n {
			return n, false, fmt.Errorf("read the octets to store: the reader says it read %d bytes into %d", m, len(buf)-n)
		}
		n += m
		switch {
		case err == io.EOF:
			return n, true, nil
		case err != nil:
			return n, false, fmt.Errorf("read the octets to store: %w", err)
		case m > 0:
			empty = 0
		default:
			if empty++; empty > 100 {
				return n, false, fmt.Errorf("read the octets to store: %w", io.ErrNoProgress)
			}
		}
	}
	return n, false, nil
}
