package oauth

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mailflume/ingest"
	"mailflume/publish"
	"mailflume/publish/logtest"
)

// wanting is a mailbox that asks for a token and, once it has one, is in order and empty.
type wanting struct {
	tokens ingest.TokenSource
	signed func()
}

var errEmpty = errors.New("nothing here")

func (w wanting) Open(ctx context.Context) (ingest.Session, error) {
	if _, err := w.tokens.Token(ctx, ""); err != nil {
		return nil, fmt.Errorf("token: %w", err)
	}
	w.signed()
	return nil, errEmpty
}

func (w wanting) Fold(at ingest.Cursor, _ iter.Seq[ingest.Entry]) (ingest.Cursor, error) {
	return at, nil
}

func TestAThousandMailboxesWithAWrongSecretAreNoStorm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var asked []time.Time
		broken := true
		r := newRenewer(func(context.Context) (minted, *ingest.Error) {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, time.Now())
			if broken {
				return minted{}, &ingest.Error{Fault: ours(ingest.CodeClientSecret), Op: opToken, Err: errors.New("invalid_client")}
			}
			return minted{value: "t", life: time.Hour}, nil
		}, time.Now, 30*time.Second, nil)
		signed := map[int]bool{}
		var boxes []ingest.Mailbox
		for i := range 1000 {
			boxes = append(boxes, ingest.Mailbox{
				Key: publish.Key{Tenant: "default", Mailbox: fmt.Sprint("box", i)}, Host: "h", PollEvery: time.Minute, Definition: "1",
				Source: wanting{tokens: r, signed: func() {
					mu.Lock()
					defer mu.Unlock()
					signed[i] = true
				}},
			})
		}
		f := ingest.New(ingest.Options{Log: logtest.NewMemory(), Worker: "w"})
		if err := f.Apply(boxes); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		<-time.After(6 * time.Hour)
		mu.Lock()
		perMinute := map[int]int{}
		for _, at := range asked {
			perMinute[int(at.Sub(begin)/time.Minute)]++
		}
		for minute, n := range perMinute {
			if n > 5 {
				t.Errorf("%d token requests in minute %d", n, minute)
			}
		}
		if n := len(asked); n > 100 || n < 5 {
			t.Errorf("%d token requests in six hours", n)
		}
		broken = false // the secret was replaced
		mu.Unlock()
		<-time.After(67 * time.Minute)
		mu.Lock()
		if len(signed) != 1000 {
			t.Errorf("%d of 1000 mailboxes have signed in an hour after the secret was replaced", len(signed))
		}
		mu.Unlock()
		if err := f.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		r.close()
	})
}
