package tnef

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
)

// codepages is a converter that knows two code pages more.
func codepages(charset string, b []byte) string {
	switch charset {
	case "shift_jis":
		b, _ = japanese.ShiftJIS.NewDecoder().Bytes(b)
		return string(b)
	case "windows-1251":
		b, _ = charmap.Windows1251.NewDecoder().Bytes(b)
		return string(b)
	}
	return western(charset, b)
}

func inner(rtf string) (Kind, string, []Flaw) {
	r := NewReader(nil, Options{Text: codepages})
	kind, b := r.deencapsulate([]byte(rtf))
	return kind, string(b), r.Flaws()
}

// html is RTF that encapsulates HTML, with fonts of three code pages.
func html(s string) string {
	return `{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}` + "\r\n" +
		`{\f1\fmodern\fcharset128{\*\panose 02020603050405020304}MS Gothic;}{\f2\cpg1251 Arial CYR;}}` +
		`{\colortbl\red0\green0\blue0;}{\*\generator x;}\uc1\pard\plain\deftab360 \f0\fs24 ` + s + "}\r\n\x00"
}

func TestHTMLInRTF(t *testing.T) {
	for _, c := range []struct{ name, rtf, want string }{
		{"tags and text", `{\*\htmltag19 <html>}{\*\htmltag64}\htmlrtf {\htmlrtf0 {\*\htmltag84 <b>}bold{\*\htmltag92 </b>}\htmlrtf }\htmlrtf0`, "<html><b>bold</b>"},
		{"hidden RTF", `a\htmlrtf \par b\tab {c}\htmlrtf0 d\htmlrtf1 e\htmlrtf0\par`, "ad\r\n"},
		{"\\htmlrtf ends with its group", `{\htmlrtf a}b`, "b"},
		{"entities", `{\*\htmltag84 &lt;}\htmlrtf <\htmlrtf0 {\*\htmltag84 &nbsp;}\htmlrtf \'a0\htmlrtf0`, "&lt;&nbsp;"},
		{"escapes in tags", `{\*\htmltag84 <style>\{a:\\0\}\par\tab\'e9\u937?</style>}`, "<style>{a:\\0}\r\n\té\u03a9</style>"},
		{"rewritten tags", `{\*\mhtmltag84 <img src="x">}{\*\htmltag84 <img>}`, "<img>"},
		{"characters", `\lquote\rquote\ldblquote\rdblquote\bullet\endash\emdash\~\_\-\line`, "‘’“”•–—\u00a0\u00ad\r\n"},
		{"code pages of fonts", `\f1\'93\'fa\'96{\f2\'cf}\f1{\f0\'e9}\f0\'e9`, "日\ufffdПéé"},
		{"a code page's second octet is a letter", `\f1\'83A\'83\'5c\plain A`, "アソA"},
		{"a tag is in the document's code page", `\f1{\*\htmltag84 \'e9}`, "é"},
		{"raw octets", "\\f2 \xcf\xcf", "ПП"},
		{"line breaks of the RTF", "a\r\nb", "ab"},
		{"unicode with replacement", `\u937?b\u-4051\'3f\u8364 {}c\uc2\u937??d{\uc0\u937 e}\uc0\u937f`, "Ωb\uf02d€cΩdΩeΩf"},
		{"surrogates", `\u-10179?\u-8704? \u-10179?x\u-8704?`, "😀 \ufffdx\ufffd"},
		{"a replacement that is a control word", `\u8211\endash x`, "–x"},
		{"binary", `a{\*\x\bin3 }}}}b\bin99999`, "ab"},
		{"list marks", `{\pntext *\tab}a{\*\pn\pnlvlblt{\pntxtb *}}`, "a"},
		{"pictures", `{\pict\wmetafile8 0123}a{\object{\*\objdata 00}}`, "a"},
		{"NUL", `a\'00b`, "ab"},
		{"hex that is none", `\'zz\'`, "zz"},
	} {
		t.Run(c.name, func(t *testing.T) {
			kind, s, flaws := inner(html(c.rtf))
			if kind != KindHTML || len(flaws) > 0 || s != c.want {
				t.Errorf("%s %q, %v\nwant %q", kind, s, flaws, c.want)
			}
		})
	}
}

