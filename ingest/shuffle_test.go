package ingest_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/logtest"
)

var (
	shuffles    = flag.Int("shuffles", 10, "random histories of each kind of mailbox")
	shuffleSeed = flag.Uint64("shuffle-seed", 0, "the only history to run; 0: any")
)

// place is a mailbox on a server that is not kind to it.
type place struct {
	source  func(t *testing.T, start ingest.Start, after ingest.After, now func() time.Time) ingest.Source
	add     func(mail []byte)
	remove  func(n int)     // the n-th of those that are there
	void    func()          // all get new ids
	setBack func(n int)     // to a state with only the first n; nil: the protocol has no numbers to give out again
	held    func() []string // their octets, in order
}

// history is a random life of a mailbox and what has to come of it.
type history struct {
	*place
	t     *testing.T
	rnd   *rand.Rand
	log   *logtest.Memory
	blobs *blobs
	now   time.Time
	after ingest.After
	src   ingest.Source
	steps []string

	order   []string        // all mail by its octets, in the order of its delivery
	sent    map[string]int  // how often those octets were delivered
	owed    map[string]int  // how often they must have been published at least
	nobody  map[string]bool // octets that were removed: equal ones that came later could be the same message
	limit   int
	start   ingest.Start
	skipped map[string]bool
}

func newHistory(t *testing.T, p *place, seed uint64) *history {
	h := &history{
		place: p, t: t, rnd: rand.New(rand.NewPCG(seed, 0)), log: logtest.NewMemory(), blobs: newBlobs(),
		now: time.Now(), sent: map[string]int{}, owed: map[string]int{}, nobody: map[string]bool{}, skipped: map[string]bool{},
	}
	h.log.SetClock(h.clock)
	return h
}

func (h *history) step(format string, args ...any) {
	h.steps = append(h.steps, fmt.Sprintf(format, args...))
}

// deliver adds a new message, or once in a while one with the octets of another that is there.
func (h *history) deliver() {
	held := h.held()
	n := len(h.order)
	mail := fmt.Sprintf("Received: from a by b; %s\r\nSubject: letter %d\r\n\r\n%s\r\n", h.now.Format(time.RFC1123Z), n, strings.Repeat("x", h.rnd.IntN(2000)))
	if len(held) > 0 && h.rnd.IntN(6) == 0 {
		if twin := held[h.rnd.IntN(len(held))]; !h.nobody[twin] && !h.skipped[twin] {
			mail = twin
		}
	}
	if h.sent[mail]++; h.sent[mail] == 1 {
		h.order = append(h.order, mail)
	}
	h.add([]byte(mail))
	h.step("deliver %s", name(mail))
}

func name(mail string) string {
	_, s, _ := strings.Cut(mail, "letter ")
	s, _, _ = strings.Cut(s, "\r")
	return s
}

// delete is what another client does.
func (h *history) delete() {
	held := h.held()
	if len(held) == 0 {
		return
	}
	n := h.rnd.IntN(len(held))
	h.nobody[held[n]] = true
	h.remove(n)
	h.step("delete %s", name(held[n]))
}

// upset makes ids void.
func (h *history) upset() {
	held := h.held()
	if h.setBack == nil || h.rnd.IntN(2) == 0 {
		h.void()
		h.step("new ids for %d", len(held))
		return
	}
	keep := h.rnd.IntN(len(held) + 1)
	for _, m := range held[keep:] {
		h.nobody[m] = true
	}
	h.setBack(keep)
	h.step("set back to %d of %d", keep, len(held))
	// New mail has got all their numbers before anybody looks. Behind the start there may be no octets to
	// tell by: then only the last listed message can.
	if h.start.All && h.rnd.IntN(2) == 0 {
		for range len(held) - keep + h.rnd.IntN(3) {
			h.deliver()
		}
		for range h.rnd.IntN(4) {
			if last := h.held(); len(last) > keep {
				h.nobody[last[len(last)-1]] = true
				h.remove(len(last) - 1)
				h.step("delete %s", name(last[len(last)-1]))
			}
		}
	}
}

func (h *history) mailbox() ingest.Mailbox {
	return ingest.Mailbox{
		Key: key, Info: publish.MailboxInfo{ID: key.Mailbox}, Host: "h", Source: h.src, Blobs: h.blobs, Raw: true,
		After: h.after, PollEvery: time.Minute, Definition: "1",
		Restart: func(s ingest.Start) (ingest.Source, error) { return h.source(h.t, s, ingest.After{}, h.clock), nil },
	}
}

func (h *history) clock() time.Time { return h.now }

