package rig

import (
	"errors"
	"syscall"
)

// attributes puts the child into a process group of its own, ends it when the test binary dies
// (also by a timeout's panic or SIGKILL), and takes root's rights from it.
func attributes(o owner) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if o.change {
		a.Credential = &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.gid)}
	}
	return a
}

// signalGroup signals the child and everything it has started. The group is known by the id of a
// child that has not been waited for yet, so the number cannot have been given to somebody else.
func signalGroup(pid int, kill bool) {
	sig := syscall.SIGTERM
	if kill {
		sig = syscall.SIGKILL
	}
	_ = syscall.Kill(-pid, sig)
}

var errStillThere = errors.New("processes of the group are still there")

// groupIsGone is not to be believed where the first process of a container reaps late.
func groupIsGone(pid int) error {
	if errors.Is(syscall.Kill(-pid, 0), syscall.ESRCH) {
		return nil
	}
	return errStillThere
}
