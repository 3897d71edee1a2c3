package ingest

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// rosterAt drives a roster by the second.
type rosterAt struct {
	*roster
	zero time.Time
}

func (r *rosterAt) at(second float64) time.Time {
	return r.zero.Add(time.Duration(second * float64(time.Second)))
}

func (r *rosterAt) beatsUntil(from, to int) {
	for s := from; s <= to; s += 3 {
		r.taken(r.at(float64(s)))
	}
}

func (r *rosterAt) see(second float64, ids string) {
	live := map[string]seat{}
	for _, id := range strings.Fields(ids) {
		live[id] = seat{1, "list"}
	}
	r.report(r.at(second), live)
}

func (r *rosterAt) wants(t *testing.T, second float64, ids string) {
	t.Helper()
	r.settle(r.at(second))
	if got := strings.Join(slices.Sorted(maps.Keys(r.seats)), " "); got != ids {
		t.Errorf("after %v s it counts on %q, want %q", second, got, ids)
	}
}

func newRosterAt() *rosterAt {
	return &rosterAt{newRoster("a", beatEvery), time.Unix(1e9, 0)}
}

func TestAJoinWaitsOneBeatAndALeaveNone(t *testing.T) {
	r := newRosterAt()
	r.beatsUntil(0, 30)
	r.see(0, "a b")
	r.wants(t, 2, "")
	r.wants(t, 3, "a b")
	r.see(10, "a b c")
	r.wants(t, 12, "a b")
	r.wants(t, 13, "a b c")
	r.see(20, "a c")
	r.wants(t, 20, "a c")
}

func TestAWorkerThatComesBackAsItselfWaitsForNobody(t *testing.T) {
	r := newRosterAt()
	r.see(0, "a b")
	r.wants(t, 9, "") // another process has its name, or its former self's death is not certain yet
	r.beats()
	r.taken(r.at(9.5))
	r.wants(t, 9.5, "a b")
	r.see(9.6, "a b c")
	r.wants(t, 10, "a b")
	r.taken(r.at(12))
	r.wants(t, 12.6, "a b c")
}

func TestAWorkersOwnFirstBeatMakesItNobodysHeir(t *testing.T) {
	r := newRosterAt()
	r.see(0, "b")
	r.beats()
	r.see(0.1, "a b") // its beat is seen before it is answered
	r.taken(r.at(0.2))
	r.wants(t, 1, "")
	r.wants(t, 3.2, "a b")
}

func TestWhoComesAndGoesWithinABeatMovesNothing(t *testing.T) {
	r := newRosterAt()
	r.beatsUntil(0, 30)
	r.see(0, "a")
	r.wants(t, 3, "a")
	r.see(4, "a b")
	r.see(6, "a")
	r.wants(t, 20, "a")
}

func TestANewListCountsAfterABeatAndTheOldOneUntilThen(t *testing.T) {
	r := newRosterAt()
	r.beatsUntil(0, 30)
	r.see(0, "a")
	r.wants(t, 3, "a")
	r.report(r.at(5), map[string]seat{"a": {1, "longer"}})
	r.settle(r.at(7))
	if r.seats["a"].list != "list" {
		t.Error("the new list counted at once")
	}
	r.settle(r.at(8))
	if r.seats["a"].list != "longer" {
		t.Error("the new list does not count after a beat")
	}
}

func TestAbsenceDuringAndAfterAnOutageIsNotBelieved(t *testing.T) {
	r := newRosterAt()
	r.beatsUntil(0, 9)
	r.see(0, "a b c")
	r.wants(t, 3, "a b c")
	r.see(20, "") // the server is away: no beat was taken since second 9
	r.wants(t, 20, "a b c")
	r.beatsUntil(300, 330)
	r.see(300, "a")
	r.wants(t, 301, "a b c")
	r.see(303, "a b")
	r.wants(t, 311, "a b c")
	r.wants(t, 312, "a b") // c did not come back in a life's time
}
