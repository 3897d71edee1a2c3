package natsjs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"mailflume/publish"
	"mailflume/publish/logtest"
)

// age makes the store believe that the server's clock is ahead: everything there is that old.
func age(t testing.TB, b *Blobs, by time.Duration) {
	t.Helper()
	bk, err := b.bind(context.Background(), true)
	if err != nil {
		t.Fatal(err)
	}
	older := *bk
	older.ahead += by
	b.bound.Store(&older)
	b.recent.forget()
}

func TestStoringAgainRenewsOctetsInTheSecondHalfOfTheirLife(t *testing.T) {
	t.Parallel()
	b := testBlobs(t, BlobOptions{MaxAge: 24 * time.Hour})
	for i, size := range []int{0, 1000, 700_000, 2 << 20} {
		data := someOctets(size, byte(i))
		mustPut(t, b, data)
		first := lookupBlob(t, b, data)
		age(t, b, 11*time.Hour)
		mustPut(t, b, data)
		if again := lookupBlob(t, b, data); again.seq != first.seq {
			t.Errorf("%d octets: written again in the first half of their life", size)
		}
		age(t, b, 2*time.Hour)
		mustPut(t, b, data)
		again := lookupBlob(t, b, data)
		if again.seq == first.seq || again.NUID == first.NUID {
			t.Errorf("%d octets: not renewed in the second half of their life", size)
		}
		age(t, b, -13*time.Hour)
		logtest.CheckBlob(t, b, data)
		clean(t, b)
	}
}

func TestEightWritersThatRenewKeepOne(t *testing.T) {
	t.Parallel()
	s := blobServer(t)
	var stores []*Blobs
	for range 8 { // eight processes: they do not wait for each other
		stores = append(stores, blobConn(t, s.ClientURL()).Blobs("contoso", BlobOptions{MaxAge: 24 * time.Hour}))
	}
	data := someOctets(600_000, 1)
	for _, by := range []time.Duration{0, 13 * time.Hour} {
		errs := make(chan error, len(stores))
		for i, b := range stores {
			age(t, b, by)
			go func() {
				_, err := b.Put(context.Background(), []string{rawMail, ""}[i%2], bytes.NewReader(data))
				errs <- err
			}()
		}
		for range stores {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		logtest.CheckBlob(t, stores[0], data)
		clean(t, stores[0])
		if chunks, metas := messages(t, stores[0]); chunks != 3 || metas != 1 {
			t.Errorf("%d chunks and %d metadata are left of one object", chunks, metas)
		}
	}
}

func TestAReaderGoesOnInTheRenewedCopy(t *testing.T) {
	t.Parallel()
	b := testBlobs(t, BlobOptions{MaxAge: 24 * time.Hour})
	data := someOctets(900_000, 1)
	mustPut(t, b, data)
	r, err := b.Open(t.Context(), sumHex(data))
	if err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 300_000)
	if _, err := io.ReadFull(r, head); err != nil {
		t.Fatal(err)
	}
	age(t, b, 13*time.Hour)
	mustPut(t, b, data)
	tail, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(append(head, tail...), data) {
		t.Errorf("read %d octets and an error of %v", len(head)+len(tail), err)
	}
}

func TestADeletedObjectIsStoredAgain(t *testing.T) {
	t.Parallel()
	b := testBlobs(t, BlobOptions{})
	for i, size := range []int{0, 5000, 2 << 20} {
		data := someOctets(size, byte(i))
		mustPut(t, b, data)
		store, err := b.c.js.ObjectStore(t.Context(), b.Bucket())
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Delete(t.Context(), "sha256-"+sumHex(data)); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Open(t.Context(), sumHex(data)); !errors.Is(err, publish.ErrNotFound) {
			t.Errorf("%d octets: open after delete = %v", size, err)
		}
		b.recent.forget()
		mustPut(t, b, data)
		logtest.CheckBlob(t, b, data)
	}
	clean(t, b)
}

func TestForeignMetadataIsReplacedAndPurgesNothing(t *testing.T) {
	t.Parallel()
	b := testBlobs(t, BlobOptions{})
	kept := someOctets(1000, 9)
	mustPut(t, b, kept)
	for i, body := range []string{"", "{", "[]", "null", `{"nuid":">","chunks":1}`, `{"nuid":"*"}`, `{"nuid":"","chunks":0}`, `{"nuid":"a.>"}`,
		`{"nuid":"abc","options":{"link":{"bucket":"other"}}}`, `{"nuid":"abc","chunks":4294967295,"size":18446744073709551615}`} {
		data := someOctets(2000, byte(i))
		if _, err := b.c.js.Publish(t.Context(), b.metaSubject("sha256-"+sumHex(data)), []byte(body)); err != nil {
			t.Fatal(err)
		}
		if err := readBlob(t, b, data); !errors.Is(err, publish.ErrNotFound) && !errors.Is(err, publish.ErrCorrupt) {
			t.Errorf("%s: read = %v", body, err)
		}
		mustPut(t, b, data)
		logtest.CheckBlob(t, b, data)
		logtest.CheckBlob(t, b, kept)
	}
}

