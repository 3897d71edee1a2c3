package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
)

const minWrapped = 95 // percent of the errors that fmt.Errorf passes on

func noSleepInTests(t *Tree) (out []Finding) {
	for _, f := range t.Files {
		if !f.Test {
			continue
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok && selector(e) == "time.Sleep" {
				out = append(out, Finding{t.at(e), "no sleep in tests", "wait for the event itself, or use testing/synctest"})
			}
			return true
		})
	}
	return out
}

// noQuietSkip finds tests that may be skipped where they have to run: a skip is for -short, or it
// asks for MAILFLUME_CI first and fails if that is set.
func noQuietSkip(t *Tree) (out []Finding) {
	for _, f := range t.Files {
		for _, d := range f.AST.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !f.Test {
				continue
			}
			inCI := false
			ast.Inspect(fn, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.IfStmt:
					if c, ok := n.Cond.(*ast.CallExpr); ok && selector(c.Fun) == "testing.Short" {
						return false
					}
				case *ast.BasicLit:
					inCI = inCI || n.Value == `"MAILFLUME_CI"`
				case *ast.CallExpr:
					switch selector(n.Fun) {
					case "t.Skip", "t.Skipf", "t.SkipNow", "b.Skip", "b.Skipf", "b.SkipNow", "tb.Skip", "tb.Skipf", "tb.SkipNow":
						if !inCI {
							out = append(out, Finding{t.at(n), "no quiet skip", "fail instead where MAILFLUME_CI is 1: nobody sees a skip there"})
						}
					}
				}
				return true
			})
		}
	}
	return out
}

// noErrorText finds decisions on the words of an error: they change with the next release of
// whoever wrote them. Words are for people; errors.Is, errors.As and a code are for programs.
func noErrorText(t *Tree) (out []Finding) {
	for _, f := range t.code() {
		for _, d := range f.AST.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				out = append(out, t.textDecisions(fn)...)
			}
		}
	}
	return out
}

func (t *Tree) textDecisions(fn *ast.FuncDecl) (out []Finding) {
	words := textVariables(fn)
	isText := func(e ast.Expr) bool { return fromError(e, words) }
	report := func(n ast.Node) {
		out = append(out, Finding{t.at(n), "no error text", "decides on an error's words: use errors.Is, errors.As or a code"})
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if comparesText(selector(n.Fun)) && !all(n.Args, func(e ast.Expr) bool { return !isText(e) }) {
				report(n)
			}
		case *ast.BinaryExpr:
			if (n.Op == token.EQL || n.Op == token.NEQ) && (isText(n.X) || isText(n.Y)) {
				report(n)
			}
		case *ast.SwitchStmt:
			if n.Tag != nil && isText(n.Tag) {
				report(n)
			}
		}
		return true
	})
	return out
}

// textVariables names the variables of fn that were assigned an error's text.
func textVariables(fn *ast.FuncDecl) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		as, ok := n.(*ast.AssignStmt)
		if !ok || len(as.Lhs) != len(as.Rhs) {
			return true
		}
		for i, r := range as.Rhs {
			if id, ok := as.Lhs[i].(*ast.Ident); ok && fromError(r, names) {
				names[id.Name] = true
			}
		}
		return true
	})
	return names
}

// fromError reports whether e is made from an error's text: x.Error(), or a change of case or the
// like applied to it, or a variable that holds it.
func fromError(e ast.Expr, names map[string]bool) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return names[e.Name]
	case *ast.CallExpr:
		if s, ok := e.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Error" && len(e.Args) == 0 {
			return true
		}
		if strings.HasPrefix(selector(e.Fun), "strings.") {
			return !all(e.Args, func(a ast.Expr) bool { return !fromError(a, names) })
		}
	}
	return false
}

func comparesText(name string) bool {
	pkg, fn, _ := strings.Cut(name, ".")
	if pkg != "strings" && pkg != "bytes" && pkg != "regexp" {
		return false
	}
	for _, p := range []string{"Contains", "Has", "Index", "LastIndex", "EqualFold", "Count", "Cut", "Split", "Fields", "Match", "Compare"} {
		if strings.HasPrefix(fn, p) {
			return true
		}
	}
	return false
}

// wrapped measures how many of the fmt.Errorf calls that are given an error pass it on with %w.
func wrapped(t *Tree) []Finding {
	var lost []string
	total := 0
	for _, f := range t.code() {
		ast.Inspect(f.AST, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || selector(call.Fun) != "fmt.Errorf" || len(call.Args) < 2 || all(call.Args[1:], notError) {
				return true
			}
			total++
			if lit, ok := call.Args[0].(*ast.BasicLit); !ok || !strings.Contains(lit.Value, "%w") {
				lost = append(lost, t.at(call))
			}
			return true
		})
	}
	if total == 0 || len(lost)*100 <= total*(100-minWrapped) {
		return nil
	}
	return []Finding{{"all packages", "wrapped errors", fmt.Sprintf("%d of %d errors lose their cause; at least %d %% must use %%w:\n\t%s", len(lost), total, minWrapped, strings.Join(lost, "\n\t"))}}
}

// notError goes by the names that this code base gives to errors; without types that is as good
// as it gets, and a missed one costs nothing but its share of the statistic.
func notError(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return !errorName(e.Name)
	case *ast.SelectorExpr:
		return !errorName(e.Sel.Name)
	case *ast.CallExpr:
		if s, ok := e.Fun.(*ast.SelectorExpr); ok {
			return s.Sel.Name != "Err" && s.Sel.Name != "Error" && selector(s) != "context.Cause"
		}
	}
	return true
}

func errorName(s string) bool {
	return s == "err" || strings.HasSuffix(s, "Err") || strings.HasPrefix(s, "Err") && len(s) > 3 && s[3] >= 'A' && s[3] <= 'Z'
}
