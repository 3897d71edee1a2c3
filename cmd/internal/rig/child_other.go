//go:build !linux

package rig

import (
	"os"
	"syscall"
)

// attributes has nothing to offer here; as root Dovecot will refuse to run as nobody's child.
func attributes(owner) *syscall.SysProcAttr { return nil }

func signalGroup(pid int, kill bool) {
	p, err := os.FindProcess(pid)
	if err != nil {
		return
	}
	if kill {
		_ = p.Kill()
		return
	}
	_ = p.Signal(os.Interrupt)
}

func groupIsGone(int) error { return nil }
