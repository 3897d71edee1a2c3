package ingest

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// places bounds the open sessions to each host, over all mailboxes of the process.
type places struct {
	perHost int64
	mu      sync.Mutex
	hosts   map[string]*semaphore.Weighted
}

func newPlaces(perHost int) *places {
	return &places{perHost: int64(perHost), hosts: map[string]*semaphore.Weighted{}}
}

// take waits for a free place at host, in turn, and returns what frees it.
func (p *places) take(ctx context.Context, host string) (free func(), err error) {
	p.mu.Lock()
	s := p.hosts[host]
	if s == nil {
		s = semaphore.NewWeighted(p.perHost)
		p.hosts[host] = s
	}
	p.mu.Unlock()
	if err := s.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return func() { s.Release(1) }, nil
}

// memory is the byte budget that all buffered messages of the process share. A message takes what
// it may need before a byte of it is read, so that the sum never passes the budget.
type memory struct {
	sem   *semaphore.Weighted
	total int64
}

func newMemory(total int64) *memory {
	return &memory{sem: semaphore.NewWeighted(total), total: total}
}

// take waits for n bytes and returns what gives them back.
func (m *memory) take(ctx context.Context, n int64) (free func(), err error) {
	n = min(n, m.total)
	if err := m.sem.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return sync.OnceFunc(func() { m.sem.Release(n) }), nil
}

// tryTake is take without waiting.
func (m *memory) tryTake(n int64) (free func(), ok bool) {
	n = min(n, m.total)
	if !m.sem.TryAcquire(n) {
		return nil, false
	}
	return sync.OnceFunc(func() { m.sem.Release(n) }), true
}
