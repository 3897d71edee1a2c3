package imapsource_test

import (
	"strings"
	"testing"

	"mailflume/ingest/imapsource"
)

func TestGlobsMatchInBoundedTime(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "Archive/2026", true}, {"Archive/*", "Archive/2026/05", true}, {"Archive/*", "Archive", false}, {"A?c*e", "Archive", true}, {"A?d*e", "Archive", false},
		{"A?chive", "Archive", true}, {"", "", true}, {"*a*b", "xaxb", true}, {"*a*b", "xbxa", false}, {"ünï*", "ünïcode", true},
		{strings.Repeat("*a", 500) + "b", strings.Repeat("a", 5000), false},
	} {
		if got := imapsource.Selects([]string{tt.pattern}, nil, tt.name); got != tt.want {
			t.Errorf("%.20s matches %.20s: got %v", tt.pattern, tt.name, got)
		}
	}
}

func TestFoldersAreSelectedAsTheListsSay(t *testing.T) {
	for _, tt := range []struct {
		folder           string
		folders, exclude []string
		want             bool
	}{
		{"INBOX", []string{"inbox"}, nil, true}, {"Done", []string{"INBOX"}, nil, false}, {"done", []string{"Done"}, nil, false},
		{"Done", []string{"*"}, []string{"Done"}, false}, {"Done/a", []string{"*"}, []string{"Done"}, true}, {`\Archive`, []string{`\archive`}, nil, true},
	} {
		if got := imapsource.Selects(tt.folders, tt.exclude, tt.folder); got != tt.want {
			t.Errorf("%s in %v without %v: got %v", tt.folder, tt.folders, tt.exclude, got)
		}
	}
}
