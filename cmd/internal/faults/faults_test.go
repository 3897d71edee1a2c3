package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"mailflume/publish/logtest/fault"
)

// whole is a row for every fault.
func whole() (rows []fault.Row) {
	for _, id := range matrix() {
		rows = append(rows, fault.Row{ID: id, Fault: "something | is cut", Outcome: "it goes on", Messages: 10, Recovery: 1500 * time.Millisecond})
	}
	return rows
}

func TestTheTableHasEveryFaultOfTheMatrix(t *testing.T) {
	var out bytes.Buffer
	if err := table(&out, whole()); err != nil {
		t.Error(err)
	}
	if n := strings.Count(out.String(), "\n"); n != 2+9+17+2 {
		t.Errorf("%d lines", n)
	}
	if !strings.Contains(out.String(), `| P1 | something \| is cut | it goes on | 10 | 0 | 0 | 1.5 s |`) {
		t.Error(out.String())
	}
}

func TestATableThatProvesNothingIsRefused(t *testing.T) {
	for name, spoil := range map[string]func([]fault.Row) []fault.Row{
		"one missing": func(r []fault.Row) []fault.Row { return r[1:] },
		"one lost":    func(r []fault.Row) []fault.Row { r[3].Lost = 1; return r },
		"one doubled": func(r []fault.Row) []fault.Row { r[3].Doubled = 1; return r },
		"one failed":  func(r []fault.Row) []fault.Row { r[3].Failed = true; return r },
		"no mail":     func(r []fault.Row) []fault.Row { r[3].Messages = 0; return r },
		"nothing":     func([]fault.Row) []fault.Row { return nil },
	} {
		if table(&bytes.Buffer{}, spoil(whole())) == nil {
			t.Errorf("%s: it passes", name)
		}
	}
}

func FuzzTheNotes(f *testing.F) {
	f.Add([]byte(`{"id":"N1"}` + "\n" + `{"id":"N2","recovery":5}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := parse(b)
		if len(rows) > len(b) {
			t.Errorf("%d rows from %d octets: %v", len(rows), len(b), err)
		}
	})
}
