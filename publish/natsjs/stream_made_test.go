package natsjs_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"mailflume/publish/natsjs"
)

// A server that is killed while it makes a stream leaves a part of its description; one that is killed while
// it updates one, a checksum that does not fit.
func TestWhatIsStoredStaysThoughTheServerDiedWhileItMadeTheStreams(t *testing.T) {
	mismatched := func(d string) error {
		return os.WriteFile(filepath.Join(d, "meta.sum"), []byte("0123456789abcdef"), 0o600)
	}
	for name, row := range map[string]struct {
		spoil func(dir string) error
		kept  bool // what was stored before is there afterwards
	}{
		"no folder":              {os.RemoveAll, false},
		"only a folder":          {func(d string) error { return errors.Join(os.RemoveAll(d), os.Mkdir(d, 0o755)) }, false},
		"no meta.inf":            {func(d string) error { return os.Remove(filepath.Join(d, "meta.inf")) }, true},
		"no meta.sum":            {func(d string) error { return os.Remove(filepath.Join(d, "meta.sum")) }, true},
		"an empty meta.sum":      {func(d string) error { return os.Truncate(filepath.Join(d, "meta.sum"), 0) }, true},
		"another one's meta.sum": {mismatched, true},
		"half a meta.inf":        {func(d string) error { return os.Truncate(filepath.Join(d, "meta.inf"), 100) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, serverOptions{})
			want := 0
			// each round is another process of the client
			round := func(write bool) {
				t.Helper()
				c := dial(t, s.options())
				if err := c.EnsureStream(t.Context(), natsjs.StreamConfig{Manage: write}); err != nil {
					t.Fatal(err)
				}
				b := c.Blobs("default", natsjs.BlobOptions{})
				if write {
					appendAll(t, mustClaim(t, c.Log()), want+1, want+3)
					want += 3
					if _, err := b.Put(t.Context(), "", strings.NewReader("octets")); err != nil {
						t.Fatal(err)
					}
				}
				wantEvents(t, c, want)
				r, err := b.Open(t.Context(), sha256Hex([]byte("octets")))
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(r.Close(), c.Close()); err != nil {
					t.Error(err)
				}
			}
			round(true)
			s.stop()
			for _, stream := range []string{natsjs.DefaultStream, "OBJ_mailflume-default"} {
				if err := row.spoil(filepath.Join(s.opts.StoreDir, server.JetStreamStoreDir, "$G", "streams", stream)); err != nil {
					t.Fatal(err)
				}
			}
			if !row.kept {
				want = 0
			}
			for _, write := range []bool{true, false} { // the writer makes what was passed over, the reader finds it
				s.start(t)
				round(write)
				s.stop()
			}
		})
	}
}
