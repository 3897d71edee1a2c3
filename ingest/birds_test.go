package ingest_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/publish"
)

func TestOfManyWorkersOnlyTheOneThatHasAMailboxProbesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		sent := map[publish.Key]int{}
		c := newCrew(t, 6)
		c.canary = func(k publish.Key) *ingest.Canary {
			return &ingest.Canary{Every: 15 * time.Minute, Timeout: time.Minute, Send: func(context.Context, string) error {
				mu.Lock()
				defer mu.Unlock()
				sent[k]++
				return nil
			}}
		}
		for _, id := range []string{"a", "b", "c"} {
			c.join(id)
		}
		inFourHours := func(of string) {
			pass(4 * time.Hour)
			mu.Lock()
			defer mu.Unlock()
			for _, k := range c.keys {
				if n := sent[k]; n < 14 || n > 18 {
					t.Errorf("%s: %d probes in four hours of %s, want one in about 15 minutes", k, n, of)
				}
			}
			clear(sent)
		}
		inFourHours("three workers")
		c.drain("a", "b")
		inFourHours("the one that is left")
		c.drain("c")
	})
}
