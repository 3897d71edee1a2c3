//go:build unix

package embed

import (
	"errors"
	"os"
	"syscall"
)

// tryLock takes an exclusive flock, which the kernel drops with the process.
func tryLock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}
