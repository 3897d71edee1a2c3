package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailflume/cmd/internal/catalogue"
	"mailflume/ingest"
)

var update = flag.Bool("update", false, "rewrite golden files")

// codesPage is deploy/codes.md.
func codesPage() string {
	var b strings.Builder
	b.WriteString("# Every error code\n\n" +
		"Made by `make codes` from what `mailflume explain CODE` says; do not edit. *Then* is what mailflume does by itself: a mailbox\n" +
		"heals without a restart. *See it*: `mailflume demo --fault N` plays it on this machine. Codes are added, never renamed.\n\n" +
		"| code | meaning | what to do | class | then | see it |\n|---|---|---|---|---|---|\n")
	cell := strings.NewReplacer("|", "\\|", "\n", " ")
	for _, c := range ingest.Codes() {
		meaning, next := ingest.Explain(c)
		class, then := "", "not tried again by itself"
		if f, ok := ingest.Usual(c); ok {
			class, then = f.Class.String(), f.Pace()
		}
		see := strings.ReplaceAll(strings.Trim(fmt.Sprint(catalogue.Of(c)), "[]"), " ", ", ")
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", c, cell.Replace(meaning), cell.Replace(next), class, then, see)
	}
	return b.String()
}

func TestThePageOfCodesIsCurrent(t *testing.T) {
	path := filepath.Join("..", "..", "deploy", "codes.md")
	want := codesPage()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("deploy/codes.md is not what the code says: make codes")
	}
}
