package house

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func root(t *testing.T) (string, fs.FS) {
	t.Helper()
	dir, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatalf("the module is not where this test looks for it: %v", err)
	}
	return dir, os.DirFS(dir)
}

func report(t *testing.T, found []Finding) {
	t.Helper()
	for _, f := range found {
		t.Error(f)
	}
}

func TestTheSourceKeepsItsBudgets(t *testing.T) {
	_, fsys := root(t)
	tree, err := Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if !hasFile(tree, "testdata/doc.go") || !hasFile(tree, "publish/log.go") {
		t.Fatal("the walk missed a package: the rules below would pass over it")
	}
	report(t, Check(tree))
}

func hasFile(tree *Tree, name string) bool {
	for _, f := range tree.Files {
		if f.Path == name {
			return true
		}
	}
	return false
}

func TestImportsRunOneWay(t *testing.T) {
	dir, _ := root(t)
	pkgs, err := List(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	ours := 0
	for _, p := range pkgs {
		if _, ok := inModule(p.ImportPath); ok {
			ours++
		}
	}
	if ours < 4 {
		t.Fatalf("go list named %d packages of this module: the rules below would prove nothing", ours)
	}
	report(t, Arrows(pkgs))
}

func TestTheTopLevelHoldsWhatThePlanNames(t *testing.T) {
	report(t, TopLevel(tracked(t)))
}

func TestNoFileIsTiedToOneMachine(t *testing.T) {
	_, fsys := root(t)
	report(t, Portable(fsys, tracked(t)))
}

// tracked falls back to the folder's content in a source archive, which has no git.
func tracked(t *testing.T) []string {
	t.Helper()
	dir, fsys := root(t)
	files, err := Tracked(t.Context(), dir)
	if err == nil {
		return files
	}
	t.Logf("looking at all files: %v", err)
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "bin" || name == "mailflume-data" || name == ".git"):
			return fs.SkipDir
		case !d.IsDir():
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
