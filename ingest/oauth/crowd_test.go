package oauth

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/logtest"
)

// signing is a mailbox whose server judges each token.
type signing struct {
	tokens ingest.TokenSource
	judge  func(token string) error
}

func (w signing) Open(ctx context.Context) (ingest.Session, error) {
	tok, err := w.tokens.Token(ctx, "")
	if err != nil {
		return nil, err
	}
	err = w.judge(tok.Value)
	if ingest.FaultOf(err).Code != ingest.CodeAuthRefused {
		return nil, err
	}
	fresh, tokErr := w.tokens.Token(ctx, tok.Value)
	switch {
	case tokErr != nil && ingest.FaultOf(tokErr).Code != ingest.CodeAuthRefused:
		return nil, tokErr
	case tokErr != nil:
		return nil, err
	}
	return nil, w.judge(fresh.Value)
}

func (w signing) Fold(at ingest.Cursor, _ iter.Seq[ingest.Entry]) (ingest.Cursor, error) {
	return at, nil
}

// storm runs a thousand mailboxes of one credential for two hours, and tells how often the issuer was asked
// in the worst minute, and each mailbox's server in all.
func storm(t *testing.T, s *mintScript, judge func(string) error) (perMinute, perMailbox int) {
	const boxes = 1000
	synctest.Test(t, func(t *testing.T) {
		begin, minutes, signIns := time.Now(), map[int]int{}, 0
		var mu sync.Mutex
		r := newRenewer(func(ctx context.Context) (minted, *ingest.Error) {
			mu.Lock()
			minutes[int(time.Since(begin)/time.Minute)]++
			mu.Unlock()
			return s.mint(ctx)
		}, time.Now, 30*time.Second, nil)
		defer r.close()
		var list []ingest.Mailbox
		for i := range boxes {
			list = append(list, ingest.Mailbox{
				Key: publish.Key{Tenant: "default", Mailbox: fmt.Sprint("box", i)}, Host: "h", PollEvery: time.Minute, Definition: "1",
				Source: signing{r, func(token string) error {
					mu.Lock()
					signIns++
					mu.Unlock()
					return judge(token)
				}},
			})
		}
		f := ingest.New(ingest.Options{Log: logtest.NewMemory(), Worker: "w"})
		if err := f.Apply(list); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Hour)
		if err := f.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		perMinute, perMailbox = slices.Max(slices.Collect(maps.Values(minutes))), signIns/boxes
	})
	return perMinute, perMailbox
}

func TestNoTroubleOfAThousandMailboxesIsAStorm(t *testing.T) {
	t.Parallel()
	refuse := func(string) error {
		return &ingest.Error{Fault: ingest.Fault{Class: ingest.Auth, Code: ingest.CodeAuthRefused}, Op: "login", Err: errors.New("NO")}
	}
	take := func(string) error { return errEmpty }
	failing := func(f ingest.Fault) func(int) (string, *ingest.Error) {
		return func(int) (string, *ingest.Error) {
			return "", &ingest.Error{Fault: f, Op: opToken, Err: errors.New("no")}
		}
	}
	throttled := ingest.Fault{Class: ingest.Throttled, Code: ingest.CodeTokenThrottled, Wait: time.Second}
	for _, c := range []struct {
		name      string
		issuer    *mintScript
		judge     func(string) error
		perMinute int
		signIns   int // of each mailbox in two hours
	}{
		{"servers that refuse every token", &mintScript{life: time.Hour}, refuse, 2, 12},
		{"no consent", &mintScript{answer: failing(theirs(ingest.CodeConsent))}, take, 2, 0},
		{"an issuer that is down", &mintScript{answer: failing(ingest.Fault{Code: ingest.CodeTokenDown})}, take, 5, 0},
		{"an issuer that does not answer", &mintScript{took: 24 * time.Hour}, take, 3, 0},
		{"an issuer that is busy for a second, again and again", &mintScript{answer: failing(throttled)}, take, 7, 0},
		{"tokens of five seconds", &mintScript{life: 5 * time.Second}, take, 13, 1000},
		{"tokens of five seconds that are refused", &mintScript{life: 5 * time.Second}, refuse, 13, 12},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.issuer.took == 0 {
				c.issuer.took = 100 * time.Millisecond
			}
			perMinute, signIns := storm(t, c.issuer, c.judge)
			if perMinute > c.perMinute || signIns > c.signIns {
				t.Errorf("%d token requests in a minute, %d sign-ins of each mailbox", perMinute, signIns)
			}
		})
	}
}

// quietBox is an empty mailbox in good order.
type quietBox struct {
	signing
	read func()
}

func (q quietBox) Prepare(ctx context.Context) error {
	_, err := q.tokens.Token(ctx, "")
	return err
}

func (q quietBox) Open(ctx context.Context) (ingest.Session, error) { return q, q.Prepare(ctx) }

func (q quietBox) Sync(context.Context, ingest.Cursor) (ingest.Cursor, error) {
	q.read()
	return ingest.Cursor("here"), nil
}

func (quietBox) Messages(context.Context, ingest.Cursor, int) iter.Seq2[*ingest.Message, error] {
	return func(func(*ingest.Message, error) bool) {}
}

func (quietBox) Settle(context.Context, []ingest.Ref) ([]ingest.Ref, error) { return nil, nil }

func (quietBox) Close() error { return nil }

// TestAnIssuerThatDoesNotAnswerHoldsNoOtherTenantUp: the mailboxes of both tenants are on one host.
func TestAnIssuerThatDoesNotAnswerHoldsNoOtherTenantUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent, well := &mintScript{took: 24 * time.Hour}, &mintScript{life: time.Hour}
		bad := newRenewer(silent.mint, time.Now, 30*time.Second, nil)
		defer bad.close()
		good := newRenewer(well.mint, time.Now, 30*time.Second, nil)
		defer good.close()
		var mu sync.Mutex
		last, gap := map[int]time.Time{}, time.Duration(0)
		var list []ingest.Mailbox
		for i := range 700 {
			b := quietBox{signing{tokens: bad}, nil}
			if i%7 == 0 {
				b = quietBox{signing{tokens: good}, func() {
					mu.Lock()
					defer mu.Unlock()
					if at := last[i]; !at.IsZero() {
						gap = max(gap, time.Since(at))
					}
					last[i] = time.Now()
				}}
			}
			list = append(list, ingest.Mailbox{
				Key: publish.Key{Tenant: "default", Mailbox: fmt.Sprint("box", i)}, Host: "h", PollEvery: time.Minute, Definition: "1", Source: b,
			})
		}
		f := ingest.New(ingest.Options{Log: logtest.NewMemory(), Worker: "w", PerHost: 50})
		if err := f.Apply(list); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		if err := f.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if len(last) != 100 || gap > 61*time.Second {
			t.Errorf("%d of 100 were read, one waited %v between two polls of a minute", len(last), gap)
		}
	})
}
