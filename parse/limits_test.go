package parse

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// Who looks for what was lost looks at all issues: that of those which are not listed says it, too.
func TestALossThatIsNotListedIsNotHidden(t *testing.T) {
	for _, lossy := range []bool{false, true} {
		var all issues
		for i := range 2 * maxIssues {
			all.add(Issue{Code: IssueParamBad, Part: fmt.Sprint(i), Lossy: lossy && i == maxIssues+1})
		}
		if last := all.list[len(all.list)-1]; len(all.list) != maxIssues+1 || last.Code != IssueLimit || last.Lossy != lossy {
			t.Errorf("lossy %v: %d issues, the last %v", lossy, len(all.list), last)
		}
	}
}

// The same octets are looked at for many multiparts, and long values are guessed at for many parts.
func TestWhatIsLookedAtOftenIsLookedAtBriefly(t *testing.T) {
	b := bytes.Repeat([]byte("\x80"), 100_000)
	if got, whole := telltale(b, true); len(got) > sniffSize+1 || whole {
		t.Errorf("%d octets decide, whole %v", len(got), whole)
	}
	ascii := append(bytes.Repeat([]byte("a"), 100_000), 0x80)
	if got, whole := telltale(ascii, true); string(got) != "a\x80" || !whole {
		t.Errorf("behind ASCII %q decides, whole %v", got, whole)
	}
	w := newWindow(nil)
	for n, want := range map[int]bool{0: true, 10: true, 1000: false} {
		if got := w.delimits([]byte(strings.Repeat("--'b'x\n", n)+"--'b'\n"), "'b'"); got != want {
			t.Errorf("after %d other lines: %v", n, got)
		}
	}
}
