package oauth

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
)

// TestAThousandMailboxesOfOneCredentialMakeNoStorm: whatever is wrong, the issuer hears of it once.
func TestAThousandMailboxesOfOneCredentialMakeNoStorm(t *testing.T) {
	wrong := &ingest.Error{Fault: ingest.Fault{Class: ingest.Auth, Code: ingest.CodeClientSecret}, Op: opToken, Err: errors.New("invalid_client")}
	for _, c := range []struct {
		name    string
		answer  func(int) (string, *ingest.Error)
		refused bool // the mail server refuses each token
		first   int  // most requests in the first minute, and in any later one
		later   int
	}{
		{"a wrong secret", func(int) (string, *ingest.Error) { return "", wrong }, false, 5, 2},
		{"the issuer is down", func(int) (string, *ingest.Error) { return "", down(0) }, false, 5, 2},
		{"no rights on any mailbox", nil, true, 2, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &mintScript{took: 100 * time.Millisecond, answer: c.answer}
			inBubble(t, s, func(t *testing.T, r *renewer) {
				start := time.Now()
				var wg sync.WaitGroup
				for range 1000 {
					wg.Go(func() { insist(t, r, start.Add(20*time.Minute), c.refused) })
				}
				before := 0
				for minute := range 20 {
					pass(time.Until(start.Add(time.Duration(minute+1) * time.Minute)))
					n, most := int(s.calls.Load())-before, c.later
					if before += n; minute < 5 {
						most = c.first
					}
					if n > most {
						t.Errorf("%d requests in minute %d, want at most %d", n, minute, most)
					}
				}
				synctest.Wait()
				wg.Wait()
			})
		})
	}
}

// insist asks as an impatient mailbox does: every ten seconds, unless it is told to wait longer.
func insist(t *testing.T, r *renewer, until time.Time, refused bool) {
	for time.Now().Before(until) {
		tok, err := r.Token(t.Context(), "")
		if err == nil && refused {
			_, err = r.Token(t.Context(), tok.Value)
		}
		pass(max(10*time.Second, ingest.FaultOf(err).Wait))
	}
}

func TestAChangedCredentialIsTriedAtOnceButNotAgainAndAgain(t *testing.T) {
	s := &mintScript{answer: func(int) (string, *ingest.Error) { return "", down(0) }}
	inBubble(t, s, func(t *testing.T, r *renewer) {
		for range 300 { // somebody writes the file each second
			_, err := r.Token(t.Context(), "")
			if err == nil {
				t.Fatal("a token")
			}
			r.reread()
			pass(time.Second)
		}
		if n := s.calls.Load(); n < 5 || n > 25 {
			t.Errorf("%d requests in five minutes", n)
		}
		pass(2 * time.Minute)
		before := s.calls.Load()
		r.reread()
		if _, _ = r.Token(t.Context(), ""); s.calls.Load() != before+1 {
			t.Error("a changed credential is not tried at once")
		}
	})
}
