package parse

import (
	"bytes"
	"encoding/base64"
	"io"
	"io/fs"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"unicode/utf8"

	"mailflume/testdata"
)

// FuzzMessage: any octets are read to their end without error, with the same result for any cut,
// and what is text is UTF-8.
func FuzzMessage(f *testing.F) {
	seeds(f)
	f.Add([]byte(zoo()), uint8(3))
	f.Add(smallMail(), uint8(1))
	f.Add([]byte(strings.ReplaceAll(zoo(), "\r\n", "\r")), uint8(7))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=b\r\n--b\r\n\r\n--b--"), uint8(2))
	f.Fuzz(func(t *testing.T, msg []byte, n uint8) {
		m, err := readFrom(bytes.NewReader(msg), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if m.digest.Size != int64(len(msg)) {
			t.Fatalf("read %d of %d octets", m.digest.Size, len(msg))
		}
		raw := 0
		for _, p := range m.parts {
			raw += len(p.raw)
			if (p.Role == RoleText || p.Role == RoleHTML) && !utf8.ValidString(p.body) {
				t.Errorf("text of part %s is no UTF-8", p.Path)
			}
			if strings.ContainsAny(p.Filename, "/\\\x00\n") || p.Filename == ".." || len(p.Filename) > maxFilename {
				t.Errorf("unsafe name %q", p.Filename)
			}
		}
		if raw > len(msg) {
			t.Errorf("parts have %d octets, the message %d", raw, len(msg))
		}
		again, err := readFrom(pieces{bytes.NewReader(msg), 1 + int(n)}, Limits{})
		if err != nil || again.dump() != m.dump() {
			t.Errorf("pieces of %d octets give something else (%v)", 1+int(n), err)
		}
	})
}

// seeds adds the messages of testdata.
func seeds(f *testing.F) {
	names, err := fs.Glob(testdata.Mail(), "*.eml")
	if err != nil || len(names) == 0 {
		f.Fatal(err)
	}
	for _, name := range names {
		if b, err := fs.ReadFile(testdata.Mail(), name); err == nil && len(b) < 16<<10 {
			f.Add(b, uint8(len(name)))
		}
	}
}

// FuzzInside: what holds for a message holds for what is inside of its parts.
func FuzzInside(f *testing.F) {
	seeds(f)
	f.Add([]byte(strings.ReplaceAll(forwarded, "\n", "\r\n")), uint8(0))
	f.Fuzz(func(t *testing.T, msg []byte, n uint8) {
		m, err := walkFrom(bytes.NewReader(msg), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if m.digest.Size != int64(len(msg)) {
			t.Fatalf("read %d of %d octets", m.digest.Size, len(msg))
		}
		for _, p := range m.parts {
			if strings.ContainsAny(p.Filename, "/\\\x00\n") || p.Filename == ".." || len(p.Filename) > maxFilename {
				t.Errorf("unsafe name %q", p.Filename)
			}
			if start, end := p.Range(); start < 0 || end < start || p.Origin == OriginMIME && end > int64(len(msg)) {
				t.Errorf("part %s lies at %d to %d of %d", p.Path, start, end, len(msg))
			}
			if (p.Role == RoleText || p.Role == RoleHTML) && !utf8.ValidString(p.body) {
				t.Errorf("text of part %s is no UTF-8", p.Path)
			}
			if n := strings.Count(p.Path, "."); n > 200 {
				t.Errorf("part %s is %d deep", p.Path, n)
			}
		}
		again, err := walkFrom(pieces{bytes.NewReader(msg), 1 + int(n)}, Limits{})
		if err != nil || again.dump() != m.dump() {
			t.Errorf("pieces of %d octets give something else (%v)", 1+int(n), err)
		}
	})
}

// fuzzHeader is a header with one field.
func fuzzHeader(name, value string) *Header {
	lim := Limits{}.withDefaults()
	block := name + ":" + value
	return &Header{block: block, fields: []fieldSpan{{colon: int32(len(name)), end: int32(len(block)), name: int32(len(name)), key: fieldKey(name)}}, lim: &lim, issues: new(issues), hint: new(string)}
}

// FuzzWords: decoding gives UTF-8, no line break that was not there, and a second decoding of text
// without words changes nothing.
func FuzzWords(f *testing.F) {
	for _, s := range []string{"=?utf-8?q?a?= =?utf-8?b?YWI?=", "=?iso-2022-jp?B?GyRCJUk=?=", "a =?x?", "=?utf-7?q?+2D3eAA-?=", "=??b?=?="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := fuzzHeader("Subject", s).Subject()
		if !utf8.ValidString(got) {
			t.Errorf("%q is no UTF-8", got)
		}
		if strings.ContainsAny(got, "\r\n") {
			t.Errorf("line break in %q", got)
		}
	})
}

// FuzzAddresses: no address has a line break or white space outside of quotes, and whatever the
// standard library accepts as one plain address is read the same.
func FuzzAddresses(f *testing.F) {
	for _, s := range []string{"a@x.org, B <b@x.org>", `"a@b"@x.org`, "G: a@x.org;", "((a)", "<@a:b@c>", "a b <c", `"\`, "Doe, J <j@x>", "\x1d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list := fuzzHeader("To", s).Addresses("To")
		for _, a := range list {
			if strings.ContainsAny(a.Address, "\r\n\x00\t") || !utf8.ValidString(a.Address+a.Name+a.Group) {
				t.Errorf("%q", a)
			}
			if a.Address == "" && a.Name == "" {
				t.Errorf("%q gives an empty entry", s)
			}
		}
		if strings.ContainsAny(s, "\"()\\<>=:;,'[") || strings.IndexFunc(s, isSpaceOrControl) >= 0 || !utf8.ValidString(s) {
			return
		}
		if want, err := mail.ParseAddress(s); err == nil && (len(list) != 1 || list[0].Address != want.Address) {
			t.Errorf("%q gives %q, want %q", s, list, want.Address)
		}
	})
}

// FuzzDate: what the standard library reads as RFC 5322 with a numeric zone is read the same, and
// no year comes out that mail cannot have.
func FuzzDate(f *testing.F) {
	for _, s := range []string{"Tue, 10 Nov 2026 09:00:00 +0100", "Tue Nov 10 09:00:00 PST 2026", "1 Jan 102 0:0 A", "2026-11-10T09:00:00Z", "10-Nov-26 9:00 PM"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := MailDate(s)
		if ok && (got.UTC().Year() < 1900 || got.UTC().Year() > 9999) {
			t.Errorf("%q gives %v", s, got)
		}
		if len(s) < 5 || s[len(s)-5] != '+' && s[len(s)-5] != '-' || strings.ContainsAny(s, "(\\\"") {
			return
		}
		want, err := mail.ParseDate(s)
		if err == nil && want.UTC().Year() >= 1900 && len(s) < 100 && (!ok || !got.Equal(want)) {
			t.Errorf("%q gives %v %v, want %v", s, got, ok, want)
		}
	})
}

// FuzzParameters: every value is UTF-8, and the number of parameters is bounded.
func FuzzParameters(f *testing.F) {
	for _, s := range []string{"text/plain; charset=utf-8", `a/b; name*0*=utf-8''a; name*1="b"; x="\"`, "a; b c=d", `multipart/mixed; boundary="a"b"`, "=;=;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h := fuzzHeader("Content-Type", s)
		raw, _ := h.first("Content-Type")
		m := parseMedia(raw, h)
		if len(m.params) > h.lim.Params {
			t.Errorf("%d parameters", len(m.params))
		}
		if typ, _ := mediaType(m.head, "text/plain"); strings.Count(typ, "/") != 1 {
			t.Errorf("type %q", typ)
		}
		for _, p := range m.params {
			if v := m.text(p.name, h); !utf8.ValidString(v) {
				t.Errorf("%q is no UTF-8", v)
			}
		}
		if len(m.boundary(h)) > h.lim.Boundary {
			t.Error("boundary too long")
		}
	})
}

// FuzzQuanta: the vectorised decoder and the standard library's agree on whole quanta.
func FuzzQuanta(f *testing.F) {
	f.Add([]byte("QUJDQUJD"))
	f.Add(bytes.Repeat([]byte("QUJD"), 50))
	f.Add([]byte("QUJ=QU\nD"))
	f.Fuzz(func(t *testing.T, src []byte) {
		src = src[:len(src)&^3]
		if bytes.ContainsAny(src, "\r\n") {
			return // decodeQuanta is given none
		}
		a, b := make([]byte, len(src)), make([]byte, len(src))
		n, ok := decodeQuanta(a, src)
		m, okStd := decodeQuantaStd(b, src)
		if ok != okStd || ok && !bytes.Equal(a[:n], b[:m]) {
			t.Errorf("%q: %v %q, standard library %v %q", src, ok, a[:n], okStd, b[:m])
		}
	})
}

// FuzzBase64: what the standard library decodes is decoded the same in any cut.
func FuzzBase64(f *testing.F) {
	f.Add([]byte("QUJD\r\nQUI=\r\n"), uint8(3))
	f.Add([]byte("QUI=\nQUJDQUI=\nfooter"), uint8(1))
	f.Add([]byte("Q*U-JDQ"), uint8(2))
	f.Add([]byte("Dear Sir,\r\n\r\nthe pump is broken.\r\n"), uint8(2))
	f.Fuzz(func(t *testing.T, src []byte, n uint8) {
		whole := decodeIn(new(base64Decoder), src, len(src)+1)
		if cut := decodeIn(new(base64Decoder), src, 1+int(n)); !bytes.Equal(whole, cut) {
			t.Errorf("%q: cut gives %q, whole %q", src, cut, whole)
		}
		if want, err := base64.StdEncoding.DecodeString(string(src)); err == nil && !bytes.Equal(whole, want) {
			t.Errorf("%q: got %q, want %q", src, whole, want)
		}
		text := decodeIn(new(base64Text), src, len(src)+1)
		if cut := decodeIn(new(base64Text), src, 1+int(n)); !bytes.Equal(text, cut) || !bytes.Equal(text, whole) && !bytes.Equal(text, src) {
			t.Errorf("%q: as text %q, cut %q, else %q", src, text, cut, whole)
		}
	})
}

// FuzzQuotedPrintable: any cut gives the same, and the same as the standard library where that has
// nothing to object to.
func FuzzQuotedPrintable(f *testing.F) {
	f.Add([]byte("a=C3=A9 \r\nb=\r\nc"), uint8(2))
	f.Add([]byte("= \t\r\n=4"), uint8(1))
	f.Fuzz(func(t *testing.T, src []byte, n uint8) {
		whole := decodeIn(new(qpDecoder), src, len(src)+1)
		if cut := decodeIn(new(qpDecoder), src, 1+int(n)); !bytes.Equal(whole, cut) {
			t.Errorf("%q: cut gives %q, whole %q", src, cut, whole)
		}
		if bytes.ContainsAny(src, "\r=") && !bytes.Contains(src, []byte("=0")) {
			return // there the standard library has rules of its own
		}
		want, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(src)))
		if err == nil && !bytes.ContainsAny(src, "\r \t") && !bytes.Contains(src, []byte("=\n")) && !bytes.HasSuffix(src, []byte("=")) && !bytes.Equal(whole, want) {
			t.Errorf("%q: got %q, want %q", src, whole, want)
		}
	})
}

// FuzzText: any cut of a text gives the same UTF-8.
func FuzzText(f *testing.F) {
	f.Add([]byte("a\xe9\x1b$B$3"), "iso-2022-jp", uint8(1), false)
	f.Add([]byte("a\x00\xe9\x00"), "utf-16", uint8(0), false)
	f.Add([]byte("+2D3eAA-\xff"), "utf-7", uint8(2), false)
	f.Add([]byte("\x1b$)C\x0eGQ1[\x0f"), "iso-2022-kr", uint8(2), false)
	f.Add([]byte("<meta charset=koi8-r>\xf0"), "", uint8(4), true)
	f.Fuzz(func(t *testing.T, src []byte, label string, n uint8, html bool) {
		convert := func(size int) string {
			tr, _ := newTextReader(label, html)
			var out []byte
			for b := src; len(b) > 0; {
				k := min(size, len(b))
				out = append(out, tr.convert(b[:k:k], false)...)
				b = b[k:]
			}
			return string(append(out, tr.convert(nil, true)...))
		}
		whole := convert(len(src) + 1)
		if !utf8.ValidString(whole) {
			t.Errorf("%q is no UTF-8", whole)
		}
		if cut := convert(1 + int(n)); cut != whole {
			t.Errorf("cut gives %q, whole %q", cut, whole)
		}
	})
}

// decodeIn decodes src in pieces of n octets.
func decodeIn(d transferDecoder, src []byte, n int) []byte {
	var out []byte
	for len(src) > 0 {
		k := min(n, len(src))
		out = append(out, d.decode(src[:k:k], false)...)
		src = src[k:]
	}
	return append(out, d.decode(nil, true)...)
}
