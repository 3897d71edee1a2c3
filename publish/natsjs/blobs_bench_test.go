package natsjs

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// BenchmarkBlobPut stands beside BenchmarkObjectStorePut: the same server, the same content, every
// object a new one.
func BenchmarkBlobPut(b *testing.B) {
	benchPut(b, "application/pdf", putBlobs)
}

// BenchmarkBlobPutMail stores raw messages, which are not asked for first.
func BenchmarkBlobPutMail(b *testing.B) {
	benchPut(b, rawMail, putBlobs)
}

func putBlobs(_ *testing.B, blobs *Blobs, media string) func(i int, data []byte) error {
	return func(_ int, data []byte) error {
		_, err := blobs.Put(context.Background(), media, bytes.NewReader(data))
		return err
	}
}

func BenchmarkObjectStorePut(b *testing.B) {
	benchPut(b, "", func(b *testing.B, blobs *Blobs, _ string) func(i int, data []byte) error {
		store, err := blobs.c.js.CreateOrUpdateObjectStore(context.Background(), jetstream.ObjectStoreConfig{Bucket: "peer"})
		if err != nil {
			b.Fatal(err)
		}
		return func(i int, data []byte) error {
			_, err := store.Put(context.Background(), jetstream.ObjectMeta{Name: strconv.Itoa(i)}, bytes.NewReader(data))
			return err
		}
	})
}

func benchPut(b *testing.B, media string, mk func(b *testing.B, blobs *Blobs, media string) func(i int, data []byte) error) {
	for _, size := range []int{10 << 10, 100 << 10, 1 << 20, 64 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			put := mk(b, testBlobs(b, BlobOptions{}), media)
			data := someOctets(size, 1)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				binary.LittleEndian.PutUint64(data, uint64(i))
				if err := put(i, data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBlobPutAgain stores content that is there: asked for at the bucket, and remembered.
func BenchmarkBlobPutAgain(b *testing.B) {
	for _, known := range []bool{false, true} {
		b.Run(fmt.Sprintf("100KiB/remembered=%t", known), func(b *testing.B) {
			blobs := testBlobs(b, BlobOptions{})
			data := someOctets(100<<10, 1)
			mustPut(b, blobs, data)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if !known {
					blobs.recent.forget()
				}
				if _, err := blobs.Put(context.Background(), "", bytes.NewReader(data)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBlobOpen(b *testing.B) {
	blobs := testBlobs(b, BlobOptions{})
	data := someOctets(16<<20, 1)
	blob := mustPut(b, blobs, data)
	buf := make([]byte, 64<<10)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		r, err := blobs.Open(context.Background(), blob.SHA256)
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = r.Read(buf)
		}
		_ = r.Close()
	}
}
