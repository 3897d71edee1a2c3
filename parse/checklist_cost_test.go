package parse

import (
	"io"
	"math"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// growsLinearly fails if four times the input costs far more than four times the time: what is
// quadratic costs sixteen times. Both are measured in turns, and the least counts.
func growsLinearly(t *testing.T, what string, work func(size int)) {
	t.Helper()
	const small, telling, most = 8 << 10 / underRace, 50 * time.Millisecond, 10
	one, four := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for range 8 {
		start := cpuTime(t)
		work(small)
		one = min(one, cpuTime(t)-start)
		start = cpuTime(t)
		work(4 * small)
		if four = min(four, cpuTime(t)-start); four < telling || four < most*one {
			return
		}
	}
	t.Errorf("%s: four times the input takes %.1f times the time", what, float64(four)/float64(one))
}

// cpuTime is what the process has used: whatever else the machine does is no part of it.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// TestHostileFieldsCostLinearTime reads long fields that repeat what makes decoders look ahead or back.
func TestHostileFieldsCostLinearTime(t *testing.T) {
	for _, unit := range hostileUnits() {
		growsLinearly(t, "fields of "+strconv.Quote(unit), func(size int) {
			value := strings.Repeat(unit, size/len(unit))
			in := "Subject: " + value + "\r\nFrom: " + value + "\r\nReferences: " + value + "\r\nDate: " + value + "\r\nList-Unsubscribe: " + value +
				"\r\nContent-Type: a/b; " + value + "\r\nContent-Disposition: a; " + value + "\r\n\r\nhi"
			m, err := readFrom(strings.NewReader(in), Limits{})
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
		})
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
	for _, enc := range []string{"base64", "quoted-printable", "x-uuencode", "7bit"} {
		for _, unit := range []string{"=", "==", "YQ==", "YQ==YQ", "=\r", "=\r\n", "=4", " ", "\t\r", "a\r\n", "\r", "\n", "-", "--", "\n--b", "M", "begin \n", "\n=", "\xff", "\x1b$B", "\xe4\xb8"} {
			for _, typ := range []string{"a/b", "text/plain; charset=gb2312", "text/html", "text/plain; charset=utf-7", "multipart/mixed; boundary=b"} {
				growsLinearly(t, enc+", "+typ+" of "+strconv.Quote(unit), func(size int) {
					in := "Content-Type: " + typ + "\r\nContent-Transfer-Encoding: " + enc + "\r\n\r\n" + strings.Repeat(unit, 4*size/len(unit))
					r := NewReader(strings.NewReader(in), Limits{})
					for p, err := r.Next(); err == nil; p, err = r.Next() {
						if _, err := p.WriteTo(io.Discard); err != nil {
							t.Fatal(err)
						}
					}
				})
			}
		}
	}
}
