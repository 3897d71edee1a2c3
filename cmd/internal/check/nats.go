package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"mailflume/cmd/internal/config"
	"mailflume/cmd/internal/worker"
	"mailflume/publish"
	"mailflume/publish/natsjs"
)

// connection is NATS while its steps go on. It has no conn as long as the embedded server was never
// started: a check makes no data directory.
type connection struct {
	r    *run
	conn *natsjs.Conn
	stop func()
	made bool // the stream is there
}

// inNATS is the blobs.url that needs the stream's server.
const inNATS = "nats:"

// maxTenants is how many tenants' blob stores are tried: they differ in their names only.
const maxTenants = 10

// nats is the section of NATS and of the blobs. Call hangUp when everything is done.
func (r *run) nats() (s *Section, hangUp func()) {
	n := &connection{r: r}
	s = &Section{Kind: NATS, Name: r.cfg.NATS.URL, About: "stream " + r.cfg.NATS.Stream.Name}
	if r.cfg.NATS.Embedded() {
		s.Name = r.cfg.NATS.DataDir
	}
	connect := s.add("connect", n.connect)
	r.link, r.linked = n, connect
	stream := s.add("stream", n.stream, connect)
	s.add("publish", n.mayPublish, connect)
	var needs []*Step
	if r.cfg.Blobs.URL == inNATS {
		needs = append(needs, stream)
	}
	for _, tenant := range r.tenants() {
		s.add("blobs", func(ctx context.Context) Outcome { return n.blobs(ctx, tenant) }, needs...)
	}
	return s, n.hangUp
}

// tenants of the mailboxes that are looked at, a few of them.
func (r *run) tenants() (out []string) {
	for _, m := range r.opt.Mailboxes {
		if !slices.Contains(out, m.Tenant) && len(out) < maxTenants {
			out = append(out, m.Tenant)
		}
	}
	return out
}

func (n *connection) hangUp() {
	if n.conn != nil {
		_ = n.conn.Close() // nothing was begun
	}
	if n.stop != nil {
		n.stop()
	}
}

// unborn is what there is to say before the embedded server first ran.
const unborn = "made when mailflume runs for the first time"

// connect signs in. A server that does not answer is not waited for as long as a worker does.
func (n *connection) connect(ctx context.Context) Outcome {
	if dir := n.r.cfg.NATS.DataDir; n.r.cfg.NATS.Embedded() {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			return fine("JetStream inside the process; " + dir + " is " + unborn)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, n.r.opt.Patience)
	defer cancel()
	opt, stop, err := n.r.opt.Reach(ctx)
	if err != nil {
		return failed(err)
	}
	n.stop = stop
	if n.conn, err = natsjs.Connect(ctx, opt); err != nil {
		n.conn = nil
		return failed(err)
	}
	n.r.parts.SignIns(n.conn)
	return fine("connected to " + n.conn.URL())
}

// stream looks at the settings and the room of the stream and its account.
func (n *connection) stream(ctx context.Context) Outcome {
	if n.conn == nil {
		return fine(unborn)
	}
	sc := worker.StreamConfig(n.r.cfg)
	info, err := n.conn.Inspect(ctx, sc)
	switch {
	case err != nil:
		return failed(err)
	case !info.Exists && !sc.Manage:
		return failed(fmt.Errorf("%w: %w", publish.ErrUnsafe, natsjs.ErrNoStream), "make the stream (deploy/nats.md), or let mailflume do it: nats.stream.manage: true")
	case !info.Exists:
		return room(info, "the stream is "+unborn)
	case len(info.Lacks) > 0 && !sc.Manage:
		return failed(fmt.Errorf("%w: %s", publish.ErrUnsafe, strings.Join(info.Lacks, ", ")))
	}
	n.made = true
	age := "for ever"
	if info.MaxAge > 0 {
		age = "for " + info.MaxAge.Round(time.Hour).String()
	}
	return room(info, fmt.Sprintf("%d messages, %s, kept %s, %s", info.Messages, config.Size(info.Bytes), age, count(info.Replicas, "replica", "replicas")))
}

