package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strings"
)

// Finding is one place where a rule is broken.
type Finding struct {
	Where string // file:line, file or package
	Rule  string // short name of the rule
	Text  string // what was found, and what would be right
}

// String returns "where: rule: text".
func (f Finding) String() string { return f.Where + ": " + f.Rule + ": " + f.Text }

// Tree is the parsed source of a module.
type Tree struct {
	Fset  *token.FileSet
	Files []*File
}

// File is one Go source file.
type File struct {
	Path  string // slash-separated, relative to the module
	AST   *ast.File
	Lines int
	Test  bool // its name ends in _test.go
}

// Dir is the folder the file lies in.
func (f *File) Dir() string { return path.Dir(f.Path) }

// Load parses every Go file of the module in fsys. Folders that start with a dot or an underscore,
// build output, and folders named testdata are passed over, but for the top-level package testdata.
func Load(fsys fs.FS) (*Tree, error) {
	t := &Tree{Fset: token.NewFileSet()}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return enter(name, d.Name())
		case path.Ext(name) != ".go":
			return nil
		}
		return t.add(fsys, name)
	})
	if err != nil {
		return nil, fmt.Errorf("read the source tree: %w", err)
	}
	return t, nil
}

func enter(name, base string) error {
	skip := name != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")) ||
		name == "bin" || base == "testdata" && name != "testdata"
	if skip {
		return fs.SkipDir
	}
	return nil
}

func (t *Tree) add(fsys fs.FS, name string) error {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(t.Fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	if ast.IsGenerated(file) {
		return nil
	}
	t.Files = append(t.Files, &File{
		Path: name, AST: file, Lines: bytes.Count(src, []byte("\n")), Test: strings.HasSuffix(name, "_test.go"),
	})
	return nil
}

// Check runs every rule that needs nothing but the source.
func Check(t *Tree) []Finding {
	var out []Finding
	for _, rule := range []func(*Tree) []Finding{
		fileLength, functionLength, interfaceSize, documented, packageStory,
		noInit, noMutableGlobals, noSleepInTests, noQuietSkip, noErrorText, wrapped,
	} {
		out = append(out, rule(t)...)
	}
	return out
}

// code yields the files that are not tests.
func (t *Tree) code() []*File {
	var out []*File
	for _, f := range t.Files {
		if !f.Test {
			out = append(out, f)
		}
	}
	return out
}

func (t *Tree) at(n ast.Node) string {
	p := t.Fset.Position(n.Pos())
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

func (t *Tree) lines(n ast.Node) int {
	return t.Fset.Position(n.End()).Line - t.Fset.Position(n.Pos()).Line + 1
}
