package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/ingest/sourcetest"
	"mailflume/publish"
	"mailflume/publish/logtest"
)

// crew is some workers over the same mailboxes and the same log.
type crew struct {
	t       *testing.T
	cluster *sourcetest.Cluster
	log     *logtest.Memory
	blobs   *blobs
	keys    []publish.Key
	boxes   map[publish.Key]*sourcetest.Mailbox
	sent    int
	hands   map[string]*hand
	canary  func(publish.Key) *ingest.Canary
}

// hand is one worker and what it reported.
type hand struct {
	fleet  *ingest.Fleet
	member *sourcetest.Member

	mu      sync.Mutex
	states  map[publish.Key]ingest.State
	owners  map[publish.Key]string
	differs map[publish.Key][]string
	fenced  int
	trouble []error
}

func newCrew(t *testing.T, boxes int) *crew {
	c := &crew{
		t: t, cluster: sourcetest.NewCluster(12 * time.Second), log: logtest.NewMemory(), blobs: newBlobs(),
		boxes: map[publish.Key]*sourcetest.Mailbox{}, hands: map[string]*hand{},
		canary: func(publish.Key) *ingest.Canary { return nil },
	}
	for i := range boxes {
		k := publish.Key{Tenant: "t", Mailbox: fmt.Sprint("box", i)}
		c.keys = append(c.keys, k)
		c.boxes[k] = sourcetest.NewMailbox(ingest.Start{All: true}, ingest.After{})
		c.boxes[k].Waits = true
	}
	return c
}

// mailboxes are what a worker's configuration says.
func (c *crew) mailboxes(definition string) []ingest.Mailbox {
	out := make([]ingest.Mailbox, 0, len(c.keys))
	for _, k := range c.keys {
		out = append(out, ingest.Mailbox{
			Key: k, Host: "h", Source: c.boxes[k], Blobs: c.blobs, Raw: true, PollEvery: time.Minute, Canary: c.canary(k), Definition: definition,
		})
	}
	return out
}

// join starts a worker. With a cluster of its own it knows of nobody.
func (c *crew) join(id string, cluster ...*sourcetest.Cluster) *hand {
	c.t.Helper()
	cl := append(cluster, c.cluster)[0]
	h := &hand{member: cl.Member(id, 1), states: map[publish.Key]ingest.State{}, owners: map[publish.Key]string{}, differs: map[publish.Key][]string{}}
	h.fleet = ingest.New(ingest.Options{Log: c.log, Worker: id, Members: h.member, Hooks: h.hooks()})
	if err := h.fleet.Apply(c.mailboxes("1")); err != nil {
		c.t.Fatal(err)
	}
	c.hands[id] = h
	return h
}

func (h *hand) hooks() ingest.Hooks {
	locked := func(f func()) {
		h.mu.Lock()
		defer h.mu.Unlock()
		f()
	}
	return ingest.Hooks{
		State:   func(k publish.Key, s ingest.Status) { locked(func() { h.states[k] = s.State }) },
		Owner:   func(k publish.Key, id string) { locked(func() { h.owners[k] = id }) },
		Differs: func(k publish.Key, ids []string) { locked(func() { h.differs[k] = ids }) },
		Fenced:  func(publish.Key) { locked(func() { h.fenced++ }) },
		Members: func(err error) { locked(func() { h.trouble = append(h.trouble, err) }) },
	}
}

// runs lists the mailboxes that the worker works on.
func (h *hand) runs() (keys []publish.Key) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for k, s := range h.states {
		if s != ingest.StateStandby && s != ingest.StateStopped && s != ingest.StateBackoff {
			keys = append(keys, k)
		}
	}
	return keys
}

func (h *hand) timesFenced() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fenced
}

// crash ends a worker without a word: nothing is saved, nobody is told.
func (c *crew) crash(id string) {
	c.hands[id].member.Cut(true)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c.log.Gate(func(ctx context.Context, op logtest.Op) error {
		if op.Name == "Save" {
			return errors.New("dead")
		}
		return nil
	})
	_ = c.hands[id].fleet.Stop(ctx)
	c.log.Gate(nil)
	delete(c.hands, id)
}

