package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailflume/testdata"
)

// mailFile writes a message of testdata into dir.
func mailFile(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := fs.ReadFile(testdata.Mail(), name)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFileThatCannotBeReadStopsNoOtherAndIsNamedOnce(t *testing.T) {
	dir := t.TempDir()
	good, none := mailFile(t, dir, "invoice-pdf.eml"), filepath.Join(dir, "none.eml")
	full := filepath.Join(dir, "kept")
	if err := os.Mkdir(full, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(full, "74"), nil, 0o600); err != nil { // where the invoice would go
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		args  []string
		lines int
		says  map[string]int // in stderr, so often
	}{
		"no name":          {[]string{""}, 0, map[string]int{`open "": no such file`: 1}},
		"a hostile name":   {[]string{none + "\x1b]0;x\a\n\x9b\u202e"}, 0, map[string]int{`\x1b]0;x\a\n\x9b\u202e": no such file`: 1, "\x1b": 0, "\n": 2}},
		"alone":            {[]string{none}, 0, map[string]int{"[MF-FILE-001]": 1, none: 1, "next:": 1, "\n": 2}},
		"first":            {[]string{none, good}, 1, map[string]int{"[MF-FILE-001]": 1, none: 1, "next:": 1, "1 of 2": 1}},
		"a folder":         {[]string{good, dir, good}, 2, map[string]int{"[MF-FILE-001]": 1, "is a directory": 1, "1 of 3": 1}},
		"no folder":        {[]string{"--attachments", good, good}, 0, map[string]int{"[MF-FILE-002]": 1, "folder": 1, "fetching": 0}},
		"a damaged folder": {[]string{"--attachments", full, good}, 0, map[string]int{"[MF-FILE-002] " + good: 1, good: 1, "fetching": 0}},
	} {
		code, out, errOut := call(t, append([]string{"parse"}, row.args...)...)
		if code != exitFailed || strings.Count(out, "\n") != row.lines {
			t.Errorf("%s: exit %d, %d lines, want %d and %d", name, code, strings.Count(out, "\n"), exitFailed, row.lines)
		}
		for text, n := range row.says {
			if strings.Count(errOut, text) != n {
				t.Errorf("%s: %q should stand %d times in:\n%s", name, text, n, errOut)
			}
		}
	}
}
