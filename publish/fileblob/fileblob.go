package fileblob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"mailflume/publish"
)

const (
	small     = 256 << 10      // hashed in memory first: what is there is not written again
	tempDir   = "tmp"          // beside the fan-out folders, which have two hex digits
	tempAge   = 24 * time.Hour // no writer lives that long
	dirMode   = 0o700
	emptyRead = 100 // reads without a byte before a reader is called broken
)

// Store is a folder of blobs. It implements publish.BlobStore and publish.BlobOpener.
type Store struct {
	dir    string                      // absolute
	synced [1 << 16 / 64]atomic.Uint64 // fan-out folders whose own names are known to be on the disk
}

// New opens the folder dir, makes it if it is missing, and removes temporary files older than a
// day.
func New(dir string) (*Store, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open blob folder: %w", classify(err))
	}
	s := &Store{dir: abs}
	if err := mkdirAll(filepath.Join(abs, tempDir)); err != nil {
		return nil, fmt.Errorf("open blob folder: %w", classify(err))
	}
	if err := s.cleanTemp(time.Now().Add(-tempAge)); err != nil {
		return nil, fmt.Errorf("open blob folder: %w", classify(err))
	}
	return s, nil
}

// cleanTemp removes temporary files last written before the given time.
func (s *Store) cleanTemp(before time.Time) error {
	entries, err := os.ReadDir(filepath.Join(s.dir, tempDir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // another process was faster
		}
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() || !info.ModTime().Before(before) {
			continue
		}
		if err := os.Remove(filepath.Join(s.dir, tempDir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Put implements publish.BlobStore. The media type is not kept: the event has it.
func (s *Store) Put(ctx context.Context, _ string, r io.Reader) (publish.Blob, error) {
	in := &source{ctx: ctx, r: r}
	// What fits into memory is hashed before the disk is touched: most attachments that come twice
	// are small, and a file system does two syncs for every new file.
	var head bytes.Buffer
	if _, err := io.CopyN(&head, in, small); err != nil && !in.ended {
		return publish.Blob{}, fmt.Errorf("store blob: %w", err)
	}
	if in.ended {
		sum := hex.EncodeToString(sum256(head.Bytes()))
		if have, err := s.renew(sum, head.Bytes()); err != nil || have {
			return s.blob(sum, int64(head.Len()), classify(err))
		}
	}
	sum, size, err := s.write(io.MultiReader(&head, in), make([]byte, max(1, head.Len())))
	if err != nil && in.err != nil {
		err = in.err // the reader's own, whatever copying made of it
	} else {
		err = classify(err)
	}
	return s.blob(sum, size, err)
}

func sum256(p []byte) []byte {
	s := sha256.Sum256(p)
	return s[:]
}

func (s *Store) blob(sum string, size int64, err error) (publish.Blob, error) {
	if err != nil {
		return publish.Blob{}, fmt.Errorf("store blob: %w", err)
	}
	ref := url.URL{Scheme: "file", Path: filepath.ToSlash(s.path(sum))}
	if !strings.HasPrefix(ref.Path, "/") { // a drive letter
		ref.Path = "/" + ref.Path
	}
	return publish.Blob{SHA256: sum, Size: size, Ref: ref.String()}, nil
}

func (s *Store) path(sum string) string {
	return filepath.Join(s.dir, sum[:2], sum[2:4], "sha256-"+sum)
}

// renew says whether the content is there, octet for octet, and makes it as young as new. The name may have
// been given by a process that died before it was on the disk.
func (s *Store) renew(sum string, content []byte) (bool, error) {
	path := s.path(sum)
	if !holds(path, content) {
		return false, nil // missing or damaged: written anew, and if it cannot be, that says why
	}
	now := time.Now()
	renewed := os.Chtimes(path, now, now) == nil
	if !renewed {
		return false, nil // deleted in between, or another user's: written anew
	}
	return true, s.syncUp(path)
}

// holds says whether the file is the content. Disks forget; reading costs little beside the two syncs of a
// new file, and it is in memory here.
func holds(path string, content []byte) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() != int64(len(content)) {
		return false
	}
	old, err := os.ReadFile(path)
	return err == nil && bytes.Equal(old, content)
}

// write copies r to a temporary file and gives it its name.
func (s *Store) write(r io.Reader, buf []byte) (sum string, size int64, err error) {
	f, err := os.CreateTemp(filepath.Join(s.dir, tempDir), "put-") // 0600
	if err != nil {
		return "", 0, err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	h := sha256.New()
	if size, err = io.CopyBuffer(io.MultiWriter(f, h), onlyReader{r}, buf); err != nil {
		return "", 0, err
	}
	// The octets must be on the disk before the name is, or a crash leaves a name for nothing.
	if err = f.Sync(); err != nil {
		return "", 0, err
	}
	if err = f.Close(); err != nil {
		return "", 0, err
	}
	sum = hex.EncodeToString(h.Sum(nil))
	path := s.path(sum)
	if err = mkdirAll(filepath.Dir(path)); err != nil {
		return "", 0, err
	}
	if err = os.Rename(f.Name(), path); err != nil { // over an equal file or a damaged one
		return "", 0, err
	}
	return sum, size, s.syncUp(path)
}

// onlyReader hides the shortcut of a reader that would bring its own buffer.
type onlyReader struct{ io.Reader }

// syncUp puts a file's name on the disk, and once for each folder also the names of the folders
// above: another process may have made them a moment ago.
func (s *Store) syncUp(path string) error {
	dir := filepath.Dir(path)
	if err := syncDir(dir); err != nil {
		return err
	}
	word, bit := s.fanOut(path)
	if word.Load()&bit != 0 {
		return nil
	}
	for range 2 {
		dir = filepath.Dir(dir)
		if err := syncDir(dir); err != nil {
			return err
		}
	}
	word.Or(bit)
	return nil
}

// fanOut is where synced keeps the folder of a blob, by the first two bytes of its digest.
func (s *Store) fanOut(path string) (word *atomic.Uint64, bit uint64) {
	sum := strings.TrimPrefix(filepath.Base(path), "sha256-")
	n, _ := strconv.ParseUint(sum[:4], 16, 16) // hex by construction
	return &s.synced[n/64], 1 << (n % 64)
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// mkdirAll makes dir and what is above it, and puts the names of what it made on the disk.
func mkdirAll(dir string) error {
	err := os.Mkdir(dir, dirMode)
	if parent := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && parent != dir {
		if err := mkdirAll(parent); err != nil {
			return err
		}
		err = os.Mkdir(dir, dirMode) // and no third time: /proc and its kind are there and take no folder
	}
	if errors.Is(err, fs.ErrExist) {
		if info, serr := os.Stat(dir); serr != nil || !info.IsDir() {
			return fmt.Errorf("%s is not a folder: %w", dir, errors.Join(err, serr))
		}
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}
