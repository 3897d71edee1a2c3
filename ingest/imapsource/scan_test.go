package imapsource

import (
	"bytes"
	"slices"
	"testing"
)

func FuzzGuard(f *testing.F) {
	f.Add([]byte("* OK hi\r\n* 1 FETCH (UID 1 BODY[] {5}\r\nhello)\r\nT1 OK\r\n"), 3)
	f.Add([]byte("* 1 FETCH (ENVELOPE (\"a\\\"b\" {3}\r\nabc NIL))\r\n"), 1)
	f.Add([]byte("* LIST () \"/\" {4+}\r\n((((\r\n+ go {5}\r\n"), 7)
	f.Add(bytes.Repeat([]byte("* X ("), 70), 1)
	f.Fuzz(func(t *testing.T, b []byte, step int) {
		// However the stream is cut into Reads, the scanner comes to the same end.
		whole, parts := newScanner(nil), newScanner(nil)
		err1 := whole.feed(b)
		var err2 error
		if step = max(step, 1); step > len(b) {
			step = len(b) + 1
		}
		for p := range slices.Chunk(b, step) {
			if err2 = parts.feed(p); err2 != nil {
				break
			}
		}
		if (err1 == nil) != (err2 == nil) || (err1 == nil && (whole.literal != parts.literal || whole.depth != parts.depth || !bytes.Equal(whole.keep, parts.keep))) {
			t.Fatalf("%v and %v", err1, err2)
		}
		if len(whole.keep) > maxKept || len(whole.tail) > 8*tailOctets || whole.depth > maxDepth {
			t.Fatal("unbounded")
		}
	})
}
