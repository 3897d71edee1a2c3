package natsjs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
	"mailflume/publish/logtest"
)

// blobServer starts a JetStream server of the test's own.
func blobServer(t testing.TB, change ...func(*server.Options)) *server.Server {
	t.Helper()
	o := &server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true}
	for _, c := range change {
		c(o)
	}
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server did not start")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s
}

func blobConn(t testing.TB, url string) *Conn {
	t.Helper()
	c, err := Connect(t.Context(), Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func testBlobs(t testing.TB, o BlobOptions) *Blobs {
	t.Helper()
	return blobConn(t, blobServer(t).ClientURL()).Blobs("contoso", o)
}

// someOctets returns n octets that do not compress and are the same for the same seed.
func someOctets(n int, seed byte) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

func sumHex(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// messages counts what the bucket holds: chunks and metadata.
func messages(t testing.TB, b *Blobs) (chunks, metas uint64) {
	t.Helper()
	for _, x := range []struct {
		filter string
		n      *uint64
	}{{b.chunkSubject(">"), &chunks}, {"$O." + b.bucket + ".M.>", &metas}} {
		p, err := b.subjects(context.Background(), x.filter, 0)
		if errorCode(err) == jetstream.JSErrCodeStreamNotFound {
			return 0, 0
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range p.State.Subjects {
			*x.n += n
		}
	}
	return chunks, metas
}

func mustPut(t testing.TB, b *Blobs, data []byte) publish.Blob {
	t.Helper()
	blob, err := b.Put(context.Background(), "application/octet-stream", bytes.NewReader(data))
	if err != nil {
		t.Fatalf("put %d octets: %v", len(data), err)
	}
	if want := (publish.Blob{SHA256: sumHex(data), Size: int64(len(data)), Ref: "nats-obj://" + b.bucket + "/sha256-" + sumHex(data)}); blob != want {
		t.Fatalf("put = %+v, want %+v", blob, want)
	}
	return blob
}

// countedBlobs tells the suite what lies in the bucket without being reachable.
type countedBlobs struct{ *Blobs }

func (c countedBlobs) Leftovers(t testing.TB) int {
	chunks, _ := messages(t, c.Blobs)
	store, err := c.c.js.ObjectStore(context.Background(), c.bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	infos, err := store.List(context.Background())
	if err != nil && len(infos) > 0 {
		t.Fatal(err)
	}
	for _, i := range infos {
		chunks -= uint64(i.Chunks)
	}
	return int(chunks)
}

func TestBlobsPassTheConformanceSuite(t *testing.T) { // alone: it measures the heap
	c := blobConn(t, serverProcess(t))
	logtest.RunBlobs(t, func(t *testing.T) logtest.Blobs {
		return countedBlobs{c.Blobs(t.Name(), BlobOptions{})}
	})
}

func TestStandardClientsReadWhatWasStored(t *testing.T) {
	t.Parallel()
	b := testBlobs(t, BlobOptions{})
	for _, n := range []int{0, 1, 1000, blobChunk, blobChunk + 1, blobSmall, blobSmall + 1, 3 << 20} {
		data := someOctets(n, 1)
		blob := mustPut(t, b, data)
		store, err := b.c.js.ObjectStore(t.Context(), b.Bucket())
		if err != nil {
			t.Fatal(err)
		}
		got, err := store.GetBytes(t.Context(), "sha256-"+blob.SHA256)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d octets: GetBytes = %d octets, %v", n, len(got), err)
		}
		info, err := store.GetInfo(t.Context(), "sha256-"+blob.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size != uint64(n) || info.Bucket != b.Bucket() || info.Headers.Get("Content-Type") != "application/octet-stream" ||
			int(info.Chunks) != (n+blobChunk-1)/blobChunk {
			t.Errorf("%d octets: info = %+v", n, info)
		}
	}
	infos, err := b.c.js.ObjectStore(t.Context(), b.Bucket())
	if err != nil {
		t.Fatal(err)
	}
	if list, err := infos.List(t.Context()); err != nil || len(list) != 8 {
		t.Errorf("List = %d objects, %v; want 8", len(list), err)
	}
}

func TestOpenReadsWhatStandardClientsStored(t *testing.T) {
	b := testBlobs(t, BlobOptions{})
	if err := b.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	store, err := b.c.js.ObjectStore(t.Context(), b.Bucket())
	if err != nil {
		t.Fatal(err)
	}
	data := someOctets(700_000, 2)
	if _, err := store.Put(t.Context(), jetstream.ObjectMeta{Name: "sha256-" + sumHex(data)}, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	logtest.CheckBlob(t, b, data)
}

// portOf is the port a server listened on.
func portOf(s *server.Server) int { return s.Addr().(*net.TCPAddr).Port }

func TestAMediaTypeOfAMegabyteIsNotKept(t *testing.T) {
	b := testBlobs(t, BlobOptions{})
	for _, media := range []string{strings.Repeat("x", 1<<20), "text/\xff\x00\r\nA: b"} {
		data := []byte(media[:5])
		if _, err := b.Put(t.Context(), media, bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		logtest.CheckBlob(t, b, data)
	}
}

// FuzzForeignMetadata: whatever lies in the bucket, no subject is made of it that names more than
// one object's chunks.
func FuzzForeignMetadata(f *testing.F) {
	f.Add([]byte(`{"nuid":"abc","chunks":1}`))
	f.Add([]byte(`{"nuid":"a.>"}`))
	f.Add([]byte(`{"nuid":"*","options":{"link":null}}`))
	f.Add([]byte(`null`))
	b := &Blobs{bucket: "b"}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := b.parseMeta(&blobMsg{Seq: 7, Data: data})
		if m.at() != 7 {
			t.Fatalf("its sequence is %d", m.at())
		}
		if m.live() && (m.NUID == "" || strings.ContainsAny(m.NUID, ".*> \t\r\n")) {
			t.Errorf("NUID %q is taken", m.NUID)
		}
	})
}

// FuzzChunks: however a reader serves its octets, they come in chunks of one size, in order.
func FuzzChunks(f *testing.F) {
	f.Add(10, 3, 4)
	f.Add(0, 1, 1)
	f.Add(300_000, 70_000, blobChunk-1)
	f.Add(40_000, 747, 33_000)
	f.Fuzz(func(t *testing.T, n, read, size int) {
		n, read, size = abs(n)%600_000, 1+abs(read)%100_000, 1+abs(size)%blobChunk
		size, read = max(size, n/1000), max(read, n/1000)
		data, pool := someOctets(n, 1), &chunkPool{}
		rest := bytes.NewReader(data)
		r := readerFunc(func(p []byte) (int, error) { return rest.Read(p[:min(read, len(p))]) })
		var got []byte
		for end := false; !end; {
			c, last, err := pool.chunk(t.Context(), r, size)
			if err != nil || len(c) > size || (len(c) < size && !last) {
				t.Fatalf("a chunk of %d octets of %d, last %t, %v", len(c), size, last, err)
			}
			got, end = append(got, c...), last
			pool.put(c)
		}
		if !bytes.Equal(got, data) {
			t.Errorf("%d octets became %d others", len(data), len(got))
		}
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func abs(n int) int {
	if n < 0 {
		return -(n + 1)
	}
	return n
}
