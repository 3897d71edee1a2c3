package natsjs

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
)

const (
	blobChunk = 256 << 10 // measured: as fast as any on disk, and twice as fast as 128 KiB with sync_interval always
	blobSmall = 1 << 20   // hashed before anything is sent
	blobRetry = 30 * time.Second
	blobStale = time.Hour // a writer that slept longer may have been swept: it must not commit
)

// BlobOptions configures a tenant's bucket. The zero value is a file bucket that keeps blobs for ever.
type BlobOptions struct {
	// MaxAge is the age at which the bucket drops octets; zero keeps them. Every Put promises them
	// for half of it at least (storing them again renews them only after that), so give twice the
	// max_age of the stream whose events name them.
	MaxAge time.Duration
	// Replicas of a bucket that has to be created; default: 3 in a cluster, else 1.
	Replicas int
	// MaxBytes caps a bucket that has to be created; zero is no cap. A full bucket is ErrFull.
	MaxBytes int64
	// Compress a bucket that has to be created with S2: a tenth of the disk for text, three
	// quarters of the speed for everything.
	Compress bool
	// RetryFor bounds the waiting for an unavailable server inside one chunk; zero means 30 s.
	RetryFor time.Duration
}

// Blobs is the blob store of one tenant: a NATS Object Store bucket that standard clients can read,
// written by a writer that never acknowledges what is not there. It is safe for concurrent use.
//
// The library's own ObjectStore.Put is not used: its asynchronous publishes share one buffer and
// may be retried out of order, so that a leader change can leave an acknowledged object with wrong
// octets; it makes a chunk of every Read; and a context that ends leaves its chunks behind.
//
// A worker's user must be allowed to publish to $O.<bucket>.> and, of the stream OBJ_<bucket>, to
// the JetStream API's STREAM.INFO, STREAM.MSG.GET, STREAM.MSG.DELETE, STREAM.PURGE and DIRECT.GET;
// to STREAM.CREATE and STREAM.UPDATE only where a missing bucket is to be made, or one that expires
// too early is to be changed.
type Blobs struct {
	c      *Conn
	o      BlobOptions
	bucket string
	opened chan struct{} // a mutex that a context can give up on
	bound  atomic.Pointer[bucket]
	bufs   chunkPool
	recent recentBlobs
	flight flights
}

// bucket is a bucket that was found or made.
type bucket struct {
	stream jetstream.Stream
	maxAge time.Duration
	ahead  time.Duration // the server's clock less ours: ages are the server's
	safe   bool          // its settings were checked: it may be written
}

// Blobs returns the store of tenant. It does no I/O: the bucket is made by the first Put, or by
// Setup.
func (c *Conn) Blobs(tenant string, o BlobOptions) *Blobs {
	if o.RetryFor <= 0 {
		o.RetryFor = blobRetry
	}
	return &Blobs{c: c, o: o, bucket: BucketName(tenant), opened: make(chan struct{}, 1)}
}

// BucketName returns the Object Store bucket of a tenant. Bucket names allow no "=", which begins
// an escape in a token; no token contains an "X", so the two stay one to one.
func BucketName(tenant string) string {
	return "mailflume-" + strings.ReplaceAll(Token(tenant), "=", "X")
}

// Bucket returns the name of the bucket.
func (b *Blobs) Bucket() string { return b.bucket }

func (b *Blobs) streamName() string { return "OBJ_" + b.bucket }

func (b *Blobs) chunkSubject(nuid string) string { return "$O." + b.bucket + ".C." + nuid }

// metaSubject is where the Object Store keeps an object's metadata: under its name in padded
// base64url.
func (b *Blobs) metaSubject(name string) string {
	return "$O." + b.bucket + ".M." + base64.URLEncoding.EncodeToString([]byte(name))
}

func (b *Blobs) blob(d blobDigest, size int64) publish.Blob {
	return publish.Blob{SHA256: d.hex(), Size: size, Ref: "nats-obj://" + b.bucket + "/" + d.name()}
}

// Setup finds the bucket or makes it, and refuses one that would lose octets before their time
// (ErrUnsafe). A bucket that expires too early is given the longer age; nothing else of an
// existing bucket is changed.
func (b *Blobs) Setup(ctx context.Context) error {
	_, err := b.bind(ctx, true)
	return err
}

