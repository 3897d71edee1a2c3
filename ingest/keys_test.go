package ingest

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"mailflume/publish"
)

// octets is a store in memory that may be away.
type octets struct {
	m    map[string][]byte
	away bool
}

func (o *octets) Put(_ context.Context, _ string, r io.Reader) (publish.Blob, error) {
	if o.away {
		return publish.Blob{}, publish.ErrUnavailable
	}
	b, err := io.ReadAll(r)
	c := contentOf(b)
	sum := hex.EncodeToString(c.Sum[:]) + hex.EncodeToString(c.Sum[:])
	o.m[sum] = b
	return publish.Blob{SHA256: sum, Size: c.Size}, err
}

func (o *octets) Open(_ context.Context, sum string) (io.ReadCloser, error) {
	if b, ok := o.m[sum]; ok {
		return io.NopCloser(bytes.NewReader(b)), nil
	}
	return nil, publish.ErrNotFound
}

// firstOctet is a scope.
func firstOctet(r Ref) string { return string(r[:1]) }

func content(n int) publish.Content { return contentOf(fmt.Append(nil, "message ", n)) }

func newKeys() *keys { return &keys{scope: firstOctet, lives: map[string]life{}} }

func published(scope string, n int, at time.Time) Entry {
	return Entry{Ref: Ref(fmt.Sprint(scope, n)), Type: publish.Received, Time: at, Content: content(n)}
}

// reread returns k as a snapshot gives it back.
func reread(t *testing.T, k *keys) *keys {
	t.Helper()
	p := &position{cursor: Cursor("c"), keys: *k}
	back := &position{}
	if err := back.decode(p.encode()); err != nil {
		t.Fatal(err)
	}
	back.keys.scope = k.scope
	return &back.keys
}

func TestContentsSurviveSegmentsAndSnapshots(t *testing.T) {
	k, store, at := newKeys(), &octets{m: map[string][]byte{}}, time.UnixMilli(1_800_000_000_000)
	for n := range 2100 {
		k.add(published([]string{"a", "b"}[n/700%2], n, at.Add(time.Duration(n)*time.Second)))
		if n%400 == 399 {
			store.away = n < 800
			k.flush(t.Context(), store)
			k = reread(t, k)
		}
	}
	if len(k.segments) != 2 || k.count != 100 {
		t.Errorf("%d segments and %d loose", len(k.segments), k.count)
	}
	k.add(Entry{Ref: "a", Type: publish.Reset, Time: at})
	k = reread(t, k)
	all, err := k.recall(t.Context(), store)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d scopes, %v", len(all), err)
	}
	for n := range 2200 {
		want := n < 2100 && n/700%2 == 0
		if c := all["a"]; c.take(content(n)) != want || c.take(content(n)) {
			t.Fatalf("content %d: known should be %t, and once", n, want)
		}
	}
	if !all["a"].lost.IsZero() {
		t.Errorf("lost until %s", all["a"].lost)
	}
}

func TestContentsAreBounded(t *testing.T) {
	k, at := newKeys(), time.UnixMilli(1_800_000_000_000)
	for n := range 5 {
		k.segments = append(k.segments, segment{count: maxKeys / 3, last: at.Add(time.Duration(n) * time.Hour)})
	}
	k.bound()
	if len(k.segments) != 3 || !k.lost.Equal(at.Add(time.Hour)) {
		t.Errorf("%d segments, lost until %s", len(k.segments), k.lost)
	}
}

func TestWhatIsNotKnownIsSaid(t *testing.T) {
	at := time.UnixMilli(1_800_000_000_000)
	for name, build := range map[string]func(k *keys, store *octets){
		"an event of an older worker": func(k *keys, _ *octets) { k.add(Entry{Ref: "a", Type: publish.Received, Time: at}) },
		"no store": func(k *keys, _ *octets) {
			for n := range segmentKeys {
				k.add(published("a", n, at))
			}
			k.flush(t.Context(), nil)
		},
		"a store that stays away": func(k *keys, store *octets) {
			store.away = true
			for n := range maxLoose {
				k.add(published("a", n, at))
			}
			k.flush(t.Context(), store)
		},
		"a segment that is gone": func(k *keys, store *octets) {
			for n := range segmentKeys {
				k.add(published("a", n, at))
			}
			k.flush(t.Context(), store)
			clear(store.m)
		},
		"a segment that is not one": func(k *keys, store *octets) {
			for n := range segmentKeys {
				k.add(published("a", n, at))
			}
			k.flush(t.Context(), store)
			for sum := range store.m {
				store.m[sum] = []byte("rubbish")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			k, store := newKeys(), &octets{m: map[string][]byte{}}
			build(k, store)
			k.add(Entry{Ref: "a", Type: publish.Reset, Time: at})
			all, err := k.recall(t.Context(), store)
			if err != nil || !all["a"].lost.Equal(at) {
				t.Errorf("lost until %v, %v", all["a"], err)
			}
		})
	}
	old := append([]byte(snapshotMagic1), 1, 'b', 1, 'c', 0)
	p := &position{}
	if err := p.decode(old); err != nil || time.Since(p.keys.lost) > time.Minute {
		t.Errorf("a snapshot of version 1: lost until %s, %v", p.keys.lost, err)
	}
	if err := p.decode([]byte("MFS\x03more")); !errors.Is(err, publish.ErrNewerFormat) {
		t.Errorf("a snapshot of version 3: %v", err)
	}
}

func TestALifeListsWhatItTookFromTheOneBefore(t *testing.T) {
	a, b := []int{1, 2, 2, 5}, []int{2, 3, 5, 5}
	list := func(in []int) (out []publish.Content) {
		for _, n := range in {
			out = append(out, publish.Content{Size: int64(n)})
		}
		return out
	}
	if got := union(list(a), list(b)); !slices.Equal(got, list([]int{1, 2, 2, 3, 5, 5})) {
		t.Errorf("union: %v", got)
	}
}

func FuzzSegment(f *testing.F) {
	k := newKeys()
	k.add(published("a", 1, time.Now()))
	k.add(published("b", 2, time.Now()))
	f.Add(append([]byte(segmentMagic), k.loose...))
	f.Add([]byte(segmentMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		again, last := []byte(segmentMagic), tag{}
		err := eachRecord(b, func(at tag, c publish.Content) {
			again, last = appendRecord(again, at, c, at != last), at
		})
		if err != nil && !errors.Is(err, errSegment) {
			t.Fatalf("an unreadable segment gave %v", err)
		}
		n := 0
		if err := eachRecord(again, func(tag, publish.Content) { n++ }); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
	})
}
