package sourcetest

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"
)

// Cluster is what workers know of each other, in memory: announcements that live for a while. It is
// safe for concurrent use and keeps the time of a synctest bubble.
type Cluster struct {
	life time.Duration

	mu      sync.Mutex
	workers map[string]*announced
	news    chan struct{} // closed and replaced at every change
	away    bool
	beats   int
	told    int
}

type announced struct {
	weight int
	list   string
	ends   time.Time
}

// NewCluster returns a cluster whose workers are gone when they did not announce themselves for life.
func NewCluster(life time.Duration) *Cluster {
	return &Cluster{life: life, workers: map[string]*announced{}, news: make(chan struct{})}
}

// Away lets every call fail, as a server that is away does. Announcements go on to expire.
func (c *Cluster) Away(on bool) {
	c.mu.Lock()
	c.away = on
	c.mu.Unlock()
	c.change()
}

// Traffic returns how many announcements were written, and how many were delivered to watchers.
func (c *Cluster) Traffic() (beats, delivered int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.beats, c.told
}

// Member returns the cluster as one worker sees it.
func (c *Cluster) Member(worker string, weight int) *Member {
	return &Member{c: c, worker: worker, weight: weight}
}

// Member implements ingest.Membership for one worker.
type Member struct {
	c      *Cluster
	worker string
	weight int

	mu  sync.Mutex
	cut bool // neither heard nor hearing
}

var errAway = errors.New("the membership is away")

// Cut parts the worker from the cluster: it is not heard and hears nothing, as if it were frozen, dead
// or behind a broken network.
func (m *Member) Cut(on bool) {
	m.mu.Lock()
	m.cut = on
	m.mu.Unlock()
	m.c.change()
}

func (m *Member) isCut() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cut
}

func (c *Cluster) change() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.news)
	c.news = make(chan struct{})
}

// Beat implements ingest.Membership.
func (m *Member) Beat(ctx context.Context, list string) error {
	if m.isCut() {
		<-ctx.Done()
		return ctx.Err()
	}
	c := m.c
	c.mu.Lock()
	if c.away {
		c.mu.Unlock()
		return errAway
	}
	now := time.Now()
	c.beats++
	c.told += len(c.workers)
	old := c.workers[m.worker]
	c.workers[m.worker] = &announced{m.weight, list, now.Add(c.life)}
	changed := old == nil || old.list != list || !old.ends.After(now)
	c.mu.Unlock()
	if changed {
		c.change()
	}
	return nil
}

// Leave implements ingest.Membership.
func (m *Member) Leave(ctx context.Context) error {
	if m.isCut() {
		<-ctx.Done()
		return ctx.Err()
	}
	m.c.mu.Lock()
	if m.c.away {
		m.c.mu.Unlock()
		return errAway
	}
	delete(m.c.workers, m.worker)
	m.c.mu.Unlock()
	m.c.change()
	return nil
}

// Watch implements ingest.Membership.
func (m *Member) Watch(ctx context.Context) iter.Seq2[map[string]int, map[string]string] {
	return func(yield func(map[string]int, map[string]string) bool) {
		for ctx.Err() == nil {
			weights, lists, news, next := m.c.live(time.Now())
			if !m.isCut() && weights != nil && !yield(weights, lists) {
				return
			}
			var expired <-chan time.Time
			t := time.NewTimer(max(time.Until(next), 0))
			if !next.IsZero() {
				expired = t.C
			}
			select {
			case <-news:
			case <-expired:
			case <-ctx.Done():
			}
			t.Stop()
		}
	}
}

// live returns who is there, what to wait for, and when the next announcement ends. While the server
// is away nobody is told anything.
func (c *Cluster) live(now time.Time) (weights map[string]int, lists map[string]string, news <-chan struct{}, next time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.away {
		weights, lists = map[string]int{}, map[string]string{}
	}
	for id, a := range c.workers {
		if !a.ends.After(now) {
			continue
		}
		if next.IsZero() || a.ends.Before(next) {
			next = a.ends
		}
		if !c.away {
			weights[id], lists[id] = a.weight, a.list
		}
	}
	return weights, lists, c.news, next
}