// drain stops a worker as SIGTERM does.
func (c *crew) drain(ids ...string) {
	c.t.Helper()
	for _, id := range ids {
		if err := c.hands[id].fleet.Stop(c.t.Context()); err != nil {
			c.t.Error(err)
		}
		delete(c.hands, id)
	}
}

// send puts n messages into every mailbox.
func (c *crew) send(n int) {
	for range n {
		c.sent++
		for _, b := range c.boxes {
			b.Add(fmt.Appendf(nil, "Subject: message %d\r\n\r\ntext\r\n", c.sent))
		}
	}
}

// check wants every message once and in order in every log.
func (c *crew) check() {
	c.t.Helper()
	for k := range c.boxes {
		events := c.log.Events(k)
		if len(events) != c.sent {
			c.t.Errorf("%s: %d events, want %d", k, len(events), c.sent)
			continue
		}
		for i, e := range events {
			if e.Ref != sourcetest.RefOf(uint32(i+1)) {
				c.t.Fatalf("%s: event %d is of %s", k, i, e.Ref)
			}
		}
	}
}

// shared wants each mailbox to run at exactly one worker, and every worker to know at which.
func (c *crew) shared() {
	c.t.Helper()
	at := map[publish.Key][]string{}
	for id, h := range c.hands {
		for _, k := range h.runs() {
			at[k] = append(at[k], id)
		}
	}
	for k := range c.boxes {
		for id, h := range c.hands {
			h.mu.Lock()
			if len(at[k]) != 1 || h.owners[k] != at[k][0] {
				c.t.Errorf("%s runs at %v; %s believes at %q", k, at[k], id, h.owners[k])
			}
			h.mu.Unlock()
		}
	}
}

// workers runs a test with workers a, b and so on that have come to rest.
func workersTest(t *testing.T, boxes int, ids []string, test func(c *crew)) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrew(t, boxes)
		for _, id := range ids {
			c.join(id)
		}
		pass(10 * time.Second)
		c.send(3)
		pass(time.Second)
		c.check()
		c.shared()
		test(c)
		c.drain(slices.Collect(maps.Keys(c.hands))...)
	})
}

func TestAWorkerThatJoinsTakesItsShareAfterABeat(t *testing.T) {
	workersTest(t, 40, []string{"a", "b"}, func(c *crew) {
		begin := time.Now()
		d := c.join("d")
		for len(d.runs()) == 0 {
			pass(100 * time.Millisecond)
		}
		if took := time.Since(begin); took < 2500*time.Millisecond || took > 5*time.Second {
			t.Errorf("it began after %v", took)
		}
		c.send(5)
		pass(2 * time.Second) // the old owners have let go, the claims are spread
		c.check()
		c.shared()
		if n := len(d.runs()); n < 5 || n > 25 {
			t.Errorf("it runs %d of 40", n)
		}
		for id, h := range c.hands {
			if n := h.timesFenced(); n != 0 {
				t.Errorf("%s was fenced %d times: it did not let go in time", id, n)
			}
		}
		for k := range c.boxes {
			if n := c.log.Claims(k); n > 2 {
				t.Errorf("%s was claimed %d times", k, n)
			}
		}
	})
}

func TestADrainHandsOverWithinTwoSeconds(t *testing.T) {
	workersTest(t, 30, []string{"a", "b", "c"}, func(c *crew) {
		c.drain("b")
		c.send(5)
		pass(2 * time.Second)
		c.check()
		c.shared()
	})
}

func TestACrashIsTakenOverWithinFifteenSeconds(t *testing.T) {
	workersTest(t, 30, []string{"a", "b", "c"}, func(c *crew) {
		c.crash("b")
		c.send(5)
		pass(15 * time.Second)
		c.check()
		c.shared()
	})
}

func TestAFrozenWorkerIsFencedAndGetsItsMailboxesBackLater(t *testing.T) {
	workersTest(t, 20, []string{"a", "b"}, func(c *crew) {
		b := c.hands["b"]
		mine := len(b.runs())
		b.member.Cut(true) // it is not heard any more and works on
		for range 20 {
			c.send(1)
			pass(2 * time.Second)
		}
		if n := b.timesFenced(); n < mine {
			t.Errorf("it was fenced %d times in %d mailboxes", n, mine)
		}
		if n := len(b.runs()); n != 0 {
			t.Errorf("it still runs %d mailboxes", n)
		}
		pass(5 * time.Minute)
		if n := b.timesFenced(); n != mine {
			t.Errorf("it was fenced %d times in %d mailboxes: it claimed again without knowing whose they are", n, mine)
		}
		c.send(1)
		b.member.Cut(false)
		pass(time.Minute)
		c.send(1)
		pass(time.Second)
		c.check()
		c.shared()
	})
}

