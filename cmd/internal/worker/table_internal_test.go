package worker

import (
	"fmt"
	"strings"
	"testing"
)

func TestATroubleOfManyIsToldInAFewWordings(t *testing.T) {
	var rows []Row
	for i := range 3000 {
		rows = append(rows, Row{Mailbox: fmt.Sprint("box", i), Code: "MF-AUTH-017", Error: fmt.Sprintf("server says [vm:%d]", i/10), Next: "nothing to do"})
	}
	rows = append(rows, Row{Mailbox: "other", Code: "MF-NET-001", Error: "no such host", Next: "check host:"})
	var out strings.Builder
	WriteTable(&out, rows, false)
	_, below, _ := strings.Cut(out.String(), "\n\n")
	if n := strings.Count(below, "next:"); n != 7 || !strings.Contains(below, "MF-AUTH-017, in other words") || !strings.Contains(below, "2950 mailboxes") || !strings.Contains(below, "no such host") {
		t.Errorf("%d notes below the table:\n%s", n, below)
	}
}
