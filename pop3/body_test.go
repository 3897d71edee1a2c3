package pop3

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// feed is a connection that gives out its octets in pieces of at most step.
type feed struct {
	net.Conn
	data []byte
	step int
}

func (f *feed) Read(p []byte) (int, error) {
	if len(f.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, f.data[:min(f.step, len(f.data))])
	f.data = f.data[n:]
	return n, nil
}
func (f *feed) Write(p []byte) (int, error)      { return len(p), nil }
func (f *feed) Close() error                     { return nil }
func (f *feed) SetReadDeadline(time.Time) error  { return nil }
func (f *feed) SetWriteDeadline(time.Time) error { return nil }

func bodyOf(data []byte, step int) *Body {
	c := New(&feed{data: data, step: step}, nil)
	c.state = transaction
	return &Body{Number: 1, c: c}
}

// naive is RFC 1939 section 3 octet by octet: whole is false if the terminator is missing.
func naive(data []byte) (message []byte, whole bool) {
	atStart := true
	for i := 0; i < len(data); i++ {
		if atStart && data[i] == '.' {
			if bytes.HasPrefix(data[i:], []byte(".\r\n")) {
				return message, true
			}
			if i+1 == len(data) || i+2 == len(data) && data[i+1] == '\r' {
				return message, false
			}
			i++
			message = append(message, data[i])
			atStart = false
			continue
		}
		message = append(message, data[i])
		atStart = bytes.HasSuffix(message, []byte("\r\n"))
	}
	return message, false
}

func checkBody(t *testing.T, data []byte, step int) {
	t.Helper()
	want, whole := naive(data)
	got, err := io.ReadAll(bodyOf(data, step))
	if whole != (err == nil) {
		t.Fatalf("%q in steps of %d: terminator is there: %t, error: %v", data, step, whole, err)
	}
	if whole && !bytes.Equal(got, want) {
		t.Fatalf("%q in steps of %d: got %q, want %q", data, step, got, want)
	}
	if !whole {
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%q: error is %v, want io.ErrUnexpectedEOF", data, err)
		}
		if !bytes.HasPrefix(want, got) {
			t.Fatalf("%q: got %q, which is not the beginning of %q", data, got, want)
		}
	}
}

func bodyCases() map[string]string {
	return map[string]string{
		"empty message":                      ".\r\n",
		"one line":                           "a\r\n.\r\n",
		"a line of one dot":                  "a\r\n..\r\nb\r\n.\r\n",
		"dots at the very start":             "..a\r\n.\r\n",
		"a dot that was not stuffed":         "a\r\n.b\r\n.\r\n",
		"dot and CR that do not end":         "a\r\n.\rb\r\n.\r\n",
		"dot and LF do not end":              "a\r\n.\nb\r\n.\r\n",
		"bare LF before a dot is no line":    "a\n.\r\nb\r\n.\r\n",
		"bare CR before CRLF":                "a\r\r\n.\r\n",
		"CR LF CR LF":                        "\r\n\r\n\r\n.\r\n",
		"bare CR and LF are kept":            "a\rb\nc\n\r\r\n.\r\n",
		"NUL and 8-bit octets":               "\x00\xff\xfe\r\n.\r\n",
		"missing terminator":                 "a\r\n",
		"terminator without its LF":          "a\r\n.\r",
		"dot alone at the end":               "a\r\n.",
		"no line end before the terminator":  "a.\r\n",
		"something behind the terminator":    "a\r\n.\r\n+OK\r\n",
		"many dots":                          strings.Repeat("....\r\n", 9) + ".\r\n",
		"a line longer than the wire buffer": strings.Repeat("x", 3*bufferSize) + "\r\n.\r\n",
	}
}

func TestBodyGivesOutExactOctetsHoweverTheyArrive(t *testing.T) {
	for name, data := range bodyCases() {
		t.Run(name, func(t *testing.T) {
			for _, step := range []int{1, 2, 3, 5, 7, 64, 4096, len(data)} {
				checkBody(t, []byte(data), step)
			}
		})
	}
}

func TestBodyIsNeverWholeWhenCutAtAnyOctet(t *testing.T) {
	data := []byte("Subject: x\r\n\r\n..dot\r\nbare\nand\rends\r\n.\r\n")
	for cut := range data {
		if _, err := io.ReadAll(bodyOf(data[:cut], 3)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut after %d octets: error is %v, want io.ErrUnexpectedEOF", cut, err)
		}
	}
}

func TestBodyWriteToGivesTheSameOctetsAsRead(t *testing.T) {
	for name, data := range bodyCases() {
		want, wantErr := io.ReadAll(bodyOf([]byte(data), 5))
		var got bytes.Buffer
		n, err := bodyOf([]byte(data), 5).WriteTo(&got)
		if !bytes.Equal(got.Bytes(), want) || n != int64(len(want)) || (err == nil) != (wantErr == nil) {
			t.Errorf("%s: WriteTo gave %q, %v; Read gave %q, %v", name, got.Bytes(), err, want, wantErr)
		}
	}
}

func TestBodyLeavesTheOctetsBehindTheTerminator(t *testing.T) {
	b := bodyOf([]byte("a\r\n.\r\n+OK next\r\n"), 4096)
	if _, err := io.ReadAll(b); err != nil {
		t.Fatal(err)
	}
	line, err := b.c.wire.line()
	if err != nil || string(line) != "+OK next" {
		t.Fatalf("next line is %q, %v", line, err)
	}
}

func FuzzBody(f *testing.F) {
	for _, data := range bodyCases() {
		if len(data) < 1000 {
			f.Add([]byte(data), uint8(3))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, step uint8) {
		checkBody(t, data, int(step)+1)
		checkBody(t, data, 1<<20)
	})
}

// sample is a message of base64 lines, as most octets of real mail are, in wire form.
func sample() []byte {
	line := strings.Repeat("QUJD", 19) + "\r\n"
	return []byte("Subject: big\r\n\r\n..\r\n" + strings.Repeat(line, 20000) + ".\r\n")
}

func BenchmarkBody(b *testing.B) {
	data := sample()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := io.Copy(io.Discard, struct{ io.Reader }{bodyOf(data, 16<<10)}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTextprotoDotReader(b *testing.B) {
	data := sample()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		r := textproto.NewReader(bufio.NewReaderSize(&feed{data: data, step: 16 << 10}, bufferSize))
		if _, err := io.Copy(io.Discard, r.DotReader()); err != nil {
			b.Fatal(err)
		}
	}
}
