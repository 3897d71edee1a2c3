package worker_test

import (
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"mailflume/ingest"
	"mailflume/publish/fileblob"
	"mailflume/publish/logtest/fault"
)

func TestFault_D1_TheDiskOfTheBlobsIsFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		if os.Getenv("MAILFLUME_CI") == "1" {
			t.Fatal(err)
		}
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	store, err := fileblob.New(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(dir, "ballast")
	storeFault(t, store, ingest.CodeBlobStore, func() {
		f, err := os.Create(ballast)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.Copy(f, rand.NewChaCha8([32]byte{})) // until there is no room
		_ = f.Close()
	}, func() {
		if err := os.Remove(ballast); err != nil {
			t.Error(err)
		}
	}, fault.Row{ID: "D1", Fault: "the disk of the blobs is full (tmpfs)", Outcome: "no event without its octets: the mailbox waits and says why, and goes on when there is room"})
}
