package parse

import (
	"fmt"
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
