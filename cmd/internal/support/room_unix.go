//go:build linux || darwin

package support

import (
	"fmt"
	"syscall"
)

// room says how much is free where dir lies.
func room(dir string) string {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return ""
	}
	return fmt.Sprintf(", %d octets free of %d", s.Bavail*uint64(s.Bsize), s.Blocks*uint64(s.Bsize))
}
