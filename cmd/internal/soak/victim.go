package main

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"mailflume/cmd/internal/interop"
)

// Victim is a process that is struck: a worker or the server.
type Victim struct {
	name   string
	kind   string
	up     bool
	frozen bool
	life   int // which of its processes runs: what was meant for an earlier one is void
	start  func() error
	signal func(syscall.Signal)
	kill   func()       // and wait for the end
	drain  func() error // ask it to end, and wait
	over   func() <-chan struct{}
}

func serverVictim(n *interop.NATS) *Victim {
	v := &Victim{name: "NATS", kind: "NATS", up: true, signal: n.Signal}
	v.start = func() error {
		v.up = true
		return n.Launch() // and may be struck while it recovers its store
	}
	v.over = n.Done
	v.kill = func() {
		if v.up {
			n.Signal(syscall.SIGKILL)
			v.fell()
		}
	}
	return v
}

// fell notes that the process is gone.
func (v *Victim) fell() {
	v.up, v.frozen = false, false
	v.life++
}

// drainTime is how long a worker may take to end by itself.
const drainTime = 40 * time.Second

func workerVictim(s *Storm, i int, config string) *Victim {
	v := &Victim{name: fmt.Sprintf("worker %d", i+1), kind: "worker"}
	var w *interop.Worker
	gone := func() error {
		err := w.Wait()
		v.fell()
		s.read(w.Log(), filepath.Join(s.dir, "logs", fmt.Sprintf("worker-%d.log", i+1)))
		return err
	}
	v.start = func() (err error) {
		v.up = true
		w, err = interop.StartWorker(s.bin, config)
		return err
	}
	v.signal = func(sig syscall.Signal) { w.Signal(sig) }
	v.over = func() <-chan struct{} { return w.Done() }
	v.kill = func() {
		if v.up {
			w.Signal(syscall.SIGKILL)
			_ = gone()
		}
	}
	v.drain = func() error {
		if !v.up {
			return errors.New("it is not there")
		}
		w.Signal(syscall.SIGTERM)
		t := time.AfterFunc(drainTime, func() { w.Signal(syscall.SIGQUIT) })
		defer t.Stop()
		return gone()
	}
	return v
}

// read keeps the log of a process that has ended and looks for what must never be in it.
func (s *Storm) read(log, file string) {
	s.Fenced += strings.Count(log, `"code":"MF-NATS-005"`)
	for _, bad := range []string{"panic:", "fatal error:", "DATA RACE"} {
		if strings.Contains(log, bad) {
			s.Trouble++
			fmt.Fprintf(s.out, "soak: %s says %q\n", file, bad)
		}
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(log)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		fmt.Fprintln(s.out, "soak: keep a log:", err)
	}
}

// survived notes a process that has ended though nobody killed it, and starts it again.
func (s *Storm) survived(v *Victim) {
	if !v.up {
		return
	}
	select {
	case <-v.over():
		s.Trouble++
		fmt.Fprintf(s.out, "soak: %s ended by itself\n", v.name)
		v.kill()
		s.agenda.in(0, v.start)
	default:
	}
}

// span is a random time.
type span struct {
	percent  int
	from, to time.Duration
}

// most of the spans are short, some long enough to be noticed, a few longer than a worker is believed
// to live (12 s) or an answer is waited for (5 s).
func (v *Victim) absence() []span {
	if v.kind == "NATS" {
		return []span{{90, 0, 1500 * time.Millisecond}, {10, 2 * time.Second, 8 * time.Second}}
	}
	return []span{{80, 0, time.Second}, {20, time.Second, 5 * time.Second}}
}

func (v *Victim) sleep() []span {
	if v.kind == "NATS" {
		return []span{{80, 50 * time.Millisecond, 2 * time.Second}, {15, 2 * time.Second, 8 * time.Second}, {5, 8 * time.Second, 25 * time.Second}}
	}
	return []span{{75, 50 * time.Millisecond, 2 * time.Second}, {15, 2 * time.Second, 12 * time.Second}, {10, 12 * time.Second, 25 * time.Second}}
}

func pick(rnd *rand.Rand, spans []span) time.Duration {
	x := rnd.IntN(100)
	for _, s := range spans {
		if x -= s.percent; x < 0 {
			return s.from + time.Duration(rnd.Int64N(int64(s.to-s.from)))
		}
	}
	return 0
}

// strike hits one process, and lets it come back later.
func (s *Storm) strike(rnd *rand.Rand) error {
	if s.stage.sent() > int(s.seen.Load()) {
		s.UnderWay++
	}
	kill := rnd.IntN(100) < 60
	v := s.target(rnd, kill)
	if v == nil {
		s.Struck["nobody was up"]++
		return nil
	}
	if kill {
		s.Struck[v.kind+" killed"]++
		v.kill()
		s.agenda.in(pick(rnd, v.absence()), v.start)
		return nil
	}
	s.Struck[v.kind+" frozen"]++
	v.signal(syscall.SIGSTOP)
	v.frozen = true
	life := v.life
	s.agenda.in(pick(rnd, v.sleep()), func() error {
		if v.life == life {
			v.signal(syscall.SIGCONT)
			v.frozen = false
		}
		return nil
	})
	return nil
}

// target picks one that can be struck so: the server in a quarter of the rounds, else a worker. Most of
// the frozen ones are let sleep: waking up as a stranger is what they are there for.
func (s *Storm) target(rnd *rand.Rand, kill bool) *Victim {
	order := slices.Clone(s.workers)
	rnd.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	order = slices.Insert(order, map[bool]int{true: 0, false: len(order)}[rnd.IntN(4) == 0], s.server)
	asleep := kill && rnd.IntN(5) == 0
	for _, v := range order {
		if v.up && (asleep || !v.frozen) {
			return v
		}
	}
	return nil
}

// strikes says how often what was struck.
func (s *State) strikes() string {
	var out []string
	for _, what := range slices.Sorted(maps.Keys(s.Struck)) {
		out = append(out, fmt.Sprintf("%s %d", what, s.Struck[what]))
	}
	return strings.Join(out, ", ")
}
