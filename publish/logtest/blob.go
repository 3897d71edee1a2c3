package logtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"

	"mailflume/publish"
)

// Blobs is what RunBlobs tests.
type Blobs interface {
	publish.BlobStore
	publish.BlobOpener
}

// Leftovers is a Blobs that can count what it holds without being able to open it: chunks,
// temporary files. RunBlobs then also checks that failures leave nothing behind and that equal
// content is kept once.
type Leftovers interface {
	Leftovers(t testing.TB) int
}

// RunBlobs runs the conformance suite. Mk returns an empty store; what it needs for its end it
// registers with t.Cleanup.
func RunBlobs(t *testing.T, mk func(t *testing.T) Blobs) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, b Blobs)
	}{
		{"octets of every size come back as they went in", blobSizes},
		{"short and single-byte reads change nothing", blobReaders},
		{"a reader's error is returned and nothing stays", blobReaderErrors},
		{"a reader that was cut off is not the end of the content", blobTruncated},
		{"a reader that breaks its contract is an error", blobBrokenReaders},
		{"equal content is kept once", blobTwice},
		{"eight writers of equal content keep one", blobConcurrent},
		{"many writers of different content do not mix", blobMixed},
		{"an ended context ends a put and nothing stays", blobCancelled},
		{"what was never stored is not found", blobNotFound},
		{"a closed reader reads no more", blobClosed},
		{"memory stays flat however long the content is", blobMemory},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, mk(t)) })
	}
}

// CheckBlob opens data by its digest and compares every octet.
func CheckBlob(t testing.TB, b publish.BlobOpener, data []byte) {
	t.Helper()
	r, err := b.Open(context.Background(), hexSum(data))
	if err != nil {
		t.Fatalf("open %d octets: %v", len(data), err)
	}
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("read %d octets (%v), want %d with digest %s", len(got), err, len(data), hexSum(data))
	}
	if err := r.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}

// blobOctets returns n octets that do not compress; equal seeds give equal octets.
func blobOctets(n int, seed byte) []byte {
	p := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(p) // never fails
	return p
}

func hexSum(p []byte) string {
	s := sha256.Sum256(p)
	return hex.EncodeToString(s[:])
}

func putBlob(t testing.TB, b Blobs, data []byte, r io.Reader) publish.Blob {
	t.Helper()
	blob, err := b.Put(context.Background(), "message/rfc822", r)
	if err != nil {
		t.Fatalf("put %d octets: %v", len(data), err)
	}
	if blob.SHA256 != hexSum(data) || blob.Size != int64(len(data)) || blob.Ref == "" {
		t.Fatalf("put %d octets = %+v, want digest %s and a ref", len(data), blob, hexSum(data))
	}
	return blob
}

// nothingLeft fails if the store holds what it cannot open.
func nothingLeft(t testing.TB, b Blobs) {
	t.Helper()
	if l, ok := b.(Leftovers); ok {
		if n := l.Leftovers(t); n != 0 {
			t.Errorf("%d pieces are left behind", n)
		}
	}
}

func blobSizes(t *testing.T, b Blobs) {
	for i, n := range []int{0, 1, 2, 4095, 4096, 4097, 32 << 10, 255 << 10, 256 << 10, 256<<10 + 1, 1<<20 - 1, 1 << 20, 1<<20 + 1, 5 << 18, 5<<18 + 1, 5 << 20} {
		data := blobOctets(n, byte(i))
		putBlob(t, b, data, bytes.NewReader(data))
		CheckBlob(t, b, data)
	}
	nothingLeft(t, b)
}

func blobTwice(t *testing.T, b Blobs) {
	for i, n := range []int{0, 10_000, 2 << 20} {
		data := blobOctets(n, byte(i))
		first := putBlob(t, b, data, bytes.NewReader(data))
		if second := putBlob(t, b, data, bytes.NewReader(data)); second != first {
			t.Errorf("%d octets: the second put = %+v, the first %+v", n, second, first)
		}
		CheckBlob(t, b, data)
	}
	nothingLeft(t, b)
}

// together runs do n times at once and returns the errors.
func together(n int, do func(i int) error) error {
	start, errs := make(chan struct{}), make(chan error, n)
	for i := range n {
		go func() {
			<-start
			errs <- do(i)
		}()
	}
	close(start)
	var all error
	for range n {
		all = errors.Join(all, <-errs)
	}
	return all
}

