package imapsource

import (
	"cmp"
	"slices"
	"strings"
)

// near are the folders whose names are most like one that is not there: in another case of letters, below another
// folder, with a slip or two, or a part of it. The likeliest comes first.
func near(name string, there []folderInfo) []string {
	type candidate struct {
		name string
		far  int
	}
	var found []candidate
	for _, f := range there {
		if far, ok := unlike(name, f.name); ok {
			found = append(found, candidate{f.name, far})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.far, b.far) })
	var out []string
	for _, c := range found[:min(len(found), 3)] {
		out = append(out, printable(c.name))
	}
	return out
}

// unlike is how much two names differ; ok is false if they have nothing to do with each other.
func unlike(a, b string) (far int, ok bool) {
	const related = 10 // more than slips ever are
	a, b = strings.ToLower(a), strings.ToLower(b)
	leafA, leafB := leaf(a), leaf(b)
	if leafA == "" {
		return 0, false
	}
	if d := slips(leafA, leafB); d <= min(len([]rune(leafA)), 12)/4 {
		if a != b && d == 0 {
			return 1, true
		}
		return 2 * d, true
	}
	if len(leafA) > 2 && len(leafB) > 2 && (strings.Contains(leafB, leafA) || strings.Contains(leafA, leafB)) {
		return related, true
	}
	return 0, false
}

// leaf is the last part of a name; servers separate with a slash or a dot.
func leaf(name string) string {
	return name[strings.LastIndexAny(strings.TrimRight(name, "/."), "/.")+1:]
}

// slips is the Levenshtein distance of two names, which are short enough: LIST answers are bounded.
func slips(a, b string) int {
	x, y := []rune(a), []rune(b)
	if d := len(x) - len(y); d > 3 || d < -3 {
		return 4 // too many anyway
	}
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		left := row[0]
		row[0] = i + 1
		for j := range y {
			step := left
			if x[i] != y[j] {
				step = 1 + min(left, row[j], row[j+1])
			}
			left, row[j+1] = row[j+1], step
		}
	}
	return row[len(y)]
}
