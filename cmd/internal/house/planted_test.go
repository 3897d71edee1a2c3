package house

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// source returns a tree with one good package and the given file.
func source(t *testing.T, name, text string) *Tree {
	t.Helper()
	tree, err := Load(fstest.MapFS{
		"a/doc.go": {Data: []byte("// Package a is here so that a planted file has a house to be wrong in.\npackage a\n")},
		name:       {Data: []byte(text)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestEveryRuleFindsAPlantedViolation(t *testing.T) {
	long := func(n int) string { return strings.Repeat("\t_ = 0\n", n) }
	var many strings.Builder
	for i := range 25 {
		fmt.Fprintf(&many, "func f%d() {\n%s}\n", i, long(13))
	}
	var wide strings.Builder
	for i := range 40 {
		n := 1
		if i < 4 {
			n = 60
		}
		fmt.Fprintf(&wide, "func f%d() {\n%s}\n", i, long(n))
	}
	for _, tc := range []struct{ name, file, text, rule string }{
		{"a file of 401 lines", "a/b.go", "package a\n" + strings.Repeat("\n", 400), "file length"},
		{"a test file of 401 lines", "a/b_test.go", "package a\n" + strings.Repeat("\n", 400), "file length"},
		{"a function of 81 lines", "a/b.go", "package a\nfunc f() {\n" + long(79) + "}\n", "function length"},
		{"a median of 15 lines", "a/b.go", "package a\n" + many.String(), "function length"},
		{"a tenth of the functions with 62 lines", "a/b.go", "package a\n" + wide.String(), "function length"},
		{"an interface of five methods", "a/b.go", "package a\ntype i interface { A(); B(); C(); D(); E() }\n", "interface size"},
		{"an exported function without a comment", "a/b.go", "package a\nfunc F() {}\n", "documentation"},
		{"an exported method without a comment", "a/b.go", "package a\n// T is.\ntype T[K any] struct{}\nfunc (*T[K]) M() {}\n", "documentation"},
		{"an exported type in a commented group", "a/b.go", "package a\n// Types.\ntype (\n\tT struct{}\n)\n", "documentation"},
		{"an exported constant without a comment", "a/b.go", "package a\nconst C = 1\n", "documentation"},
		{"a package without doc.go", "b/b.go", "package b\n", "package story"},
		{"a package whose comment is a label", "b/doc.go", "// Package b is b.\npackage b\n", "package story"},
		{"a package at testdata without doc.go", "testdata/b.go", "package testdata\n", "package story"},
		{"an init function", "a/b.go", "package a\nfunc init() {}\n", "no init"},
		{"a package-level map", "a/b.go", "package a\nvar m = map[string]int{}\n", "no mutable globals"},
		{"a package-level counter", "a/b.go", "package a\nvar n int\n", "no mutable globals"},
		{"an embed.FS that nothing fills", "a/b.go", "package a\nimport \"embed\"\nvar f embed.FS\n", "no mutable globals"},
		{"one mutable variable in a group of sentinels", "a/b.go", "package a\nimport \"errors\"\nvar (\n\te = errors.New(\"x\")\n\tn = 1\n)\n", "no mutable globals"},
		{"a sleeping test", "a/b_test.go", "package a\nimport \"time\"\nfunc f() { time.Sleep(1) }\n", "no sleep in tests"},
		{"a test that skips in CI too", "a/b_test.go", "package a\nimport \"testing\"\nfunc TestX(t *testing.T) { if !have() { t.Skip() } }\n", "no quiet skip"},
		{"strings.Contains on an error", "a/b.go", "package a\nimport \"strings\"\nfunc f(err error) bool { return strings.Contains(err.Error(), \"x\") }\n", "no error text"},
		{"strings.HasPrefix on a lowered error", "a/b.go", "package a\nimport \"strings\"\nfunc f(err error) bool { return strings.HasPrefix(strings.ToLower(err.Error()), \"x\") }\n", "no error text"},
		{"an error's text in a variable", "a/b.go", "package a\nimport \"strings\"\nfunc f(err error) bool { s := err.Error(); return strings.HasSuffix(s, \"x\") }\n", "no error text"},
		{"a comparison with an error's text", "a/b.go", "package a\nfunc f(err error) bool { return err.Error() == \"x\" }\n", "no error text"},
		{"a switch over an error's text", "a/b.go", "package a\nfunc f(err error) { switch err.Error() { case \"x\": } }\n", "no error text"},
		{"an error passed on with %v", "a/b.go", "package a\nimport \"fmt\"\nfunc f(err error) error { return fmt.Errorf(\"x: %v\", err) }\n", "wrapped errors"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			expectRule(t, Check(source(t, tc.file, tc.text)), tc.rule)
		})
	}
}

func expectRule(t *testing.T, found []Finding, rule string) {
	t.Helper()
	for _, f := range found {
		if f.Rule != rule {
			t.Errorf("unexpected: %v", f)
		}
	}
	if len(found) == 0 {
		t.Errorf("the violation was not found by %q", rule)
	}
}

func TestGoodCodeHasNoFindings(t *testing.T) {
	const good = `package a

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
)

// ErrGone tells.
var ErrGone = errors.New("gone")

// F holds the files.
//
//go:embed doc.go
var F embed.FS

var (
	_    io.Reader = (*T)(nil)
	word           = regexp.MustCompile("x")
	pool           = sync.Pool{New: func() any { return new(T) }}
)

// Numbers.
const (
	A = 1
	B = 2
)

// T reads.
type T struct{ io.Reader }

// M wraps.
func (*T) M(err error, s string) error {
	if strings.Contains(s, "x") && word.MatchString(s) {
		return fmt.Errorf("m %s: %w", s, err)
	}
	return fmt.Errorf("m %s", s)
}

type t struct{}

func (t) Exported() {}
`
	tree := source(t, "a/b.go", good)
	for _, f := range Check(tree) {
		t.Error(f)
	}
}

func TestTheWalkPassesOverFixturesAndBuildOutput(t *testing.T) {
	bad := &fstest.MapFile{Data: []byte("not Go")}
	tree, err := Load(fstest.MapFS{"a/testdata/x.go": bad, "bin/x.go": bad, ".ci/x.go": bad, "_x/x.go": bad})
	if err != nil || len(tree.Files) != 0 {
		t.Errorf("read %d files, error %v; want none of them read", len(tree.Files), err)
	}
	if _, err := Load(fstest.MapFS{"a/x.go": bad}); err == nil {
		t.Error("a file that does not parse was accepted")
	}
}

func TestImportsAgainstThePlanAreFound(t *testing.T) {
	const m = module + "/"
	for _, tc := range []struct {
		name string
		pkg  Package
		bad  bool
	}{
		{"cmd may import everything of ours", Package{ImportPath: m + "cmd/mailflume", Imports: []string{m + "ingest", m + "pop3/pop3test", m + "cmd/internal/config"}}, false},
		{"ingest may import parse and publish", Package{ImportPath: m + "ingest", Imports: []string{"context", m + "parse", m + "publish"}}, false},
		{"ingest may not import an adapter", Package{ImportPath: m + "ingest", Imports: []string{m + "ingest/imapsource"}}, true},
		{"ingest may not import natsjs", Package{ImportPath: m + "ingest", Imports: []string{m + "publish/natsjs"}}, true},
		{"natsjs may not import ingest", Package{ImportPath: m + "publish/natsjs", Imports: []string{m + "ingest"}}, true},
		{"a leaf imports none of ours", Package{ImportPath: m + "pop3", Imports: []string{m + "parse"}}, true},
		{"publish is a leaf", Package{ImportPath: m + "publish", Imports: []string{m + "ingest"}}, true},
		{"testdata is a leaf", Package{ImportPath: m + "testdata", Imports: []string{m + "parse"}}, true},
		{"nothing imports cmd", Package{ImportPath: m + "ingest/oauth", Imports: []string{m + "cmd/internal/config"}}, true},
		{"a room may import its own internals", Package{ImportPath: m + "parse", Imports: []string{m + "parse/internal/tnef"}}, false},
		{"but not those of others", Package{ImportPath: m + "pop3", Imports: []string{m + "parse/internal/tnef"}}, true},
		{"a package outside every room", Package{ImportPath: m + "util", Imports: []string{m + "publish"}}, true},
		{"nats.go in natsjs", Package{ImportPath: m + "publish/natsjs", Imports: []string{"github.com/nats-io/nats.go/jetstream"}}, false},
		{"nats.go in cmd", Package{ImportPath: m + "cmd/mailflume", Imports: []string{"github.com/nats-io/nats.go"}}, true},
		{"nats-server in natsjs", Package{ImportPath: m + "publish/natsjs", Imports: []string{"github.com/nats-io/nats-server/v2/server"}}, true},
		{"nats-server in natsjs/embed", Package{ImportPath: m + "publish/natsjs/embed", Imports: []string{"github.com/nats-io/nats-server/v2/server"}}, false},
		{"nats-server in a test of natsjs", Package{ImportPath: m + "publish/natsjs", XTestImports: []string{"github.com/nats-io/nats-server/v2/server"}}, false},
		{"go-imap in imaptest", Package{ImportPath: m + "ingest/imapsource/imaptest", Imports: []string{"github.com/emersion/go-imap/v2/imapserver"}}, false},
		{"go-imap in parse", Package{ImportPath: m + "parse", Imports: []string{"github.com/emersion/go-imap/v2"}}, true},
		{"go-imap in a test of parse", Package{ImportPath: m + "parse", TestImports: []string{"github.com/emersion/go-imap/v2"}}, true},
		{"MSAL outside oauth", Package{ImportPath: m + "ingest", Imports: []string{"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"}}, true},
		{"zerolog below cmd", Package{ImportPath: m + "ingest", Imports: []string{"github.com/rs/zerolog"}}, true},
		{"YAML below cmd", Package{ImportPath: m + "publish", Imports: []string{"github.com/goccy/go-yaml"}}, true},
		{"cobra below cmd", Package{ImportPath: m + "ingest/oauth", Imports: []string{"github.com/spf13/cobra"}}, true},
		{"goleak in code", Package{ImportPath: m + "ingest", Imports: []string{"go.uber.org/goleak"}}, true},
		{"a package of others is not our business", Package{ImportPath: "github.com/x/y", Imports: []string{"github.com/rs/zerolog"}}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if found := Arrows([]Package{tc.pkg}); len(found) > 0 != tc.bad {
				t.Errorf("findings %v, want any: %v", found, tc.bad)
			}
		})
	}
}

// TestARealModuleIsListed plants a wrong import in a module on disk: the whole way, go list included.
func TestARealModuleIsListed(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":           "module " + module + "\n\ngo 1.26\n",
		"parse/p.go":       "package parse\n",
		"pop3/p.go":        "package pop3\n\nimport _ \"" + module + "/parse\"\n",
		"testdata/data.go": "package testdata\n\nimport _ \"" + module + "/pop3\"\n",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	pkgs, err := List(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if found := Arrows(pkgs); len(found) != 2 {
		t.Errorf("found %v; want the imports of pop3 and of testdata", found)
	}
	write(t, filepath.Join(dir, "pop3/q.go"), "package other\n")
	if _, err := List(t.Context(), dir); err == nil {
		t.Error("a module that does not load was accepted")
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAStrangerAtTheTopLevelIsFound(t *testing.T) {
	found := TopLevel([]string{"go.mod", ".ci/run", "cmd/x.go", "scripts/a.sh", "scripts/b.sh", "NOTES.md"})
	if len(found) != 2 || found[0].Where != "scripts" || found[1].Where != "NOTES.md" {
		t.Errorf("found %v; want scripts and NOTES.md, once each", found)
	}
}

func TestTextTiedToOneMachineIsFound(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		bad        bool
	}{
		{"a home folder", "cd /ro" + "ot/x", true},
		{"a build folder in quotes", "dir = \"/wo" + "rk/main\"", true},
		{"a registry", "GOPROXY=https://proxy.golang" + ".org", true},
		{"a relative path", "see ../wo" + "rk/x and a/ro" + "ot/b", false},
		{"a path inside a URL", "https://example.com/ro" + "ot/x", false},
		{"a standard path", "/etc/mailflume/mailflume.yaml", false},
		{"a binary file", "\x00/ro" + "ot/x", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			found := Portable(fstest.MapFS{"f": {Data: []byte(tc.text)}}, []string{"f", "deleted"})
			if len(found) > 0 != tc.bad {
				t.Errorf("findings %v, want any: %v", found, tc.bad)
			}
		})
	}
}

func TestTrackedSeesNewFilesAndNoIgnoredOnes(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("MAILFLUME_CI") == "1" {
			t.Fatal(err)
		}
		t.Skip("git is not here; the check then looks at all files")
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "git", "-C", dir, "init", "-q").CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
	write(t, filepath.Join(dir, ".gitignore"), "/bin/\n")
	write(t, filepath.Join(dir, "bin/x"), "x")
	write(t, filepath.Join(dir, "new file.txt"), "x")
	files, err := Tracked(t.Context(), dir)
	if err != nil || strings.Join(files, ",") != ".gitignore,new file.txt" {
		t.Errorf("tracked %q, error %v", files, err)
	}
}
