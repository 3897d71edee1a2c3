package embed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// waitLock takes the directory's lock, trying for at most atMost.
func waitLock(ctx context.Context, dir string, atMost time.Duration) (*os.File, error) {
	path := filepath.Join(dir, fileLock)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("embedded NATS server: %w", err)
	}
	deadline := time.Now().Add(atMost)
	for {
		err := tryLock(f)
		if err == nil {
			return f, nil
		}
		left := time.Until(deadline)
		if !errors.Is(err, errBusy) || left <= 0 {
			return nil, errors.Join(lockError(dir, err), f.Close())
		}
		timer := time.NewTimer(min(left, 100*time.Millisecond))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, errors.Join(lockError(dir, err), context.Cause(ctx), f.Close())
		}
	}
}

// errBusy: somebody else holds the lock.
var errBusy = errors.New("locked")

func lockError(dir string, err error) error {
	if errors.Is(err, errBusy) {
		return fmt.Errorf("%w: %s: stop the other process, or give this one a data_dir of its own", ErrLocked, dir)
	}
	return fmt.Errorf("embedded NATS server: lock %s: %w", dir, err)
}
