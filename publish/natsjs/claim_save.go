package natsjs

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"mailflume/publish"
)

// A generation is one of the two places a snapshot can lie in.
type generation struct {
	number   uint64 // counts up over both places
	through  uint64
	end      link // the last event it knows of: the chain's anchor when that has expired
	pieces   int  // messages that lie there, complete or not
	complete bool
	data     []byte

	age   time.Duration // at least this old at the moment since
	since time.Time
}

// ageNow is a lower bound of the generation's age.
func (g *generation) ageNow() time.Duration { return g.age + time.Since(g.since) }

// newer reports whether g is the better position of two.
func (g *generation) newer(than *generation) bool {
	if g.through != than.through {
		return g.through > than.through
	}
	return g.number > than.number
}

// newest returns the newest complete generation, or nil.
func (c *claim) newest() *generation {
	var best *generation
	for i := range c.gens {
		if g := &c.gens[i]; g.complete && (best == nil || g.newer(best)) {
			best = g
		}
	}
	return best
}

// Save implements publish.Claim. The snapshot goes in pieces into one of two places; the first piece,
// written last, makes it whole.
func (c *claim) Save(ctx context.Context, snapshot []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.save(ctx, snapshot); err != nil {
		return fmt.Errorf("save the position of %s: %w", c.box, err)
	}
	return nil
}

func (c *claim) save(ctx context.Context, snapshot []byte) error {
	if err := c.usable(ctx); err != nil {
		return err
	}
	size := c.pieceSize()
	count := max(1, (len(snapshot)+size-1)/size)
	if count > maxPieces || len(snapshot) > maxSnapshot {
		return fmt.Errorf("%w: a snapshot of %d bytes", publish.ErrTooLarge, len(snapshot))
	}
	place := c.place()
	old := c.gens[place].pieces
	g := generation{number: max(c.gens[0].number, c.gens[1].number) + 1, through: c.seq, end: c.end, pieces: max(count, old)}
	c.gens[place] = generation{number: g.number, pieces: g.pieces} // not complete until its last write
	whole := digest(snapshot)
	for k := max(count, old) - 1; k >= 0; k-- {
		var piece []byte
		if k < count {
			piece = snapshot[k*size : min((k+1)*size, len(snapshot))]
		}
		m := c.pieceMessage(place, k, piece, &g)
		m.Header.Set(hdrPieces, strconv.Itoa(count))
		m.Header.Set(hdrDigest, whole)
		if k >= count {
			m.Header.Del(hdrTTL) // empties what a longer snapshot left; may expire
		}
		if _, err := c.send(ctx, m); err != nil {
			return err
		}
	}
	g.complete, g.since, g.pieces = true, time.Now(), count
	c.gens[place] = g
	return nil
}

// pieceSize is below half of what the server takes: a piece comes back as base64 in one answer.
func (c *claim) pieceSize() int { return c.log.MaxEvent()/2 - 1 }

func (c *claim) pieceMessage(place, k int, piece []byte, g *generation) *nats.Msg {
	id := msgID("cursor", c.token, number(g.number), strconv.Itoa(k))
	m := c.message(pieceToken(place, k), id, piece)
	keep(m)
	m.Header.Set(hdrThrough, number(g.through))
	m.Header.Set(hdrGeneration, number(g.number))
	m.Header.Set(hdrPiece, digest(piece))
	return m
}

func pieceToken(place, k int) string {
	return []string{typeCursorA, typeCursorB}[place] + strconv.Itoa(k)
}

// keepOlder bounds how long the older snapshot is left alone because the newer one keeps being
// replaced before it is safely on disk.
const keepOlder = 24 * time.Hour

// place decides where the next snapshot goes. What is overwritten is gone from the disk at once,
// what is written gets there within the server's sync interval: a power cut in between must find
// one snapshot whole. So the newer snapshot protects the older one only once it is old enough;
// until then it is the newer one that is replaced, and a claim that falls back to the older one
// reads more Refs, which is slow but right.
func (c *claim) place() int {
	newest := c.newest()
	if newest == nil {
		return 0
	}
	other := 0
	if newest == &c.gens[0] {
		other = 1
	}
	if older := &c.gens[other]; !older.complete || newest.ageNow() >= c.log.c.opt.SyncInterval || older.ageNow() > c.keepOlder() {
		return other
	}
	return 1 - other
}

func (c *claim) keepOlder() time.Duration {
	if age := c.log.c.MaxAge(); age > 0 {
		return min(keepOlder, age/4)
	}
	return keepOlder
}

// loadGeneration reads what lies in a place. Something that is not whole counts as nothing.
func (c *claim) loadGeneration(ctx context.Context, w *wait, place int, before *record) error {
	g := &c.gens[place]
	first, err := c.piece(ctx, w, place, 0)
	if err != nil || first == nil {
		return err
	}
	through, ok1 := headerNumber(first.header, hdrThrough)
	num, ok2 := headerNumber(first.header, hdrGeneration)
	end, ok3 := linkOf(first.header)
	count, ok4 := headerNumber(first.header, hdrPieces)
	g.number = num
	if !ok1 || !ok2 || !ok3 || !ok4 || count < 1 || count > maxPieces || through >= first.seq {
		g.pieces = 1
		return nil
	}
	g.through, g.end, g.pieces = through, end, int(count)
	g.data = []byte{}
	for k, rec := 0, first; ; {
		if !rec.pieceOf(first) {
			return nil
		}
		g.data = append(g.data, rec.body...)
		if k++; k == int(count) || len(g.data) > maxSnapshot {
			break
		}
		if rec, err = c.piece(ctx, w, place, k); err != nil {
			return err
		}
	}
	g.complete = digest(g.data) == first.header.Get(hdrDigest)
	g.age, g.since = ageOf(first, before), time.Now()
	return nil
}

// piece reads one piece from the leader.
func (c *claim) piece(ctx context.Context, w *wait, place, k int) (*record, error) {
	rec, err := c.log.getWaiting(ctx, w, query{LastFor: c.root + "." + pieceToken(place, k)})
	if err != nil || rec == nil {
		return nil, err
	}
	if rec.seq > c.seq {
		return nil, fmt.Errorf("%w while the position was being read", publish.ErrFenced)
	}
	return rec, rec.checkFormat()
}

// pieceOf reports whether r is intact and was saved together with first.
func (r *record) pieceOf(first *record) bool {
	if r == nil || r.header.Get(hdrPiece) != digest(r.body) {
		return false
	}
	for _, h := range []string{hdrClaim, hdrGeneration, hdrDigest, hdrPieces, hdrThrough} {
		if r.header.Get(h) != first.header.Get(h) {
			return false
		}
	}
	return true
}

// clockSkew is how far this machine's clock may be from the server's.
const clockSkew = 5 * time.Minute

// ageOf is a lower bound of a record's age: what the server's own clock proves, or this machine's
// with an allowance.
func ageOf(r, before *record) time.Duration {
	age := time.Since(r.time) - clockSkew
	if before != nil {
		age = max(age, before.time.Sub(r.time))
	}
	return max(age, 0)
}