// leastRoom is what an event may need; where there is less, mail waits.
const leastRoom = 256 << 10

// room warns before the stream or the account is full, and says when it is.
func room(i natsjs.StreamReport, text string) Outcome {
	var next []string
	text += fmt.Sprintf("; nats-server %s", i.Server)
	for _, r := range []struct {
		what      string
		octets    bool
		used, max int64
		cure      string
	}{
		{"the stream", true, i.Bytes, i.MaxBytes, "raise nats.stream.max_bytes or shorten max_age"},
		{"the account's storage", true, i.AccountBytes, i.AccountMax, "raise the account's limit of disk storage"},
		{"the account's number of streams", false, int64(i.Streams), int64(i.MaxStreams), "raise it: each tenant's blobs are a stream"},
	} {
		if r.max > 0 && r.used*10 >= r.max*9 {
			next = append(next, fmt.Sprintf("%s is at %d %% of its limit: %s", r.what, r.used*100/r.max, r.cure))
		}
		if r.max > 0 && r.octets && r.used*10 >= r.max*9 && r.max-r.used < leastRoom {
			return failed(fmt.Errorf("%w: %s; %s has room for %d bytes", publish.ErrFull, text, r.what, max(r.max-r.used, 0)), next...)
		}
	}
	if i.MaxPayload < leastRoom {
		next = append(next, fmt.Sprintf("max_payload of the server is %s: events need up to 256 KiB", config.Size(i.MaxPayload)))
	}
	if len(next) > 0 {
		return doubtful(text, next...)
	}
	return fine(text)
}

// mayPublish asks for the permission to write events.
func (n *connection) mayPublish(ctx context.Context) Outcome {
	if n.conn == nil {
		return fine("not needed inside the process")
	}
	for _, tenant := range n.r.tenants() {
		if err := n.conn.MayPublish(ctx, fmt.Sprintf("%s.%s.check.received", worker.StreamConfig(n.r.cfg).Prefix, natsjs.Token(tenant))); err != nil {
			return failed(err)
		}
	}
	return fine("allowed below " + n.r.cfg.NATS.Stream.Prefix)
}

// probe is what a check stores: always the same octets, so that there is one blob of it at most.
const probe = "mailflume check was here\n"

// blobs writes, reads back and compares.
func (n *connection) blobs(ctx context.Context, tenant string) Outcome {
	url := n.r.cfg.Blobs.URL
	if url == inNATS && !n.made {
		return fine("the object store is " + unborn)
	}
	store, err := worker.OpenBlobs(n.r.cfg, n.conn, tenant)
	if err != nil {
		return failed(err)
	}
	if c, ok := store.(io.Closer); ok {
		defer c.Close()
	}
	b, err := store.Put(ctx, "text/plain", strings.NewReader(probe))
	if err != nil {
		return failed(err)
	}
	r, err := store.Open(ctx, b.SHA256)
	if err != nil {
		return failed(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err == nil && !bytes.Equal(got, []byte(probe)) {
		err = publish.ErrCorrupt
	}
	if err != nil {
		return failed(err)
	}
	return swept(ctx, store, fmt.Sprintf("%s: written and read back for tenant %s", url, tenant))
}

// swept asks whether what killed workers leave in the store can be removed.
func swept(ctx context.Context, store any, text string) Outcome {
	s, ok := store.(interface {
		Sweepable(ctx context.Context) error
	})
	if !ok {
		return fine(text)
	}
	if err := s.Sweepable(ctx); err != nil {
		return doubtful(text, "uploads that a killed worker left cannot be removed ("+err.Error()+"): grant s3:ListBucketMultipartUploads and s3:AbortMultipartUpload, "+
			"or give the bucket a lifecycle rule that aborts incomplete multipart uploads after a day")
	}
	return fine(text)
}
