//go:build interop

package main

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"mailflume/cmd/internal/interop"
	"mailflume/publish/logtest/fault"
)

func TestFault_N2_NATSIsKilledUnderTwoWorkers(t *testing.T) {
	s := newScene(t, Options{Boxes: 8, Messages: 8 * 60, Workers: 2})
	worst := time.Duration(0)
	for range 5 {
		s.mail(5)
		s.wait(50 * time.Millisecond)
		s.server.kill()
		s.mail(5)
		s.wait(time.Second)
		if err := s.nats.Start(); err != nil {
			t.Fatal(err)
		}
		s.server.up = true
		worst = max(worst, s.arrive(30*time.Second))
	}
	s.finish(fault.Row{
		ID: "N2", Fault: "a nats-server process is killed (SIGKILL) in the middle of the mail of two workers, five times",
		Outcome: "both wait and go on where the log ends", Recovery: worst,
	})
}

// cluster brings three servers to a scene.
func cluster(t *testing.T) (nodes []*interop.NATS, bring func(*Storm)) {
	t.Helper()
	nodes, err := interop.StartCluster(programs(t).nats, filepath.Join(t.TempDir(), "cluster"), 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, n := range nodes {
			n.Signal(syscall.SIGKILL)
		}
	})
	return nodes, func(s *Storm) { s.nats, s.stream = nodes[0], "replicas: 3" }
}

func TestFault_N4_EveryServerOfAClusterIsKilledAndFrozenInTurn(t *testing.T) {
	nodes, bring := cluster(t)
	s := newScene(t, Options{Boxes: 8, Messages: 8 * 60, Workers: 2}, bring)
	s.mail(2)
	s.arrive(time.Minute)
	worst := time.Duration(0)
	for _, n := range nodes { // one of them leads the stream
		s.mail(2)
		n.Signal(syscall.SIGKILL)
		s.mail(2)
		worst = max(worst, s.arrive(time.Minute))
		if err := n.Start(); err != nil {
			t.Fatal(err)
		}
		s.wait(3 * time.Second) // it catches up
		s.mail(2)
		n.Signal(syscall.SIGSTOP)
		s.mail(2)
		worst = max(worst, s.arrive(time.Minute))
		n.Signal(syscall.SIGCONT)
		s.wait(3 * time.Second)
	}
	s.finish(fault.Row{
		ID: "N4", Fault: "cluster of three processes: each is killed (SIGKILL) and frozen (SIGSTOP) in turn, the leader too",
		Outcome: "a new leader is chosen, what a write without an answer became is read from it; who is connected to a frozen server finds out by two pings in 20 to 30 s", Recovery: worst,
	})
}

func TestFault_N5_AClusterLosesItsMajority(t *testing.T) {
	nodes, bring := cluster(t)
	s := newScene(t, Options{Boxes: 8, Messages: 8 * 30, Workers: 2}, bring)
	s.mail(3)
	s.arrive(time.Minute)
	s.mail(3)
	nodes[1].Signal(syscall.SIGKILL)
	nodes[2].Signal(syscall.SIGKILL)
	s.mail(3)
	s.wait(5 * time.Second)
	if s.seen.Load() == int64(s.stage.sent()) {
		t.Error("a minority took everything")
	}
	begin := time.Now()
	for _, n := range nodes[1:] {
		if err := n.Start(); err != nil {
			t.Fatal(err)
		}
	}
	s.arrive(time.Minute)
	recovery := time.Since(begin)
	s.finish(fault.Row{
		ID: "N5", Fault: "cluster of three processes: two are killed, and come back", Outcome: "nothing is taken without a majority, and everything when it is back", Recovery: recovery,
	})
}
