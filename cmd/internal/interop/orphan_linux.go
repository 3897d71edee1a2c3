package interop

import "syscall"

// withUs ends a child when this process ends, however that is: one that goes on writing would get in
// the way of the next run. What a terminal sends to its foreground is for this process alone.
func withUs() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
