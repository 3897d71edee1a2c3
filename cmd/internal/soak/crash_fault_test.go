//go:build interop

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailflume/cmd/internal/crash"
	"mailflume/cmd/internal/interop"
	"mailflume/publish/logtest/fault"
	"mailflume/publish/natsjs"
	"mailflume/publish/natsjs/embed"
)

// crashes is how often the process dies at each point.
const crashes = 4

func TestFault_P1_TheProcessDiesAtEveryPointOfTheWay(t *testing.T) {
	b := programs(t)
	row := fault.Row{ID: "P1", Outcome: "the next one takes its position from the log and goes on"}
	deaths := 0
	for _, point := range crash.Points() {
		t.Run(point, func(t *testing.T) {
			c := newCrashScene(t, b, strings.HasPrefix(point, "nats."))
			died := 0
			for range 4 * crashes {
				if c.pass(point+":"+fmt.Sprint(1+rand.IntN(c.most(point)))) != nil {
					died++
				}
				if died == crashes {
					break
				}
				if died%2 == 0 && c.pass("") != nil { // three in a row with one message would set it aside
					t.Fatal("it dies although nobody asked it to")
				}
			}
			if died == 0 {
				t.Fatal("it never got there")
			}
			deaths += died
			row.Recovery = max(row.Recovery, c.last())
			v := c.judge()
			row.Messages, row.Lost, row.Doubled = row.Messages+c.stage.sent(), row.Lost+v.Lost, row.Doubled+v.Doubled
			if !v.good() {
				t.Errorf("%+v", *v)
			}
		})
	}
	row.Fault = fmt.Sprintf("SIGKILL %d times, at %d points between the fetch and the post-action", deaths, len(crash.Points()))
	fault.Note(t, row)
}

// crashScene is a mailbox of each protocol, and a program that reads them once and ends.
type crashScene struct {
	t      *testing.T
	b      binaries
	dir    string
	config string
	stage  *Stage
	post   Post
	nats   *interop.NATS // nil: in the program itself
}

func newCrashScene(t *testing.T, b binaries, external bool) *crashScene {
	t.Helper()
	c := &crashScene{t: t, b: b, dir: t.TempDir()}
	c.post = Post{Options{Seed: uint64(time.Now().UnixNano()), Rounds: 1, Boxes: 4, Messages: 4 * 600}}
	var err error
	if c.stage, err = newStage(c.post); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.stage.Close() })
	url := ""
	if external {
		if c.nats, err = interop.StartNATS(b.nats, filepath.Join(c.dir, "nats")); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.nats.Signal(syscall.SIGKILL) })
		url = c.nats.URL
	}
	if c.config, err = c.stage.config(c.dir, url); err != nil {
		t.Fatal(err)
	}
	return c
}

// most is how often a point may be passed before the process dies there: some are passed once for
// each mailbox, others once for each message.
func (c *crashScene) most(point string) int {
	switch point {
	case crash.AppendBefore, crash.AppendAfter, crash.Fetched, crash.BlobBefore, crash.BlobMiddle, crash.BlobAfter, crash.BodyMiddle, crash.NATSWrite, crash.NATSHalf:
		return 60
	}
	return 4
}

// grace is how old an acknowledgement has to be for a post-action with the embedded NATS.
const grace = 1100 * time.Millisecond

// pass delivers some mail and lets the program make one pass. It returns an error if that died.
func (c *crashScene) pass(at string) error {
	c.t.Helper()
	for b := range c.post.Boxes {
		if err := c.stage.deliver(b, c.stage.held[b]+1+rand.IntN(30)); err != nil {
			c.t.Fatal(err)
		}
	}
	if strings.HasPrefix(at, "settle.") {
		<-time.After(grace)
	}
	w, err := interop.StartWorkerWith(crash.Env+"="+at, c.b.crashing, c.config, "--once")
	if err != nil {
		c.t.Fatal(err)
	}
	err = w.Wait()
	if err == nil {
		return nil
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if status, unix := exit.Sys().(syscall.WaitStatus); !ok || !unix || status.Signal() != syscall.SIGKILL {
		c.t.Fatalf("the program ended with %v:\n%s", err, w.Log())
	}
	return err
}

// last makes the pass that nothing disturbs, and returns how long the first event of new mail took.
func (c *crashScene) last() time.Duration {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	begin := time.Now()
	if err := c.stage.deliver(0, c.stage.held[0]+1); err != nil {
		c.t.Fatal(err)
	}
	w, err := interop.StartWorker(c.b.mailflume, c.config, "--once")
	if err != nil {
		c.t.Fatal(err)
	}
	if err := w.AwaitPublished(ctx, 1); err != nil {
		c.t.Error(err)
	}
	took := time.Since(begin)
	if err := w.Wait(); err != nil {
		c.t.Fatalf("%v\n%s", err, w.Log())
	}
	return took
}

// judge compares the stream with what was sent.
func (c *crashScene) judge() *Verdict {
	c.t.Helper()
	o := natsjs.Options{}
	if c.nats != nil {
		o.URL = c.nats.URL
	} else {
		server, err := embed.Start(c.t.Context(), embed.Options{DataDir: filepath.Join(c.dir, "nats"), Wait: 10 * time.Second})
		if err != nil {
			c.t.Fatal(err)
		}
		defer server.Shutdown()
		o = server.Options()
	}
	conn, err := natsjs.Connect(c.t.Context(), o)
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.EnsureStream(c.t.Context(), natsjs.StreamConfig{}); err != nil {
		c.t.Fatal(err)
	}
	s := &Storm{State: &State{Options: c.post.Options}, out: c.t.Output(), post: c.post, stage: c.stage, conn: conn}
	v, err := s.judge(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	v.Lost -= c.post.Messages - c.stage.sent() // never sent
	return v
}
