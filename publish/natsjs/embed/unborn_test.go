package embed_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"mailflume/publish/natsjs"
	"mailflume/publish/natsjs/embed"
)

// A process that is killed while it makes a stream leaves half of its description.
func TestWhatIsStoredAfterADeathInTheMiddleOfMakingAStreamStays(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"no folder":     os.RemoveAll,
		"only a folder": func(d string) error { return errors.Join(os.RemoveAll(d), os.Mkdir(d, 0o755)) },
		"no meta.inf":   func(d string) error { return os.Remove(filepath.Join(d, "meta.inf")) },
		"no meta.sum":   func(d string) error { return os.Remove(filepath.Join(d, "meta.sum")) },
		"half of it":    func(d string) error { return os.Truncate(filepath.Join(d, "meta.sum"), 0) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			with := func(do func(b *natsjs.Blobs) error) {
				t.Helper()
				s, err := embed.Start(t.Context(), embed.Options{DataDir: dir})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Shutdown()
				c, err := natsjs.Connect(t.Context(), s.Options())
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if err := do(c.Blobs("default", natsjs.BlobOptions{})); err != nil {
					t.Error(err)
				}
			}
			put := func(b *natsjs.Blobs) error {
				_, err := b.Put(t.Context(), "", bytes.NewReader([]byte("octets")))
				return err
			}
			with(put)
			found, err := filepath.Glob(filepath.Join(dir, "*", "jetstream", "*", "streams", "OBJ_mailflume-default"))
			if err != nil || len(found) != 1 {
				t.Fatal(found, err)
			}
			if err := spoil(found[0]); err != nil {
				t.Fatal(err)
			}
			with(put)
			with(func(b *natsjs.Blobs) error {
				r, err := b.Open(t.Context(), fmt.Sprintf("%x", sha256.Sum256([]byte("octets"))))
				if err != nil {
					return err
				}
				return r.Close()
			})
		})
	}
}
