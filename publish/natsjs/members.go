package natsjs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
)

// MemberOptions say as whom a worker announces itself.
type MemberOptions struct {
	Worker   string        // its name, which no other worker may have
	Mark     string        // what only one process at a time can have: who announced itself with it before is dead. Optional
	Weight   int           // its share compared with the others'; default 1
	Life     time.Duration // how long an announcement lasts, in whole seconds; default 12 s
	Replicas int           // of a bucket that has to be created; default: 3 in a cluster, else 1
}

// DefaultBucket is the KV bucket in which the workers of the default stream find each other. Those of
// another stream NAME use mailflume-NAME.
const DefaultBucket = "mailflume"

// listLife is how long a list stays after the last worker that names it has renewed it. Expiry is
// how it is removed: nobody has to be the last one, and nobody can remove what another one just named.
const listLife = 10 * time.Minute

const (
	hdrOperation = "KV-Operation"       // on a deleted key
	hdrMarker    = "Nats-Marker-Reason" // on an expired one
)

// ErrNameTaken: another worker announces itself under the same name.
var ErrNameTaken = errors.New("another worker has the same name")

// Members is a KV bucket in which workers announce themselves and the lists of their mailboxes. Every
// announcement (w.<worker>) is written anew with its own TTL, since an update through the KV API drops
// it; a list (l.<digest>, and .<k> for its pieces) lies there once, however many workers name it. It is
// safe for concurrent use.
type Members struct {
	c        *Conn
	opt      MemberOptions
	bucket   string
	kv       *mailLog // reads and writes on the bucket's stream
	instance string   // tells this process from another one of the same name

	mu      sync.Mutex // one announcement at a time
	seq     uint64     // of the last one
	stored  string     // digest of the list that is in the bucket
	checked time.Time  // when it was there
}

// announcement is what a worker says of itself.
type announcement struct {
	Worker   string `json:"worker"`
	Weight   int    `json:"weight"`
	List     string `json:"list"` // digest
	Instance string `json:"instance"`
	Mark     string `json:"mark,omitempty"`
}

// Members creates or verifies the bucket of the connection's stream. Call EnsureStream first.
func (c *Conn) Members(ctx context.Context, o MemberOptions) (*Members, error) {
	o.Weight = max(o.Weight, 1)
	o.Life = cmp.Or(o.Life, 12*time.Second)
	bucket := bucketOf(c.streamInfo())
	m := &Members{
		c: c, opt: o, bucket: bucket, instance: newToken(),
		kv: &mailLog{c: c, stream: streamInfo{name: "KV_" + bucket, prefix: "$KV." + bucket}},
	}
	w := wait{c: c}
	defer w.done()
	for {
		woken := c.woken()
		err := m.ensure(ctx)
		if err == nil {
			return m, nil
		}
		if errors.Is(err, publish.ErrUnsafe) || errors.Is(err, publish.ErrDenied) || !passes(err) {
			return nil, fmt.Errorf("bucket %s: %w", bucket, classify(err))
		}
		if err := m.kv.pause(ctx, &w, woken, classify(err)); err != nil {
			return nil, fmt.Errorf("bucket %s: %w", bucket, err)
		}
	}
}

// bucketOf names the bucket for a stream. Names of streams may hold what those of buckets may not.
func bucketOf(s streamInfo) string {
	if s.name == DefaultStream {
		return DefaultBucket
	}
	name := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || ('0' <= r && r <= '9') || ('a' <= r|0x20 && r|0x20 <= 'z') {
			return r
		}
		return -1
	}, s.name)
	if name != s.name {
		name = digest([]byte(s.name))[:16]
	}
	return DefaultBucket + "-" + name
}

// ensure creates the bucket, or verifies that it outlives the server and lets keys expire by themselves.
func (m *Members) ensure(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*m.c.opt.PublishTimeout)
	defer cancel()
	started := time.Now()
	s, err := m.c.find(ctx, m.kv.stream.name, m.c.makeBucket(jetstream.KeyValueConfig{
		Bucket: m.bucket, Description: "mailflume: the workers that are there", Storage: jetstream.FileStorage,
		Replicas: m.c.replicas(m.opt.Replicas), LimitMarkerTTL: m.opt.Life,
	}))
	if err != nil {
		if denied := m.c.deniedSince(started); denied != nil {
			return fmt.Errorf("%w: %w", publish.ErrDenied, denied)
		}
		return err
	}
	cfg := s.CachedInfo().Config
	switch {
	case cfg.Storage != jetstream.FileStorage:
		return fmt.Errorf("%w: the bucket is kept in memory and vanishes with the server: delete it, mailflume creates it anew", publish.ErrUnsafe)
	case !cfg.AllowMsgTTL || cfg.MaxAge != 0:
		return fmt.Errorf("%w: the bucket has a TTL for all keys instead of one for each: delete it, mailflume creates it anew", publish.ErrUnsafe)
	}
	return nil
}

