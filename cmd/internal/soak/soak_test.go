package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

func small() Post {
	return Post{Options{Seed: 7, Rounds: 30, Messages: 480, Boxes: 8, Workers: 3}}
}

func TestEveryMailboxGetsAllItsMailAndNeverLess(t *testing.T) {
	p := small()
	for b := range p.Boxes {
		for r, before := 0, 0; r <= p.Rounds; r++ {
			now := p.due(b, r)
			if now < before || now > p.each() {
				t.Fatalf("%s has %d messages after %d rounds, %d a round before, %d in all", p.box(b), now, r, before, p.each())
			}
			before = now
		}
		if got := p.due(b, p.Rounds); got != p.each() {
			t.Errorf("%s has %d messages at the end, want %d", p.box(b), got, p.each())
		}
	}
}

func TestAMessageIsTheSameEveryTimeAndNoOther(t *testing.T) {
	p, seen := small(), map[string]bool{}
	for b := range p.Boxes {
		for n := 1; n <= p.each(); n++ {
			m := p.message(b, n)
			if !bytes.Equal(m, p.message(b, n)) || !bytes.HasSuffix(m, []byte("\r\n")) {
				t.Fatalf("message %d of %s is not one that comes again octet for octet", n, p.box(b))
			}
			if seen[digest(m)] {
				t.Fatalf("message %d of %s is like another one", n, p.box(b))
			}
			seen[digest(m)] = true
			if got, ok := p.number(b, p.id(b, n)); !ok || got != n {
				t.Fatalf("the id %s is read as %d, %v", p.id(b, n), got, ok)
			}
		}
	}
	other := p
	other.Seed++
	for _, id := range []string{"", "x", p.id(1, 1), p.id(0, 0), p.id(0, p.each()+1), other.id(0, 1)} {
		if _, ok := p.number(0, id); ok {
			t.Errorf("the id %q passes for one of mailbox 0", id)
		}
	}
}

func TestAVerdictSeesWhatIsLostDoubledAndOutOfOrder(t *testing.T) {
	for _, c := range []struct {
		name    string
		numbers []int
		want    Verdict
	}{
		{"whole", []int{1, 2, 3, 4}, Verdict{}},
		{"the last one lost", []int{1, 2, 3}, Verdict{Lost: 1}},
		{"two in the middle lost", []int{1, 4}, Verdict{Lost: 2}},
		{"one three times", []int{1, 2, 2, 2, 3, 4}, Verdict{Doubled: 2}},
		{"read again from the start", []int{1, 2, 1, 2, 3, 4}, Verdict{Doubled: 2, Disorder: 1}},
		{"two exchanged", []int{1, 3, 2, 4}, Verdict{Disorder: 1}},
	} {
		var v Verdict
		r := reading{times: make([]int, 5)}
		for _, n := range c.numbers {
			v.add(&r, n, "w")
		}
		v.sum(&r)
		if v != c.want || v.good() != (c.want == Verdict{}) {
			t.Errorf("%s: %+v, want %+v", c.name, v, c.want)
		}
	}
}

func TestAnAgendaDoesEverythingInItsTime(t *testing.T) {
	var a Agenda
	var done []string
	note := func(what string) func() error {
		return func() error {
			done = append(done, what)
			return nil
		}
	}
	a.in(20*time.Millisecond, note("second"))
	a.in(time.Hour, note("last"))
	a.in(0, func() error {
		a.in(0, note("first"))
		return nil
	})
	if err := a.until(t.Context(), time.Now().Add(50*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"first", "second"}; !slices.Equal(done, want) {
		t.Errorf("%v was done, want %v", done, want)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := a.until(stopped, time.Now().Add(time.Hour)); !errors.Is(err, context.Canceled) {
		t.Errorf("until ended with %v", err)
	}
	if err := a.now(); err != nil || done[len(done)-1] != "last" {
		t.Errorf("%v was done in the end: %v", done, err)
	}
}

func TestARunIsTakenUpWithItsOwnOptions(t *testing.T) {
	dir := t.TempDir()
	s, err := openState(dir, small().Options)
	if err != nil {
		t.Fatal(err)
	}
	s.Done, s.Struck["worker killed"] = 5, 4
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	again, err := openState(dir, Options{Seed: 9, Rounds: 1, Messages: 1, Boxes: 1, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if again.Options != s.Options || again.Done != 5 || again.Resumed != 1 || fmt.Sprint(again.Struck) != "map[worker killed:4]" {
		t.Errorf("taken up as %+v", again)
	}
	if err := again.remove(); err != nil {
		t.Fatal(err)
	}
	if fresh, err := openState(dir, Options{Seed: 9}); err != nil || fresh.Seed != 9 || fresh.Resumed != 0 {
		t.Errorf("after the end: %+v, %v", fresh, err)
	}
}
