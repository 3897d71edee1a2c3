//go:build !linux

package interop

import "syscall"

// withUs has nothing to offer here.
func withUs() *syscall.SysProcAttr { return nil }