// bind returns the bucket; create says whether a missing one is made (ErrNotFound if not).
func (b *Blobs) bind(ctx context.Context, create bool) (*bucket, error) {
	if bk := b.bound.Load(); bk != nil && (bk.safe || !create) {
		return bk, nil
	}
	select {
	case b.opened <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("open bucket %s: %w", b.bucket, ctx.Err())
	}
	defer func() { <-b.opened }()
	if bk := b.bound.Load(); bk != nil && (bk.safe || !create) {
		return bk, nil
	}
	var bk *bucket
	err := b.persist(ctx, func(ctx context.Context) (err error) {
		bk, err = b.find(ctx, create)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", b.bucket, err)
	}
	b.bound.Store(bk)
	return bk, nil
}

func (b *Blobs) find(ctx context.Context, create bool) (*bucket, error) {
	// The stream is looked up and not created-or-updated: an operator's placement, compression or
	// size cap of an existing bucket stays as it is.
	var made func(context.Context) error
	if create {
		made = b.make
	}
	s, err := b.c.find(ctx, b.streamName(), made)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound) && !create:
		return nil, publish.ErrNotFound
	case err != nil:
		return nil, err
	}
	if create {
		if s, err = b.vet(ctx, s); err != nil {
			return nil, err
		}
	}
	info := s.CachedInfo()
	b.recent.belong(info.Created)
	bk := &bucket{stream: s, maxAge: info.Config.MaxAge, safe: create}
	if !info.TimeStamp.IsZero() {
		bk.ahead = time.Until(info.TimeStamp)
	}
	return bk, nil
}

func (b *Blobs) make(ctx context.Context) error {
	_, err := b.c.js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{
		Bucket: b.bucket, Description: "octets of mail by their SHA-256, written by mailflume", Metadata: newlyMade(),
		TTL: b.o.MaxAge, MaxBytes: b.o.MaxBytes, Replicas: b.c.replicas(b.o.Replicas), Compression: b.o.Compress,
	})
	return err
}

// vet refuses a bucket that loses octets. One that only expires too early gets the age that is
// asked for.
func (b *Blobs) vet(ctx context.Context, s jetstream.Stream) (jetstream.Stream, error) {
	cfg := s.CachedInfo().Config
	if err := unsafeBucket(cfg); err != nil {
		return nil, fmt.Errorf("%w: bucket %s: %w", publish.ErrUnsafe, b.bucket, err)
	}
	if cfg.MaxAge == 0 || (b.o.MaxAge > 0 && cfg.MaxAge >= b.o.MaxAge) {
		return s, nil
	}
	// Longer is always safe, and two workers with different wishes end at the longer one.
	was := cfg.MaxAge
	cfg.MaxAge = b.o.MaxAge
	s, err := b.c.js.UpdateStream(ctx, cfg)
	if errorCode(err) == 0 && err != nil {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: bucket %s drops octets after %s, %s are needed; raising its max_age failed: %w", publish.ErrUnsafe, b.bucket, was, b.o.MaxAge, err)
	}
	return s, nil
}

// unsafeBucket names the setting of a bucket's stream that would lose or refuse octets.
func unsafeBucket(cfg jetstream.StreamConfig) error {
	capped := cfg.MaxBytes > 0 || cfg.MaxMsgs > 0
	switch {
	case cfg.Retention != jetstream.LimitsPolicy:
		return errors.New("retention must be limits: a fence does not hold on other policies")
	case capped && cfg.Discard != jetstream.DiscardNew:
		return errors.New("discard must be new where a size is capped, or old octets are dropped")
	case cfg.MaxMsgsPerSubject > 0:
		return errors.New("max_msgs_per_subject must be unlimited: the chunks of an object share a subject")
	case !cfg.AllowDirect || !cfg.AllowRollup:
		return errors.New("allow_direct and allow_rollup_hdrs must be on, as Object Store clients make it")
	case cfg.Sealed || cfg.Mirror != nil:
		return errors.New("it cannot be written: it is sealed or a mirror")
	}
	return nil
}
