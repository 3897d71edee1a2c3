package redact

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

func TestADialogueIsToldWithoutItsSecretsHoweverItIsCut(t *testing.T) {
	const secret = "Mf8Q~trace-CANARY-0123456789"
	line := base64.StdEncoding.EncodeToString([]byte("user=a@example.com\x01auth=Bearer " + secret + "\x01\x01"))
	said := "a1 LOGIN a@example.com \"" + secret + "\"\r\nAUTH XOAUTH2\r\n" + line + "\r\n"
	heard := "* OK \x1b[31mhello\r\n+ \r\na1 NO you said " + line + "\r\n* " + strings.Repeat("x", 2*maxTraced) + secret + "\r\n"
	for _, step := range []int{1, 3, 7, 1 << 20} {
		var sent Memory
		sent.Keep(secret)
		var mu sync.Mutex
		var lines []string
		ours, theirs := net.Pipe()
		conn := Trace(ours, func(line string) { mu.Lock(); lines = append(lines, line); mu.Unlock() }, &sent)
		var wg sync.WaitGroup
		wg.Go(func() {
			b := make([]byte, len(said))
			_, _ = io.ReadFull(theirs, b)
			for rest := heard; rest != ""; rest = rest[min(step, len(rest)):] {
				_, _ = io.WriteString(theirs, rest[:min(step, len(rest))])
			}
			_ = theirs.Close()
		})
		for rest := said; rest != ""; rest = rest[min(step, len(rest)):] {
			if _, err := io.WriteString(conn, rest[:min(step, len(rest))]); err != nil {
				t.Fatal(err)
			}
		}
		got, err := io.ReadAll(conn)
		wg.Wait()
		if err != nil || string(got) != heard {
			t.Fatalf("heard %q, %v", got, err)
		}
		text := strings.Join(lines, "\n")
		if len(lines) != 7 || lines[0] != `C: a1 LOGIN a@example.com "***"` || lines[1] != "C: AUTH XOAUTH2" || lines[3] != "S: * OK ?[31mhello" || !strings.HasPrefix(lines[5], "S: a1 NO you said dXNlcj1h") {
			t.Errorf("in steps of %d: %q", step, lines)
		}
		if found := Find(text, secret); len(found) > 0 || len(lines[6]) > maxTraced+50 {
			t.Errorf("in steps of %d: %v in %s", step, found, text)
		}
	}
	if ours, _ := net.Pipe(); Trace(ours, nil, nil) != ours {
		t.Error("a connection that nobody listens to is wrapped")
	}
}

func TestALineThatDoesNotEndIsBounded(t *testing.T) {
	var lines []string
	l := NewLines("", func(line string) { lines = append(lines, line) }, nil)
	for range 100 {
		_, _ = fmt.Fprint(l, strings.Repeat("x", 10_000))
	}
	if cap(l.line) > 3*maxLine || len(lines) > 0 {
		t.Errorf("%d octets are kept, %d lines told", cap(l.line), len(lines))
	}
	_, _ = fmt.Fprint(l, "\n")
	if want := fmt.Sprintf("… (%d more)", 1_000_000-maxTraced); len(lines) != 1 || !strings.HasSuffix(lines[0], want) {
		t.Errorf("told %.80q…%q", lines, lines[0][len(lines[0])-30:])
	}
	_, _ = fmt.Fprint(l, strings.Repeat("x\n", 3*maxLines))
	if len(lines) != maxLines+1 || lines[maxLines] != "… the rest is not shown" {
		t.Errorf("told %d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}
