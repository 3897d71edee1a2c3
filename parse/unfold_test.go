package parse

import (
	"strings"
	"testing"
)

func TestUnfoldingIsLinear(t *testing.T) {
	for _, end := range []string{"\r", "\n", "\r\n"} {
		growsLinearly(t, "unfolding lines that end in "+end, func(size int) {
			n := 8 * size
			if got := unfold(strings.Repeat("a"+end, n) + "b\r\n"); len(got) != 2*n+1 {
				t.Errorf("%q: %d octets", end, len(got))
			}
		})
	}
}
