package parse

import (
	"io"
	"strings"
	"testing"
	"time"
)

// TestHostileFieldsCostLinearTime reads fields as large as the limits let through that repeat what
// makes decoders look ahead or back. What is quadratic takes seconds for each.
func TestHostileFieldsCostLinearTime(t *testing.T) {
	const size = 256<<10 - 100
	lim := Limits{HeaderBytes: 4 << 20}
	for _, unit := range hostileUnits() {
		value := strings.Repeat(unit, size/len(unit))
		in := "Subject: " + value + "\r\nFrom: " + value + "\r\nReferences: " + value + "\r\nDate: " + value + "\r\nList-Unsubscribe: " + value +
			"\r\nContent-Type: a/b; " + value + "\r\nContent-Disposition: a; " + value + "\r\n\r\nhi"
		start := time.Now()
		m, err := readFrom(strings.NewReader(in), lim)
		if err != nil {
			t.Fatal(err)
		}
		h := m.header
		h.Subject()
		h.Addresses("From")
		h.MessageIDs("References")
		h.Date()
		List(h)
		Classify(h, h.Get("Content-Type"))
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("fields of %q took %v", unit, d)
		}
	}
}

// hostileUnits are what a field may repeat.
func hostileUnits() []string {
	return []string{"<", ">", "(", ")", "()", "((", "\"", "\\", "\\\"", "@", ",", ";", ":", "[", "]", "=", "?", "=?", "?=", "'", "%", "*",
		"a@b ", "a@b,", "<a@b", "<a@b ", "<a@b>", "<(", "\"a\"@", "\"a\".", "\"a\" <a@b>, \"", "(a@b) ", "a:", "G:;", "<@a:", "<@a,", "[a", "a <",
		"=?a?q?", "=?a?b?", "=?utf-8?q?a?= ", "=?utf-8?q?a?=3D", "=?utf-8?q?=?=", "=?utf-8?b?YQ?=", "=?x?q?a?=", "?==41", "=?utf-7?q?+?=",
		"a=b;", "a=\"b", "a=\"b\" ", "a=\"\"", "a=(", "a*0=b;", "a*1*=%", ";;", "a ", " ", "=\"", "filename=\"a\" ", "name=a ", "charset ",
		"\xff", "\xc3\xbc\xff", "é", "\x1b$B", "\x1b$B=?", "~{", "1 ", "Jan ", "1:", "1-1-1 ", "<<", "<http://x>, ", "< ", "\r\n ", "\r\n\t<"}
}

// TestHostileBodiesCostLinearTime does the same to the decoders of bodies.
func TestHostileBodiesCostLinearTime(t *testing.T) {
	const size = 256 << 10
	for _, enc := range []string{"base64", "quoted-printable", "x-uuencode", "7bit"} {
		for _, unit := range []string{"=", "==", "YQ==", "YQ==YQ", "=\r", "=\r\n", "=4", " ", "\t\r", "a\r\n", "\r", "\n", "-", "--", "\n--b", "M", "begin \n", "\n=", "\xff", "\x1b$B", "\xe4\xb8"} {
			for _, typ := range []string{"a/b", "text/plain; charset=gb2312", "text/html", "text/plain; charset=utf-7", "multipart/mixed; boundary=b"} {
				in := "Content-Type: " + typ + "\r\nContent-Transfer-Encoding: " + enc + "\r\n\r\n" + strings.Repeat(unit, size/len(unit))
				start := time.Now()
				r := NewReader(strings.NewReader(in), Limits{})
				for p, err := r.Next(); err == nil; p, err = r.Next() {
					if _, err := p.WriteTo(io.Discard); err != nil {
						t.Fatal(err)
					}
				}
				if d := time.Since(start); d > time.Second {
					t.Errorf("%s, %s of %q took %v", enc, typ, unit, d)
				}
			}
		}
	}
}
