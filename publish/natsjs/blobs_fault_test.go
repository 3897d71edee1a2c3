package natsjs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
	"mailflume/publish/logtest"
	"mailflume/publish/logtest/fault"
)

// quickConn gives an attempt little time, so that a lost answer does not stop a test for seconds.
func quickConn(t testing.TB, url string, attempt time.Duration) *Conn {
	t.Helper()
	c, err := Connect(t.Context(), Options{URL: url, PublishTimeout: attempt})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func clean(t testing.TB, b *Blobs) {
	t.Helper()
	if n := (countedBlobs{b}).Leftovers(t); n != 0 {
		t.Errorf("%d chunks are left that no object names", n)
	}
}

func TestFault_N13_AnObjectIsWholeWhereverTheConnectionBreaks(t *testing.T) {
	t.Parallel()
	s := blobServer(t)
	p := newFaultProxy(t, s.ClientURL())
	b := quickConn(t, p.URL(), time.Second).Blobs("contoso", BlobOptions{})
	direct := blobConn(t, s.ClientURL()).Blobs("contoso", BlobOptions{})
	if err := b.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	seed := byte(0)
	for _, size := range []int{20_000, 600_000, 1_500_000} {
		for i, at := range []float64{0.001, 0.3, 0.6, 0.97, 1} {
			if testing.Short() && i%2 == 1 {
				continue
			}
			for _, muted := range []int64{0, 30_000} {
				seed++
				data := someOctets(size, seed)
				p.arm(int64(float64(size)*at), muted)
				mustPut(t, b, data)
				logtest.CheckBlob(t, direct, data)
			}
		}
	}
	if p.cutCount() < 15 {
		t.Errorf("the connection was cut %d times only", p.cutCount())
	}
	clean(t, direct)
	fault.Note(t, fault.Row{
		ID: "N13", Fault: "the connection breaks anywhere in an object", Outcome: "the chunk in hand is retried under its fence; no orphan is left", Messages: int(seed),
	})
}

func TestAStoredMessageWhoseAnswerIsLostIsNotStoredTwice(t *testing.T) {
	t.Parallel()
	s := blobServer(t)
	p := newFaultProxy(t, s.ClientURL())
	b := quickConn(t, p.URL(), 300*time.Millisecond).Blobs("contoso", BlobOptions{})
	direct := blobConn(t, s.ClientURL()).Blobs("contoso", BlobOptions{})
	if err := b.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	cuts := 0
	for _, kind := range []string{"C", "M"} {
		for _, size := range []int{5000, 600_000, 1_500_000} {
			data := someOctets(size, kind[0]+byte(size%251))
			before, _ := messages(t, direct)
			p.armOn("HPUB $O." + b.bucket + "." + kind + ".")
			mustPut(t, b, data)
			logtest.CheckBlob(t, direct, data)
			if after, _ := messages(t, direct); after-before != uint64((size+blobChunk-1)/blobChunk) {
				t.Errorf("%d octets, answer to %s lost: %d chunks are stored", size, kind, after-before)
			}
			if cuts++; p.cutCount() != cuts {
				t.Errorf("%d octets, answer to %s lost: %d cuts, want %d", size, kind, p.cutCount(), cuts)
			}
		}
	}
	clean(t, direct)
}

func TestASlowLinkStoresTheChunkOnce(t *testing.T) {
	t.Parallel()
	s := blobServer(t)
	p := newFaultProxy(t, s.ClientURL())
	b := quickConn(t, p.URL(), 300*time.Millisecond).Blobs("contoso", BlobOptions{})
	if err := b.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	p.perSec = 200_000 // a chunk takes four attempts' time
	before := p.seen
	p.mu.Unlock()
	data := someOctets(300_000, 1)
	mustPut(t, b, data)
	p.mu.Lock()
	defer p.mu.Unlock()
	if sent := p.seen - before; sent > 330_000 {
		t.Errorf("%d octets were sent to store %d", sent, len(data))
	}
}

// hookReader calls at once when n octets have been read.
type hookReader struct {
	r  io.Reader
	n  int
	at func()
}

func (h *hookReader) Read(p []byte) (int, error) {
	if h.n > 0 {
		p = p[:min(len(p), h.n)]
	}
	n, err := h.r.Read(p)
	if h.n > 0 && n > 0 {
		if h.n -= n; h.n == 0 {
			h.at()
		}
	}
	return n, err
}

func TestALargeBlobIsRefusedWhenTheServerLostItsBeginning(t *testing.T) {
	t.Parallel()
	b := testBlobs(t, BlobOptions{RetryFor: 3 * time.Second})
	data := someOctets(3<<20, 1)
	r := &hookReader{r: bytes.NewReader(data), n: 2 << 20, at: func() {
		if err := b.c.js.DeleteStream(context.Background(), b.streamName()); err != nil {
			t.Error(err)
		}
	}}
	if blob, err := b.Put(t.Context(), "", r); !errors.Is(err, publish.ErrUnavailable) {
		t.Errorf("put = %+v, %v; want ErrUnavailable", blob, err)
	}
	if _, err := b.Open(t.Context(), sumHex(data)); !errors.Is(err, publish.ErrNotFound) {
		t.Errorf("open = %v, want ErrNotFound", err)
	}
	mustPut(t, b, data)
	logtest.CheckBlob(t, b, data)
	clean(t, b)
}

func TestASmallBlobBeginsAnewWhenTheServerLostItsBucket(t *testing.T) {
	t.Parallel()
	b := testBlobs(t, BlobOptions{})
	for i, media := range []string{rawMail, "image/png"} {
		mustPut(t, b, someOctets(1000, 1))
		if err := b.c.js.DeleteStream(t.Context(), b.streamName()); err != nil {
			t.Fatal(err)
		}
		data := someOctets(500_000, byte(i+2))
		if _, err := b.Put(t.Context(), media, bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		logtest.CheckBlob(t, b, data)
		mustPut(t, b, someOctets(1000, 1)) // stored again: what was remembered of the lost bucket is forgotten
		logtest.CheckBlob(t, b, someOctets(1000, 1))
	}
}

func TestWhatIsRememberedIsOfTheBucketThatIsThere(t *testing.T) {
	t.Parallel()
	s := blobServer(t)
	b, other := blobConn(t, s.ClientURL()).Blobs("contoso", BlobOptions{}), blobConn(t, s.ClientURL()).Blobs("contoso", BlobOptions{})
	logo := someOctets(1000, 1)
	for range 2 {
		mustPut(t, b, logo)
		if err := b.c.js.DeleteStream(t.Context(), b.streamName()); err != nil {
			t.Fatal(err)
		}
		b.recent.seen = time.Time{} // a while later
		mustPut(t, b, logo)         // it is gone
		logtest.CheckBlob(t, b, logo)
		if err := b.c.js.DeleteStream(t.Context(), b.streamName()); err != nil {
			t.Fatal(err)
		}
		mustPut(t, other, someOctets(1000, 2)) // another worker makes it again
		b.recent.seen = time.Time{}
		mustPut(t, b, logo)
		logtest.CheckBlob(t, b, logo)
	}
}

func TestAPutWaitsOutARestartOfTheServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := blobServer(t, func(o *server.Options) { o.StoreDir = dir })
	port := portOf(s)
	b := quickConn(t, s.ClientURL(), time.Second).Blobs("contoso", BlobOptions{})
	data := someOctets(4<<20, 1)
	gone, done := make(chan struct{}), make(chan error, 1)
	r := &hookReader{r: bytes.NewReader(data), n: 2 << 20, at: func() {
		s.Shutdown()
		s.WaitForShutdown()
		close(gone)
	}}
	go func() {
		_, err := b.Put(context.Background(), "", r)
		done <- err
	}()
	<-gone
	blobServer(t, func(o *server.Options) { o.StoreDir, o.Port = dir, port })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	logtest.CheckBlob(t, b, data)
	clean(t, b)
}

func TestAnUnreachableServerEndsAPutInTime(t *testing.T) {
	t.Parallel()
	s := blobServer(t)
	b := quickConn(t, s.ClientURL(), 200*time.Millisecond).Blobs("contoso", BlobOptions{RetryFor: 500 * time.Millisecond})
	if err := b.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Shutdown()
	for _, size := range []int{0, 1000, 2 << 20} {
		began := time.Now()
		if _, err := b.Put(t.Context(), "", bytes.NewReader(someOctets(size, 1))); !errors.Is(err, publish.ErrUnavailable) {
			t.Errorf("%d octets: put = %v, want ErrUnavailable", size, err)
		}
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("%d octets: it took %s", size, took)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := b.Put(ctx, "", bytes.NewReader(someOctets(9, 1))); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("put with an ended context = %v", err)
	}
	if _, err := b.Open(t.Context(), sumHex(nil)); !errors.Is(err, publish.ErrUnavailable) {
		t.Errorf("open = %v, want ErrUnavailable", err)
	}
}

func TestAFullBucketIsErrFullAndNothingStays(t *testing.T) {
	t.Parallel()
	b := testBlobs(t, BlobOptions{MaxBytes: 1 << 20})
	mustPut(t, b, someOctets(100_000, 1))
	for _, size := range []int{990_000, 3 << 20} {
		if _, err := b.Put(t.Context(), "", bytes.NewReader(someOctets(size, 2))); !errors.Is(err, publish.ErrFull) {
			t.Errorf("%d octets: put = %v, want ErrFull", size, err)
		}
		clean(t, b)
	}
	mustPut(t, b, someOctets(100_000, 3))
}

func TestAForbiddenBucketIsErrDenied(t *testing.T) {
	t.Parallel()
	s := blobServer(t, func(o *server.Options) {
		o.Users = []*server.User{
			{Username: "admin", Password: "x"},
			{Username: "worker", Password: "x", Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"$O.>"}}}},
		}
	})
	url := func(user string) string { return fmt.Sprintf("nats://%s:x@%s", user, s.Addr()) }
	if err := blobConn(t, url("admin")).Blobs("contoso", BlobOptions{}).Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := quickConn(t, url("worker"), 300*time.Millisecond).Blobs("contoso", BlobOptions{RetryFor: time.Second})
	if _, err := b.Put(t.Context(), rawMail, bytes.NewReader(someOctets(1000, 1))); !errors.Is(err, publish.ErrDenied) {
		t.Errorf("put = %v, want ErrDenied", err)
	}
}

