package parse

import (
	"strings"
	"testing"
	"time"
)

func TestUnfoldingIsLinear(t *testing.T) {
	for _, end := range []string{"\r", "\n", "\r\n"} {
		field := []byte(strings.Repeat("a"+end, 1<<20) + "b\r\n")
		begin := time.Now()
		if got := unfold(field); len(got) != 2<<20+1 {
			t.Errorf("%q: %d octets", end, len(got))
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%q took %v", end, took)
		}
	}
}
