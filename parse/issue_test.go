package parse_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"mailflume/parse"
)

func TestEveryIssueHasARowInTheTable(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "issuecodes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	ast.Inspect(file, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && strings.HasPrefix(id.Name, "Issue") {
			rows[id.Name]++
		}
		return true
	})
	file, err = parser.ParseFile(token.NewFileSet(), "issue.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Issue") {
			if names++; rows[spec.Names[0].Name] != 1 {
				t.Errorf("%s stands %d times in the table", spec.Names[0].Name, rows[spec.Names[0].Name])
			}
		}
		return true
	})
	codes := parse.IssueCodes()
	if len(codes) != names || names == 0 {
		t.Errorf("%d rows for %d codes", len(codes), names)
	}
	if !slices.IsSortedFunc(codes, func(a, b parse.IssueCode) int { return strings.Compare(a.Code, b.Code) }) {
		t.Error("the table is not in the order of its codes")
	}
	for _, c := range codes {
		for _, text := range []string{c.Meaning, c.Done, c.Next} {
			if len(text) < len("nothing") || strings.Contains(text, "Limits.") || strings.HasSuffix(text, ".") || strings.ContainsAny(c.Code, " _") {
				t.Errorf("row %q", c)
			}
		}
	}
}
