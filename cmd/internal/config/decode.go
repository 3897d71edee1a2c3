package config

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// decoder carries a YAML tree into Go values, over the defaults that already stand in them. Unlike
// the library's own decoder it goes on after an error, remembers where each key stood, and
// suggests what an unknown key may have meant.
type decoder struct {
	src      *source
	problems *problems
	anchors  map[string]ast.Node
	budget   *int // nodes still to be visited: bounds what aliases and merges expand to
	depth    int
	text     bool             // CSV: every value is text
	places   map[string]place // where each key's value stands, by dotted path
	types    shapes
}

// What aliases and merges may expand to: a file has less nodes than octets, and some more are free.
const (
	freeNodes = 100_000
	maxDepth  = 32
)

// whole is a value that reads a node of any form by itself.
type whole interface {
	decode(d *decoder, n ast.Node, path string)
}

// sited is a value that wants to know where it stood.
type sited interface {
	setPlace(p place)
}

// at is where a node begins.
func (d *decoder) at(n ast.Node) place { return d.src.at(start(n)) }

// report turns an error of a value into a problem at its place.
func (d *decoder) report(n ast.Node, err error) {
	if err == nil {
		return
	}
	if v, ok := err.(*valueError); ok { //nolint:errorlint // never wrapped: made in this package
		if v.hide != "" {
			d.src.conceal(v.hide)
		}
		d.problems.at(d.src.at(v.token), v.message, v.hint)
		return
	}
	d.problems.at(d.at(n), err.Error(), "")
}

// resolve follows aliases and anchors to the node they stand for.
func (d *decoder) resolve(n ast.Node) ast.Node {
	for range maxDepth {
		*d.budget--
		switch t := n.(type) {
		case *ast.AnchorNode:
			n = t.Value
		case *ast.AliasNode:
			name := t.Value.GetToken().Value
			target, ok := d.anchors[name]
			if !ok {
				d.problems.at(d.at(t), "the alias *"+name+" refers to nothing", "put &"+name+" before the value that it stands for")
				return ast.Null(t.GetToken())
			}
			n = target
		default:
			return n
		}
	}
	d.problems.at(d.at(n), "these aliases refer to each other", "write the value itself")
	return ast.Null(n.GetToken())
}

// value decodes one node into v. f describes the field that v is, path is its dotted name.
func (d *decoder) value(n ast.Node, v reflect.Value, f *field, path string) {
	if d.depth++; d.depth > maxDepth || *d.budget <= 0 {
		d.depth--
		d.problems.at(d.at(n), "aliases make this file too large", "write the values themselves")
		return
	}
	defer func() { d.depth-- }()
	at := d.at(n)
	n = d.resolve(n)
	if d.places != nil {
		d.places[path] = at
	}
	switch target := v.Addr().Interface().(type) {
	case whole:
		target.decode(d, n, path)
		return
	case yaml.NodeUnmarshaler:
		d.report(n, target.UnmarshalYAML(n))
		if s, ok := target.(sited); ok {
			s.setPlace(at)
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.object(n, v, path)
	case reflect.Map:
		d.dict(n, v, path)
	case reflect.Slice:
		d.list(n, v, f, path)
	default:
		d.report(n, d.basic(n, v, f)) // what was wrong keeps its default
	}
}

// object decodes a mapping with known keys.
func (d *decoder) object(n ast.Node, v reflect.Value, path string) {
	s := d.types.of(v.Type())
	for _, kv := range d.pairs(n, s.names) {
		f := s.fields[kv.key]
		d.value(kv.value, v.FieldByIndex(f.index), f, join(path, kv.key))
	}
}

// dict decodes a mapping with free keys into a map of strings or of pointers to structs.
func (d *decoder) dict(n ast.Node, v reflect.Value, path string) {
	entries := d.pairs(n, nil)
	merged := reflect.MakeMap(v.Type()) // never write into the map of the defaults
	for it := v.MapRange(); it.Next(); {
		merged.SetMapIndex(it.Key(), it.Value())
	}
	elem := v.Type().Elem()
	for _, kv := range entries {
		// Entries of credentials are structs that are filled in later, those of labels are texts.
		if elem.Kind() == reflect.Pointer {
			p := reflect.New(elem.Elem())
			d.value(kv.value, p.Elem(), nil, join(path, kv.key))
			merged.SetMapIndex(reflect.ValueOf(kv.key), p)
			continue
		}
		if text, err := scalar(kv.value); err == nil && secretName(kv.key) {
			d.report(kv.value, literalSecret(kv.value, text, "remove "+kv.key))
			continue
		}
		e := reflect.New(elem)
		d.value(kv.value, e.Elem(), &field{key: kv.key}, join(path, kv.key))
		merged.SetMapIndex(reflect.ValueOf(kv.key), e.Elem())
	}
	v.Set(merged)
}

// list decodes a sequence of texts; it replaces what stood there.
func (d *decoder) list(n ast.Node, v reflect.Value, f *field, path string) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok && d.text { // a cell of a table has no brackets
		v.Set(reflect.ValueOf(splitList(n)))
		return
	}
	if !ok {
		if _, null := n.(*ast.NullNode); null {
			return // everything below the key is commented out: the default stands
		}
		hint := "write a list"
		if text, err := scalar(n); err == nil {
			hint = "write [" + text + "]"
		}
		d.report(n, wrong(n, "a list is wanted here", hint))
		return
	}
	out := reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values))
	for i, item := range seq.Values {
		d.value(item, out.Index(i), f, path+"["+strconv.Itoa(i)+"]")
	}
	v.Set(out)
}

// splitList is the form of a list in a CSV cell.
func splitList(n ast.Node) []string {
	text, _ := scalar(n)
	var out []string
	for s := range strings.SplitSeq(text, ";") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// basic decodes text, numbers and booleans.
func (d *decoder) basic(n ast.Node, v reflect.Value, f *field) error {
	text, err := scalar(n)
	if err != nil {
		return err
	}
	switch v.Kind() {
	// The node's own type counts too: "true" in quotes is a text that happens to look like a
	// boolean, and what a schema-aware editor refuses should not load.
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if _, isBool := n.(*ast.BoolNode); err != nil || !isBool && !d.text {
			return wrong(n, quote(text)+" is neither true nor false", "write true or false")
		}
		v.SetBool(b)
	case reflect.Int:
		i, err := strconv.Atoi(text)
		if _, isInt := n.(*ast.IntegerNode); err != nil || !isInt && !d.text {
			return wrong(n, quote(text)+" is not a whole number", "write "+f.numbers()+", without quotes")
		}
		if i < f.min || i > f.max {
			return wrong(n, text+" is out of range", "write "+f.numbers())
		}
		v.SetInt(int64(i))
	case reflect.String:
		if f != nil && len(f.enum) > 0 && !contains(f.enum, text) {
			return wrong(n, quote(text)+" is not known here", suggest(text, f.enum, "write "+oneOf(f.enum)))
		}
		if key, query := secretInURL(text); key != "" {
			return literalSecret(n, query, "remove "+key+" from the URL")
		}
		if f != nil && f.path {
			text = d.src.abs(text)
		}
		v.SetString(text)
	}
	return nil
}

// join makes the dotted name of a key in a section.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
