package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"mailflume/ingest"
	"mailflume/publish"
)

// allocated reads the attack of n units and returns how many octets of memory that took in all.
func allocated(t *testing.T, a attack, n int) int64 {
	t.Helper()
	name := filepath.Join(t.TempDir(), "message.eml")
	if _, err := a.write(name, n); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var data publish.Data
	if err := (&ingest.Composer{}).Compose(t.Context(), f, nil, &data); err != nil {
		t.Fatalf("%d units: %v", n, err)
	}
	runtime.ReadMemStats(&after)
	if data.Raw == nil || data.Raw.Size == 0 {
		t.Error("the message was not read")
	}
	return int64(after.TotalAlloc - before.TotalAlloc)
}

func TestMemoryGrowsNoFasterThanTheAttack(t *testing.T) {
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			one, four := allocated(t, a, a.n/80), allocated(t, a, a.n/20)
			const pooled = 8 << 20 // under the race detector a pool forgets some of what it is given
			if four > 6*one+pooled {
				t.Errorf("%d octets, and %d for four times the message", one, four)
			}
		})
	}
}

func TestWhatAnAttackAchievedIsSaid(t *testing.T) {
	for want, r := range map[string]result{
		"":                    {cpu: maxCPU, memory: maxMemory, growth: maxGrowth},
		"TOO SLOW":            {cpu: maxCPU + 1},
		"TOO LARGE":           {memory: maxMemory + 1},
		"NOT LINEAR":          {growth: maxGrowth + 0.1},
		"REFUSED, NOT LINEAR": {failed: true, growth: 4},
	} {
		if got := strings.Join(r.faults(), ", "); got != want {
			t.Errorf("%+v: %q, want %q", r, got, want)
		}
	}
}

func TestAProgramThatRefusesAMessageIsFound(t *testing.T) {
	var out strings.Builder
	if ok, err := run(&out, "false", "message-ids", 1); ok || err != nil || !strings.Contains(out.String(), "REFUSED") {
		t.Errorf("%v %v\n%s", ok, err, out.String())
	}
	if _, err := run(&out, filepath.Join(t.TempDir(), "none"), "message-ids", 1); err == nil {
		t.Error("a program that does not exist was measured")
	}
}
