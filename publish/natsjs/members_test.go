package natsjs_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"mailflume/publish"
	"mailflume/publish/natsjs"
)

const life = 2 * time.Second

// colleague is a worker that beats and watches until the test ends.
type colleague struct {
	t    *testing.T
	m    *natsjs.Members
	live chan map[string]string // worker: weight and list
	mu   sync.Mutex
	list string
	stop context.CancelFunc // ends its beats
	done chan struct{}
}

func (s *testServer) members(t *testing.T, worker string, weight int, change ...func(*natsjs.Options)) *natsjs.Members {
	t.Helper()
	c := s.conn(t, append(change, func(o *natsjs.Options) { o.Worker = worker })...)
	m, err := c.Members(deadline(t), natsjs.MemberOptions{Worker: worker, Weight: weight, Life: life})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// work lets a worker beat and watch.
func work(t *testing.T, m *natsjs.Members, list string) *colleague {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	beats, stop := context.WithCancel(ctx)
	c := &colleague{t: t, m: m, live: make(chan map[string]string, 1000), list: list, stop: stop, done: make(chan struct{})}
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(c.done)
		for beats.Err() == nil {
			c.mu.Lock()
			list := c.list
			c.mu.Unlock()
			_ = m.Beat(beats, list)
			select {
			case <-time.After(life / 4):
			case <-beats.Done():
			}
		}
	})
	wg.Go(func() {
		for weights, lists := range m.Watch(ctx) {
			live := map[string]string{}
			for id, w := range weights {
				live[id] = fmt.Sprint(w, " ", lists[id])
			}
			c.live <- live
		}
	})
	t.Cleanup(func() { end(); wg.Wait() })
	return c
}

// await waits until the worker sees exactly these others and returns how long that took.
func (c *colleague) await(what string, want map[string]string) time.Duration {
	c.t.Helper()
	begin, limit := time.Now(), time.After(30*time.Second)
	var last map[string]string
	for {
		select {
		case last = <-c.live:
			if maps.Equal(last, want) {
				return time.Since(begin)
			}
		case <-limit:
			c.t.Fatalf("%s: it sees %d workers %.200v, want %.200v", what, len(last), last, want)
		}
	}
}

func TestWorkersSeeWhoJoinsLeavesAndDies(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{})
	a := work(t, s.members(t, "host-A.example", 1), "list of a")
	a.await("alone", map[string]string{"host-A.example": "1 list of a"})
	b := work(t, s.members(t, "b", 3), "list of b")
	both := map[string]string{"host-A.example": "1 list of a", "b": "3 list of b"}
	a.await("a join", both)
	b.await("a join", both)
	b.mu.Lock()
	b.list = "another"
	b.mu.Unlock()
	a.await("a new list", map[string]string{"host-A.example": "1 list of a", "b": "3 another"})
	b.stop()
	<-b.done
	if err := b.m.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	alone := map[string]string{"host-A.example": "1 list of a"}
	if took := a.await("a leave", alone); took > time.Second {
		t.Errorf("a leave was seen after %v", took)
	}
	c := work(t, s.members(t, "c", 1), "")
	a.await("another join", map[string]string{"host-A.example": "1 list of a", "c": "1 "})
	c.stop() // dead: many beats were written, the last one expires all the same
	if took := a.await("a death", alone); took > life+time.Second {
		t.Errorf("a death was seen after %v", took)
	}
}

func TestAListLiesInTheBucketOnceInPieces(t *testing.T) {
	s := startServer(t, serverOptions{maxPayload: 64 << 10})
	list := strings.Repeat("0123456789abcdef", 10_000) // 160 kB: five pieces of 32 KiB
	for i := range 4 {
		c := work(t, s.members(t, fmt.Sprint("w", i), 1), list)
		if i == 3 {
			want := map[string]string{}
			for k := range 4 {
				want[fmt.Sprint("w", k)] = "1 " + list
			}
			c.await("all", want)
		}
	}
	st, err := s.admin(t).Stream(t.Context(), "KV_"+natsjs.DefaultBucket)
	if err != nil {
		t.Fatal(err)
	}
	info, err := st.Info(t.Context(), jetstream.WithSubjectFilter("$KV."+natsjs.DefaultBucket+".l.>"))
	if err != nil {
		t.Fatal(err)
	}
	writes := uint64(0)
	for range info.State.Subjects {
		writes++
	}
	if writes != 6 {
		t.Errorf("%d keys, want five pieces and their count: %v", writes, info.State.Subjects)
	}
	if first := info.State.Msgs; first != 6+4 {
		t.Errorf("%d messages in the bucket", first)
	}
}

func TestMembersOutliveTheServerAndTheirBucket(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{})
	a, b := work(t, s.members(t, "a", 1), "list"), work(t, s.members(t, "b", 1), "list")
	both := map[string]string{"a": "1 list", "b": "1 list"}
	a.await("the beginning", both)
	b.await("the beginning", both)
	for _, harm := range []func(){
		func() {
			s.stop()
			<-time.After(life + life/2) // all announcements expire meanwhile
			s.start(t)
		},
		func() {
			if err := s.admin(t).DeleteKeyValue(t.Context(), natsjs.DefaultBucket); err != nil {
				t.Fatal(err)
			}
		},
	} {
		harm()
		c := work(t, s.members(t, "c", 1), "list of c")
		three := map[string]string{"a": "1 list", "b": "1 list", "c": "1 list of c"}
		for _, w := range []*colleague{a, b, c} {
			w.await("the return", three)
		}
		c.stop()
		a.await("the end of c", both)
		b.await("the end of c", both)
	}
}

