package logtest_test

import (
	"context"
	"errors"
	"testing"

	"mailflume/publish"
	"mailflume/publish/logtest"
)

func TestMemoryIsALog(t *testing.T) {
	logtest.RunLog(t, func(*testing.T) publish.Log { return logtest.NewMemory() })
}

func claim(t *testing.T, m *logtest.Memory) publish.Claim {
	t.Helper()
	c, err := m.Claim(t.Context(), logtest.Box())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func appendN(t *testing.T, c publish.Claim, n int) error {
	t.Helper()
	ev, ref := logtest.Sample(logtest.Box(), n)
	return c.Append(t.Context(), ev, ref)
}

func TestMemoryFailsTheNextWritesAndThenGoesOn(t *testing.T) {
	m := logtest.NewMemory()
	c := claim(t, m)
	m.FailNext(2, publish.ErrFull)
	for range 2 {
		if err := appendN(t, c, 1); !errors.Is(err, publish.ErrFull) {
			t.Fatalf("got %v", err)
		}
	}
	if err := appendN(t, c, 1); err != nil {
		t.Fatal(err)
	}
	if got := len(m.Events(logtest.Box())); got != 1 {
		t.Errorf("%d events", got)
	}
}

func TestMemoryStoresWhatItLosesTheAcknowledgementOf(t *testing.T) {
	m := logtest.NewMemory()
	c := claim(t, m)
	m.LoseAck(1)
	if err := appendN(t, c, 1); !errors.Is(err, publish.ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
	if err := appendN(t, c, 1); !errors.Is(err, publish.ErrLogMoved) {
		t.Fatalf("got %v", err)
	}
	if _, since := claim(t, m).Position(); len(since) != 1 {
		t.Errorf("%d entries", len(since))
	}
}

func TestMemoryLosesItsTail(t *testing.T) {
	m := logtest.NewMemory()
	c := claim(t, m)
	for n := 1; n <= 5; n++ {
		if err := appendN(t, c, n); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Save(t.Context(), []byte("s")); err != nil {
		t.Fatal(err)
	}
	m.LoseTail(logtest.Box(), 3)
	if err := appendN(t, c, 6); !errors.Is(err, publish.ErrLogMoved) {
		t.Fatalf("got %v", err)
	}
	if snapshot, since := claim(t, m).Position(); snapshot != nil || len(since) != 3 {
		t.Errorf("%q and %d entries", snapshot, len(since))
	}
	m.Empty(logtest.Box())
	if got := len(m.Events(logtest.Box())); got != 0 {
		t.Errorf("%d events after Empty", got)
	}
}

func TestMemoryFencesAndGates(t *testing.T) {
	m := logtest.NewMemory()
	c := claim(t, m)
	gated := errors.New("gated")
	m.Gate(func(_ context.Context, op logtest.Op) error {
		if op.Name == "Append" && op.Box == logtest.Box() {
			return gated
		}
		return nil
	})
	if err := appendN(t, c, 1); !errors.Is(err, gated) {
		t.Fatalf("got %v", err)
	}
	m.Gate(nil)
	m.Fence(logtest.Box())
	if err := appendN(t, c, 1); !errors.Is(err, publish.ErrFenced) {
		t.Fatalf("got %v", err)
	}
	if got := m.Claims(logtest.Box()); got != 2 {
		t.Errorf("%d claims", got)
	}
}
