package oauth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
)

// mintScript is an issuer in virtual time.
type mintScript struct {
	calls  atomic.Int32
	took   time.Duration
	life   time.Duration
	answer func(call int) (string, *ingest.Error) // nil: token-<call>
}

func (s *mintScript) mint(ctx context.Context) (minted, *ingest.Error) {
	n := int(s.calls.Add(1))
	select {
	case <-time.After(s.took):
	case <-ctx.Done():
		return minted{}, down(0)
	}
	value, failure := fmt.Sprintf("token-%d", n), (*ingest.Error)(nil)
	if s.answer != nil {
		value, failure = s.answer(n)
	}
	return minted{value: value, life: s.life}, failure
}

func down(wait time.Duration) *ingest.Error {
	return &ingest.Error{Fault: ingest.Fault{Class: ingest.Transient, Code: ingest.CodeTokenDown, Wait: wait}, Op: opToken, Err: errors.New("down")}
}

func inBubble(t *testing.T, s *mintScript, f func(t *testing.T, r *renewer)) {
	t.Helper()
	if s.life == 0 {
		s.life = time.Hour
	}
	synctest.Test(t, func(t *testing.T) {
		r := newRenewer(s.mint, time.Now, 30*time.Second, nil)
		defer r.close()
		f(t, r)
	})
}

// pass lets virtual time pass.
func pass(d time.Duration) { <-time.After(d) }

func wantToken(t *testing.T, r *renewer, refused, want string) ingest.Token {
	t.Helper()
	tok, err := r.Token(t.Context(), refused)
	if err != nil || tok.Value != want {
		t.Fatalf("Token(%q) = %q, %v; want %q", refused, tok.Value, err, want)
	}
	return tok
}

func wantFault(t *testing.T, err error, class ingest.Class, code ingest.Code) ingest.Fault {
	t.Helper()
	if _, ok := errors.AsType[*ingest.Error](err); !ok {
		t.Fatalf("error = %v (%T), want an *ingest.Error", err, err)
	}
	f := ingest.FaultOf(err)
	if f.Class != class || f.Code != code {
		t.Fatalf("fault = %v %v, want %v %v: %v", f.Class, f.Code, class, code, err)
	}
	return f
}

func TestAHerdOfColdCallersCostsOneRequest(t *testing.T) {
	s := &mintScript{took: time.Second}
	inBubble(t, s, func(t *testing.T, r *renewer) {
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if tok, err := r.Token(t.Context(), ""); err != nil || tok.Value != "token-1" {
					t.Errorf("Token = %q, %v", tok.Value, err)
				}
			})
		}
		wg.Wait()
	})
	if n := s.calls.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestACallerThatGivesUpFailsNobodyElse(t *testing.T) {
	s := &mintScript{took: 10 * time.Second}
	inBubble(t, s, func(t *testing.T, r *renewer) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() { // the first one, whose call starts the request
			if _, err := r.Token(ctx, ""); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error = %v, want the caller's own deadline", err)
			}
		})
		synctest.Wait()
		for range 9 {
			wg.Go(func() {
				if tok, err := r.Token(t.Context(), ""); err != nil || tok.Value != "token-1" {
					t.Errorf("Token = %q, %v", tok.Value, err)
				}
			})
		}
		wg.Wait()
		if _, err := r.Token(ctx, ""); err != nil {
			t.Errorf("a cached token needs no waiting, but an ended context got %v", err)
		}
		if _, err := r.Token(ctx, "token-1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v, want the caller's own deadline", err)
		}
	})
	if n := s.calls.Load(); n != 1 {
		t.Errorf("%d requests, want 1: none for a caller whose context has ended", n)
	}
}

