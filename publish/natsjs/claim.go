package natsjs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"mailflume/publish"
)

// claim implements publish.Claim, publish.Verifier, publish.Noter and publish.Clock.
type claim struct {
	log   *mailLog
	box   publish.Key
	root  string // subject of the log without the last token
	token string
	prior string // token of the owner before: what of its is found last says that our own writes are lost

	clock    clock
	snapshot []byte
	since    []publish.Entry
	left     []byte // by the owner before, see publish.Noter
	owned    bool   // there was one

	mu      sync.Mutex // one write at a time
	seq     uint64     // of our last message, which is the log's last
	id      string     // its Nats-Msg-Id
	end     link       // the last event
	blind   bool       // end is not known: the log's last message did not tell
	through uint64     // covered by the snapshot in use
	gens    [2]generation
	replays int
	notes   int
	broken  error // why nothing can be written any more
	proven  proof
}

// A proof is when the log was known to end with this claim's own last message.
type proof struct {
	visit int // of the server, see Conn.visit
	at    time.Time
}

// proofLasts is how long a proof is good without a sign of trouble: a replicated stream can lose its
// tail while the connection, to another server of the cluster, lasts.
const proofLasts = 10 * time.Minute

// prove begins a proof; what happens from now on is not covered by it.
func (c *claim) prove() proof { return proof{c.log.c.visit(), time.Now()} }

// Position implements publish.Claim.
func (c *claim) Position() (snapshot []byte, since []publish.Entry) {
	return c.snapshot, c.since
}

// Append implements publish.Claim.
func (c *claim) Append(ctx context.Context, ev *publish.Event, ref publish.Ref) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.append(ctx, ev, ref); err != nil {
		return fmt.Errorf("append event %s to the log of %s: %w", ev.ID, c.box, err)
	}
	return nil
}

func (c *claim) append(ctx context.Context, ev *publish.Event, ref publish.Ref) error {
	body, err := ev.Encode()
	if err != nil {
		return err
	}
	if limit := c.log.MaxEvent(); len(body) > limit && limit > 0 {
		return fmt.Errorf("%w: %d bytes, at most %d", publish.ErrTooLarge, len(body), limit)
	}
	if err := checkRef(ref); err != nil {
		return err
	}
	id := []string{ev.ID, c.token}
	replay := ev.Data != nil && ev.Data.Ingest != nil && ev.Data.Ingest.Replay
	if replay { // the same event again, on purpose
		c.replays++
		id = append(id, "replay", strconv.Itoa(c.replays))
	}
	m := c.message(Token(string(ev.Kind)), msgID(id...), body)
	m.Header.Set(hdrType, publish.ContentType)
	if ref != "" {
		m.Header.Set(hdrRef, string(ref))
	}
	if raw := publish.ContentOf(ev.Data); raw != (publish.Content{}) {
		m.Header.Set(hdrRaw, raw.String())
	}
	if replay {
		m.Header.Set(hdrReplay, "1")
	}
	if ev.Kind == publish.Quarantined {
		m.Header.Set(hdrTTL, never) // it waits for a person, not for a date
	}
	fresh, err := c.send(ctx, m)
	if err == nil && fresh {
		c.end = c.end.next(c.seq, body)
	}
	return err
}

// Left implements publish.Noter.
func (c *claim) Left() (word []byte, owned bool) { return slices.Clone(c.left), c.owned }

// Note implements publish.Noter: the word is the body of the claim message, written anew.
func (c *claim) Note(ctx context.Context, word []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notes++
	m := c.message(typeClaim, msgID(typeClaim, c.token, strconv.Itoa(c.notes)), word)
	keep(m)
	if _, err := c.send(ctx, m); err != nil {
		return fmt.Errorf("leave word on the log of %s: %w", c.box, err)
	}
	return nil
}

// A clock counts on from when the server stored the claim message, which was after it was sent and before
// it was seen, by this machine's monotonic clock: nobody sets that.
type clock struct{ sent, stored, seen time.Time }

// Now implements publish.Clock.
func (c *claim) Now() (earliest, latest time.Time) {
	return c.clock.stored.Add(time.Since(c.clock.seen)), c.clock.stored.Add(time.Since(c.clock.sent))
}

// Doubts implements publish.Verifier.
func (c *claim) Doubts() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.prove()
	return now.visit != c.proven.visit || now.at.Sub(c.proven.at) > proofLasts
}

// Verify implements publish.Verifier.
func (c *claim) Verify(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err, begun := c.usable(ctx), c.prove()
	if err == nil {
		w := wait{c: c.log.c}
		defer w.done()
		_, err = c.resolve(ctx, &w, c.id)
	}
	if err != nil {
		return fmt.Errorf("verify the log of %s: %w", c.box, err)
	}
	c.proven = begun
	return nil
}

// Release implements publish.Claim. The claim message stays: it fences this claim's late writes only
// when somebody claims next, so whoever gave up with a write in doubt has been told ErrLogMoved.
func (c *claim) Release(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == nil {
		c.broken = fmt.Errorf("%w: this claim was released", publish.ErrLogMoved)
	}
	return nil
}

// usable reports why the claim cannot write, if so.
func (c *claim) usable(ctx context.Context) error {
	if c.broken != nil {
		return c.broken
	}
	if ctx.Err() != nil {
		return ended(ctx, nil)
	}
	return nil
}

// ends remembers an error that ends the claim.
func (c *claim) ends(err error) error {
	if errors.Is(err, publish.ErrFenced) || errors.Is(err, publish.ErrLogMoved) {
		c.broken = err
	}
	return err
}
