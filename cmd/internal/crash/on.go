//go:build crashpoints

package crash

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// Plan is where the process shall end.
type Plan struct {
	point string
	left  *atomic.Int64 // passings
}

// FromEnv returns the plan.
func FromEnv() Plan {
	point, number, _ := strings.Cut(os.Getenv(Env), ":")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		n = 1
	}
	p := Plan{point: point, left: &atomic.Int64{}}
	p.left.Store(n)
	return p
}

// due counts a passing of the point and reports whether it is the last one.
func (p Plan) due(point string) bool { return p.point == point && p.left.Add(-1) == 0 }

// at ends the process here if that is the plan.
func (p Plan) at(point string) {
	if p.due(point) {
		die()
	}
}

// die does not return: nothing is flushed, closed or said.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
