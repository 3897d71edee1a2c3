package embed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Lock takes the lock of a file, which the kernel drops with the process, and makes the file if there is
// none. It returns ErrLocked if another process has it. Closing the file lets go.
func Lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := tryLock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// waitLock takes the directory's lock, trying for at most atMost.
func waitLock(ctx context.Context, dir string, atMost time.Duration) (*os.File, error) {
	path := filepath.Join(dir, fileLock)
	deadline := time.Now().Add(atMost)
	for {
		f, err := Lock(path)
		if err == nil {
			return f, nil
		}
		left := time.Until(deadline)
		if !errors.Is(err, ErrLocked) || left <= 0 {
			return nil, lockError(dir, err)
		}
		timer := time.NewTimer(min(left, 100*time.Millisecond))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, errors.Join(lockError(dir, err), context.Cause(ctx))
		}
	}
}

func lockError(dir string, err error) error {
	if errors.Is(err, ErrLocked) {
		return fmt.Errorf("%w: %s: stop the other process, or give this one a data_dir of its own", ErrLocked, dir)
	}
	return fmt.Errorf("embedded NATS server: lock %s: %w", dir, err)
}
