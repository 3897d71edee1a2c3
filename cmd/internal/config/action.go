package config

import (
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"mailflume/ingest"
)

// Start says which mail that is already there is wanted: now, all, a date, or an RFC 3339 time.
type Start ingest.Start

// Ingest returns it in the engine's words.
func (s Start) Ingest() ingest.Start { return ingest.Start(s) }

// String returns it in the words of the file.
func (s Start) String() string {
	switch {
	case s.All:
		return "all"
	case s.Since.IsZero():
		return "now"
	case s.Since.Equal(s.Since.Truncate(24 * time.Hour)):
		return s.Since.UTC().Format(time.DateOnly)
	}
	return s.Since.UTC().Format(time.RFC3339Nano)
}

// ParseStart reads now, all, 2026-01-01 (midnight UTC) or an RFC 3339 time. ok says whether s was
// one of them.
func ParseStart(s string) (start Start, ok bool) {
	switch s {
	case "now":
		return Start{}, true
	case "all":
		return Start{All: true}, true
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1969 {
			return Start{Since: t.UTC()}, true
		}
	}
	return Start{}, false
}

// UnmarshalYAML reads a start; its error says where and what would be right.
func (s *Start) UnmarshalYAML(n ast.Node) error {
	text, err := scalar(n)
	if err != nil {
		return err
	}
	v, ok := ParseStart(text)
	if !ok {
		return wrong(n, quote(text)+" does not say where to start", "write now, all, a date such as 2026-01-01, or a time such as 2026-01-01T08:00:00Z")
	}
	*s = v
	return nil
}

// MarshalYAML writes the start as the file does.
func (s Start) MarshalYAML() (any, error) { return s.String(), nil }

// After is what is done to a message on the server once its event is stored and the grace period
// is over.
type After ingest.After

// Ingest returns it in the engine's words.
func (a After) Ingest() ingest.After { return ingest.After(a) }

// String returns the action in the words of the file: none, seen, flag: NAME, move: FOLDER, delete.
func (a After) String() string {
	switch a.Action {
	case ingest.ActionFlag:
		return "flag: " + a.Flag
	case ingest.ActionMove:
		return "move: " + a.Folder
	}
	return string(a.Action)
}

// MarshalYAML writes action and grace.
func (a After) MarshalYAML() (any, error) {
	return struct {
		Action string `yaml:"action"`
		Grace  string `yaml:"grace"`
	}{a.String(), Duration(a.Grace).String()}, nil
}

const actionHint = "write none, seen, delete, flag: NAME or move: FOLDER"

// parse reads an action written as one text. It leaves the grace period alone.
func (a *After) parse(n ast.Node, text string) error {
	verb, arg, _ := strings.Cut(text, ":")
	arg = strings.TrimSpace(arg)
	switch action := ingest.Action(strings.TrimSpace(verb)); action {
	case ingest.ActionNone, ingest.ActionSeen, ingest.ActionDelete:
		if arg != "" {
			return wrong(n, "the action "+string(action)+" takes nothing after it", actionHint)
		}
		a.set(action, "")
	case ingest.ActionFlag, ingest.ActionMove:
		a.set(action, arg)
	default:
		return wrong(n, quote(text)+" is not an action", suggest(text, []string{"none", "seen", "flag", "move", "delete"}, actionHint))
	}
	return nil
}

// set replaces the action and its argument: one inherited from defaults must not keep the folder
// of another action.
func (a *After) set(action ingest.Action, arg string) {
	a.Action, a.Flag, a.Folder = action, "", ""
	switch action {
	case ingest.ActionFlag:
		a.Flag = arg
	case ingest.ActionMove:
		a.Folder = arg
	}
}

// decode reads the forms {action: none, grace: 10m}, {action: "move: F"}, {action: {move: F}},
// {action: move, move: F}, {move: F} and the action alone. What a form leaves out keeps its value.
func (a *After) decode(d *decoder, n ast.Node, path string) {
	f := &actionForm{after: a, d: d}
	if _, isMap := n.(ast.MapNode); isMap {
		for _, kv := range d.pairs(n, []string{"action", "grace", "flag", "move"}) {
			v := d.resolve(kv.value)
			switch kv.key {
			case "grace":
				d.report(v, (*Duration)(&a.Grace).UnmarshalYAML(v))
			case "action":
				f.action(v)
			default:
				f.argument(kv, v)
			}
		}
	} else {
		f.action(n)
	}
	if f.given != nil && !f.failed {
		f.complete()
		d.places[path+".action"] = d.at(f.given)
	}
}

// actionForm reads one post-action, which one or two keys may name.
type actionForm struct {
	after  *After
	d      *decoder
	given  ast.Node // what named the action
	failed bool
}

// fail reports a wrong form and remembers it, so that what follows from it stays quiet.
func (f *actionForm) fail(n ast.Node, err error) {
	f.failed = true
	f.d.report(n, err)
}

// action reads the value of the key action.
func (f *actionForm) action(n ast.Node) {
	if _, isMap := n.(ast.MapNode); isMap {
		for _, kv := range f.d.pairs(n, []string{"flag", "move"}) {
			f.argument(kv, f.d.resolve(kv.value))
		}
		return
	}
	text, err := scalar(n)
	switch {
	case err != nil:
		f.fail(n, err)
	case f.given != nil && text == string(f.after.Action): // {flag: X, action: flag}
	case f.given != nil:
		f.fail(n, wrong(n, "the action "+quote(text)+" contradicts "+string(f.after.Action), actionHint))
	default:
		f.given = n
		if err := f.after.parse(n, text); err != nil {
			f.fail(n, err)
		}
	}
}

// argument reads flag: NAME or move: FOLDER.
func (f *actionForm) argument(kv pair, v ast.Node) {
	text, err := scalar(v)
	action := ingest.Action(kv.key)
	switch {
	case err != nil:
		f.fail(v, err)
	case f.given != nil && f.after.Action != action:
		f.fail(kv.node, wrong(kv.node, kv.key+" contradicts the action "+string(f.after.Action), actionHint))
	default:
		f.after.set(action, text)
		f.given = v
	}
}

// complete reports an action that lacks its argument.
func (f *actionForm) complete() {
	switch a := f.after; {
	case a.Action == ingest.ActionFlag && a.Flag == "":
		f.fail(f.given, wrong(f.given, "the action flag needs the name of the flag", "write for example flag: $Ingested"))
	case a.Action == ingest.ActionMove && a.Folder == "":
		f.fail(f.given, wrong(f.given, "the action move needs a folder", "write for example move: Processed"))
	}
}