func TestASmallerMaxPayloadMakesSmallerChunks(t *testing.T) {
	t.Parallel()
	s := blobServer(t, func(o *server.Options) { o.MaxPayload = 20_000 })
	b := blobConn(t, s.ClientURL()).Blobs("contoso", BlobOptions{})
	for _, size := range []int{10, 100_000, 1_200_000} {
		mustPut(t, b, someOctets(size, 1))
		logtest.CheckBlob(t, b, someOctets(size, 1))
	}
}

func TestALostChunkIsNoticedAndStoredAgain(t *testing.T) {
	t.Parallel()
	b := testBlobs(t, BlobOptions{})
	data := someOctets(600_000, 1)
	mustPut(t, b, data)
	m := lookupBlob(t, b, data)
	last, err := b.leaderGet(t.Context(), blobGet{Last: b.chunkSubject(m.NUID)})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.bound.Load().stream.DeleteMsg(t.Context(), last.Seq); err != nil {
		t.Fatal(err)
	}
	if err := readBlob(t, b, data); !errors.Is(err, publish.ErrCorrupt) {
		t.Errorf("reading an object without its last chunk = %v, want ErrCorrupt", err)
	}
	b.recent.forget()
	mustPut(t, b, data)
	logtest.CheckBlob(t, b, data)
	clean(t, b)
}

