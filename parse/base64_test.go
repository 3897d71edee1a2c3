package parse

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestQuantaAreDecodedInPlace(t *testing.T) {
	random := rand.NewChaCha8([32]byte{7})
	for n := 0; n < 3000; n += 3 {
		octets := make([]byte, n)
		random.Read(octets)
		src := base64.RawStdEncoding.AppendEncode(nil, octets)
		got, ok := decodeQuanta(src, src)
		if !ok || !bytes.Equal(src[:got], octets) {
			t.Fatalf("%d octets came out wrong", n)
		}
	}
}

func TestBase64LinesMayHaveAnyLengthAndEnd(t *testing.T) {
	octets := make([]byte, 4000)
	rand.NewChaCha8([32]byte{8}).Read(octets)
	enc := base64.StdEncoding.EncodeToString(octets)
	for _, ends := range [][]string{{"\r\n"}, {"\n"}, {"\r\n", "\n"}, {"\n", "\n", "\r\n", "\r\r\n"}, {" \n"}, {"\n", "\t\r\n\r\n"}} {
		for width := 1; width < 100; width++ {
			var src strings.Builder
			for i, rest := 0, enc; rest != ""; i++ {
				n := min(len(rest), width)
				src.WriteString(rest[:n] + ends[i%len(ends)])
				rest = rest[n:]
			}
			for _, cut := range []int{src.Len(), 1000, 77} {
				if got := decodeIn(new(base64Decoder), []byte(src.String()), cut); !bytes.Equal(got, octets) {
					t.Fatalf("lines of %d that end in %q, in pieces of %d: wrong octets", width, ends, cut)
				}
			}
		}
	}
}

// TestWhatWasReadOutlivesItsMemory reads a second message after the first: both borrow the same memory.
func TestWhatWasReadOutlivesItsMemory(t *testing.T) {
	msg := func(c string) string {
		return "Subject: " + strings.Repeat(c, 500) + "\r\nFrom: " + c + "@example.org\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
			strings.Repeat(c, 10_000) + "\r\n"
	}
	read := func(c string) (*Header, []byte) {
		r := NewReader(strings.NewReader(msg(c)), Limits{})
		var octets bytes.Buffer
		for {
			p, err := r.Next()
			if errors.Is(err, io.EOF) {
				return r.Header(), octets.Bytes()
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(&octets, p); err != nil {
				t.Fatal(err)
			}
		}
	}
	h, octets := read("A")
	for range 3 {
		read("B")
	}
	if h.Subject() != strings.Repeat("A", 500) || h.Addresses("From")[0].Address != "A@example.org" {
		t.Errorf("the header became %q", h.Subject())
	}
	if len(octets) != 7500 || bytes.Count(octets, []byte{0}) != 7500 {
		t.Error("the octets changed")
	}
}
