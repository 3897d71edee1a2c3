package ingest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"mailflume/publish"
)

// workers returns seats that all hold boxes mailboxes, and the mailboxes' keys.
func workers(n, boxes int) (map[string]seat, []uint64) {
	list := map[publish.Key]Mailbox{}
	keys := make([]uint64, 0, boxes)
	for i := range boxes {
		k := publish.Key{Tenant: "t", Mailbox: fmt.Sprint("box", i)}
		list[k] = Mailbox{Definition: "d"}
		keys = append(keys, boxKey(k))
	}
	seats, text := map[string]seat{}, encodeList(list)
	for i := range n {
		seats[fmt.Sprintf("host-%d", i)] = seat{1, text}
	}
	return seats, keys
}

func place(seats map[string]seat, keys []uint64) []string {
	r := newRendezvous(seats)
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = r.owner(k)
	}
	return out
}

func counts(owners []string) map[string]int {
	n := map[string]int{}
	for _, o := range owners {
		n[o]++
	}
	return n
}

func TestMailboxesAreSharedEvenly(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 100} {
		seats, keys := workers(n, 20_000)
		mean := float64(len(keys)) / float64(n)
		for id, got := range counts(place(seats, keys)) {
			if off := math.Abs(float64(got)-mean) / math.Sqrt(mean); off > 5 {
				t.Errorf("%d workers: %s has %d, the mean is %.0f", n, id, got, mean)
			}
		}
	}
}

func TestSharesFollowTheWeights(t *testing.T) {
	seats, keys := workers(6, 60_000)
	sum := 0
	for i := range 6 {
		s := seats[fmt.Sprintf("host-%d", i)]
		s.weight = []int{1, 1, 2, 3, 5, 8}[i]
		sum += s.weight
		seats[fmt.Sprintf("host-%d", i)] = s
	}
	got := counts(place(seats, keys))
	for id, s := range seats {
		want := float64(len(keys)*s.weight) / float64(sum)
		if math.Abs(float64(got[id])-want) > 5*math.Sqrt(want) {
			t.Errorf("%s of weight %d has %d, want about %.0f", id, s.weight, got[id], want)
		}
	}
}

func TestOnlyTheMailboxesOfWhoLeavesOrJoinsMove(t *testing.T) {
	seats, keys := workers(10, 5_000)
	seats["host-3"] = seat{4, seats["host-3"].list}
	before := place(seats, keys)
	for _, id := range []string{"host-3", "host-7"} {
		gone := seats[id]
		delete(seats, id)
		for i, owner := range place(seats, keys) {
			if before[i] != id && owner != before[i] {
				t.Fatalf("mailbox %d moved from %s to %s when %s left", i, before[i], owner, id)
			}
			if owner == id {
				t.Fatalf("mailbox %d is with %s, which left", i, id)
			}
		}
		seats[id] = gone
	}
}

func TestAMailboxGoesOnlyToWorkersThatHaveIt(t *testing.T) {
	both, keys := workers(2, 500)
	few, _ := workers(1, 250) // the first half
	both["host-few"] = few["host-0"]
	for i, owner := range place(both, keys) {
		if owner == "" || (i >= 250 && owner == "host-few") {
			t.Errorf("mailbox %d is with %q", i, owner)
		}
	}
	if owner := newRendezvous(both).owner(boxKey(publish.Key{Tenant: "t", Mailbox: "nobody's"})); owner != "" {
		t.Errorf("a mailbox that nobody has is with %q", owner)
	}
	if owner := newRendezvous(nil).owner(1); owner != "" {
		t.Errorf("without workers it is with %q", owner)
	}
}

func TestDefinitionsThatDifferAreFound(t *testing.T) {
	key := publish.Key{Tenant: "t", Mailbox: "m"}
	list := func(definition string) string {
		return encodeList(map[publish.Key]Mailbox{key: {Definition: definition}})
	}
	r := newRendezvous(map[string]seat{"a": {1, list("1")}, "b": {1, list("2")}, "c": {2, list("2")}, "d": {1, ""}})
	if ids := r.differing(boxKey(key), definitionKey("1"), "a"); fmt.Sprint(ids) != "[b c]" {
		t.Errorf("%v differ", ids)
	}
}

// TestThePlacesStay: workers of two versions must agree, so no later version may compute otherwise.
func TestThePlacesStay(t *testing.T) {
	seats, keys := workers(5, 16)
	seats["host-1"] = seat{3, seats["host-1"].list}
	got := ""
	for _, owner := range place(seats, keys) {
		got += owner[len("host-"):]
	}
	if want := "3443414433341111"; got != want {
		t.Errorf("the mailboxes are at %s, want %s", got, want)
	}
}

func TestCostIsALogarithm(t *testing.T) {
	for range 10_000 {
		h := rand.Uint64() >> rand.IntN(64)
		want := 64 - math.Log2(float64(h|1))
		if got := float64(cost(h)) / (1 << costBits); math.Abs(got-want) > 1e-9 {
			t.Fatalf("cost(%d) is %v, want %v", h, got, want)
		}
	}
}

// FuzzRendezvous: whatever the workers announce, each placed mailbox is with one that holds it, and
// who leaves moves only its own.
func FuzzRendezvous(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), []byte(""), uint64(1), 3, -1)
	f.Add([]byte("0123456789abcdefshort"), []byte("0123456789abcdef0123456789abcdeg"), uint64(0x3031323334353637), 1<<40, 7)
	f.Fuzz(func(t *testing.T, a, b []byte, key uint64, wa, wb int) {
		seats := map[string]seat{"a": {wa, string(a)}, "b": {wb, string(b)}, "c": {1, string(a)}}
		owner := newRendezvous(seats).owner(key)
		for id, s := range seats {
			_, holds := lookUp(s.list, key)
			if (owner == "" && holds) || (owner == id && !holds) {
				t.Fatalf("owner %q, %s holds it: %v", owner, id, holds)
			}
		}
		for id := range seats {
			less := map[string]seat{}
			for other, s := range seats {
				if other != id {
					less[other] = s
				}
			}
			if now := newRendezvous(less).owner(key); id != owner && now != owner {
				t.Fatalf("moved from %q to %q when %s left", owner, now, id)
			}
		}
	})
}
