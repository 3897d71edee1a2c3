package embed

import (
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// dirUnborn is where folders of streams go that the server cannot read, beside its own.
const dirUnborn = "unborn"

// clearUnborn moves streams out of the server's way whose description is not whole, as a process leaves it
// that was killed while it made one. nats-server (2.15.2) passes such a folder over, makes the next stream of
// the name in it without the missing half, and passes that over too at its next start, with all that it holds.
func clearUnborn(store string) (moved []string, err error) {
	dirs, err := filepath.Glob(filepath.Join(store, "jetstream", "*", "streams", "*"))
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		if filled(filepath.Join(dir, "meta.inf")) && filled(filepath.Join(dir, "meta.sum")) {
			continue
		}
		to := filepath.Join(store, dirUnborn, filepath.Base(dir)+"-"+strconv.FormatInt(time.Now().UnixNano(), 36))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return moved, err
		}
		if err := os.Rename(dir, to); err != nil {
			return moved, err
		}
		moved = append(moved, to)
	}
	return moved, nil
}

func filled(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}
