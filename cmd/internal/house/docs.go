package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
)

const minStory = 12 // words of a package comment: a sentence, not a label

func documented(t *Tree) (out []Finding) {
	miss := func(n ast.Node, name string) {
		out = append(out, Finding{t.at(n), "documentation", name + " is exported and has no comment"})
	}
	for _, f := range t.code() {
		for _, d := range f.AST.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && exportedReceiver(d) && d.Doc.Text() == "" {
					miss(d, d.Name.Name)
				}
			case *ast.GenDecl:
				undocumentedSpecs(d, miss)
			}
		}
	}
	return out
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	exported := false
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IndexExpr: // the type parameters say nothing about the type's own name
			exported = ast.IsExported(fmt.Sprint(n.X))
			return false
		case *ast.Ident:
			exported = n.IsExported()
		}
		return true
	})
	return exported
}

// undocumentedSpecs accepts, for a group of constants or variables, the group's comment.
func undocumentedSpecs(d *ast.GenDecl, miss func(ast.Node, string)) {
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && s.Doc.Text() == "" && (d.Doc.Text() == "" || d.Lparen.IsValid()) {
				miss(s, s.Name.Name)
			}
		case *ast.ValueSpec:
			for _, name := range s.Names {
				if name.IsExported() && d.Doc.Text()+s.Doc.Text()+s.Comment.Text() == "" {
					miss(s, name.Name)
				}
			}
		}
	}
}

// packageStory wants a doc.go in every package that says what the package is for.
func packageStory(t *Tree) (out []Finding) {
	story := map[string]string{}
	var dirs []string
	for _, f := range t.code() {
		if _, seen := story[f.Dir()]; !seen {
			story[f.Dir()] = ""
			dirs = append(dirs, f.Dir())
		}
		if path.Base(f.Path) == "doc.go" {
			story[f.Dir()] = f.AST.Doc.Text()
		}
	}
	slices.Sort(dirs)
	for _, dir := range dirs {
		text := story[dir]
		switch {
		case text == "":
			out = append(out, Finding{dir, "package story", "no doc.go with a package comment: what it promises, who owns its goroutines, one example"})
		case len(strings.Fields(text)) < minStory:
			out = append(out, Finding{dir, "package story", "the package comment is a label, not a story: " + strings.TrimSpace(text)})
		}
	}
	return out
}

func noInit(t *Tree) (out []Finding) {
	for _, f := range t.Files {
		for _, d := range f.AST.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				out = append(out, Finding{t.at(fn), "no init", "importing a package must do nothing: call it from where it is needed"})
			}
		}
	}
	return out
}

// noMutableGlobals allows what nobody can or will change: sentinels, compiled patterns, embedded
// files, pools, conformance assertions, and the version that the linker sets in package main.
func noMutableGlobals(t *Tree) (out []Finding) {
	for _, f := range t.code() {
		for _, d := range f.AST.Decls {
			gen, ok := d.(*ast.GenDecl)
			if !ok || gen.Tok != token.VAR {
				continue
			}
			for _, s := range gen.Specs {
				if v := s.(*ast.ValueSpec); !harmless(f, gen, v) {
					out = append(out, Finding{t.at(v), "no mutable globals", v.Names[0].Name + ": make it a constant, a function that returns the value, or a field"})
				}
			}
		}
	}
	return out
}

func harmless(f *File, gen *ast.GenDecl, v *ast.ValueSpec) bool {
	if all(v.Names, func(n *ast.Ident) bool { return n.Name == "_" }) {
		return true
	}
	switch selector(v.Type) {
	case "embed.FS":
		return embedded(gen, v)
	case "sync.Pool":
		return true
	}
	if f.AST.Name.Name == "main" && v.Names[0].Name == "version" {
		return true
	}
	return len(v.Values) > 0 && all(v.Values, constantValue)
}

// embedded reports whether a go:embed directive fills the variable: an empty embed.FS is a mistake.
func embedded(gen *ast.GenDecl, v *ast.ValueSpec) bool {
	for _, g := range []*ast.CommentGroup{gen.Doc, v.Doc} {
		if g == nil {
			continue
		}
		for _, c := range g.List {
			if strings.HasPrefix(c.Text, "//go:embed ") {
				return true
			}
		}
	}
	return false
}

func constantValue(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.CompositeLit:
		return selector(e.Type) == "sync.Pool"
	case *ast.UnaryExpr:
		return constantValue(e.X)
	case *ast.CallExpr:
		switch selector(e.Fun) {
		case "errors.New", "fmt.Errorf", "regexp.MustCompile":
			return true
		}
	}
	return false
}

// selector returns "pkg.Name" of a qualified identifier, or "".
func selector(e ast.Expr) string {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := s.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return x.Name + "." + s.Sel.Name
}

func all[T any](list []T, ok func(T) bool) bool {
	return !slices.ContainsFunc(list, func(v T) bool { return !ok(v) })
}
