package natsjs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
)

// Tokens is a KV bucket with one value for each name: what workers must not lose and have to agree on,
// such as refresh tokens, which its user has sealed. It is a bucket of its own (tokens-mailflume, or
// tokens-mailflume-NAME for another stream), so that whoever looks after the workers' bucket needs no
// right to it, and deletes none of it with that. It is safe for concurrent use.
type Tokens struct {
	c        *Conn
	bucket   string
	replicas int
	kv       *mailLog // reads and writes on the bucket's stream
	sound    atomic.Bool
}

// Tokens returns the bucket for the connection's stream. The first Save creates it, with replicas (0: 3
// in a cluster, else 1) if it is not there.
func (c *Conn) Tokens(replicas int) *Tokens {
	bucket := "tokens-" + bucketOf(c.streamInfo())
	return &Tokens{c: c, bucket: bucket, replicas: replicas, kv: &mailLog{c: c, stream: streamInfo{name: "KV_" + bucket, prefix: "$KV." + bucket}}}
}

func (t *Tokens) key(name string) string { return t.kv.stream.prefix + "." + Token(name) }

// Load asks the leader for the newest value of a name and its revision. value is nil if there is none;
// the revision of one that was deleted is not 0. It waits for a server that is away until ctx ends.
func (t *Tokens) Load(ctx context.Context, name string) (value []byte, revision uint64, err error) {
	rec, err := t.load(ctx, name)
	switch {
	case err != nil:
		return nil, 0, fmt.Errorf("bucket %s: read %s: %w", t.bucket, name, err)
	case rec == nil:
		return nil, 0, nil
	case rec.header.Get(hdrOperation) != "" || rec.header.Get(hdrMarker) != "":
		return nil, rec.seq, nil
	}
	return rec.body, rec.seq, nil
}

// load is nil without an error if there is no such key, or no bucket.
func (t *Tokens) load(ctx context.Context, name string) (*record, error) {
	w := wait{c: t.c}
	defer w.done()
	for {
		woken := t.c.woken()
		rec, err := t.kv.get(ctx, query{LastFor: t.key(name)})
		var api *jetstream.APIError
		if errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamNotFound {
			return nil, nil
		}
		if err == nil {
			return rec, nil
		}
		if errors.Is(err, publish.ErrDenied) {
			return nil, err
		}
		if err := t.kv.pause(ctx, &w, woken, err); err != nil {
			return nil, err
		}
	}
}

// Save stores a value if revision is still the newest of that name (0: there is none yet), and returns
// the new revision; 0 without an error says that somebody else has written since. An answer that was
// lost is made up for: the value is looked for before it is written again, so no two of one name may be
// equal. It waits for a server that is away until ctx ends.
func (t *Tokens) Save(ctx context.Context, name string, value []byte, revision uint64) (saved uint64, err error) {
	w := wait{c: t.c}
	defer w.done()
	for {
		woken := t.c.woken()
		saved, done, err := t.save(ctx, name, value, revision)
		if err == nil && done {
			return saved, nil
		}
		if err = classify(err); errors.Is(err, publish.ErrUnavailable) || errors.Is(err, publish.ErrFull) {
			err = t.kv.pause(ctx, &w, woken, err)
		}
		if err != nil {
			return 0, fmt.Errorf("bucket %s: store %s: %w", t.bucket, name, err)
		}
	}
}

// save tries once. done is false when the write has to be tried again.
func (t *Tokens) save(ctx context.Context, name string, value []byte, revision uint64) (saved uint64, done bool, err error) {
	if !t.sound.Load() {
		if err := t.ensure(ctx); err != nil {
			return 0, false, err
		}
		t.sound.Store(true)
	}
	subject := t.key(name)
	if t.c.opt.Domain != "" {
		subject = t.c.api() + subject // through a domain, keys are reached like the API
	}
	msg := nats.NewMsg(subject)
	msg.Data = value
	msg.Header.Set("Nats-Expected-Last-Subject-Sequence", number(revision))
	ack, out, err := t.kv.publish(ctx, msg)
	switch {
	case out == stored:
		return ack.Sequence, true, nil
	case errors.Is(err, jetstream.ErrNoStreamResponse): // the bucket is gone, if it is not NATS that is
		t.sound.Store(false)
		return 0, false, err
	case !outran(err):
		return 0, false, err
	}
	rec, err := t.load(ctx, name)
	switch {
	case err != nil:
		return 0, false, err
	case rec != nil && bytes.Equal(rec.body, value):
		return rec.seq, true, nil
	case rec != nil && rec.seq == revision || rec == nil && revision == 0: // it raced with a write that is not there
		return 0, false, publish.ErrUnavailable
	}
	return 0, true, nil
}

// ensure creates the bucket, or verifies that it keeps what it is given.
func (t *Tokens) ensure(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*t.c.opt.PublishTimeout)
	defer cancel()
	started := time.Now()
	s, err := t.c.find(ctx, t.kv.stream.name, t.c.makeBucket(jetstream.KeyValueConfig{
		Bucket: t.bucket, Description: "mailflume: sealed sign-ins", Storage: jetstream.FileStorage, Replicas: t.c.replicas(t.replicas),
	}))
	if err != nil {
		return t.kv.cause(err, started)
	}
	if cfg := s.CachedInfo().Config; cfg.Storage != jetstream.FileStorage || cfg.MaxAge != 0 || cfg.Discard != jetstream.DiscardNew {
		return fmt.Errorf("%w: the bucket is kept in memory, or lets values expire or go when it is full: make it anew, on disk and without a TTL", publish.ErrUnsafe)
	}
	return nil
}
