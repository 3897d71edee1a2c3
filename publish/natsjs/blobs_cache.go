package natsjs

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"sync"
	"time"
)

// blobDigest is the SHA-256 of a blob.
type blobDigest [sha256.Size]byte

func (d blobDigest) hex() string { return hex.EncodeToString(d[:]) }

// name is the object's name in the bucket.
func (d blobDigest) name() string { return "sha256-" + d.hex() }

// object is the digest as the Object Store writes it into metadata.
func (d blobDigest) object() string { return "SHA-256=" + base64.URLEncoding.EncodeToString(d[:]) }

// parseDigest reads 64 lower-case hex digits.
func parseDigest(s string) (d blobDigest, ok bool) {
	b, err := hex.DecodeString(s)
	return blobDigest(append(b, make([]byte, sha256.Size)...)), err == nil && len(b) == sha256.Size && hex.EncodeToString(b) == s
}

const (
	recentMax = 4096
	recentFor = 3 * time.Minute
	sameFor   = 5 * time.Second // a bucket that was there is believed to be there
)

// recentBlobs remembers what was stored or seen a short while ago: the logo in every mail of a
// company is asked for once in a few minutes. It forgets everything when the connection was
// renewed, because the server behind it may have lost its tail, and when the bucket is another one:
// somebody has deleted it, and maybe another worker made it again.
type recentBlobs struct {
	mu      sync.Mutex
	life    uint64    // the connection's number of reconnects that the entries belong to
	created time.Time // the bucket that they belong to
	seen    time.Time // when that was there last
	order   list.List
	at      map[blobDigest]*list.Element
}

type recentBlob struct {
	d     blobDigest
	until time.Time
}

// has says whether d was stored a short while ago on this same connection.
func (r *recentBlobs) has(d blobDigest, life uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life != life {
		r.clear(life)
	}
	e, ok := r.at[d]
	return ok && time.Now().Before(e.Value.(recentBlob).until)
}

// add remembers d; life is the connection's when the write began.
func (r *recentBlobs) add(d blobDigest, life uint64, keep time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life > life {
		return
	}
	if r.life < life || r.at == nil {
		r.clear(life)
	}
	if e, ok := r.at[d]; ok {
		r.order.Remove(e)
	}
	r.at[d] = r.order.PushFront(recentBlob{d, time.Now().Add(keep)})
	for len(r.at) > recentMax { // entries lie in the order of their time: the last is the oldest
		old := r.order.Remove(r.order.Back()).(recentBlob)
		delete(r.at, old.d)
	}
}

// sure says whether the bucket was there a moment ago.
func (r *recentBlobs) sure() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Since(r.seen) < sameFor
}

// belong notes which bucket is there and says whether it is the one of before.
func (r *recentBlobs) belong(created time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	same := r.created.Equal(created)
	if !same {
		r.clear(r.life)
	}
	r.created, r.seen = created, time.Now()
	return same
}

func (r *recentBlobs) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clear(r.life)
}

func (r *recentBlobs) clear(life uint64) {
	r.life, r.at = life, make(map[blobDigest]*list.Element)
	r.order.Init()
}

// flights lets one writer of a digest work while others wait for it: a mail to a hundred mailboxes
// arrives in all of them at once, with the same attachment.
type flights struct {
	mu   sync.Mutex
	busy map[blobDigest]chan struct{}
}

// enter waits until nobody else writes d and returns what ends this one's turn.
func (f *flights) enter(ctx context.Context, d blobDigest) (leave func(), err error) {
	for {
		f.mu.Lock()
		other, busy := f.busy[d]
		if !busy {
			mine := make(chan struct{})
			if f.busy == nil {
				f.busy = make(map[blobDigest]chan struct{})
			}
			f.busy[d] = mine
			f.mu.Unlock()
			return func() {
				f.mu.Lock()
				delete(f.busy, d)
				f.mu.Unlock()
				close(mine)
			}, nil
		}
		f.mu.Unlock()
		// The other may fail; then the waiters take turns, each asking the bucket for itself.
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
