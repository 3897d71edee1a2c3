package interop

import "syscall"

// withUs ends a child when this process ends, however that is: one that goes on writing would get in
// the way of the next run.
func withUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
