package imapsource

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"mailflume/ingest"
)

func entries(validity uint32, folder string, uids ...uint32) []ingest.Entry {
	var out []ingest.Entry
	for _, u := range uids {
		out = append(out, ingest.Entry{Ref: msgRef{folder, epoch{validity: validity}, u}.ref()})
	}
	return out
}

func TestSpansAgreeWithAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		want := map[uint32]bool{}
		var s spans
		for range 40 {
			var batch []uint32
			for range r.IntN(20) {
				u := uint32(r.IntN(120) + 1)
				batch = append(batch, u)
				want[u] = true
			}
			s = s.addAll(batch)
		}
		for u := uint32(1); u <= 121; u++ {
			if s.has(u) != want[u] {
				t.Fatalf("round %d: has(%d) = %v in %v", round, u, s.has(u), s)
			}
		}
		for i := 1; i < len(s); i++ {
			if s[i].lo <= s[i-1].hi+1 {
				t.Fatalf("round %d: spans touch: %v", round, s)
			}
		}
		low := uint32(r.IntN(130))
		cut := s.clone().above(low)
		for u := uint32(1); u <= 121; u++ {
			if cut.has(u) != (want[u] && u > low) {
				t.Fatalf("round %d: above(%d).has(%d) = %v", round, low, u, cut.has(u))
			}
		}
	}
	top := spans{}.add(math.MaxUint32).add(math.MaxUint32 - 1).add(1)
	if !slices.Equal(top, spans{{1, 1}, {math.MaxUint32 - 1, math.MaxUint32}}) {
		t.Errorf("at the top: %v", top)
	}
}

func TestRefsRoundTrip(t *testing.T) {
	for _, m := range []msgRef{
		{"INBOX", epoch{validity: 1}, 1}, {"Archiv/Jänner 2026", epoch{math.MaxUint32, math.MaxUint32}, math.MaxUint32},
		{"a b%/c\x7f\n", epoch{validity: 7}, 9}, {"日本", epoch{}, 3},
	} {
		r := m.ref()
		for _, c := range []byte(r) {
			if c <= ' ' || c > '~' {
				t.Errorf("%q has octet %#x", r, c)
			}
		}
		if back, ok := parseRef(r); !ok || back != m {
			t.Errorf("%q reads as %+v, %v", r, back, ok)
		}
	}
	for _, bad := range []ingest.Ref{"", "i/", "i/1/0/INBOX", "i/1/x/INBOX", "i/01/2/INBOX", "p/abc", "i/1/2/", "i/1/2/%zz", "i/4294967296/1/a", "i/1/2/a b"} {
		if m, ok := parseRef(bad); ok {
			t.Errorf("%q reads as %+v", bad, m)
		}
	}
}

func samplePosition() *position {
	p := &position{folders: []string{"INBOX", "Arch*"}, exclude: []string{"Archive/x"}}
	p.put(box{name: "INBOX", epoch: epoch{validity: 7}, low: 10, done: spans{{12, 12}, {15, 20}}, since: -5, until: 9, mark: 20, markAt: 1e9,
		gaps: spans{{3, 5}, {8, 8}}, born: 1 << 40, witness: witness{9, -1, 77}, again: 10, fresh: true, known: spans{{1, 2}}, over: spans{{math.MaxUint32, math.MaxUint32}}, proofs: []proof{{9, 100, [8]byte{1}}, {math.MaxUint32, 0, [8]byte{2}}}})
	p.put(box{name: "Archive", epoch: epoch{validity: math.MaxUint32}})
	p.put(box{name: "Again", epoch: epoch{7, 2}, low: 3})
	return p
}

func TestCursorsRoundTrip(t *testing.T) {
	c := samplePosition().encode()
	p, err := decodeCursor(c)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(p.encode(), c) || p.boxes[1].name != "Archive" || p.find("INBOX").done[1] != (span{15, 20}) {
		t.Errorf("decoded %+v", p)
	}
	for i := range c {
		if _, err := decodeCursor(c[:i:i]); err == nil {
			t.Errorf("a cursor cut at %d of %d is accepted", i, len(c))
		}
	}
	if _, err := decodeCursor(append(bytes.Clone(c), 0)); err == nil {
		t.Error("a cursor with an octet too many is accepted")
	}
}

