package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// practices is how many lines the table of practices has: one for each that the five lists have in common.
const practices = 21

func TestEveryPlaceAndTestInTheTableOfPracticesExists(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join(root, "deploy", "practices.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests := testNames(t)
	rows := 0
	for line := range strings.Lines(string(b)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| practice") {
			continue
		}
		rows++
		cells := strings.Split(line, " | ")
		if len(cells) != 4 || !regexp.MustCompile(`L[1-5]`).MatchString(cells[1]) || cells[2] == "" {
			t.Errorf("a row of %d cells: %s", len(cells), line)
			continue
		}
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(line, -1) {
			switch word := m[1]; {
			case strings.HasPrefix(word, "Test"):
				if !tests[word] {
					t.Errorf("there is no test %s", word)
				}
			case strings.Contains(word, "/") && !strings.ContainsAny(word, " :") && word[0] != '/', strings.HasSuffix(word, ".mod"):
				if _, err := os.Stat(filepath.Join(root, word)); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if rows != practices {
		t.Errorf("%d practices, want %d", rows, practices)
	}
}

// testNames are all tests of the project.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	name := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, m := range name.FindAllSubmatch(b, -1) {
			out[string(m[1])] = true
		}
		return err
	})
	if err != nil || len(out) < 100 {
		t.Fatalf("%d tests, %v", len(out), err)
	}
	return out
}
