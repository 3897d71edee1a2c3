package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"mailflume/publish"
)

// block returns the first fenced block of the README that begins so.
func block(t *testing.T, begin string) string {
	t.Helper()
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := between(string(b), "```"+begin, "```")
	if text == "" {
		t.Fatalf("the README has no block %q", begin)
	}
	return text
}

func TestTheReadmeShowsWhatTheDemoPrints(t *testing.T) {
	t.Parallel()
	_, out, _ := call(t, "demo", "--once")
	const clock = len("2006-01-02 15:04:05")
	n := 0
	for line := range strings.Lines(block(t, "console\n$ make demo\n")) {
		if strings.Contains(line, "  received  ") {
			if n++; !strings.Contains(out, line[clock:]) {
				t.Errorf("the demo does not print %q", line[clock:])
			}
		}
	}
	if n == 0 {
		t.Error("the README shows no event")
	}
}

func TestTheReadmeShowsAnEventOfTheDemo(t *testing.T) {
	t.Parallel()
	shown := map[string]any{}
	if err := json.Unmarshal([]byte(block(t, "json\n")), &shown); err != nil {
		t.Fatal(err)
	}
	delete(shown, "time") // the demo's mail has just arrived
	_, out, _ := call(t, "demo", "--once", "--json")
	for line := range strings.Lines(out) {
		var ev publish.Event
		if err := json.Unmarshal([]byte(line), &ev); err != nil {
			t.Fatal(err)
		}
		if ev.Source == shown["source"] && ev.Data.Subject == "Invoice 2026-0417" {
			var real any
			if err := json.Unmarshal([]byte(line), &real); err != nil {
				t.Fatal(err)
			}
			within(t, "event", shown, real)
			return
		}
	}
	t.Error("the demo does not publish that message")
}

// within wants all that is shown in what is real; a string may be cut with an ellipsis.
func within(t *testing.T, path string, shown, real any) {
	t.Helper()
	switch s := shown.(type) {
	case map[string]any:
		r, _ := real.(map[string]any)
		for k, v := range s {
			within(t, path+"."+k, v, r[k])
		}
	case []any:
		r, _ := real.([]any)
		for i, v := range s {
			if i < len(r) {
				within(t, path, v, r[i])
			}
		}
		if len(s) != len(r) {
			t.Errorf("%s: %d are shown, %d are real", path, len(s), len(r))
		}
	case string:
		r, _ := real.(string)
		cut, ok := strings.CutSuffix(s, "…")
		if r != s && (!ok || r == "" || !strings.HasPrefix(r, cut)) {
			t.Errorf("%s is shown as %q and is %q", path, s, r)
		}
	default:
		if s != real {
			t.Errorf("%s is shown as %v and is %v", path, s, real)
		}
	}
}
