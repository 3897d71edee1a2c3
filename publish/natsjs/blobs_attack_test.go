package natsjs

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish/logtest"
)

func TestAWriterThatIsSentAwayLeavesWhatAnotherReliesOn(t *testing.T) {
	t.Parallel()
	s := blobServer(t)
	p := newFaultProxy(t, s.ClientURL())
	p.hold = true
	first := quickConn(t, p.URL(), time.Minute).Blobs("contoso", BlobOptions{})
	direct := blobConn(t, s.ClientURL())
	for i, size := range []int{5000, 1_500_000} {
		second := direct.Blobs("contoso", BlobOptions{})
		if err := errors.Join(first.Setup(t.Context()), second.Setup(t.Context())); err != nil {
			t.Fatal(err)
		}
		data := someOctets(size, byte(i))
		ctx, leave := context.WithCancel(t.Context())
		met := make(chan error, 1)
		var once sync.Once // what the second one tries to store is heard here too
		sub, err := direct.nc.Subscribe(second.metaSubject("sha256-"+sumHex(data)), func(*nats.Msg) {
			go once.Do(func() { // the first one's metadata is there and it does not know
				_, err := second.Put(context.Background(), "", bytes.NewReader(data))
				met <- err
				leave()
			})
		})
		if err := errors.Join(err, direct.nc.Flush()); err != nil {
			t.Fatal(err)
		}
		p.armOn("HPUB $O." + first.bucket + ".M.")
		if _, err := first.Put(ctx, "", bytes.NewReader(data)); !errors.Is(err, context.Canceled) {
			t.Errorf("%d octets: the first one's put = %v", size, err)
		}
		if err := errors.Join(<-met, sub.Unsubscribe()); err != nil {
			t.Errorf("%d octets: the second one's put = %v", size, err)
		}
		logtest.CheckBlob(t, second, data)
		p.mu.Lock()
		p.mute = 0
		p.mu.Unlock()
	}
	clean(t, direct.Blobs("contoso", BlobOptions{}))
}

func TestWhatAStandardClientStoredUnderAWrongNameIsReplaced(t *testing.T) {
	t.Parallel()
	b := testBlobs(t, BlobOptions{})
	if err := b.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	store, err := b.c.js.ObjectStore(t.Context(), b.Bucket())
	if err != nil {
		t.Fatal(err)
	}
	for i, size := range []int{0, 1000, 1_200_000} {
		for _, media := range []string{rawMail, "image/png"} {
			data, other := someOctets(size, byte(i)), someOctets(size+1, 99)
			if _, err := store.Put(t.Context(), jetstream.ObjectMeta{Name: "sha256-" + sumHex(data)}, bytes.NewReader(other)); err != nil {
				t.Fatal(err)
			}
			b.recent.forget()
			if _, err := b.Put(t.Context(), media, bytes.NewReader(data)); err != nil {
				t.Fatal(err)
			}
			logtest.CheckBlob(t, b, data)
		}
	}
	clean(t, b)
}