func blobConcurrent(t *testing.T, b Blobs) {
	for i, n := range []int{0, 5000, 900_000, 3 << 20} {
		data := blobOctets(n, byte(i))
		err := together(8, func(int) error {
			blob, err := b.Put(context.Background(), "", bytes.NewReader(data))
			if err == nil && blob.SHA256 != hexSum(data) {
				err = errors.New("wrong digest " + blob.SHA256)
			}
			return err
		})
		if err != nil {
			t.Errorf("%d octets: %v", n, err)
		}
		CheckBlob(t, b, data)
	}
	nothingLeft(t, b)
}

func blobMixed(t *testing.T, b Blobs) {
	sizes := []int{1, 3000, 40_000, 260_000, 1_100_000}
	err := together(40, func(i int) error {
		data := blobOctets(sizes[i%len(sizes)], byte(i))
		_, err := b.Put(context.Background(), "", bytes.NewReader(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		CheckBlob(t, b, blobOctets(sizes[i%len(sizes)], byte(i)))
	}
	nothingLeft(t, b)
}

func blobCancelled(t *testing.T, b Blobs) {
	for i, at := range []int{0, 1, 100_000, 600_000, 1 << 20, 3 << 20} {
		data := blobOctets(at+500_000, byte(i))
		ctx, cancel := context.WithCancel(context.Background())
		r := io.MultiReader(bytes.NewReader(data[:at]), readFunc(func([]byte) (int, error) { // between two halves: not the end of r
			cancel()
			return 0, io.EOF
		}), bytes.NewReader(data[at:]))
		if blob, err := b.Put(ctx, "", r); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled after %d octets: put = %+v, %v", at, blob, err)
		}
		cancel()
		mustBeAbsent(t, b, data)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errRead)
	if _, err := b.Put(ctx, "", bytes.NewReader([]byte("x"))); err == nil {
		t.Error("put with an ended context stored something")
	}
	nothingLeft(t, b)
}

func blobNotFound(t *testing.T, b Blobs) {
	mustBeAbsent(t, b, []byte("never stored, in a store that is empty"))
	data := blobOctets(100, 1)
	putBlob(t, b, data, bytes.NewReader(data))
	mustBeAbsent(t, b, []byte("never stored"))
	for _, name := range []string{"", "x", "../../../etc/passwd", hexSum(data)[1:], hexSum(data) + "0", "*", ">", "A" + hexSum(data)[1:], "sha256-" + hexSum(data)} {
		if r, err := b.Open(context.Background(), name); !errors.Is(err, publish.ErrNotFound) {
			t.Errorf("open %q = %v, %v; want ErrNotFound", name, r, err)
		}
	}
}

func blobClosed(t *testing.T, b Blobs) {
	data := blobOctets(600_000, 1)
	putBlob(t, b, data, bytes.NewReader(data))
	r, err := b.Open(context.Background(), hexSum(data))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Read(make([]byte, 10)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("read after close = %d, %v", n, err)
	}
}

// blobMemory stores a quarter of a gigabyte (an eighth of that with -short) and looks at the heap
// on the way. A server in the same process would be measured too: give it one of its own.
func blobMemory(t *testing.T, b Blobs) {
	size := int64(96 << 20)
	if testing.Short() {
		size = 32 << 20
	}
	const bound = 32 << 20
	before := liveHeap()
	watch := &heapWatch{r: io.LimitReader(rand.NewChaCha8([32]byte{7}), size)}
	blob, err := b.Put(context.Background(), "", watch)
	if err != nil || blob.Size != size {
		t.Fatalf("put = %+v, %v", blob, err)
	}
	if watch.peak > before+bound {
		t.Errorf("the heap grew from %d to %d MiB while %d MiB were stored", before>>20, watch.peak>>20, size>>20)
	}
	r, err := b.Open(context.Background(), blob.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	back := &heapWatch{r: r}
	if n, err := io.Copy(io.Discard, back); err != nil || n != size {
		t.Fatalf("read %d of %d octets: %v", n, size, err)
	}
	if back.peak > before+bound {
		t.Errorf("the heap grew from %d to %d MiB while %d MiB were read", before>>20, back.peak>>20, size>>20)
	}
	_ = r.Close()
	nothingLeft(t, b)
}

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// heapWatch measures the live heap every 16 MiB.
type heapWatch struct {
	r    io.Reader
	read int64
	peak uint64
}

func (h *heapWatch) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	if h.read>>24 != (h.read+int64(n))>>24 {
		h.peak = max(h.peak, liveHeap())
	}
	h.read += int64(n)
	return n, err
}
