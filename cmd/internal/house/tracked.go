package house

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os/exec"
	"regexp"
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

// forbiddenText returns the patterns that tie a file to one machine. They are put together here
// so that this file does not match itself.
func forbiddenText() map[string]*regexp.Regexp {
	hosts := []string{
		"proxy.golang" + `\.org`, "sum.golang" + `\.org`, "registry.npmjs" + `\.org`, "pypi" + `\.org`,
		"deb.debian" + `\.org`, "archive.ubuntu" + `\.com`, "registry.yarnpkg" + `\.com`, "index.crates" + `\.io`,
	}
	return map[string]*regexp.Regexp{
		"a path of one machine": regexp.MustCompile(`(?:^|[^A-Za-z0-9_.])/(?:work|root|farm|home)/`),
		"a package registry":    regexp.MustCompile(strings.Join(hosts, "|")),
	}
}

// Portable reports text files that name a path of one machine or the host of a package registry:
// what is built elsewhere has other paths and other mirrors.
func Portable(fsys fs.FS, files []string) (out []Finding) {
	patterns := forbiddenText()
	for _, name := range files {
		if name == "go.sum" {
			continue
		}
		b, err := fs.ReadFile(fsys, name)
		if err != nil || bytes.IndexByte(b, 0) >= 0 {
			continue // deleted but not yet committed, or not text
		}
		for what, re := range patterns {
			if loc := re.FindIndex(b); loc != nil {
				line := 1 + bytes.Count(b[:loc[0]], []byte("\n"))
				out = append(out, Finding{fmt.Sprintf("%s:%d", name, line), "portable", fmt.Sprintf("names %s: %q", what, b[loc[0]:loc[1]])})
			}
		}
	}
	return out
}
