package oauth

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"mailflume/ingest"
)

func TestANewSecretEndsTheWaitThatARefusalHasAndNotTheOneThatTheIssuerNamed(t *testing.T) {
	for name, c := range map[string]struct {
		fault ingest.Fault
		waits bool
	}{
		"refused":             {ours(ingest.CodeClientSecret), false},
		"the file was empty":  {ingest.Fault{Class: ingest.Auth, Code: ingest.CodeSecretMissing, Wait: holdOffMin}, false},
		"down":                {ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTokenDown}, false},
		"down until":          {ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTokenDown, Wait: 2 * time.Hour}, true},
		"throttled until":     {ingest.Fault{Class: ingest.Throttled, Code: ingest.CodeTokenThrottled, Wait: 10 * time.Minute}, true},
		"throttled for a day": {ingest.Fault{Class: ingest.Throttled, Code: ingest.CodeTokenThrottled, Wait: 24 * time.Hour}, true},
	} {
		s := &mintScript{answer: func(int) (string, *ingest.Error) {
			return "", &ingest.Error{Fault: c.fault, Op: opToken, Err: errors.New("no")}
		}}
		inBubble(t, s, func(t *testing.T, r *renewer) {
			began := time.Now()
			for s.calls.Load() < 2 {
				_, _ = r.Token(t.Context(), "")
				pass(2 * time.Second)
				r.reread()
			}
			if took := time.Since(began); c.waits && (took < c.fault.Wait || took > c.fault.Wait+5*time.Second) || !c.waits && took > 5*time.Second {
				t.Errorf("%s: asked again after %v", name, took)
			}
		})
	}
}

func TestATokenInItsLastMomentsIsUsedOnlyIfThereIsNoOther(t *testing.T) {
	for _, well := range []bool{true, false} {
		s := &mintScript{took: 2 * time.Second}
		s.answer = func(n int) (string, *ingest.Error) {
			if n > 1 && !well {
				return "", down(0)
			}
			return fmt.Sprint("token-", n), nil
		}
		inBubble(t, s, func(t *testing.T, r *renewer) {
			wantToken(t, r, "", "token-1")
			r.mu.Lock()
			r.used = false // nobody wanted it when it could have been renewed ahead of time
			r.mu.Unlock()
			pass(time.Until(r.token.Expires) - 15*time.Second)
			want := "token-1"
			if well {
				want = "token-2"
			}
			wantToken(t, r, "", want)
		})
	}
}

func TestAnIssuerThatGoesOnAskingForAMomentIsNotAskedEachMoment(t *testing.T) {
	for asked, least := range map[time.Duration]time.Duration{time.Second: 15 * time.Second, 30 * time.Second: 30 * time.Second, 10 * time.Minute: 10 * time.Minute} {
		s := &mintScript{answer: func(int) (string, *ingest.Error) { return "", down(asked) }}
		inBubble(t, s, func(t *testing.T, r *renewer) {
			for n := range 10 {
				_, err := r.Token(t.Context(), "")
				wait := ingest.FaultOf(err).Wait
				if n < 3 && (wait < asked || wait > asked+time.Second) || n > 5 && (wait < least || wait > max(least+time.Second, momentEnds)) {
					t.Errorf("asked for %v, waits %v at failure %d", asked, wait, n+1)
				}
				pass(wait)
			}
		})
	}
}
