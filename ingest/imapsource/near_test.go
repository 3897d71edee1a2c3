package imapsource

import (
	"slices"
	"testing"
)

func TestTheFolderThatWasMeantIsNamed(t *testing.T) {
	var there []folderInfo
	for _, n := range []string{"INBOX", "INBOX.Archive", "Invoices", "Invoices 2025", "Sent Items", "Gelöschte Elemente", "Projekte/Rechnungen", "x"} {
		there = append(there, folderInfo{name: n})
	}
	for name, want := range map[string][]string{
		"invoices":            {"Invoices", "Invoices 2025"},
		"Invioces":            {"Invoices"},
		"Archive":             {"INBOX.Archive"},
		"INBOX/Archive":       {"INBOX.Archive"},
		"Rechnungen":          {"Projekte/Rechnungen"},
		"Geloschte Elemente":  {"Gelöschte Elemente"},
		"Sent":                {"Sent Items"},
		"Quarterly":           nil,
		"":                    nil,
		"/":                   nil,
		"Nowhere/At/All/Ever": nil,
	} {
		if got := near(name, there); !slices.Equal(got, want) {
			t.Errorf("near(%q) = %q, want %q", name, got, want)
		}
	}
}
