package natsjs_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
	"mailflume/publish/natsjs"
)

const tokensBucket = "tokens-mailflume"

func mustSave(t *testing.T, b *natsjs.Tokens, name, value string, revision uint64) uint64 {
	t.Helper()
	saved, err := b.Save(deadline(t), name, []byte(value), revision)
	if err != nil || saved == 0 {
		t.Fatalf("Save %s at %d = %d, %v", name, revision, saved, err)
	}
	return saved
}

func wantToken(t *testing.T, b *natsjs.Tokens, name, value string) uint64 {
	t.Helper()
	got, revision, err := b.Load(deadline(t), name)
	if err != nil || string(got) != value {
		t.Fatalf("Load %s = %q at %d, %v; want %q", name, got, revision, err, value)
	}
	return revision
}

func TestTokensAreStoredByCompareAndSwap(t *testing.T) {
	s := startServer(t, serverOptions{})
	a, b := s.conn(t).Tokens(0), s.conn(t).Tokens(0)
	if r := wantToken(t, a, "sales", ""); r != 0 {
		t.Errorf("the revision of nothing is %d", r)
	}
	one := mustSave(t, a, "sales", "one", 0)
	mustSave(t, a, "sales.eu *>", "other", 0) // any name goes
	if r := wantToken(t, b, "sales", "one"); r != one {
		t.Errorf("revision %d, want %d", r, one)
	}
	two := mustSave(t, b, "sales", "two", one)
	for _, stale := range []uint64{0, one, two + 7} {
		if saved, err := a.Save(deadline(t), "sales", []byte("three"), stale); err != nil || saved != 0 {
			t.Errorf("Save at the stale revision %d = %d, %v", stale, saved, err)
		}
	}
	wantToken(t, a, "sales", "two")
	// A write whose answer was lost is found, not taken for another's.
	if saved, err := b.Save(deadline(t), "sales", []byte("two"), one); err != nil || saved != two {
		t.Errorf("Save again = %d, %v; want %d", saved, err, two)
	}
}

func TestADeletedTokenIsNoneAndMayBeWritten(t *testing.T) {
	s := startServer(t, serverOptions{})
	b := s.conn(t).Tokens(0)
	mustSave(t, b, "sales", "one", 0)
	kv, err := s.admin(t).KeyValue(t.Context(), tokensBucket)
	if err != nil {
		t.Fatal(err)
	}
	if err := kv.Delete(t.Context(), "sales"); err != nil {
		t.Fatal(err)
	}
	mustSave(t, b, "sales", "two", wantToken(t, b, "sales", ""))
	if err := s.admin(t).DeleteKeyValue(t.Context(), tokensBucket); err != nil {
		t.Fatal(err)
	}
	if r := wantToken(t, b, "sales", ""); r != 0 {
		t.Errorf("revision %d without a bucket", r)
	}
	mustSave(t, b, "sales", "three", 0) // makes the bucket again
}

func TestOfManyWritersOneWins(t *testing.T) {
	s := startServer(t, serverOptions{})
	first := mustSave(t, s.conn(t).Tokens(0), "sales", "first", 0)
	var won atomic.Int32
	var wg sync.WaitGroup
	for n := range 8 {
		b := s.conn(t).Tokens(0)
		wg.Go(func() {
			saved, err := b.Save(deadline(t), "sales", fmt.Appendf(nil, "%d", n), first)
			if err != nil {
				t.Error(err)
			}
			if saved != 0 {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d writers won", won.Load())
	}
}

func TestTokensOutliveTheServerAndWaitForIt(t *testing.T) {
	s := startServer(t, serverOptions{})
	b := s.conn(t).Tokens(0)
	one := mustSave(t, b, "sales", "one", 0)
	s.stop()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := b.Save(ctx, "sales", []byte("two"), one); !errors.Is(err, publish.ErrUnavailable) {
		t.Errorf("Save without a server: %v", err)
	}
	if _, _, err := b.Load(ctx, "sales"); !errors.Is(err, publish.ErrUnavailable) {
		t.Errorf("Load without a server: %v", err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if saved, err := b.Save(deadline(t), "sales", []byte("two"), one); err != nil || saved == 0 {
			t.Errorf("Save over a restart = %d, %v", saved, err)
		}
	})
	s.start(t)
	wg.Wait()
	wantToken(t, b, "sales", "two")
}

func TestABucketThatForgetsTokensIsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  jetstream.KeyValueConfig
	}{
		{"in memory", jetstream.KeyValueConfig{Storage: jetstream.MemoryStorage}},
		{"with a TTL", jetstream.KeyValueConfig{TTL: time.Hour}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startServer(t, serverOptions{})
			c.cfg.Bucket = tokensBucket
			if _, err := s.admin(t).CreateKeyValue(t.Context(), c.cfg); err != nil {
				t.Fatal(err)
			}
			if _, err := s.conn(t).Tokens(0).Save(deadline(t), "sales", []byte("x"), 0); !errors.Is(err, publish.ErrUnsafe) {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestAMissingPermissionIsToldAtOnce(t *testing.T) {
	s := startServer(t, serverOptions{configure: func(o *server.Options) {
		o.Users = []*server.User{
			{Username: "worker", Password: "w", Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"$JS.API.STREAM.*.KV_tokens-mailflume", "$JS.API.STREAM.MSG.GET.KV_tokens-mailflume"}}}},
		}
	}})
	c := s.conn(t, func(o *natsjs.Options) { o.User, o.Password = "worker", func() (string, error) { return "w", nil } })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, _, err := c.Tokens(0).Load(ctx, "sales"); !errors.Is(err, publish.ErrDenied) || ctx.Err() != nil {
		t.Errorf("Load: %v", err)
	}
	if _, err := c.Tokens(0).Save(ctx, "sales", []byte("x"), 0); !errors.Is(err, publish.ErrDenied) || ctx.Err() != nil {
		t.Errorf("Save: %v", err)
	}
}
