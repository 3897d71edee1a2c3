package parse

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"
)

func TestTextsAreConvertedToUTF8(t *testing.T) {
	cases := []struct{ name, typ, in, want, used, code string }{
		{"UTF-8", "text/plain; charset=utf-8", "é\r\n", "é\r\n", "utf-8", ""},
		{"utf8 in quotes", `text/plain; charset="utf8"`, "é", "é", "utf-8", ""},
		{"byte order mark", "text/plain; charset=utf-8", "\xef\xbb\xbfé", "é", "utf-8", ""},
		{"Latin is windows-1252", "text/plain; charset=iso-8859-1", "a\x96\xe9", "a–é", "windows-1252", ""},
		{"iso-2022-jp", "text/plain; charset=iso-2022-jp", "\x1b$B$3\x1b(B", "こ", "iso-2022-jp", ""},
		{"ISO-2022-JP undeclared", "text/plain", "a \x1b$B$3\x1b(B", "a こ", "iso-2022-jp", IssueCharsetGuessed},
		{"iso-2022-kr", "text/plain; charset=iso-2022-kr", "\x1b$)Ca\x0eGQ1[\x0fb", "a한글b", "iso-2022-kr", ""},
		{"gb18030 of four octets", "text/plain; charset=gb18030", "\x81\x39\xee\x39", "㐀", "gb18030", ""},
		{"gb2312", "text/plain; charset=gb2312", "\xd6\xd0", "中", "gbk", ""},
		{"hz", "text/plain; charset=hz-gb-2312", "~{VP~}", "中", "hz-gb-2312", ""},
		{"windows-874", "text/plain; charset=windows-874", "\xa1", "ก", "windows-874", ""},
		{"tis-620", "text/plain; charset=tis-620", "\xa1", "ก", "windows-874", ""},
		{"koi8-r", "text/plain; charset=KOI8-R", "\xf0\xd2\xc9", "При", "koi8-r", ""},
		{"cp932", "text/plain; charset=cp932", "\x82\xb1", "こ", "shift_jis", ""},
		{"ks_c_5601-1987", "text/plain; charset=ks_c_5601-1987", "\xc7\xd1", "한", "euc-kr", ""},
		{"big5", "text/plain; charset=big5", "\xa4\xa4", "中", "big5", ""},
		{"UTF-7", "text/plain; charset=unicode-1-1-utf-7", "a+AOk-+- +2D3eAA-", "aé+ 😀", "utf-7", ""},
		{"UTF-16 with mark", "text/plain; charset=utf-16", "\xff\xfea\x00\xe9\x00", "aé", "utf-16", ""},
		{"UTF-16 without mark", "text/plain; charset=utf-16", "\x00a\x00\xe9", "aé", "utf-16", ""},
		{"UTF-16 without mark, little-endian", "text/plain; charset=utf-16", "a\x00\xe9\x00", "aé", "utf-16", ""},
		{"UTF-16LE", "text/plain; charset=utf-16le", "a\x00\xe9\x00", "aé", "utf-16le", ""},
		{"misspelled", "text/plain; charset=uft-8", "é", "é", "utf-8", ""},
		{"junk before the name", "text/plain; charset=_iso-2022-jp", "\x1b$B$3\x1b(B", "こ", "iso-2022-jp", ""},
		{"comment behind the name", "text/plain; charset=koi8-r (Russian)", "\xf0", "П", "koi8-r", ""},
		{"win-1251", "text/plain; charset=win-1251", "\xcf", "П", "windows-1251", ""},
		{"cp1251", "text/plain; charset=cp1251", "\xcf", "П", "windows-1251", ""},
		{"iso8859-15", "text/plain; charset=iso8859-15", "\xa4", "€", "iso-8859-15", ""},
		{"cp850", "text/plain; charset=cp850", "\x82", "é", "ibm850", ""},
		{"unknown, UTF-8 inside", "text/plain; charset=x-ias-german", "é", "é", "utf-8", IssueCharsetUnknown},
		{"unknown, Latin inside", "text/plain; charset=x-ias-german", "\xe9", "é", "windows-1252", IssueCharsetUnknown},
		{"none, ASCII", "text/plain", "abc", "abc", "us-ascii", ""},
		{"none, UTF-8", "text/plain", "aé", "aé", "utf-8", IssueCharsetGuessed},
		{"none, Latin", "text/plain", "a\xe9b", "aéb", "windows-1252", IssueCharsetGuessed},
		{"us-ascii, UTF-8 inside", "text/plain; charset=us-ascii", "é", "é", "utf-8", IssueCharsetGuessed},
		{"invalid UTF-8", "text/plain; charset=utf-8", "a\xffb\xc3", "a\uFFFDb\uFFFD", "utf-8", IssueCharsetInvalid},
		{"invalid EUC-KR", "text/plain; charset=euc-kr", "a\xc7", "a\uFFFD", "euc-kr", IssueCharsetInvalid},
		{"HTML says it itself", "text/html", "<meta charset=koi8-r>\xf0", "<meta charset=koi8-r>П", "koi8-r", ""},
		{"HTML by http-equiv", "text/html", `<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">` + "\xcf", `<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">П`, "windows-1251", ""},
		{"HTML, the header wins", "text/html; charset=utf-8", "<meta charset=koi8-r>é", "<meta charset=koi8-r>é", "utf-8", ""},
		{"HTML without any", "text/html", "<p>a\xe9", "<p>aé", "windows-1252", IssueCharsetGuessed},
		{"NUL stays", "text/plain; charset=utf-8", "a\x00b", "a\x00b", "utf-8", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := readRaw(t, "Content-Type: "+c.typ+"\r\n\r\n"+c.in)
			p := m.parts[0]
			if p.body != c.want {
				t.Errorf("got %q, want %q", p.body, c.want)
			}
			if p.UsedCharset != "" && p.raw != c.in {
				t.Errorf("tee got %q", p.raw)
			}
			if c.code != "" {
				wantCode(t, m, c.code)
			} else if len(m.issues) > 0 {
				t.Errorf("unexpected issues %v", m.issues)
			}
			if used := usedCharset(t, "Content-Type: "+c.typ+"\r\n\r\n"+c.in); used != c.used {
				t.Errorf("used charset %q, want %q", used, c.used)
			}
		})
	}
}

