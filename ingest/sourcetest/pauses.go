package sourcetest

import (
	"context"
	"iter"
	"maps"
	"sync"
	"time"

	"mailflume/publish"
)

// Pauses implements ingest.Pauses in memory, for any number of workers. It is safe for concurrent use.
type Pauses struct {
	mu     sync.Mutex
	paused map[publish.Key]time.Time
	news   chan struct{} // closed and replaced at every change
}

// NewPauses returns one in which nothing is paused.
func NewPauses() *Pauses {
	return &Pauses{paused: map[publish.Key]time.Time{}, news: make(chan struct{})}
}

// Paused implements ingest.Pauses.
func (p *Pauses) Paused(_ context.Context, box publish.Key) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, paused := p.paused[box]
	return paused, nil
}

// Pause implements ingest.Pauses.
func (p *Pauses) Pause(_ context.Context, box publish.Key, since time.Time) error {
	p.change(func() { p.paused[box] = since })
	return nil
}

// Resume implements ingest.Pauses.
func (p *Pauses) Resume(_ context.Context, box publish.Key) error {
	p.change(func() { delete(p.paused, box) })
	return nil
}

func (p *Pauses) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	close(p.news)
	p.news = make(chan struct{})
}

// Watch implements ingest.Pauses.
func (p *Pauses) Watch(ctx context.Context) iter.Seq[map[publish.Key]time.Time] {
	return func(yield func(map[publish.Key]time.Time) bool) {
		for ctx.Err() == nil {
			p.mu.Lock()
			paused, news := maps.Clone(p.paused), p.news
			p.mu.Unlock()
			if !yield(paused) {
				return
			}
			select {
			case <-news:
			case <-ctx.Done():
			}
		}
	}
}
