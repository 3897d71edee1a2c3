//go:build crashpoints

package crash

import (
	"context"
	"io"
	"iter"
	"net"
	"time"

	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// Log puts points around claims and writes.
func (p Plan) Log(l publish.Log) publish.Log { return log{l, p} }

type log struct {
	publish.Log
	plan Plan
}

// Claim implements publish.Log.
func (l log) Claim(ctx context.Context, box publish.Key) (publish.Claim, error) {
	l.plan.at(ClaimBefore)
	c, err := l.Log.Claim(ctx, box)
	if err != nil {
		return nil, err
	}
	l.plan.at(ClaimAfter)
	return claim{c, c.(publish.Verifier), c.(publish.Noter), c.(publish.Clock), l.plan}, nil
}

// claim and the others below keep what their originals can do besides. One that cannot is a panic: then
// the tests would have crashed another program than the one that is shipped.
type claim struct {
	publish.Claim
	publish.Verifier
	publish.Noter
	publish.Clock
	plan Plan
}

// Append implements publish.Claim.
func (c claim) Append(ctx context.Context, ev *publish.Event, ref publish.Ref) error {
	c.plan.at(AppendBefore)
	err := c.Claim.Append(ctx, ev, ref)
	c.plan.at(AppendAfter)
	return err
}

// Save implements publish.Claim.
func (c claim) Save(ctx context.Context, snapshot []byte) error {
	c.plan.at(SaveBefore)
	err := c.Claim.Save(ctx, snapshot)
	c.plan.at(SaveAfter)
	return err
}

// Release implements publish.Claim.
func (c claim) Release(ctx context.Context) error {
	c.plan.at(ReleaseBefore)
	return c.Claim.Release(ctx)
}

// Blobs puts points around the storing of octets.
func (p Plan) Blobs(b publish.BlobStore) publish.BlobStore {
	return blobs{b, b.(publish.BlobOpener), p}
}

type blobs struct {
	publish.BlobStore
	publish.BlobOpener
	plan Plan
}

// Put implements publish.BlobStore.
func (b blobs) Put(ctx context.Context, mediaType string, r io.Reader) (publish.Blob, error) {
	b.plan.at(BlobBefore)
	blob, err := b.BlobStore.Put(ctx, mediaType, &tripwire{r, b.plan, BlobMiddle})
	b.plan.at(BlobAfter)
	return blob, err
}

// tripwire ends the process after the first octets were read.
type tripwire struct {
	io.Reader
	plan  Plan
	point string
}

// Read implements io.Reader.
func (t *tripwire) Read(b []byte) (int, error) {
	n, err := t.Reader.Read(b[:min(len(b), max(1, len(b)/2))])
	if n > 0 {
		t.plan.at(t.point)
	}
	return n, err
}

// Source puts points around what is done on the mail server.
func (p Plan) Source(s ingest.Source) ingest.Source { return source{s, s.(ingest.Scoper), p} }

type source struct {
	ingest.Source
	ingest.Scoper
	plan Plan
}

// Open implements ingest.Source.
func (s source) Open(ctx context.Context) (ingest.Session, error) {
	open, err := s.Source.Open(ctx)
	if err != nil {
		return nil, err
	}
	s.plan.at(Opened)
	wrapped := session{open, open.(ingest.Renewer), open.(ingest.Lister), s.plan}
	if w, ok := open.(ingest.Waiter); ok {
		return waiting{wrapped, w}, nil
	}
	return wrapped, nil
}

// waiting is a session that can wait.
type waiting struct {
	session
	ingest.Waiter
}

type session struct {
	ingest.Session
	ingest.Renewer
	ingest.Lister
	plan Plan
}

// Sync implements ingest.Session.
func (s session) Sync(ctx context.Context, at ingest.Cursor) (ingest.Cursor, error) {
	c, err := s.Session.Sync(ctx, at)
	s.plan.at(Synced)
	return c, err
}

// Messages implements ingest.Session.
func (s session) Messages(ctx context.Context, from ingest.Cursor, limit int) iter.Seq2[*ingest.Message, error] {
	return func(yield func(*ingest.Message, error) bool) {
		for m, err := range s.Session.Messages(ctx, from, limit) {
			if m != nil && m.Body != nil {
				s.plan.at(Fetched)
				m.Body = &tripwire{m.Body, s.plan, BodyMiddle}
			}
			if !yield(m, err) {
				return
			}
		}
	}
}

// Settle implements ingest.Session.
func (s session) Settle(ctx context.Context, refs []ingest.Ref) ([]ingest.Ref, error) {
	s.plan.at(SettleBefore)
	done, err := s.Session.Settle(ctx, refs)
	s.plan.at(SettleAfter)
	return done, err
}

// Skipped implements ingest.Partial.
func (s session) Skipped() []error {
	if p, ok := s.Session.(ingest.Partial); ok {
		return p.Skipped()
	}
	return nil
}

// Inherit implements ingest.Heir.
func (s session) Inherit(at ingest.Cursor) error {
	if h, ok := s.Session.(ingest.Heir); ok {
		return h.Inherit(at)
	}
	return nil
}

// NATS counts the writes to the server.
func (p Plan) NATS(o natsjs.Options) natsjs.Options {
	if p.point == NATSWrite || p.point == NATSHalf {
		o.Dialer = dialer{p}
	}
	return o
}

type dialer struct{ plan Plan }

// Dial implements nats.CustomDialer.
func (d dialer) Dial(network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(context.Background(), network, address)
	if err != nil {
		return nil, err
	}
	return conn{c, d.plan}, nil
}

type conn struct {
	net.Conn
	plan Plan
}

// Write implements net.Conn.
func (c conn) Write(b []byte) (int, error) {
	if c.plan.due(NATSHalf) {
		_, _ = c.Conn.Write(b[:len(b)/2])
		die()
	}
	n, err := c.Conn.Write(b)
	c.plan.at(NATSWrite)
	return n, err
}