func TestFoldMarksEntriesAndTidies(t *testing.T) {
	src := mustSource(t, Options{})
	at := samplePosition().encode()
	before := bytes.Clone(at)
	got, err := src.Fold(at, slices.Values(slices.Concat(
		entries(7, "INBOX", 11, 13), entries(6, "INBOX", 14), entries(7, "Unknown", 1), entries(math.MaxUint32, "Archive", 2),
		[]ingest.Entry{{Ref: "p/other"}},
	)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(at, before) {
		t.Error("Fold wrote into its argument")
	}
	p, err := decodeCursor(got)
	if err != nil {
		t.Fatal(err)
	}
	in, ar := p.find("INBOX"), p.find("Archive")
	if in.low != 13 || !slices.Equal(in.done, spans{{15, 20}}) || ar.low != 0 || !slices.Equal(ar.done, spans{{2, 2}}) {
		t.Errorf("INBOX %+v, Archive %+v", *in, *ar)
	}
	if again, _ := src.Fold(got, slices.Values(entries(7, "INBOX", 11, 13, 15))); !bytes.Equal(again, got) {
		t.Error("folding known entries changes the position")
	}
	if none, err := src.Fold(nil, slices.Values(entries(7, "INBOX", 1))); none != nil || err != nil {
		t.Errorf("Fold(nil) = %v, %v", none, err)
	}
	if _, err := src.Fold(ingest.Cursor("rubbish"), slices.Values(entries(7, "INBOX", 1))); err == nil {
		t.Error("an unreadable position is folded")
	}
}

func TestFoldOneByOneEqualsFoldAtOnce(t *testing.T) {
	src := mustSource(t, Options{})
	p := &position{}
	p.put(box{name: "INBOX", epoch: epoch{validity: 1}})
	one, r := p.encode(), rand.New(rand.NewPCG(3, 4))
	all := bytes.Clone(one)
	var es []ingest.Entry
	for _, i := range r.Perm(3000) {
		es = append(es, entries(1, "INBOX", uint32(i*2+1))...)
	}
	for i := range es {
		one, _ = src.Fold(one, slices.Values(es[i:i+1]))
	}
	all, _ = src.Fold(all, slices.Values(es))
	if !bytes.Equal(one, all) {
		t.Error("the results differ")
	}
}

func FuzzCursor(f *testing.F) {
	f.Add([]byte(samplePosition().encode()), uint32(3))
	f.Add([]byte(cursorMagic), uint32(0))
	f.Fuzz(func(t *testing.T, b []byte, uid uint32) {
		p, err := decodeCursor(b)
		if err != nil || p == nil {
			return
		}
		if back, err := decodeCursor(p.encode()); err != nil || !bytes.Equal(back.encode(), p.encode()) {
			t.Fatalf("does not round-trip: %v", err)
		}
		if len(p.boxes) == 0 || uid == 0 {
			return
		}
		name, v := p.boxes[0].name, p.boxes[0].epoch
		p.fold(slices.Values([]ingest.Entry{{Ref: msgRef{name, v, uid}.ref()}}))
		if !p.find(name).finished(uid) {
			t.Fatalf("uid %d is not finished after Fold", uid)
		}
	})
}

func FuzzRef(f *testing.F) {
	f.Add("i/1/2/INBOX")
	f.Add("i/7/4294967295/a%20b")
	f.Fuzz(func(t *testing.T, s string) {
		if m, ok := parseRef(ingest.Ref(s)); ok && string(m.ref()) != s {
			t.Fatalf("%q and %q are one message", s, m.ref())
		}
	})
}

func BenchmarkFoldOneEntry(b *testing.B) {
	src, _ := New(Options{Endpoint: ingest.Endpoint{Addr: "h:1"}, Login: ingest.Login{User: "u", Tokens: secret("t")}})
	for _, n := range []int{0, 10_000} {
		p := &position{folders: []string{"INBOX"}}
		bx := box{name: "INBOX", epoch: epoch{validity: 1}}
		for i := range n {
			bx.done = append(bx.done, span{uint32(i*3 + 2), uint32(i*3 + 2)})
		}
		p.put(bx)
		c := p.encode()
		e := entries(1, "INBOX", 1_000_000)
		b.Run(fmt.Sprintf("%d spans", n), func(b *testing.B) {
			for b.Loop() {
				if _, err := src.Fold(c, slices.Values(e)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
