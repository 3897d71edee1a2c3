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
	"strings"
	"syscall"
	"testing"
	"time"

	"mailflume/publish"
	"mailflume/publish/logtest"
)

// counted tells the suite which files are not blobs that open.
type counted struct{ *Store }

func (c counted) Leftovers(t testing.TB) int {
	n := 0
	err := filepath.WalkDir(c.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		sum, ok := strings.CutPrefix(e.Name(), "sha256-")
		b, rerr := os.ReadFile(path)
		if have := sha256.Sum256(b); !ok || rerr != nil || hex.EncodeToString(have[:]) != sum || path != c.path(sum) {
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func newStore(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t testing.TB, s *Store, data []byte) publish.Blob {
	t.Helper()
	b, err := s.Put(context.Background(), "", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestStorePassesTheConformanceSuite(t *testing.T) {
	logtest.RunBlobs(t, func(t *testing.T) logtest.Blobs { return counted{newStore(t, t.TempDir())} })
}

func TestTheLayoutIsForPeople(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b%ü", "blobs")
	b := put(t, newStore(t, dir), []byte("abc"))
	const sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	path := filepath.Join(dir, "ba", "78", "sha256-"+sum)
	if got, err := os.ReadFile(path); err != nil || string(got) != "abc" {
		t.Errorf("%s holds %q, %v", path, got, err)
	}
	if u, err := url.Parse(b.Ref); err != nil || u.Scheme != "file" || u.Host != "" || u.Path != path {
		t.Errorf("ref %q = %+v, %v; want the path %s", b.Ref, u, err, path)
	}
	for p, mode := range map[string]fs.FileMode{dir: 0o700, filepath.Join(dir, "ba"): 0o700, filepath.Join(dir, "ba", "78"): 0o700, path: 0o600} {
		if info, err := os.Stat(p); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: mode %v (%v), want %v", p, info.Mode().Perm(), err, mode)
		}
	}
}

func TestARelativeFolderGetsAnAbsoluteRef(t *testing.T) {
	t.Chdir(t.TempDir())
	b := put(t, newStore(t, "blobs"), []byte("abc"))
	if !strings.HasPrefix(b.Ref, "file:///") {
		t.Errorf("ref = %s", b.Ref)
	}
}

func TestNewRemovesOldTemporaryFilesOnly(t *testing.T) {
	dir := t.TempDir()
	data := []byte("kept")
	b := put(t, newStore(t, dir), data)
	old, young := filepath.Join(dir, tempDir, "put-1"), filepath.Join(dir, tempDir, "put-2")
	for _, p := range []string{old, young} {
		if err := os.WriteFile(p, []byte("torn"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	past := time.Now().Add(-25 * time.Hour)
	for _, p := range []string{old, newStore(t, dir).path(b.SHA256)} {
		if err := os.Chtimes(p, past, past); err != nil {
			t.Fatal(err)
		}
	}
	s := newStore(t, dir)
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old temporary file: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("the young temporary file: %v", err)
	}
	logtest.CheckBlob(t, s, data)
}

func TestStoringAgainRenewsTheFile(t *testing.T) {
	s := newStore(t, t.TempDir())
	for _, size := range []int{3, 300 << 10} {
		data := bytes.Repeat([]byte{7}, size)
		b := put(t, s, data)
		past := time.Now().Add(-time.Hour)
		if err := os.Chtimes(s.path(b.SHA256), past, past); err != nil {
			t.Fatal(err)
		}
		put(t, s, data)
		if info, err := os.Stat(s.path(b.SHA256)); err != nil || info.ModTime().Before(past.Add(time.Minute)) {
			t.Errorf("%d octets: modified %v, %v", size, info.ModTime(), err)
		}
	}
}

func TestDamageIsErrCorruptAndWrittenAnew(t *testing.T) {
	s := newStore(t, t.TempDir())
	data := bytes.Repeat([]byte("0123456789"), 1000)
	for name, damaged := range map[string][]byte{
		"torn": data[:4096], "empty": nil, "longer": append(bytes.Clone(data), 'x'), "one bit": append([]byte{data[0] ^ 1}, data[1:]...),
	} {
		b := put(t, s, data)
		if err := os.WriteFile(s.path(b.SHA256), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := s.Open(t.Context(), b.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); !errors.Is(err, publish.ErrCorrupt) {
			t.Errorf("%s: read = %v, want ErrCorrupt", name, err)
		}
		_ = r.Close()
		put(t, s, data)
		logtest.CheckBlob(t, s, data)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for _, c := range []struct{ err, want error }{
		{syscall.ENOSPC, publish.ErrFull}, {syscall.EDQUOT, publish.ErrFull}, {syscall.EFBIG, publish.ErrFull},
		{syscall.EACCES, publish.ErrDenied}, {syscall.EPERM, publish.ErrDenied}, {syscall.EROFS, publish.ErrDenied},
		{syscall.EIO, publish.ErrUnavailable}, {fs.ErrNotExist, publish.ErrUnavailable}, {syscall.EMFILE, publish.ErrUnavailable},
	} {
		err := classify(&fs.PathError{Op: "write", Path: "x", Err: c.err})
		if !errors.Is(err, c.want) || !errors.Is(err, c.err) {
			t.Errorf("classify(%v) = %v, want %v", c.err, err, c.want)
		}
	}
	if err := classify(nil); err != nil {
		t.Errorf("classify(nil) = %v", err)
	}
}

func TestAFolderThatIsGoneIsNotMadeAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mount")
	s := newStore(t, dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "", strings.NewReader("x")); !errors.Is(err, publish.ErrUnavailable) {
		t.Errorf("put = %v, want ErrUnavailable", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder was made again: %v", err)
	}
}

func TestAFileInTheWayIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(file); !errors.Is(err, publish.ErrUnavailable) {
		t.Errorf("New on a file = %v", err)
	}
}

// TestAFullDiskIsErrFull fills a 2 MiB file system; mounting one needs root.
func TestAFullDiskIsErrFull(t *testing.T) {
	dir := t.TempDir()
	if err := mountTmpfs(dir, "size=2m"); err != nil {
		if os.Getenv("MAILFLUME_CI") == "1" {
			t.Fatal(err)
		}
		t.Skipf("no file system of our own: %v", err)
	}
	t.Cleanup(func() { _ = unmount(dir) })
	s := counted{newStore(t, dir)}
	kept := bytes.Repeat([]byte("k"), 100_000)
	put(t, s.Store, kept)
	var err error
	for i := 0; err == nil && i < 100; i++ {
		_, err = s.Put(t.Context(), "", io.MultiReader(strings.NewReader(fmt.Sprint(i)), bytes.NewReader(make([]byte, 300_000))))
	}
	if !errors.Is(err, publish.ErrFull) {
		t.Errorf("put on a full disk = %v, want ErrFull", err)
	}
	if _, err := s.Put(t.Context(), "", bytes.NewReader(make([]byte, 3<<20))); !errors.Is(err, publish.ErrFull) {
		t.Errorf("a put larger than the disk = %v, want ErrFull", err)
	}
	if n := s.Leftovers(t); n != 0 {
		t.Errorf("%d files are left behind", n)
	}
	logtest.CheckBlob(t, s, kept)
}

func BenchmarkPut(b *testing.B) {
	for _, size := range []int{10 << 10, 1 << 20, 64 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			s, data := newStore(b, b.TempDir()), make([]byte, size)
			b.SetBytes(int64(size))
			i := 0
			for b.Loop() {
				i++
				copy(data, fmt.Sprint(i))
				put(b, s, data)
			}
		})
	}
}

func TestAFolderThatCannotBeMadeIsAnErrorAndNoLoop(t *testing.T) {
	if _, err := New("/proc/mailflume/blobs"); err == nil {
		t.Error("a folder was made in /proc")
	}
}