// makeBucket returns what makes a bucket.
func (c *Conn) makeBucket(cfg jetstream.KeyValueConfig) func(context.Context) error {
	cfg.Metadata = newlyMade()
	return func(ctx context.Context) error {
		_, err := c.js.CreateKeyValue(ctx, cfg)
		return err
	}
}

// Beat announces this worker for Life from now on, with the list of its mailboxes. If a process that
// had the same name has only just ended, it waits until that is certain; its Mark may tell at once.
func (m *Members) Beat(ctx context.Context, list string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.beat(ctx, list)
	if errors.Is(err, jetstream.ErrNoStreamResponse) { // the bucket is gone, if it is not NATS that is
		m.seq, m.stored = 0, ""
		if err = m.ensure(ctx); err == nil {
			err = m.beat(ctx, list)
		}
	}
	if err != nil && !errors.Is(err, ErrNameTaken) {
		err = classify(err)
	}
	if err != nil {
		return fmt.Errorf("announce worker %s: %w", m.opt.Worker, err)
	}
	return nil
}

func (m *Members) beat(ctx context.Context, list string) error {
	name := listName(list)
	body, err := json.Marshal(announcement{m.opt.Worker, m.opt.Weight, name, m.instance, m.opt.Mark})
	if err != nil {
		return err
	}
	return m.announce(ctx, func() (*nats.Msg, error) {
		return m.message(m.key(), body, m.opt.Life), m.store(ctx, name, list)
	})
}

// announce writes this worker's key under the fence of its last write. Whoever wrote it meanwhile was
// this worker, in an attempt without an answer; or the server, when it expired; or another process.
func (m *Members) announce(ctx context.Context, message func() (*nats.Msg, error)) error {
	for tries := 0; ; tries++ {
		msg, err := message()
		if err != nil {
			return err
		}
		msg.Header.Set("Nats-Expected-Last-Subject-Sequence", number(m.seq))
		ack, out, err := m.kv.publish(ctx, msg)
		if out == stored {
			m.seq = ack.Sequence
			return nil
		}
		if !outran(err) || tries > maxRaces {
			return err
		}
		if err := m.catchUp(ctx, msg.Header.Get(hdrOperation) == ""); err != nil {
			return err
		}
	}
}

// catchUp finds out what this worker's key holds now. An announcement of another process is one of
// the past if it is not renewed within a third of its life.
func (m *Members) catchUp(ctx context.Context, patient bool) error {
	rec, err := m.kv.get(ctx, query{LastFor: m.key()})
	if err != nil {
		return err
	}
	if rec == nil {
		rec = &record{}
	}
	other, live := parseAnnouncement(rec.header, rec.body)
	if !live {
		m.stored = "" // it was away for long, or the bucket is a new one
	}
	former := other.Mark != "" && other.Mark == m.opt.Mark
	if live && other.Instance != m.instance && !former {
		if !patient {
			return ErrNameTaken
		}
		if !waitFor(ctx, m.opt.Life/3) {
			return ended(ctx, ErrNameTaken)
		}
		again, err := m.kv.get(ctx, query{LastFor: m.key()})
		if err != nil {
			return err
		}
		if again != nil && again.seq != rec.seq {
			return ErrNameTaken
		}
	}
	m.seq = rec.seq
	return nil
}

// waitFor waits and reports whether ctx lasted.
func waitFor(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Leave deletes the announcement. That of another process is left alone.
func (m *Members) Leave(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.announce(ctx, func() (*nats.Msg, error) {
		msg := m.message(m.key(), nil, m.opt.Life)
		msg.Header.Set(hdrOperation, "DEL")
		return msg, nil
	})
	if err != nil && !errors.Is(err, ErrNameTaken) {
		return fmt.Errorf("take back the announcement of worker %s: %w", m.opt.Worker, classify(err))
	}
	return nil
}

func (m *Members) key() string { return m.kv.stream.prefix + ".w." + Token(m.opt.Worker) }

func (m *Members) listKey(name string) string { return m.kv.stream.prefix + ".l." + name }

// message is one that expires. Through a domain, keys are reached like the API.
func (m *Members) message(key string, body []byte, life time.Duration) *nats.Msg {
	if m.c.opt.Domain != "" {
		key = m.c.api() + key
	}
	msg := nats.NewMsg(key)
	msg.Data = body
	msg.Header.Set(hdrTTL, strconv.Itoa(int(life/time.Second))+"s")
	return msg
}

// parseAnnouncement reads an announcement; live is false for a key that was deleted or expired, and
// for what is none.
func parseAnnouncement(h nats.Header, body []byte) (a announcement, live bool) {
	if h.Get(hdrOperation) != "" || h.Get(hdrMarker) != "" {
		return a, false
	}
	err := json.Unmarshal(body, &a)
	return a, err == nil && a.Worker != "" && len(a.Worker) <= maxRef && len(a.List) == listNameSize && Token(a.List) == a.List
}