func TestOtherRTF(t *testing.T) {
	for _, c := range []struct {
		name, rtf string
		kind      Kind
		want      string
	}{
		{"text", `{\rtf1\ansi\fromtext \deff0{\fonttbl{\f0 Courier;}}a\tab b\par}`, KindText, "a\tb\r\n"},
		{"shown", `{\rtf1{\info{\title T}}{\header h}a{\listtext 1.\tab}b{\field{\*\fldinst HYPERLINK "u"}{\fldrslt link}}\cell\row}`, KindRTF, "a1.\tblink\t\r\n"},
		{"HTML tags without \\fromhtml", `{\rtf1 a{\*\htmltag64 <p>}}`, KindRTF, "a"},
		{"\\fromhtml too late", `{\rtf1 a\fromhtml1 b{\*\htmltag64 <p>}}`, KindRTF, "ab"},
		{"after the end", `{\rtf1 a}b{c}`, KindRTF, "a"},
		{"old Macintosh", `{\rtf1\mac a}`, KindRTF, "a"},
		{"too many closed", `{\rtf1 a}}}`, KindRTF, "a"},
		{"a code page that is none", `{\rtf1\ansicpg0 \'e9}`, KindRTF, "é"},
		{"a number that is none", `{\rtf1\ansicpg99999999999999999999\u99999999999999999999 ?a\uc-1 }`, KindRTF, "\uffffa"},
		{"no RTF", `hello`, KindRTF, ""},
		{"deep", `{\rtf1 ` + strings.Repeat("{", 5000) + "a" + strings.Repeat("}", 5000) + `b}c`, KindRTF, "ab"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if kind, s, _ := inner(c.rtf); kind != c.kind || s != c.want {
				t.Errorf("%s %q\nwant %s %q", kind, s, c.kind, c.want)
			}
		})
	}
}

func TestTruncatedRTFGivesAPrefix(t *testing.T) {
	rtf := html(`{\*\htmltag84 <p>}a\tab\'e9\u937?b\emdash{\f2\'cf}\endash x\par`)
	_, whole, _ := inner(rtf)
	for i := range rtf {
		if _, s, _ := inner(rtf[:i]); !strings.HasPrefix(whole, s) {
			t.Fatalf("cut at %d: %q", i, s)
		}
	}
}

// [MS-OXRTFCP] section 3: both worked examples, with their checksums.
func TestTheExamplesOfTheSpecification(t *testing.T) {
	for _, c := range []struct{ packed, want string }{
		{"\x2d\x00\x00\x00\x2b\x00\x00\x00LZFu\xf1\xc5\xc7\xa7\x03\x00\x0a\x00\x72\x63\x70\x67\x31\x32\x35\x42\x32\x0a\xf3\x20" +
			"\x68\x65\x6c\x09\x00\x20\x62\x77\x05\xb0\x6c\x64\x7d\x0a\x80\x0f\xa0", "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"},
		{"\x1a\x00\x00\x00\x1c\x00\x00\x00LZFu\xe2\xd4\x4b\x51\x41\x00\x04\x20\x57\x58\x59\x5a\x0d\x6e\x7d\x01\x0e\xb0",
			"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"},
	} {
		r := NewReader(nil, Options{})
		if s := string(r.decompress([]byte(c.packed))); s != c.want || len(r.Flaws()) > 0 {
			t.Errorf("%q, %v", s, r.Flaws())
		}
	}
}

func TestCompressedRTF(t *testing.T) {
	long := html(strings.Repeat(`The quick brown fox. \par `, 900))
	sum := compress("{\\rtf1 a}")
	sum[12]++
	size := compress("{\\rtf1 a}")
	size[0] = 0xff
	for _, c := range []struct{ name, packed, want, flaw string }{
		{"long", string(compress(long)), long, ""},
		{"empty", string(compress("")), "", ""},
		{"uncompressed", string(rtfBody(lzfuUncompressed, 0, 3, []byte("abc\x00"))), "abc", ""},
		{"uncompressed, cut", string(rtfBody(lzfuUncompressed, 0, 4, []byte("abc"))), "abc", FlawTruncated},
		{"a wrong checksum", string(sum), "{\\rtf1 a}", FlawChecksum},
		{"a wrong size", string(size), "{\\rtf1 a}", ""},
		{"unknown compression", string(rtfBody("ZIP!", 0, 3, []byte("abc"))), "", FlawInvalid},
		{"half a header", "1234567", "", FlawTruncated},
		{"cut", string(compress(long)[:200]), "", FlawTruncated},
		{"a bomb", string(compress(strings.Repeat("a", 1<<17))), strings.Repeat("a", 1<<16), FlawLimit},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := NewReader(nil, Options{Body: 1 << 16})
			out := r.decompress([]byte(c.packed))
			if c.want != "" && string(out) != c.want || !bytes.HasPrefix([]byte(long), out) && c.want == "" {
				t.Errorf("%.300q", out)
			}
			if f := r.Flaws(); c.flaw == "" && len(f) > 0 || c.flaw != "" && (len(f) != 1 || f[0].Code != c.flaw) {
				t.Errorf("flaws %v", f)
			}
		})
	}
}
