package support

import (
	"bytes"
	"sync"
)

// Tail is a writer that keeps the last lines of what is written to it. It is safe for concurrent use.
type Tail struct {
	mu   sync.Mutex
	keep int
	buf  []byte
}

// NewTail returns a Tail that keeps about so many octets.
func NewTail(keep int) *Tail { return &Tail{keep: keep} }

// Write implements io.Writer; it never fails.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if len(t.buf) > 2*t.keep { // moved seldom, so that a line costs one copy
		rest := t.buf[len(t.buf)-t.keep:]
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			rest = rest[i+1:]
		}
		t.buf = append(make([]byte, 0, 2*t.keep), rest...)
	}
	return len(p), nil
}

// Bytes returns the lines that are kept, oldest first.
func (t *Tail) Bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.buf)
}
