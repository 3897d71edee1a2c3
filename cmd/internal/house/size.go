package house

import (
	"cmp"
	"fmt"
	"go/ast"
	"slices"
)

// The budgets. They are tighter than any code base of this field that served as a model.
const (
	maxFile      = 400 // lines, tests too
	maxFunction  = 80  // lines with the signature
	maxP95       = 45
	maxMedian    = 12
	maxInterface = 4 // methods
	minSample    = 20
)

func fileLength(t *Tree) (out []Finding) {
	for _, f := range t.Files {
		if f.Lines > maxFile {
			out = append(out, Finding{f.Path, "file length", fmt.Sprintf("%d lines; at most %d: split it by what its parts know", f.Lines, maxFile)})
		}
	}
	return out
}

type function struct {
	decl  *ast.FuncDecl
	lines int
}

// functionLength holds every function to the hard limit and all of them together to the median
// and the 95th percentile: a few long ones are allowed, a habit is not.
func functionLength(t *Tree) (out []Finding) {
	var all []function
	for _, f := range t.code() {
		for _, d := range f.AST.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				all = append(all, function{fn, t.lines(fn)})
			}
		}
	}
	slices.SortFunc(all, func(a, b function) int { return cmp.Compare(b.lines, a.lines) })
	for _, fn := range all {
		if fn.lines > maxFunction {
			out = append(out, Finding{t.at(fn.decl), "function length", fmt.Sprintf("%s has %d lines; at most %d", fn.decl.Name.Name, fn.lines, maxFunction)})
		}
	}
	if len(all) < minSample {
		return out
	}
	if p95 := all[len(all)/20].lines; p95 > maxP95 {
		out = append(out, Finding{"all packages", "function length", fmt.Sprintf("95th percentile is %d lines; at most %d. The longest: %s", p95, maxP95, t.longest(all, 8))})
	}
	if med := all[len(all)/2].lines; med > maxMedian {
		out = append(out, Finding{"all packages", "function length", fmt.Sprintf("median is %d lines; at most %d", med, maxMedian)})
	}
	return out
}

func (t *Tree) longest(all []function, n int) (s string) {
	for _, fn := range all[:min(n, len(all))] {
		s += fmt.Sprintf("\n\t%3d %s %s", fn.lines, t.at(fn.decl), fn.decl.Name.Name)
	}
	return s
}

func interfaceSize(t *Tree) (out []Finding) {
	for _, f := range t.code() {
		ast.Inspect(f.AST, func(n ast.Node) bool {
			it, ok := n.(*ast.InterfaceType)
			if ok && it.Methods.NumFields() > maxInterface {
				out = append(out, Finding{t.at(it), "interface size", fmt.Sprintf("%d methods; at most %d: cut it by who calls it", it.Methods.NumFields(), maxInterface)})
			}
			return true
		})
	}
	return out
}