// pass reads the mailbox to its end; done says whether it came there.
func (h *history) pass(worker string) (done bool) {
	ctx, cancel := context.WithCancel(h.t.Context())
	defer cancel()
	impatient := ingest.Hooks{State: func(_ publish.Key, s ingest.Status) {
		if s.Err != nil {
			cancel()
		}
	}}
	f := ingest.New(ingest.Options{Log: h.log, Worker: worker, Now: h.clock, Parallel: 1 + len(h.order)%4, Hooks: impatient})
	err := f.Once(ctx, []ingest.Mailbox{h.mailbox()}, 0)
	if err := f.Stop(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	if ingest.FaultOf(err).Code == ingest.CodeUIDLReset {
		h.now = h.now.Add(24 * time.Hour)
	}
	return err == nil
}

// disturb lets the next pass end early: another worker takes the log, or an acknowledgement is lost.
func (h *history) disturb() {
	if left, fence := h.rnd.IntN(12), h.rnd.IntN(2) == 0; fence {
		var mu sync.Mutex
		h.log.Gate(func(_ context.Context, op logtest.Op) error {
			mu.Lock()
			defer mu.Unlock()
			if op.Name == "Append" || op.Name == "Save" {
				if left--; left == 0 {
					h.log.Fence(key)
				}
			}
			return nil
		})
		h.step("a pass, fenced")
	} else {
		h.log.LoseAck(1)
		h.step("a pass, an acknowledgement is lost")
	}
	h.pass("first")
	h.log.Gate(nil)
}

// both lets two workers read at the same time.
func (h *history) both() {
	var wg sync.WaitGroup
	wg.Go(func() { h.pass("first") })
	h.pass("second")
	wg.Wait()
	h.step("two workers")
}

// read reads the mailbox to its end and looks at the log.
func (h *history) read() {
	for n := 0; !h.pass("first"); n++ {
		if n == 9 {
			h.t.Fatalf("it comes to no end: %s", strings.Join(h.steps, "; "))
		}
	}
	h.step("a pass")
}

// check wants what was there at the end of the pass to be published, and nothing twice.
func (h *history) check(there []string) {
	count := map[string]int{}
	for _, m := range there {
		count[m]++
		if !h.skipped[m] {
			h.owed[m] = max(h.owed[m], count[m])
		}
	}
	got, last := map[string]int{}, -1
	for _, e := range h.log.Events(key) {
		if e.Kind != publish.Received {
			continue
		}
		i := slices.IndexFunc(h.order, func(m string) bool { return hexSum([]byte(m)) == e.Data.Raw.SHA256 })
		got[h.order[i]]++
		if i < last && h.sent[h.order[i]] == 1 {
			h.t.Errorf("%s comes after %s", name(h.order[i]), name(h.order[last]))
		}
		if h.sent[h.order[i]] == 1 {
			last = max(i, last)
		}
	}
	for _, m := range h.order {
		if n := got[m]; n < h.owed[m] || n > h.sent[m] || h.skipped[m] && n > 0 {
			h.t.Errorf("letter %s has %d events, was delivered %d times and owed %d times (passed over: %t)", name(m), n, h.sent[m], h.owed[m], h.skipped[m])
		}
	}
	if h.t.Failed() {
		h.t.Fatal(strings.Join(h.steps, "; "))
	}
}

func (h *history) run(length int) {
	for range h.rnd.IntN(4) {
		h.deliver()
	}
	h.now = h.now.Add(time.Hour)
	if !h.start.All {
		for _, m := range h.held() {
			h.skipped[m] = true
		}
		h.read()
	}
	for range length {
		switch h.rnd.IntN(10) {
		case 0, 1, 2, 3:
			for range 1 + h.rnd.IntN(h.limit) {
				h.deliver()
			}
		case 4, 5:
			h.delete()
		case 6, 7:
			h.upset()
		case 8:
			h.disturb()
		case 9:
			h.both()
		}
		h.now = h.now.Add(time.Duration(h.rnd.IntN(12*60)) * time.Minute)
		if h.rnd.IntN(2) == 0 {
			there := h.held()
			h.read()
			h.check(there)
		}
	}
	there := h.held()
	h.read()
	h.check(there)
}

// TestEveryMessageHasOneEventWhateverTheServerDoes plays random histories: mail comes and goes, ids
// become void, servers are set back, workers die or are two.
func TestEveryMessageHasOneEventWhateverTheServerDoes(t *testing.T) {
	for kind, make := range places() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for n := range *shuffles {
				seed := rand.Uint64()
				if n < 3 {
					seed = uint64(n + 1)
				}
				if *shuffleSeed != 0 {
					seed = *shuffleSeed
				}
				t.Run(fmt.Sprint(seed), func(t *testing.T) {
					h := newHistory(t, make(t), seed)
					h.limit = 1 + h.rnd.IntN(3)
					if h.rnd.IntN(8) == 0 {
						h.limit = 20
					}
					h.start.All = h.rnd.IntN(3) > 0
					if h.rnd.IntN(4) == 0 {
						h.after.Action = ingest.ActionDelete
					}
					h.src = h.source(t, h.start, h.after, h.clock)
					h.run(30)
				})
			}
		})
	}
}
