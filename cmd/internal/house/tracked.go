package house

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os/exec"
	"slices"
	"strings"
)

// Tracked returns the files that git would carry away from the repository in dir: those it knows
// and those it would add.
func Tracked(ctx context.Context, dir string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list the tracked files: %w", err)
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 }), nil
}

// TopLevel reports everything at the top of the repository that the plan does not name.
func TopLevel(files []string) (out []Finding) {
	allowed := []string{"cmd", "ingest", "pop3", "parse", "publish", "deploy", "testdata", "go.mod", "go.sum", "Makefile", "README.md", "LICENSE"}
	seen := map[string]bool{}
	for _, f := range files {
		top, _, _ := strings.Cut(f, "/")
		if seen[top] || strings.HasPrefix(top, ".") || slices.Contains(allowed, top) {
			continue
		}
		seen[top] = true
		out = append(out, Finding{top, "top level", "is not in the plan: put it inside one of the rooms"})
	}
	return out
}

// forbiddenText returns what ties a file to one machine. It is put together here so that this file
// does not match itself.
func forbiddenText() (paths, hosts []string) {
	for _, top := range []string{"work", "root", "farm", "home"} {
		paths = append(paths, "/"+top+"/")
	}
	for name, domain := range map[string]string{
		"proxy.golang": ".org", "sum.golang": ".org", "registry.npmjs": ".org", "pypi": ".org",
		"deb.debian": ".org", "archive.ubuntu": ".com", "registry.yarnpkg": ".com", "index.crates": ".io",
	} {
		hosts = append(hosts, name+domain)
	}
	return paths, hosts
}

// Portable reports text files that name a path of one machine or the host of a package registry:
// what is built elsewhere has other paths and other mirrors.
func Portable(fsys fs.FS, files []string) (out []Finding) {
	paths, hosts := forbiddenText()
	for _, name := range files {
		if name == "go.sum" {
			continue
		}
		b, err := fs.ReadFile(fsys, name)
		if err != nil || bytes.IndexByte(b, 0) >= 0 {
			continue // deleted but not yet committed, or not text
		}
		report := func(what, word string, at int) {
			line := 1 + bytes.Count(b[:at], []byte("\n"))
			out = append(out, Finding{fmt.Sprintf("%s:%d", name, line), "portable", fmt.Sprintf("names %s: %q", what, word)})
		}
		for _, host := range hosts {
			if at := bytes.Index(b, []byte(host)); at >= 0 {
				report("a package registry", host, at)
			}
		}
		for _, path := range paths {
			if at := indexPath(b, path); at >= 0 {
				report("a path of one machine", path, at)
			}
		}
	}
	return out
}

// indexPath finds an absolute path: one that no other element and no host name goes before.
func indexPath(b []byte, path string) int {
	for from := 0; ; {
		i := bytes.Index(b[from:], []byte(path))
		if i < 0 {
			return -1
		}
		at := from + i
		if at == 0 || !isPathByte(b[at-1]) {
			return at
		}
		from = at + 1
	}
}

func isPathByte(c byte) bool {
	return c == '_' || c == '.' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
