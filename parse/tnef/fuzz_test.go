package tnef

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// FuzzTNEF: any octets are read to their end without an error, with the same result for any cut,
// and embedded messages too.
func FuzzTNEF(f *testing.F) {
	f.Add(zoo())
	f.Add(letter())
	f.Add(newStream().message(932, new(props).every()).Bytes())
	f.Add(newStream().attachment("a", []byte("b"), file("c", "d/e")).Bytes())
	f.Fuzz(func(t *testing.T, tnef []byte) {
		r := NewReader(bytes.NewReader(tnef), Options{})
		all, err := readAll(r)
		if err != io.EOF {
			t.Fatal(err)
		}
		octets := 0
		for _, g := range all {
			if octets += len(g.octets); g.Kind == KindMessage {
				if _, err := readAll(NewReader(bytes.NewReader([]byte(g.octets)), Options{})); err != io.EOF {
					t.Fatal(err)
				}
			}
			if m := r.Message(); len(m.To)+len(m.Cc)+len(m.Bcc) > maxRecipients || !utf8.ValidString(fmt.Sprint(m)) {
				t.Errorf("%+v", m)
			}
			if !utf8.ValidString(g.Name) || g.Charset == "utf-8" && !utf8.ValidString(g.octets) && g.r.cpid == 0 && g.r.codepage == 0 {
				t.Errorf("not UTF-8: %q %q", g.Name, g.octets)
			}
		}
		// References of two octets stand for 17, once as they are and once as text.
		if octets > 64+len(tnef)*9*4 {
			t.Errorf("%d octets of %d", octets, len(tnef))
		}
		again := NewReader(iotest.OneByteReader(bytes.NewReader(tnef)), Options{})
		if one, _ := readAll(again); dump(one, again) != dump(all, r) {
			t.Errorf("octet by octet\n%swhole\n%s", dump(one, again), dump(all, r))
		}
	})
}

// FuzzRTF: any octets decompress and de-encapsulate to UTF-8 of bounded size.
func FuzzRTF(f *testing.F) {
	f.Add([]byte(html(`{\*\htmltag84 <p>}a\tab\'e9\u937?b\emdash{\f2\'cf}\bin1 x`)), false)
	f.Add([]byte(`{\rtf1\fromtext {\upr a{\*\ud b}}\u-10179?\u-8704?}`), false)
	f.Add(compress(html("x")), true)
	f.Fuzz(func(t *testing.T, b []byte, packed bool) {
		r := NewReader(nil, Options{Body: 1 << 16})
		if packed {
			if b = r.decompress(b); len(b) > 1<<16 {
				t.Fatalf("%d octets", len(b))
			}
		}
		kind, out := r.deencapsulate(b)
		if !utf8.Valid(out) || len(out) > 3*len(b) {
			t.Errorf("%s: %d octets of %d: %q", kind, len(out), len(b), out)
		}
	})
}