func TestAChangedChunkIsErrCorrupt(t *testing.T) {
	t.Parallel()
	b := testBlobs(t, BlobOptions{})
	for name, change := range map[string]func(c []byte) []byte{
		"one bit":  func(c []byte) []byte { c[0] ^= 1; return c },
		"shorter":  func(c []byte) []byte { return c[1:] },
		"longer":   func(c []byte) []byte { return append(c, 0) },
		"vanished": func([]byte) []byte { return nil },
	} {
		data := someOctets(5000, name[0])
		mustPut(t, b, data)
		subject := b.chunkSubject(lookupBlob(t, b, data).NUID)
		msg := &nats.Msg{Subject: subject, Data: change(bytes.Clone(data)), Header: nats.Header{jetstream.MsgRollup: {jetstream.MsgRollupSubject}}}
		if _, err := b.c.js.PublishMsg(t.Context(), msg); err != nil {
			t.Fatal(err)
		}
		if err := readBlob(t, b, data); !errors.Is(err, publish.ErrCorrupt) {
			t.Errorf("%s: read = %v, want ErrCorrupt", name, err)
		}
	}
}

func lookupBlob(t testing.TB, b *Blobs, data []byte) *blobMeta {
	t.Helper()
	d, ok := parseDigest(sumHex(data))
	if !ok {
		t.Fatal("no digest")
	}
	bk, err := b.bind(context.Background(), true)
	if err != nil {
		t.Fatal(err)
	}
	m, err := b.object(context.Background(), bk, d)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func readBlob(t testing.TB, b *Blobs, data []byte) error {
	t.Helper()
	r, err := b.Open(context.Background(), sumHex(data))
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	_, err = io.Copy(io.Discard, r)
	return err
}