func TestAnOutageOfTheMembershipMovesNothing(t *testing.T) {
	workersTest(t, 30, []string{"a", "b", "c"}, func(c *crew) {
		c.cluster.Away(true)
		for range 10 {
			c.send(1)
			pass(20 * time.Second)
		}
		c.check()
		c.cluster.Away(false)
		pass(2 * time.Minute)
		c.send(1)
		pass(time.Second)
		c.check()
		c.shared()
		for k := range c.boxes {
			if n := c.log.Claims(k); n != 1 {
				t.Errorf("%s was claimed %d times", k, n)
			}
		}
		for id, h := range c.hands {
			if n := len(h.trouble); n != 2 || h.trouble[0] == nil || h.trouble[1] != nil {
				t.Errorf("%s reported %v", id, h.trouble)
			}
		}
	})
}

func TestTwoWorkersThatDoNotKnowOfEachOtherDoubleNothingAndQuarrelLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrew(t, 1)
		c.join("a")
		c.join("b", sourcetest.NewCluster(12*time.Second))
		for range 600 {
			c.send(1)
			pass(time.Second)
		}
		pass(5 * time.Minute)
		c.check()
		if n := c.log.Claims(c.keys[0]); n < 3 || n > 40 {
			t.Errorf("the mailbox was claimed %d times in 15 minutes", n)
		}
		c.drain("a", "b")
	})
}

func TestAFencedWorkerClaimsAgainAfterTwoBeatsWhatIsStillItsOwn(t *testing.T) {
	workersTest(t, 1, []string{"a"}, func(c *crew) {
		claims := c.log.Claims(c.keys[0])
		c.log.Fence(c.keys[0])
		c.send(1)
		pass(5 * time.Second)
		if n := c.log.Claims(c.keys[0]); n != claims+1 {
			t.Errorf("it claimed again within two beats")
		}
		pass(5 * time.Second)
		c.check()
	})
}

func TestDifferingDefinitionsAreReportedAndOneWorkerHasTheMailbox(t *testing.T) {
	workersTest(t, 10, []string{"a", "b"}, func(c *crew) {
		if err := c.hands["b"].fleet.Apply(c.mailboxes("2")); err != nil {
			t.Fatal(err)
		}
		if b := c.hands["b"].differs[c.keys[0]]; !slices.Equal(b, []string{"a"}) {
			t.Errorf("right after the reload b says %v", b)
		}
		pass(10 * time.Second)
		c.send(2)
		pass(time.Second)
		c.check()
		c.shared()
		for _, k := range c.keys {
			if a, b := c.hands["a"].differs[k], c.hands["b"].differs[k]; !slices.Equal(a, []string{"b"}) || !slices.Equal(b, []string{"a"}) {
				t.Fatalf("%s: a says %v, b says %v", k, a, b)
			}
		}
		if err := c.hands["a"].fleet.Apply(c.mailboxes("2")); err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Second)
		if d := c.hands["a"].differs[c.keys[0]]; len(d) != 0 {
			t.Errorf("still said to differ: %v", d)
		}
	})
}

func TestAMailboxThatOneWorkerLacksGoesToAnother(t *testing.T) {
	workersTest(t, 20, []string{"a", "b"}, func(c *crew) {
		if err := c.hands["b"].fleet.Apply(c.mailboxes("1")[:5]); err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Second)
		c.send(2)
		pass(time.Second)
		c.check()
		if n := len(c.hands["a"].runs()); n < 15 {
			t.Errorf("a runs %d mailboxes", n)
		}
	})
}

func TestAWorkerThatIsKilledAndComesBackGoesOnAtOnce(t *testing.T) {
	workersTest(t, 20, []string{"a", "b"}, func(c *crew) {
		c.crash("b")
		c.send(1)
		c.join("b") // while its announcement lives
		pass(time.Second)
		c.check()
		c.shared()
		c.drain("a", "b")
	})
}
