package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"mailflume/ingest"
)

const root = "../.."

// guides are the texts that operators read, by name.
func guides(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "deploy", "*.md"))
	if err != nil || len(files) < 4 {
		t.Fatalf("%d guides, %v", len(files), err)
	}
	out := map[string]string{}
	for _, f := range append(files, filepath.Join(root, "README.md")) {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[f] = string(b)
	}
	return out
}

func TestEveryCommandInTheGuidesExists(t *testing.T) {
	commands := regexp.MustCompile("(?m)(?:^|[`$/ (])mailflume +((?:[a-z]|--?[a-z])[^`\n|>&#;)$]*)")
	code := regexp.MustCompile("(?s)```.*?```|`[^`\n]+`")
	n := 0
	for file, text := range guides(t) {
		for _, block := range code.FindAllString(text, -1) {
			for _, m := range commands.FindAllStringSubmatch(block, -1) {
				n++
				if problem := unknownPart(strings.Fields(m[1])); problem != "" {
					t.Errorf("%s: mailflume %s: %s", filepath.Base(file), m[1], problem)
				}
			}
		}
	}
	if n < 40 {
		t.Errorf("only %d commands found", n)
	}
	for _, words := range []string{"chekc support", "pause --every", "audit support --json=1 -z", "quarantine purge"} {
		if unknownPart(strings.Fields(words)) == "" {
			t.Errorf("mailflume %s is thought to exist", words)
		}
	}
}

// unknownPart names what the program does not know of a command line.
func unknownPart(words []string) string {
	cmd, rest, err := newRoot().Find(words)
	if err != nil {
		return err.Error()
	}
	if cmd.HasSubCommands() && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") && cmd.Parent() != nil && rest[0] == strings.ToLower(rest[0]) && !strings.ContainsAny(rest[0], "[…") {
		return "no " + rest[0] + " below " + cmd.Name()
	}
	for _, w := range rest {
		w = strings.Trim(w, `[]"'.,`)
		if name, _, _ := strings.Cut(strings.TrimLeft(w, "-"), "="); strings.HasPrefix(w, "-") && len(name) > 0 && !hasFlag(cmd, name, strings.HasPrefix(w, "--")) {
			return "no flag " + w
		}
	}
	return ""
}

func hasFlag(cmd *cobra.Command, name string, long bool) bool {
	cmd.InitDefaultHelpFlag()
	if long {
		return cmd.Flags().Lookup(name) != nil || cmd.InheritedFlags().Lookup(name) != nil
	}
	return cmd.Flags().ShorthandLookup(name[:1]) != nil || cmd.InheritedFlags().ShorthandLookup(name[:1]) != nil
}

func TestEveryCodeMetricAndLinkInTheGuidesExists(t *testing.T) {
	metrics, err := os.ReadFile(filepath.Join(root, "cmd/internal/worker/metrics.go"))
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range guides(t) {
		for _, code := range regexp.MustCompile(`MF-[A-Z]+-\d{3}`).FindAllString(text, -1) {
			if meaning, _ := ingest.Explain(ingest.Code(code)); meaning == "" {
				t.Errorf("%s names %s, which does not exist", filepath.Base(file), code)
			}
		}
		for _, name := range regexp.MustCompile(`mailflume_[a-z_]+[a-z]`).FindAllString(text, -1) {
			if !strings.Contains(string(metrics), `"`+name+`"`) && !strings.Contains(string(metrics), `"`+strings.TrimPrefix(name, "mailflume_")+`"`) {
				t.Errorf("%s names the metric %s, which does not exist", filepath.Base(file), name)
			}
		}
		for _, link := range regexp.MustCompile(`\]\(([^)#:]+)(?:#([^)]*))?\)`).FindAllStringSubmatch(text, -1) {
			target, err := os.ReadFile(filepath.Join(filepath.Dir(file), link[1]))
			if _, gone := os.Stat(filepath.Join(filepath.Dir(file), link[1])); gone != nil {
				t.Errorf("%s links to %s: %v", filepath.Base(file), link[1], gone)
			} else if err == nil && link[2] != "" && !slices.Contains(anchors(string(target)), link[2]) {
				t.Errorf("%s links to %s#%s: no such heading", filepath.Base(file), link[1], link[2])
			}
		}
	}
}

// anchors are the names of a page's headings.
func anchors(text string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^#+ +(.*)$`).FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		out = append(out, strings.ReplaceAll(name, " ", "-"))
	}
	return out
}
