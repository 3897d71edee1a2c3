package config

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// valueError says what is wrong with one value; the decoder adds file and snippet.
type valueError struct {
	message, hint string
	hide          string // a literal secret that must not be shown
	token         *token.Token
}

// Error returns what is wrong and what would be right.
func (e *valueError) Error() string { return e.message + ": " + e.hint }

// wrong makes the error of one value.
func wrong(n ast.Node, message, hint string) *valueError {
	return &valueError{message: message, hint: hint, token: start(n)}
}

// start is the first token of a node: for a mapping its first key, not its first colon.
func start(n ast.Node) *token.Token {
	switch t := n.(type) {
	case nil:
		return nil
	case *ast.MappingNode:
		if !t.IsFlowStyle && len(t.Values) > 0 {
			return start(t.Values[0])
		}
	case *ast.MappingValueNode:
		return start(t.Key)
	case *ast.LiteralNode:
		return t.Start
	}
	return n.GetToken()
}

// scalar returns the text of a scalar as it was written: 007, no and 1e3 stay what they are.
func scalar(n ast.Node) (string, error) {
	switch t := n.(type) {
	case *ast.StringNode:
		return t.Value, nil
	case *ast.LiteralNode:
		return t.Value.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, nil
	case *ast.AnchorNode:
		return scalar(t.Value)
	case nil, *ast.NullNode:
		return "", wrong(n, "the value is missing", "write a value, or remove the key")
	case *ast.TagNode:
		return "", wrong(n, "tags are not supported here", "remove "+t.Start.Value)
	case *ast.SequenceNode:
		return "", wrong(n, "a single value is wanted here, not a list", "remove the brackets or the dash")
	case *ast.MappingNode, *ast.MappingValueNode:
		return "", wrong(n, "a single value is wanted here, not keys with values", "write the value on the key's line")
	}
	return "", wrong(n, "a single value is wanted here", "write the value on the key's line")
}

// pair is one key of a mapping with its value.
type pair struct {
	key   string
	node  ast.Node // the key
	value ast.Node
}

// pairs lists the entries of a mapping in order, merges (<<) included, and reports what is wrong
// with them: duplicates, and keys not in known unless that is nil.
func (d *decoder) pairs(n ast.Node, known []string) []pair {
	var entries []*ast.MappingValueNode
	switch t := n.(type) {
	case *ast.MappingNode:
		entries = t.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{t}
	case *ast.NullNode:
		return nil // everything below the key is commented out
	default:
		hint := "write key: value, one below the other"
		if text, err := scalar(n); err == nil && strings.Contains(text, ":") && !reference().MatchString(text) {
			hint = "put a space after the colon: key: value"
		}
		d.veil(n) // a secret that lacks its key, perhaps
		d.report(n, wrong(n, "keys with values are wanted here", hint))
		return nil
	}
	seen := map[string]place{}
	var out, merged []pair
	for _, e := range entries {
		*d.budget--
		if e.Key.IsMergeKey() {
			merged = append(merged, d.merged(e.Value, known)...)
			continue
		}
		key, err := scalar(e.Key)
		if err != nil {
			d.report(e.Key, wrong(e.Key, "this is not a key", "write key: value"))
			continue
		}
		if before, twice := seen[key]; twice {
			d.problems.at(d.at(e.Key), "the key "+quote(key)+" stands here twice", "it is already on line "+itoa(before.line)+": remove one of the two")
			continue
		}
		seen[key] = d.at(e.Key)
		// The value of an unknown key is not looked at: whatever is wrong in it would distract.
		if known != nil && !contains(known, key) {
			d.unknown(e, key, known)
			continue
		}
		out = append(out, pair{key, e.Key, e.Value})
	}
	// A mapping's own keys win over merged ones (YAML merge key, draft 2005-01-18).
	for _, m := range merged {
		if _, own := seen[m.key]; !own {
			seen[m.key] = d.at(m.node)
			out = append(out, m)
		}
	}
	return out
}

// merged lists what << brings in: one mapping or a list of them, the first winning.
func (d *decoder) merged(n ast.Node, known []string) []pair {
	if d.depth++; d.depth > maxDepth || *d.budget <= 0 {
		d.depth--
		d.problems.at(d.at(n), "aliases make this file too large", "write the values themselves")
		return nil
	}
	defer func() { d.depth-- }()
	n = d.resolve(n)
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		return d.pairs(n, known)
	}
	var out []pair
	for _, item := range seq.Values {
		out = append(out, d.pairs(d.resolve(item), known)...)
	}
	return out
}

// veil hides all values of a node.
func (d *decoder) veil(n ast.Node) {
	switch t := n.(type) {
	case *ast.MappingNode:
		for _, v := range t.Values {
			d.veil(v.Value)
		}
	case *ast.MappingValueNode:
		d.veil(t.Value)
	case *ast.SequenceNode:
		for _, v := range t.Values {
			d.veil(v)
		}
	default:
		if text, err := scalar(n); err == nil && !reference().MatchString(text) {
			d.at(n).veil(text)
		}
	}
}

// unknown reports a key that nobody knows, with what may have been meant.
func (d *decoder) unknown(e *ast.MappingValueNode, key string, known []string) {
	// client_secrt: hunter2 is a misspelt key and a literal secret at once, and so may be any other.
	if text, err := scalar(e.Value); err == nil && secretish(key) {
		d.src.conceal(text)
	}
	hint := suggest(key, known, "")
	if hint == "" || secretish(hint) {
		d.veil(e.Value)
	}
	if hint == "" {
		hint = elsewhere(key)
	}
	if hint == "" {
		hint = "known here: " + strings.Join(known, ", ")
	}
	d.problems.at(d.at(e.Key), "unknown key "+quote(key), hint)
}