func TestALostAnswerToABeatIsNoRival(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{})
	p := startProxy(t, s.url())
	m := s.members(t, "a", 1, func(o *natsjs.Options) { o.URL = p.URL() })
	if err := m.Beat(deadline(t), "list"); err != nil {
		t.Fatal(err)
	}
	p.swallow(true)
	if err := m.Beat(deadline(t), "list"); err == nil {
		t.Fatal("a beat without an answer was taken")
	}
	p.swallow(false)
	begin := time.Now()
	if err := m.Beat(deadline(t), "list"); err != nil || time.Since(begin) > life/4 {
		t.Errorf("the next beat: %v after %v", err, time.Since(begin))
	}
}

func TestOneNameIsForOneWorker(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{})
	first := work(t, s.members(t, "same", 1), "list")
	first.await("the first", map[string]string{"same": "1 list"})
	second := s.members(t, "same", 1)
	if err := second.Beat(deadline(t), "other"); !errors.Is(err, natsjs.ErrNameTaken) || errors.Is(err, publish.ErrUnavailable) {
		t.Errorf("the second: %v", err)
	}
	if err := second.Leave(deadline(t)); err != nil {
		t.Error(err)
	}
	first.stop() // dies
	<-first.done
	begin := time.Now()
	if err := second.Beat(deadline(t), "other"); err != nil || time.Since(begin) > life {
		t.Errorf("the second after the first's death: %v after %v", err, time.Since(begin))
	}
	first.await("the successor", map[string]string{"same": "1 other"})
}

func TestAWorkerThatComesBackWithItsMarkIsTakenAtOnce(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{})
	marked := func(mark string) *natsjs.Members {
		m, err := s.conn(t).Members(deadline(t), natsjs.MemberOptions{Worker: "w", Mark: mark, Life: 12 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if err := marked("one").Beat(deadline(t), "list"); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := marked("one").Beat(deadline(t), "list"); err != nil || time.Since(begin) > time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := marked("two").Beat(ctx, "list"); !errors.Is(err, natsjs.ErrNameTaken) {
		t.Errorf("another one of the name: %v", err)
	}
}

func TestABucketThatVanishesOrForgetsIsRefused(t *testing.T) {
	s := startServer(t, serverOptions{})
	js := s.admin(t)
	for _, c := range []struct {
		name string
		cfg  jetstream.KeyValueConfig
		want string
	}{
		{"memory", jetstream.KeyValueConfig{Storage: jetstream.MemoryStorage, LimitMarkerTTL: time.Minute}, "memory"},
		{"no TTL for each key", jetstream.KeyValueConfig{}, "TTL"},
		{"a TTL for all keys", jetstream.KeyValueConfig{TTL: time.Minute, LimitMarkerTTL: time.Minute}, "TTL"},
	} {
		c.cfg.Bucket = natsjs.DefaultBucket
		if _, err := js.CreateKeyValue(t.Context(), c.cfg); err != nil {
			t.Fatal(err)
		}
		_, err := s.conn(t).Members(deadline(t), natsjs.MemberOptions{Worker: "w"})
		if !errors.Is(err, publish.ErrUnsafe) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err := js.DeleteKeyValue(t.Context(), natsjs.DefaultBucket); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAMissingPermissionForTheBucketIsNamed(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{configure: func(o *server.Options) {
		o.Users = []*server.User{{Username: "u", Password: "p", Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"$JS.API.STREAM.INFO.KV_>", "$JS.API.STREAM.INFO.KV_mailflume"}}}}}
	}})
	c := s.conn(t, func(o *natsjs.Options) { o.User, o.Password = "u", func() (string, error) { return "p", nil } })
	_, err := c.Members(deadline(t), natsjs.MemberOptions{Worker: "w"})
	if !errors.Is(err, publish.ErrDenied) || !strings.Contains(err.Error(), "KV_mailflume") {
		t.Errorf("%v", err)
	}
}

func TestStreamsHaveBucketsOfTheirOwn(t *testing.T) {
	s := startServer(t, serverOptions{})
	c := dial(t, s.options())
	for stream, bucket := range map[string]string{"SECOND": "mailflume-SECOND", "über": "mailflume-"} {
		if err := c.EnsureStream(deadline(t), natsjs.StreamConfig{Name: stream, Prefix: "p" + fmt.Sprint(len(stream)), Manage: true}); err != nil {
			t.Fatal(err)
		}
		m, err := c.Members(deadline(t), natsjs.MemberOptions{Worker: "w"})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Beat(deadline(t), ""); err != nil {
			t.Error(err)
		}
		found := false
		for name := range s.admin(t).KeyValueStoreNames(t.Context()).Name() {
			found = found || strings.HasPrefix(name, "KV_"+bucket) || strings.HasPrefix(name, bucket)
		}
		if !found {
			t.Errorf("no bucket %s", bucket)
		}
	}
}