func TestAStormOfRefusalsForcesOneRenewal(t *testing.T) {
	s := &mintScript{took: time.Second}
	inBubble(t, s, func(t *testing.T, r *renewer) {
		wantToken(t, r, "", "token-1")
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				if tok, err := r.Token(t.Context(), "token-1"); err != nil || tok.Value != "token-2" {
					t.Errorf("Token = %q, %v", tok.Value, err)
				}
			})
		}
		wg.Wait()
		wantToken(t, r, "token-1", "token-2") // a late one of the same storm
	})
	if n := s.calls.Load(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

func TestAMailboxThatRefusesEveryTokenForcesOneAMinuteAndHurtsNobody(t *testing.T) {
	s := &mintScript{}
	inBubble(t, s, func(t *testing.T, r *renewer) {
		wantToken(t, r, "", "token-1")
		wantToken(t, r, "token-1", "token-2")
		pass(20 * time.Second)
		_, err := r.Token(t.Context(), "token-2")
		f := wantFault(t, err, ingest.Auth, ingest.CodeAuthRefused)
		if f.Wait != 40*time.Second {
			t.Errorf("wait = %v, want the 40 s that are left of the minute", f.Wait)
		}
		wantToken(t, r, "", "token-2") // another mailbox, which has no complaint
		pass(f.Wait)
		wantToken(t, r, "token-2", "token-3")
		for range 60 { // an hour and a half of a broken mailbox that retries each 90 s
			pass(90 * time.Second)
			tok := wantToken(t, r, "", fmt.Sprintf("token-%d", s.calls.Load()))
			if _, err := r.Token(t.Context(), tok.Value); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestAnIssuerThatAnswersWithTheRefusedTokenIsNoLoop(t *testing.T) {
	s := &mintScript{answer: func(int) (string, *ingest.Error) { return "same", nil }}
	inBubble(t, s, func(t *testing.T, r *renewer) {
		wantToken(t, r, "", "same")
		for range 10 {
			_, err := r.Token(t.Context(), "same")
			wantFault(t, err, ingest.Auth, ingest.CodeAuthRefused)
		}
	})
	if n := s.calls.Load(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

func TestTheTimeThatAnIssuerAsksForIsKept(t *testing.T) {
	s := &mintScript{}
	s.answer = func(n int) (string, *ingest.Error) {
		if n == 1 {
			return "", down(120 * time.Second)
		}
		return "good", nil
	}
	inBubble(t, s, func(t *testing.T, r *renewer) {
		_, err := r.Token(t.Context(), "")
		f := wantFault(t, err, ingest.Transient, ingest.CodeTokenDown)
		if f.Wait < 120*time.Second || f.Wait > 126*time.Second {
			t.Fatalf("wait = %v, want 120 s and a little", f.Wait)
		}
		pass(119 * time.Second)
		_, err = r.Token(t.Context(), "")
		if left := wantFault(t, err, ingest.Transient, ingest.CodeTokenDown); left.Wait != f.Wait-119*time.Second {
			t.Errorf("wait = %v after 119 s of %v", left.Wait, f.Wait)
		}
		if n := s.calls.Load(); n != 1 {
			t.Errorf("%d requests while the issuer is to be left alone, want 1", n)
		}
		pass(f.Wait - 119*time.Second)
		wantToken(t, r, "", "good")
	})
}

func TestRepeatedFailuresBackOffFromFiveSecondsToFiveMinutes(t *testing.T) {
	s := &mintScript{answer: func(int) (string, *ingest.Error) { return "", down(0) }}
	inBubble(t, s, func(t *testing.T, r *renewer) {
		last := time.Duration(0)
		for n := range 12 {
			_, err := r.Token(t.Context(), "")
			f := wantFault(t, err, ingest.Transient, ingest.CodeTokenDown)
			if f.Wait < holdOffMin || f.Wait > holdOffMax || f.Wait < last {
				t.Errorf("failure %d: wait %v after %v", n+1, f.Wait, last)
			}
			last = f.Wait
			pass(f.Wait)
		}
		if last != holdOffMax {
			t.Errorf("the last wait is %v, want %v", last, holdOffMax)
		}
	})
}

func TestAValidTokenIsServedWhileTheIssuerIsDown(t *testing.T) {
	s := &mintScript{took: 30 * time.Second}
	s.answer = func(n int) (string, *ingest.Error) {
		if n == 1 {
			return "first", nil
		}
		return "", down(0)
	}
	inBubble(t, s, func(t *testing.T, r *renewer) {
		began := time.Now()
		tok := wantToken(t, r, "", "first")
		if !tok.Expires.Equal(began.Add(time.Hour)) {
			t.Errorf("expires %v after the request's start, want an hour", tok.Expires.Sub(began))
		}
		for time.Until(tok.Expires) > time.Second {
			asked := time.Now()
			wantToken(t, r, "", "first")
			if d := time.Since(asked); d != 0 {
				t.Fatalf("a caller waited %v for a failing issuer", d)
			}
			pass(time.Second)
		}
		if n := s.calls.Load(); n < 3 || n > 15 {
			t.Errorf("%d requests in an hour with a quarter of outage", n)
		}
		_, err := r.Token(t.Context(), "first")
		wantFault(t, err, ingest.Transient, ingest.CodeTokenDown)
		pass(2 * time.Second)
		_, err = r.Token(t.Context(), "")
		wantFault(t, err, ingest.Transient, ingest.CodeTokenDown)
	})
}

func TestATokenIsRenewedAheadWithoutAnyCallerWaiting(t *testing.T) {
	s := &mintScript{took: 5 * time.Second}
	inBubble(t, s, func(t *testing.T, r *renewer) {
		wantToken(t, r, "", "token-1")
		pass(48*time.Minute + time.Minute) // a fifth of its life is 12 min
		if n := s.calls.Load(); n != 2 {
			t.Fatalf("%d requests after 49 min, want 2", n)
		}
		asked := time.Now()
		tok := wantToken(t, r, "", "token-2")
		if time.Since(asked) != 0 || time.Until(tok.Expires) < 58*time.Minute {
			t.Errorf("waited %v for a token with %v left", time.Since(asked), time.Until(tok.Expires))
		}
		pass(49 * time.Minute)
		if n := s.calls.Load(); n != 3 {
			t.Fatalf("%d requests, want 3", n)
		}
		pass(24 * time.Hour) // nobody wants tokens any more
		if n := s.calls.Load(); n != 3 {
			t.Errorf("%d requests, want 3: an unused token is not renewed", n)
		}
		wantToken(t, r, "", "token-4")
	})
}

func TestAShortTokenIsNotRenewedAtOnce(t *testing.T) {
	s := &mintScript{life: 10 * time.Second}
	inBubble(t, s, func(t *testing.T, r *renewer) {
		for range 60 {
			if _, err := r.Token(t.Context(), ""); err != nil {
				t.Fatal(err)
			}
			pass(time.Second)
		}
	})
	if n := s.calls.Load(); n > 13 {
		t.Errorf("%d requests in a minute for tokens of 10 s, want about 12", n)
	}
}

func TestCloseEndsTheRequestAndItsWaiters(t *testing.T) {
	s := &mintScript{took: time.Hour}
	inBubble(t, s, func(t *testing.T, r *renewer) {
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, err := r.Token(t.Context(), ""); !errors.Is(err, errClosed) {
					t.Errorf("error = %v", err)
				}
			})
		}
		synctest.Wait()
		r.close()
		wg.Wait()
		if _, err := r.Token(t.Context(), ""); !errors.Is(err, errClosed) {
			t.Errorf("error after close = %v", err)
		}
		r.close()
	})
}

func TestTheHookHearsOfEveryRequestBeforeItsCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &mintScript{took: 3 * time.Second, life: time.Hour}
		s.answer = func(n int) (string, *ingest.Error) {
			if n == 1 {
				return "", down(0)
			}
			return "good", nil
		}
		var got []RefreshInfo
		r := newRenewer(s.mint, time.Now, 30*time.Second, func(i RefreshInfo) { got = append(got, i) })
		defer r.close()
		_, err := r.Token(t.Context(), "")
		if len(got) != 1 || got[0].Took != 3*time.Second || !errors.Is(got[0].Err, err) {
			t.Fatalf("reports = %+v after %v", got, err)
		}
		pass(ingest.FaultOf(err).Wait)
		tok := wantToken(t, r, "", "good")
		if len(got) != 2 || got[1].Err != nil || !got[1].Expires.Equal(tok.Expires) {
			t.Errorf("reports = %+v", got)
		}
	})
}

func BenchmarkCachedToken(b *testing.B) {
	s := &mintScript{life: time.Hour}
	r := newRenewer(s.mint, time.Now, time.Minute, nil)
	defer r.close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Token(b.Context(), ""); err != nil {
			b.Fatal(err)
		}
	}
}