// usedCharset reads the first part and returns what its text was converted from.
func usedCharset(t *testing.T, msg string) string {
	t.Helper()
	r := NewReader(strings.NewReader(msg), Limits{})
	p, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.WriteTo(new(strings.Builder)); err != nil {
		t.Fatal(err)
	}
	return p.UsedCharset
}

func TestLongTextsAreConvertedPieceByPiece(t *testing.T) {
	text := strings.Repeat("Grüße aus Österreich, 中文 и так далее\r\n", 20_000)
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]string{"utf-8": text, "utf-16": utf16, "": text} {
		m := readRaw(t, "Content-Type: text/plain; charset="+name+"\r\n\r\n"+in)
		if m.parts[0].body != text {
			t.Errorf("%s: text of %d bytes differs from the original's %d", name, len(m.parts[0].body), len(text))
		}
	}
}

// What was plain ASCII has passed, and is part of the text, wherever the input was cut behind it.
func TestTheCharsetDoesNotDependOnWhereTheTextIsCut(t *testing.T) {
	for _, c := range []struct {
		label, hint, text string
		html              bool
	}{
		{"euc-jp", "", "a\ufeffb", false},
		{"", "", strings.Repeat("x", metaSize) + "\ufeffb", true},
		{"", "utf-16", strings.Repeat("x", metaSize) + "\xe9t\xe9", true},
		{"utf-8", "", "f\xfcr und wider\ufeff", false},
	} {
		convert := func(n int) (out string) {
			r, _ := newTextReader(c.label, c.html)
			r.hint = c.hint
			for b := []byte(c.text); len(b) > 0; b = b[min(n, len(b)):] {
				out += string(r.convert(b[:min(n, len(b))], false))
			}
			return out + string(r.convert(nil, true))
		}
		want := convert(len(c.text))
		for _, n := range []int{1, 2, 1000, metaSize} {
			if got := convert(n); got != want {
				t.Errorf("%q %.20q in pieces of %d: %.40q, else %.40q", c.label, c.text, n, got, want)
			}
		}
	}
}
