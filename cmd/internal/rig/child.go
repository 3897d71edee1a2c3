package rig

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// child is a process that we started and have not lost sight of.
type child struct {
	pid  int
	done chan struct{} // closed when it has ended and was waited for
}

const (
	patience = 2 * time.Second      // from SIGTERM to SIGKILL
	pause    = 5 * time.Millisecond // between two looks at a server that starts
)

var errEnded = errors.New("the process ended by itself")

// startChild starts a process and the goroutine that waits for it. That goroutine stays on its
// thread: the kernel sends the parent-death signal when the thread that started a child ends.
func startChild(bin string, args []string, log string, o owner) (*child, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", bin, err)
	}
	c := &child{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(c.done)
		defer out.Close()
		cmd := exec.CommandContext(context.Background(), bin, args...)
		cmd.Stdout, cmd.Stderr, cmd.Dir = out, out, "/"
		cmd.SysProcAttr = attributes(o)
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		c.pid = cmd.Process.Pid
		started <- nil
		_ = cmd.Wait() // how it ended is in its log
	}()
	if err := <-started; err != nil {
		<-c.done
		return nil, fmt.Errorf("start %s: %w", bin, err)
	}
	return c, nil
}

// waitFor asks ready again and again until it says yes or the process has ended.
func (c *child) waitFor(ctx context.Context, ready func(context.Context) error) error {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-c.done:
			return errEnded
		case <-ctx.Done():
			return fmt.Errorf("it does not get ready: %w", err)
		case <-tick.C:
		}
	}
}

// greets reports nil when a server at addr says its first line. A mere connection says little: the
// ports are open before anybody serves them.
func greets(ctx context.Context, addr string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if end, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(end); err != nil {
			return err
		}
	}
	_, err = bufio.NewReader(conn).ReadString('\n')
	return err
}

// stop ends the whole process group: the master alone would wait for its children for ten seconds.
func (c *child) stop() {
	select {
	case <-c.done:
		return
	default:
	}
	signalGroup(c.pid, false)
	select {
	case <-c.done:
	case <-time.After(patience):
		signalGroup(c.pid, true)
		<-c.done
	}
	// its children end on their own; nothing may write into the folder when it is removed
	ctx, cancel := context.WithTimeout(context.Background(), patience/4)
	defer cancel()
	_ = (&child{}).waitFor(ctx, func(context.Context) error { return groupIsGone(c.pid) })
}
