package pop3source

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"mailflume/ingest"
	"mailflume/publish"
)

func entriesOf(n int, kind publish.EventType) iter.Seq[ingest.Entry] {
	return func(yield func(ingest.Entry) bool) {
		for i := range n {
			if !yield(ingest.Entry{Ref: refOf(fmt.Sprintf("%032d", i), 1), Type: kind}) {
				return
			}
		}
	}
}

func TestFoldIsPureIdempotentAndIgnoresWhatIsNoMessage(t *testing.T) {
	src := &Source{}
	if c, err := src.Fold(nil, slices.Values([]ingest.Entry{})); c != nil || err != nil {
		t.Fatalf("nothing folded into nothing is %v, %v", c, err)
	}
	at, err := src.Fold(nil, entriesOf(3, publish.Received))
	if err != nil {
		t.Fatal(err)
	}
	before := bytes.Clone(at)
	for name, entries := range map[string][]ingest.Entry{
		"held already":  slices.Collect(entriesOf(3, publish.Quarantined)),
		"a reset":       {{Ref: "reset/1", Type: publish.Reset}},
		"a folder's":    {{Ref: "INBOX/1/2", Type: publish.Received}},
		"without a ref": {{Type: publish.AuthFailed}},
	} {
		again, err := src.Fold(at, slices.Values(entries))
		if err != nil || !bytes.Equal(again, at) {
			t.Errorf("%s: the position changed (%v)", name, err)
		}
		again[0] = 99
	}
	more, err := src.Fold(at, entriesOf(4, publish.Received))
	if err != nil || bytes.Equal(more, at) || !bytes.Equal(at, before) {
		t.Errorf("a new message: %v, input changed: %t", err, !bytes.Equal(at, before))
	}
	oneByOne := ingest.Cursor(nil)
	for e := range entriesOf(4, publish.Received) {
		if oneByOne, err = src.Fold(oneByOne, slices.Values([]ingest.Entry{e})); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(oneByOne, more) {
		t.Error("the order of folding shows in the position")
	}
}

func TestAHundredThousandUIDLsStaySmall(t *testing.T) {
	octets := publish.Content{Size: 1, Sum: [16]byte{1}}
	c, err := (&Source{}).Fold(nil, func(yield func(ingest.Entry) bool) {
		for e := range entriesOf(100_000, publish.Received) {
			if e.Content = octets; !yield(e) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := decode(c)
	if err != nil || len(p.entries) != 100_000 {
		t.Fatalf("%d entries, %v", len(p.entries), err)
	}
	p.refresh(500_000, false) // all of them missing: the longest form
	if n := len(p.encode()); len(c) > 1_750_000 || n > 2_100_000 {
		t.Errorf("%d octets, %d with all of them missing", len(c), n)
	}
}

func BenchmarkFoldOfAHundredThousand(b *testing.B) {
	src := &Source{}
	entries := slices.Collect(entriesOf(100_000, publish.Received))
	for b.Loop() {
		if _, err := src.Fold(nil, slices.Values(entries)); err != nil {
			b.Fatal(err)
		}
	}
}

func TestWhatCameOfAMessageLastCounts(t *testing.T) {
	ref, octets := refOf("a", 1), publish.Content{Size: 7, Sum: [16]byte{1}}
	for name, row := range map[string]struct {
		as   []publish.EventType
		want entry
	}{
		"published":                     {[]publish.EventType{publish.Received}, entry{published: true, content: 1}},
		"set aside, then published":     {[]publish.EventType{publish.Quarantined, publish.Received}, entry{published: true, aside: true, content: 1}},
		"passed over, then published":   {[]publish.EventType{ingest.PassedOver, publish.Received}, entry{published: true, heir: true, content: 1}},
		"published, then deleted by us": {[]publish.EventType{publish.Received, ingest.Settled}, entry{published: true, content: 1, deleted: true}},
		"known under another UIDL":      {[]publish.EventType{ingest.Renamed}, entry{published: true, content: 1, known: true, heir: true}},
	} {
		for way, at := range map[string]ingest.Cursor{"at once": nil, "one by one": {}} {
			src := &Source{}
			var entries []ingest.Entry
			for _, kind := range row.as {
				entries = append(entries, ingest.Entry{Ref: ref, Type: kind, Content: octets})
			}
			for len(entries) > 0 {
				n := len(entries)
				if at != nil {
					n = 1
				}
				var err error
				if at, err = src.Fold(at, slices.Values(entries[:n])); err != nil {
					t.Fatal(err)
				}
				entries = entries[n:]
			}
			p, err := decode(at)
			if err != nil || len(p.entries) != 1 {
				t.Fatalf("%s: %+v, %v", name, p, err)
			}
			got := p.entries[0]
			if row.want.digest, row.want.content = got.digest, p.content(octets); got != row.want {
				t.Errorf("%s, %s: %+v", name, way, got)
			}
		}
	}
}

func TestANewerOrDamagedPositionIsRefused(t *testing.T) {
	good, err := (&Source{}).Fold(nil, entriesOf(3, publish.Received))
	if err != nil {
		t.Fatal(err)
	}
	newer := bytes.Clone(good)
	newer[0]++
	if _, err := (&Source{}).Fold(newer, entriesOf(1, publish.Received)); !errors.Is(err, publish.ErrNewerFormat) {
		t.Errorf("newer: %v, want ErrNewerFormat", err)
	} else {
		wantCode(t, err, ingest.Permanent, ingest.CodeNewerFormat)
	}
	for n := 1; n < len(good); n++ {
		if _, err := decode(good[:n]); !errors.Is(err, errCursor) {
			t.Errorf("cut after %d of %d octets: %v", n, len(good), err)
		}
	}
	if _, err := decode(append(bytes.Clone(good), 0)); !errors.Is(err, errCursor) {
		t.Errorf("one octet too many: %v", err)
	}
}

// version1 is a position as the first mailflume wrote it: two messages, one of them missing.
func version1() []byte {
	b := append([]byte{1, flagBased}, make([]byte, keySize)...)
	b = append(b, 0, 0, 0, 9, 0, 0, 0, 2)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2)
	return append(b, 1, 8<<1)
}

func TestAPositionOfVersionOneIsRead(t *testing.T) {
	p, err := decode(version1())
	if err != nil || !p.based || p.marked != 9 || p.since != unknownBase || !slices.Equal(p.entries, []entry{{digest: 1, published: true}, {digest: 2, missing: 8}}) {
		t.Errorf("%+v, %v", p, err)
	}
}

func FuzzPosition(f *testing.F) {
	good, err := (&Source{}).Fold(nil, entriesOf(3, publish.Received))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(good))
	p := &position{based: true, life: 3, judging: true, fresh: true, since: 1e9, entries: []entry{{digest: 1, known: true, heir: true, missing: 7}, {digest: 2, deleted: true, content: 9}}}
	f.Add([]byte(p.encode()))
	f.Add(version1())
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := decode(data)
		if err != nil || len(data) == 0 {
			return
		}
		q, err := decode(p.encode())
		if err != nil || !slices.Equal(p.entries, q.entries) || p.key != q.key || p.based != q.based || p.marked != q.marked ||
			p.life != q.life || p.judging != q.judging || p.fresh != q.fresh || p.since != q.since {
			t.Fatalf("%x does not survive: %v", data, err)
		}
	})
}

func FuzzRef(f *testing.F) {
	f.Add("abc", "abc#2")
	f.Add("a b", "a%20b")
	f.Add("\x00\xff", "")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, n := range []int{1, 2} {
			for _, c := range []byte(refOf(a, n)) {
				if c <= ' ' || c > '~' {
					t.Fatalf("ref of %q is %q", a, refOf(a, n))
				}
			}
			if a != b && refOf(a, n) == refOf(b, n) || refOf(a, 1) == refOf(b, 2) {
				t.Fatalf("%q and %q share a ref", a, b)
			}
		}
		if len(refOf(a, 1)) > 256 || !isRef(refOf(a, 1)) {
			t.Fatalf("ref of %q has %d octets", a, len(refOf(a, 1)))
		}
	})
}
