package ingest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"mailflume/publish"
	"sync"
)

// blobs is a store in memory with faults.
type blobs struct {
	mu    sync.Mutex
	m     map[string][]byte
	fault func() error
}

func newBlobs() *blobs { return &blobs{m: map[string][]byte{}} }

func (b *blobs) Put(_ context.Context, _ string, r io.Reader) (publish.Blob, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return publish.Blob{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fault != nil {
		if err := b.fault(); err != nil {
			return publish.Blob{}, err
		}
	}
	sum := hexSum(data)
	b.m[sum] = data
	return publish.Blob{SHA256: sum, Size: int64(len(data)), Ref: "mem:" + sum}, nil
}

func (b *blobs) Open(_ context.Context, sum string) (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	data, ok := b.m[sum]
	if !ok {
		return nil, publish.ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func hexSum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func (b *blobs) has(sum string, want []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Equal(b.m[sum], want)
}