func TestSweepRemovesOldOrphansAndNothingElse(t *testing.T) {
	t.Parallel()
	b := testBlobs(t, BlobOptions{})
	if _, err := b.Sweep(t.Context(), 0); !errors.Is(err, publish.ErrNotFound) {
		t.Errorf("sweeping a bucket that does not exist = %v", err)
	}
	for i, size := range []int{0, 10, 600_000, 2 << 20} {
		mustPut(t, b, someOctets(size, byte(i)))
	}
	for range 5 {
		id := nuid.Next()
		for range 3 {
			if _, err := b.c.js.Publish(t.Context(), b.chunkSubject(id), []byte("torn")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n, err := b.Sweep(t.Context(), 0); n != 0 || err != nil {
		t.Errorf("sweeping young orphans = %d, %v; want none", n, err)
	}
	age(t, b, 25*time.Hour)
	if n, err := b.Sweep(t.Context(), 0); n != 0 || err != nil {
		t.Errorf("sweeping with a clock that was set = %d, %v; want none", n, err)
	}
	if n, err := b.Sweep(t.Context(), 1); n != 5 || err != nil {
		t.Errorf("sweeping old orphans = %d, %v; want 5", n, err)
	}
	if n, err := b.Sweep(t.Context(), 1); n != 0 || err != nil {
		t.Errorf("sweeping again = %d, %v; want none", n, err)
	}
	for i, size := range []int{0, 10, 600_000, 2 << 20} {
		logtest.CheckBlob(t, b, someOctets(size, byte(i)))
	}
	clean(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Sweep(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("sweeping with an ended context = %v", err)
	}
}

func TestSetupRefusesABucketThatLosesOctets(t *testing.T) {
	t.Parallel()
	b := testBlobs(t, BlobOptions{MaxAge: 48 * time.Hour})
	if err := b.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	good := b.bound.Load().stream.CachedInfo().Config
	for name, change := range map[string]func(*jetstream.StreamConfig){
		"old octets are dropped": func(c *jetstream.StreamConfig) { c.MaxBytes, c.Discard = 1<<30, jetstream.DiscardOld },
		"chunks are dropped":     func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 1 },
		"not an object store":    func(c *jetstream.StreamConfig) { c.AllowRollup = false },
	} {
		bad := good
		change(&bad)
		if _, err := b.c.js.UpdateStream(t.Context(), bad); err != nil {
			t.Fatal(err)
		}
		if err := b.c.Blobs("contoso", b.o).Setup(t.Context()); !errors.Is(err, publish.ErrUnsafe) {
			t.Errorf("%s: setup = %v, want ErrUnsafe", name, err)
		}
	}
	if _, err := b.c.js.UpdateStream(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ asked, want time.Duration }{{24 * time.Hour, 48 * time.Hour}, {72 * time.Hour, 72 * time.Hour}, {0, 0}, {time.Hour, 0}} {
		again := b.c.Blobs("contoso", BlobOptions{MaxAge: c.asked})
		if err := again.Setup(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := again.bound.Load().maxAge; got != c.want {
			t.Errorf("a bucket asked to keep octets for %s keeps them for %s, want %s", c.asked, got, c.want)
		}
	}
}

func TestEveryTenantHasABucketOfItsOwn(t *testing.T) {
	valid := regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
	seen := map[string]string{}
	for _, tenant := range []string{"contoso", "a.b", "a=b", "ax2eb", "a_b", "a-b", "", "*", ">", "ü", "a b", "$", "ax3db", string(make([]byte, 300))} {
		name := BucketName(tenant)
		if !valid.MatchString(name) {
			t.Errorf("tenant %q: bucket %q is not a bucket name", tenant, name)
		}
		if other, twice := seen[name]; twice {
			t.Errorf("tenants %q and %q share bucket %q", tenant, other, name)
		}
		seen[name] = tenant
	}
	s := blobServer(t)
	c := blobConn(t, s.ClientURL())
	one, two := c.Blobs("a.b", BlobOptions{}), c.Blobs("a>", BlobOptions{})
	mustPut(t, one, []byte("mail"))
	if _, err := two.Open(t.Context(), sumHex([]byte("mail"))); !errors.Is(err, publish.ErrNotFound) {
		t.Errorf("another tenant's octets: open = %v, want ErrNotFound", err)
	}
}

func TestRecentBlobsAreBoundedAndForgotten(t *testing.T) {
	var r recentBlobs
	key := func(i int) (d blobDigest) { copy(d[:], fmt.Sprint(i)); return d }
	for i := range recentMax + 10 {
		r.add(key(i), 1, time.Minute)
		r.add(key(i), 1, time.Minute)
	}
	if len(r.at) != recentMax || r.order.Len() != recentMax || r.has(key(9), 1) || !r.has(key(10), 1) {
		t.Errorf("%d entries in the map, %d in the list", len(r.at), r.order.Len())
	}
	r.add(key(1), 1, -time.Second)
	if r.has(key(1), 1) {
		t.Error("an entry outlived its time")
	}
	if r.has(key(10), 2) || len(r.at) != 0 {
		t.Error("entries outlived their connection")
	}
	r.add(key(1), 1, time.Minute)
	if r.has(key(1), 2) {
		t.Error("an entry of an earlier connection came in late")
	}
}
