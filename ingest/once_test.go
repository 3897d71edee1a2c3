package ingest_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/sourcetest"
	"mailflume/publish"
)

// once lets a worker of that name read every mailbox once, and returns what it reported.
func (c *crew) once(id string, cluster *sourcetest.Cluster) *hand {
	c.t.Helper()
	h := &hand{member: cluster.Member(id, 1), states: map[publish.Key]ingest.State{}, owners: map[publish.Key]string{}}
	h.fleet = ingest.New(ingest.Options{Log: c.log, Worker: id, Members: h.member, Hooks: h.hooks()})
	if err := h.fleet.Once(c.t.Context(), c.mailboxes("1"), 0); err != nil {
		c.t.Error(err)
	}
	if err := h.fleet.Stop(c.t.Context()); err != nil {
		c.t.Error(err)
	}
	return h
}

func TestASinglePassLeavesMailboxesToTheWorkersThatHaveThem(t *testing.T) {
	workersTest(t, 10, []string{"a", "b"}, func(c *crew) {
		claims := func() (n int) {
			for k := range c.boxes {
				n += c.log.Claims(k)
			}
			return n
		}
		before := claims()
		h := c.once("c", c.cluster)
		if claims() != before {
			t.Errorf("%d mailboxes were claimed", claims()-before)
		}
		if got := slices.Sorted(maps.Values(h.owners)); len(got) != 10 || got[0] != "a" || got[9] != "b" {
			t.Errorf("owners %v", got)
		}
		for k, s := range h.states {
			if s != ingest.StateStandby {
				t.Errorf("%s is %s", k, s)
			}
		}
		c.drain("b")
		c.crash("a")
		c.send(1)
		c.once("a", c.cluster) // as itself: it was the one that had them
		c.check()
	})
}

func TestASinglePassThatIsFencedLeavesTheMailboxWhereItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrew(t, 1)
		c.send(3)
		c.boxes[c.keys[0]].OnMessage = func(context.Context, uint32) { c.log.Fence(c.keys[0]) }
		h := c.once("c", sourcetest.NewCluster(12*time.Second))
		if h.states[c.keys[0]] != ingest.StateStandby || h.fenced != 1 {
			t.Errorf("%v, fenced %d times", h.states, h.fenced)
		}
	})
}

func TestASinglePassSaysThatAMailboxWasReadToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(ingest.Start{All: true}, ingest.After{})
		var states []ingest.State
		w.opt.Hooks.State = func(_ publish.Key, s ingest.Status) { states = append(states, s.State) }
		w.box.OpenFault = func(attempt int) error {
			if attempt == 1 {
				return &ingest.Error{Fault: ingest.Fault{Class: ingest.Transient, Code: ingest.CodeConnRefused}}
			}
			return nil
		}
		if err := w.once(t); err != nil {
			t.Fatal(err)
		}
		trouble, end := slices.Index(states, ingest.StateBackoff), slices.Index(states, ingest.StateIdle)
		if trouble < 0 || end < trouble {
			t.Errorf("%v", states)
		}
	})
}
