package oauth

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
)

// moodyIssuer answers, fails and stalls at random, and checks that it is asked as promised.
type moodyIssuer struct {
	t       *testing.T
	rng     *rand.Rand
	life    time.Duration
	busy    bool
	calls   int
	quietTo time.Time
	mu      sync.Mutex
	ends    map[string]time.Time
}

func (m *moodyIssuer) end(token string) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ends[token]
}

func (m *moodyIssuer) mint(ctx context.Context) (minted, *ingest.Error) {
	if m.busy {
		m.t.Error("asked twice at once")
	}
	if time.Now().Before(m.quietTo) {
		m.t.Errorf("asked %v before the hold-off ended", time.Until(m.quietTo))
	}
	m.busy = true
	defer func() { m.busy = false }()
	m.calls++
	name := fmt.Sprintf("token-%d", m.calls)
	began := time.Now()
	select {
	case <-time.After(time.Duration(m.rng.IntN(20)) * time.Second):
	case <-ctx.Done():
		return minted{}, down(0)
	}
	if m.rng.IntN(4) == 0 {
		wait := time.Duration(m.rng.IntN(3)) * 7 * time.Second
		m.quietTo = time.Now().Add(max(wait, holdOffMin))
		return minted{}, down(wait)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ends[name] = began.Add(m.life)
	return minted{value: name, life: m.life}, nil
}

// TestManyMailboxesAndAMoodyIssuer drives random callers through random faults in virtual time.
func TestManyMailboxesAndAMoodyIssuer(t *testing.T) {
	for seed := range uint64(12) {
		synctest.Test(t, func(t *testing.T) {
			m := &moodyIssuer{t: t, rng: rand.New(rand.NewPCG(seed, 1)), life: time.Duration(1+seed*seed) * time.Minute, ends: map[string]time.Time{}}
			r := newRenewer(m.mint, time.Now, 30*time.Second, nil)
			var wg sync.WaitGroup
			for n := range uint64(50) {
				wg.Go(func() { mailbox(t, r, m, rand.New(rand.NewPCG(seed, n))) })
			}
			wg.Wait()
			r.close()
			// At most one a minute by force, one for each half of a short life, and as many again for failures.
			if most := int(2 * (6*time.Hour/time.Minute + 6*time.Hour/(m.life/2))); m.calls > most {
				t.Errorf("seed %d: %d requests in six hours, want at most %d", seed, m.calls, most)
			}
		})
	}
}

// mailbox asks for tokens for six hours; now and then its server refuses one.
func mailbox(t *testing.T, r *renewer, m *moodyIssuer, rng *rand.Rand) {
	refused := ""
	for end := time.Now().Add(6 * time.Hour); time.Now().Before(end); {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+rng.IntN(60))*time.Second)
		tok, err := r.Token(ctx, refused)
		cancel()
		var e *ingest.Error
		switch {
		case err == nil && (tok.Value == "" || tok.Value == refused):
			t.Errorf("got %q after %q was refused", tok.Value, refused)
		case err == nil && !time.Now().Before(m.end(tok.Value)):
			t.Errorf("got %q, which ended %v ago", tok.Value, time.Since(m.end(tok.Value)))
		case err != nil && !errors.As(err, &e) && !errors.Is(err, context.DeadlineExceeded):
			t.Errorf("error = %v", err)
		case e != nil && e.Fault.Wait <= 0:
			t.Errorf("an error that does not say how long to wait: %v", err)
		}
		refused = ""
		if err == nil && rng.IntN(10) == 0 {
			refused = tok.Value
		}
		pass(time.Duration(rng.IntN(300)) * time.Second)
	}
}
