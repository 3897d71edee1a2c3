package ingest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"sync"
	"time"

	"mailflume/publish"
)

// recall answers whether a content was published in the lives that a scope had before this one. It is
// safe for concurrent use.
type recall struct {
	old  []publish.Content // ascending, each as often as it was published in one life at the most
	lost time.Time         // see keys

	mu   sync.Mutex
	used map[publish.Content]int // recognised in this life
}

// recall reads the contents of all scopes that had a reset.
func (k *keys) recall(ctx context.Context, store publish.BlobStore) (map[string]*recall, error) {
	lives := map[tag][]publish.Content{}
	err := k.each(ctx, store, func(t tag, c publish.Content) {
		scope, fresh := strings.CutSuffix(t.scope, newHere)
		t.scope = scope
		if now := k.lives[scope].number; now > 0 && (!fresh || t.life < now) {
			lives[t] = append(lives[t], c)
		}
	})
	if err != nil {
		return nil, err
	}
	out := map[string]*recall{}
	for scope := range k.lives {
		out[scope] = &recall{lost: k.lost, used: map[publish.Content]int{}}
	}
	for t, all := range lives {
		c := out[t.scope]
		if t.life == k.lives[t.scope].number {
			for _, x := range all {
				c.used[x]++
			}
			continue
		}
		slices.SortFunc(all, compareContents)
		c.old = union(c.old, all)
	}
	return out, nil
}

func compareContents(a, b publish.Content) int {
	return cmp.Or(cmp.Compare(a.Size, b.Size), bytes.Compare(a.Sum[:], b.Sum[:]))
}

// union merges two ascending lists. What stands in both stands there as often as in the one that has
// more of it: a life's list tells what was recognised from the one before it.
func union(a, b []publish.Content) []publish.Content {
	if len(a) == 0 {
		return b
	}
	out := make([]publish.Content, 0, max(len(a), len(b)))
	for len(a) > 0 && len(b) > 0 {
		switch n := compareContents(a[0], b[0]); {
		case n < 0:
			out, a = append(out, a[0]), a[1:]
		case n > 0:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, a[0]), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// size reports whether a message of that size was published.
func (c *recall) size(n int64) bool {
	_, ok := slices.BinarySearchFunc(c.old, n, func(x publish.Content, n int64) int { return cmp.Compare(x.Size, n) })
	return ok
}

// take reports whether the content is one that was published and not recognised yet; now it is.
func (c *recall) take(x publish.Content) bool {
	i, ok := slices.BinarySearchFunc(c.old, x, compareContents)
	if !ok {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := i + c.used[x]
	if n >= len(c.old) || c.old[n] != x {
		return false
	}
	c.used[x]++
	return true
}

// use notes a content that was known without being asked for here.
func (c *recall) use(x publish.Content) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used[x]++
}

func contentOf(raw []byte) publish.Content {
	sum := sha256.Sum256(raw)
	c := publish.Content{Size: int64(len(raw))}
	copy(c.Sum[:], sum[:])
	return c
}
